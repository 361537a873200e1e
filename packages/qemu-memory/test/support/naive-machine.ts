/**
 * What a machine does with an access, told byte by byte and in bigints, from the rules alone: who answers at an address, what one
 * dispatched access asks of a device, what a transfer, a fill and `write_rom` do. The judge of surfaces.property.test.ts.
 */

export type Attrs = 'plain' | 'memory' | 'debug';

/** Rules of a device: sizes as in MemoryRegionOps, 0 for its defaults. */
export interface NaiveRules {
  readonly big: boolean;
  readonly validMin: number;
  readonly validMax: number;
  readonly validUnaligned: boolean;
  readonly implMin: number;
  readonly implMax: number;
  readonly implUnaligned: boolean;
  /** Plain callbacks, which report nothing; else those with attributes. */
  readonly plain: boolean;
}

/** A region at `addr` of the root. */
export interface NaiveRegion {
  readonly name: string;
  readonly kind: 'ram' | 'rom' | 'romDevice' | 'io' | 'alias';
  readonly size: bigint;
  readonly priority: number;
  readonly rules: NaiveRules;
  readonly bytes: Uint8Array;
  /** Of an alias. */
  readonly target: NaiveRegion | null;
  readonly targetOffset: bigint;
  addr: bigint;
  /** Regions added later lie over others of the same priority. */
  order: number;
  enabled: boolean;
  readonly: boolean;
  romd: boolean;
  logged: boolean;
  readonly dirty: Set<number>;
}

/** What a region showed when it was painted. */
export interface Painted {
  readonly first: bigint;
  last: bigint;
  readonly region: NaiveRegion;
  readonly offset: bigint;
  readonly directRead: boolean;
  readonly directWrite: boolean;
}

/** Pages of the space behind the IOMMU: where each goes, and what it permits (1 read, 2 write). */
export interface NaivePage {
  readonly to: bigint;
  readonly perm: number;
}

/** What an access goes through: the map as it is, an old view of it, or the pages. */
export interface Through {
  readonly view: readonly Painted[];
  readonly pages: readonly NaivePage[] | null;
}

/** What became of an access. Bytes that were not touched are -1. */
export interface Outcome {
  readonly result: number;
  readonly done: number;
  readonly bytes: readonly number[];
  /** What the device threw. */
  readonly threw: string | null;
}

export const PAGE = 0x1000n;
const WRAP = 1n << 64n;

/** A callback that throws. */
class Threw extends Error {}

/** What a device answers to a read. */
export function answer(name: string, offset: number, size: number): bigint {
  const seed =
    Math.imul(offset + 1, 0x9e37_79b1) ^ Math.imul(name.length * 31 + name.charCodeAt(name.length - 1), size + 7);
  return (BigInt(Math.imul(seed, 0x85eb_ca6b) >>> 0) << 32n) | BigInt(Math.imul(seed ^ 0x5555, 0xc2b2_ae35) >>> 0);
}

/** The result bits that a device reports at an offset. */
export function reported(offset: number): number {
  return (offset & 0xf) === 5 ? 1 : (offset & 0x1f) === 9 ? 5 : 0;
}

/** Does its callback throw there? */
export function throws(offset: number): boolean {
  return (offset & 0x3f) === 0x2a;
}

/** The model. Accesses log the callbacks that they make, as the library's devices do. */
export class NaiveMachine {
  readonly log: string[] = [];
  readonly regions: readonly NaiveRegion[];

  constructor(regions: readonly NaiveRegion[]) {
    this.regions = regions;
  }

  /** T-60 to T-78: asks at every border, and joins what goes on. */
  paint(): Painted[] {
    const borders = new Set<bigint>();
    for (const region of this.regions) {
      borders.add(region.addr).add(region.addr + region.size);
      // An alias shows the borders of its target.
      if (region.target !== null) borders.add(region.addr + region.target.size - region.targetOffset);
    }
    const cuts = [...borders].sort((a, b) => (a < b ? -1 : 1));
    const over = [...this.regions].sort((a, b) => b.priority - a.priority || b.order - a.order);
    const out: Painted[] = [];
    for (const [i, first] of cuts.slice(0, -1).entries()) {
      const found = over.map((region) => shown(region, first - region.addr)).find((each) => each !== null);
      if (found === undefined || found === null) continue;
      const { region, offset } = found;
      const last = cuts[i + 1]! - 1n;
      const before = out.at(-1);
      if (before?.region === region && before.last + 1n === first && before.offset + first - before.first === offset)
        before.last = last;
      else {
        const directRead =
          region.kind === 'ram' || region.kind === 'rom' || (region.kind === 'romDevice' && region.romd);
        out.push({ first, last, region, offset, directRead, directWrite: region.kind === 'ram' && !region.readonly });
      }
    }
    return out;
  }

