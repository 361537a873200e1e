/**
 * Replays random bulk accesses that a real QEMU was given: builds the same map with devices that answer what was recorded,
 * and compares call by call, refusal by refusal, byte by byte. Pure: `access.ts` reads the file.
 */
import { MemTx, type MemTxAttrs, memTxAttrs } from '@guestmem/memtx';
import { type AccessSizes, type AddressSpace, MemoryCore, type MemoryRegionOps } from '@guestmem/qemu-memory';
import { sparseBacking } from '@guestmem/vm-memory';

/** One region of a capture. Sizes of 0 mean: not given. */
export interface CapturedRegion {
  readonly name: string;
  readonly start: string;
  readonly size: string;
  readonly kind: string;
  readonly endianness?: 'little' | 'big';
  readonly valid?: CapturedSizes;
  readonly impl?: CapturedSizes;
}

interface CapturedSizes {
  readonly min: number;
  readonly max: number;
  readonly unaligned: boolean;
}

/** What a device or the guest-error log has seen. */
export interface Seen {
  readonly call?: 'read' | 'write';
  readonly rejected?: 'read' | 'write';
  readonly region: string;
  readonly addr?: string;
  readonly offset?: string;
  readonly size: number;
  readonly value?: string;
  readonly reason?: string;
}

/** One bulk access. */
export interface CapturedAccess {
  readonly op: 'read' | 'write';
  readonly addr: string;
  readonly len: number;
  readonly data?: string;
  readonly reply?: string;
  readonly seen: readonly Seen[];
}

/** One file. */
export interface AccessCapture {
  readonly targetEndianness: 'little' | 'big';
  readonly regions: readonly CapturedRegion[];
  readonly accesses: readonly CapturedAccess[];
}

/** How the replay of one capture went. */
export interface AccessReplay {
  readonly accesses: number;
  readonly calls: number;
  readonly refusals: number;
  /** Accesses that were not equal, in words. */
  readonly differences: readonly string[];
}

/** Is `value` a capture of this kind? */
export function isAccessCapture(value: unknown): value is AccessCapture {
  const { targetEndianness, regions, accesses } = (value ?? {}) as Partial<AccessCapture>;
  return (
    (targetEndianness === 'little' || targetEndianness === 'big') && Array.isArray(regions) && Array.isArray(accesses)
  );
}

/** Replays all accesses of `capture`, in order. */
export function replayAccesses(capture: AccessCapture): AccessReplay {
  const machine = new Machine(capture);
  const attrs = memTxAttrs({ unspecified: true });
  const differences: string[] = [];
  let calls = 0;
  let refusals = 0;
  capture.accesses.forEach((access, i) => {
    for (const seen of access.seen) seen.call === undefined ? refusals++ : calls++;
    const difference = machine.run(access, attrs);
    if (difference !== '') differences.push(`access ${i} (${access.op} ${access.len} @ ${access.addr}): ${difference}`);
  });
  return { accesses: capture.accesses.length, calls, refusals, differences };
}

class Machine {
  readonly #space: AddressSpace;
  /** The recorded calls of the running access whose values are still to be given. */
  #answers: Seen[] = [];
  #seen: string[] = [];