  /** one dispatch, never split. @param data what is stored; null: load. */
  scalar(through: Through, addr: bigint, size: number, data: readonly number[] | null, attrs: Attrs): Outcome {
    const { at, offset, length } = translate(through, addr, size, data !== null);
    try {
      if (isDirect(at, data !== null, attrs) && length >= size && Number(offset) + size <= at!.region.bytes.length)
        return { result: 0, done: size, bytes: this.#copy(at!.region, Number(offset), size, data), threw: null };
      const { result, bytes } = this.#dispatch(at, offset, size, data, attrs);
      return { result, done: result === 0 ? size : 0, bytes, threw: null };
    } catch (error) {
      return { result: 1, done: 0, bytes: [], threw: thrown(error) };
    }
  }

  /** @param stop vm-memory's policy: ends at the first failure, and at 2^64. */
  transfer(
    through: Through,
    start: bigint,
    size: number,
    data: readonly number[] | null,
    attrs: Attrs,
    stop: boolean,
  ): Outcome {
    const bytes = new Array<number>(size).fill(-1);
    let result = 0;
    let done = size;
    let pos = 0;
    let threw: string | null = null;
    while (pos < size) {
      const addr = (start + BigInt(pos)) % WRAP;
      let step: Step;
      try {
        step = stop && addr === 0n && pos > 0 ? END : this.#step(through, addr, size - pos, data, pos, attrs);
      } catch (error) {
        threw = thrown(error);
        step = { length: 0, result: 1, bytes: [] };
      }
      for (const [i, byte] of step.bytes.entries()) bytes[pos + i] = byte;
      if (step.result !== 0 && result === 0) done = pos;
      result |= step.result;
      if (threw !== null || (stop && result !== 0)) break;
      pos += step.length;
    }
    return { result, done, bytes, threw };
  }

  /** writes of at most 512 bytes. */
  fill(through: Through, start: bigint, size: number, byte: number, attrs: Attrs): Outcome {
    let result = 0;
    let done = size;
    for (let pos = 0; pos < size; pos += 512) {
      const data = new Array<number>(Math.min(512, size - pos)).fill(byte);
      const part = this.transfer(through, (start + BigInt(pos)) % WRAP, data.length, data, attrs, false);
      if (part.result !== 0 && result === 0) done = pos + part.done;
      result |= part.result;
      if (part.threw !== null) return { result, done, bytes: [], threw: part.threw };
    }
    return { result, done, bytes: [], threw: null };
  }

  /** */
  #step(through: Through, addr: bigint, size: number, data: readonly number[] | null, pos: number, attrs: Attrs): Step {
    const { at, offset, length } = translate(through, addr, size, data !== null);
    if (attrs === 'memory' && (at === null || !isRam(at.region))) return { length, result: 4, bytes: [] };
    if (isDirect(at, data !== null, attrs)) {
      const room = Math.min(length, at!.region.bytes.length - Number(offset));
      return {
        length: room,
        result: 0,
        bytes: this.#copy(at!.region, Number(offset), room, data?.slice(pos, pos + room) ?? null),
      };
    }
    const piece = accessSize(at?.region ?? null, offset, length);
    return { length: piece, ...this.#dispatch(at, offset, piece, data?.slice(pos, pos + piece) ?? null, attrs) };
  }

  #copy(region: NaiveRegion, offset: number, size: number, data: readonly number[] | null): number[] {
    if (data === null) return [...region.bytes.subarray(offset, offset + size)];
    region.bytes.set(data, offset);
    const page = Number(PAGE);
    //
    if (region.logged) for (let at = Math.floor(offset / page); at * page < offset + size; at++) region.dirty.add(at);
    return [];
  }

  /** `data` and the bytes are the string in ascending addresses. */
  #dispatch(
    at: Painted | null,
    where: bigint,
    size: number,
    data: readonly number[] | null,
    attrs: Attrs,
  ): { result: number; bytes: number[] } {
    const bytes = data === null ? new Array<number>(size).fill(0) : [];
    if (at === null || (at.region.kind !== 'io' && at.region.kind !== 'romDevice')) return { result: 2, bytes };
    const { name, rules } = at.region;
    const offset = Number(where);
    if (data === null && attrs === 'debug') return { result: 4, bytes }; // Opaque: there is no peek (D13).
    const { validMin, validMax, big } = rules;
    if (!rules.validUnaligned && offset % size !== 0) return { result: 2, bytes };
    if (validMax !== 0 && (size > validMax || size < validMin)) return { result: 2, bytes };
    const piece = Math.max(Math.min(size, rules.implMax || 4), rules.implMin || 1);
    const mask = (1n << BigInt(8 * piece)) - 1n;
    let value = data === null ? 0n : toNumber(data, big);
    let result = 0;
    for (let i = 0; i < size; i += piece) {
      const shift = BigInt(8 * (big ? size - piece - i : i));
      const here = offset + i;
      const part = (shift >= 0n ? value >> shift : value << -shift) & mask;
      this.log.push(data === null ? `${name} R${piece}@${here}` : `${name} W${piece}@${here}=${part.toString(16)}`);
      if (throws(here)) throw new Threw(`${name} ${here} ${piece} ${data !== null}`);
      if (!rules.plain) result |= reported(here);
      if (data === null) {
        const read = answer(name, here, piece) & mask;
        value |= shift >= 0n ? read << shift : read >> -shift;
      }
    }
    return { result, bytes: data === null ? toBytes(value, size, big) : [] };
  }
}

interface Step {
  readonly length: number;
  readonly result: number;
  readonly bytes: readonly number[];
}

const END: Step = { length: 0, result: 2, bytes: [] };

function shown(region: NaiveRegion, offset: bigint): { region: NaiveRegion; offset: bigint } | null {
  if (!region.enabled || offset < 0n || offset >= region.size) return null;
  return region.target === null ? { region, offset } : shown(region.target, offset + region.targetOffset);
}

/** */
function translate(
  { view, pages }: Through,
  start: bigint,
  size: number,
  isWrite: boolean,
): { at: Painted | null; offset: bigint; length: number } {
  let addr = start;
  let length = size;
  if (pages !== null) {
    const page = pages[Number(addr / PAGE)];
    if (page === undefined || (page.perm & (isWrite ? 2 : 1)) === 0) return { at: null, offset: addr, length };
    length = Math.min(length, Number(PAGE - (addr % PAGE)));
    addr = page.to + (addr % PAGE);
  }
  const at = view.find(({ first, last }) => addr >= first && addr <= last) ?? null;
  if (at === null) return { at, offset: addr, length };
  const room = at.last - addr + 1n;
  if (isRam(at.region) && room < BigInt(length)) length = Number(room);
  return { at, offset: at.offset + addr - at.first, length };
}

function isRam({ kind }: NaiveRegion): boolean {
  return kind === 'ram' || kind === 'rom';
}

/** */
function isDirect(at: Painted | null, isWrite: boolean, attrs: Attrs): boolean {
  if (at === null) return false;
  return isWrite && attrs !== 'debug' ? at.directWrite : at.directRead;
}

/** */
function accessSize(region: NaiveRegion | null, offset: bigint, length: number): number {
  const isDevice = region !== null && !isRam(region);
  let most = Math.min((isDevice ? region.rules.validMax : 0) || 4, length);
  if (!(isDevice && region.rules.implUnaligned) && offset !== 0n)
    most = Math.min(most, Number((offset & -offset) % 16n) || 8);
  return 2 ** Math.floor(Math.log2(most));
}

function toNumber(bytes: readonly number[], big: boolean): bigint {
  return (big ? bytes : [...bytes].reverse()).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function toBytes(value: bigint, size: number, big: boolean): number[] {
  const bytes = Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  return big ? bytes.reverse() : bytes;
}

function thrown(error: unknown): string {
  if (error instanceof Threw) return error.message;
  throw error;
}