  constructor(capture: AccessCapture) {
    const core = new MemoryCore({ targetOrder: capture.targetEndianness });
    const root = core.container('replay', 1n << 64n);
    const regions = [...capture.regions, ...unlisted(capture)];
    regions.forEach((region, i) => {
      const size = BigInt(region.size);
      const start = BigInt(region.start);
      const memory = (): ReturnType<typeof sparseBacking> => sparseBacking(Number(size));
      const made =
        region.kind === 'ram'
          ? core.ram(region.name, memory())
          : region.kind === 'rom'
            ? core.rom(region.name, memory())
            : core.io(region.name, size, this.#ops(region, start));
      root.addSubregion(start, made, regions.length - i);
    });
    core.access.observer = {
      refused: (region, offset, size, isWrite, reason) => {
        const name = region === core.unassigned ? '(null)' : region.name;
        this.#seen.push(refusalText(isWrite ? 'write' : 'read', name, BigInt(offset), size, reason));
      },
    };
    this.#space = core.addressSpace(root, 'replay');
  }

  run(access: CapturedAccess, attrs: MemTxAttrs): string {
    this.#answers = access.seen.filter((seen) => seen.call === 'read');
    this.#seen = [];
    const addr = BigInt(access.addr);
    const tx = new MemTx();
    const bytes = access.op === 'write' ? Buffer.from(access.data ?? '', 'hex') : Buffer.alloc(access.len);
    if (access.op === 'write') this.#space.txWrite(addr, bytes, attrs, 'continue', tx);
    else this.#space.txRead(addr, bytes, attrs, 'continue', tx);
    const wanted = access.seen.map(seenText);
    const at = wanted.findIndex((text, i) => text !== this.#seen[i]);
    if (at >= 0) return `expected ${wanted[at]}, seen ${this.#seen[at] ?? 'nothing'}`;
    if (this.#seen.length > wanted.length) return `seen beyond what was recorded: ${this.#seen[wanted.length]}`;
    const hex = bytes.toString('hex');
    if (access.op === 'read' && hex !== access.reply) return `expected bytes ${access.reply}, read ${hex}`;
    const refused = access.seen.some((seen) => seen.rejected !== undefined);
    if ((tx.result !== 0) !== refused) return `result ${tx.result} with${refused ? '' : 'out'} refusals`;
    return '';
  }

  #ops(region: CapturedRegion, start: bigint): MemoryRegionOps {
    const read = (offset: number, size: number): bigint => {
      const value = BigInt(this.#answers.shift()?.value ?? '0');
      this.#seen.push(callText('read', region.name, start + BigInt(offset), size, value));
      return value;
    };
    const write = (offset: number, value: bigint, size: number): void => {
      this.#seen.push(callText('write', region.name, start + BigInt(offset), size, value));
    };
    return {
      endianness: region.endianness ?? 'native',
      valid: sizes(region.valid),
      impl: sizes(region.impl),
      // Bits above the size are kept as far as a number goes, so that cutting them is the library's work.
      read: (offset, size) => Number(read(offset, size) & 0x1f_ffff_ffff_ffffn),
      write: (offset, value, size) => write(offset, BigInt(value), size),
      read64: (offset) => read(offset, 8),
      write64: (offset, value) => write(offset, value, 8),
    };
  }
}

/** Regions that were called and are not in the list: as far as their calls reach, with no rules. */
function unlisted(capture: AccessCapture): CapturedRegion[] {
  const known = new Set(capture.regions.map((region) => region.name));
  const spans = new Map<string, { first: bigint; end: bigint }>();
  for (const { call, region, addr, size } of capture.accesses.flatMap((access) => access.seen)) {
    if (call === undefined || addr === undefined || known.has(region)) continue;
    const at = BigInt(addr);
    const span = spans.get(region) ?? { first: at, end: at };
    if (at < span.first) span.first = at;
    if (at + BigInt(size) > span.end) span.end = at + BigInt(size);
    spans.set(region, span);
  }
  return [...spans].map(([name, { first, end }]) => ({
    name,
    start: `0x${first.toString(16)}`,
    size: `0x${(end - first).toString(16)}`,
    kind: 'io',
    endianness: capture.targetEndianness,
  }));
}

function sizes(from: CapturedSizes | undefined): AccessSizes {
  if (from === undefined) return {};
  return { minAccessSize: from.min, maxAccessSize: from.max, unaligned: from.unaligned };
}

function seenText(seen: Seen): string {
  if (seen.call !== undefined)
    return callText(seen.call, seen.region, BigInt(seen.addr ?? 0), seen.size, BigInt(seen.value ?? 0));
  return refusalText(seen.rejected ?? '', seen.region, BigInt(seen.offset ?? 0), seen.size, seen.reason ?? '');
}

function callText(op: string, region: string, addr: bigint, size: number, value: bigint): string {
  return `${op} of ${region}: ${size} bytes at 0x${addr.toString(16)} = 0x${value.toString(16)}`;
}

function refusalText(op: string, region: string, offset: bigint, size: number, reason: string): string {
  return `${op} refused by ${region}: ${size} bytes at 0x${offset.toString(16)}, ${reason}`;
}
