/** One machine, its twin and the model: each access is made through two surfaces, and all three must agree on everything. */
import * as codecs from '@guestmem/memtx';
import { MemTx, MemTxError } from '@guestmem/memtx';
import { ScalarCodec } from '@guestmem/vm-memory';
import { expect } from 'vitest';
import { DeviceError, DirtyClient } from '../../src/index.ts';
import { NaiveMachine, type NaivePage, type Outcome, PAGE, type Painted, type Through } from './naive-machine.ts';
import { Random } from './random.ts';
import {
  type Description,
  describeMachine,
  describePage,
  numbered,
  PLACES,
  SurfaceMachine,
} from './surface-machine.ts';
import { type Access, SURFACES, type Surface, scalarOf } from './surfaces.ts';

type Space = 'memory' | 'dma' | 'pinned';

/** Integers of every size and order: each value is the bytes that it has. */
const CODECS: readonly ScalarCodec<number | bigint>[] = Object.values(codecs)
  .filter((each) => each instanceof ScalarCodec)
  .filter(({ name }) => /^([ui]8|[lb]e(16|32|64)s?)$/.test(name)) as never;

/** Runs `rounds` bursts of accesses, with edits between them, on the machine of `seed`. */
export function runSurfaces(seed: number, rounds: number): void {
  new Run(seed).go(rounds);
}

class Run {
  readonly #random: Random;
  readonly #description: Description;
  readonly #model: NaiveMachine;
  readonly #pages: NaivePage[];
  readonly #twins: readonly SurfaceMachine[];
  #view: readonly Painted[];
  #pinned: readonly Painted[];

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#description = describeMachine(this.#random);
    this.#twins = [new SurfaceMachine(this.#description), new SurfaceMachine(this.#description)];
    this.#model = new NaiveMachine(this.#description.regions);
    this.#pages = [...this.#description.pages];
    this.#view = this.#model.paint();
    this.#pinned = this.#view;
  }

  go(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      this.#burst(`round ${round}`);
      this.#compare(`after round ${round}`);
      for (let edits = this.#random.below(3); edits > 0; edits--) this.#edit();
    }
  }

  /** Accesses of one kind near one address, so that what is kept for the next one is met. */
  #burst(round: string): void {
    const random = this.#random;
    const space = random.pick(['memory', 'memory', 'dma', 'pinned'] as const);
    const through: Through = {
      view: space === 'pinned' ? this.#pinned : this.#view,
      pages: space === 'dma' ? this.#pages : null,
    };
    const base = this.#address(through);
    const kind = random.pick(['load', 'store', 'read', 'write', 'fill'] as const);
    const codec = random.pick(CODECS);
    const bulk = random.pick([0, 1, 3, 4, 8, 17, random.below(300), random.once(4) ? random.below(5000) : 8]);
    const attrs = random.pick(['plain', 'plain', 'plain', 'memory', 'debug'] as const);
    const stop = kind !== 'fill' && random.once(2);
    const stride = random.pick([0, 0, 1, 4, 8]);
    for (let i = random.pick([1, 2, 12, 12]); i > 0; i--) {
      const size = kind === 'load' || kind === 'store' ? codec.size : bulk;
      const addr = BigInt.asUintN(64, base + BigInt(stride * i + (random.once(6) ? random.below(24) - 12 : 0)));
      if (space === 'dma' && addr >= 16n * PAGE) continue;
      const data = Array.from({ length: Math.max(size, 1) }, () => random.below(256));
      this.#access(round, space, through, {
        kind,
        addr,
        size,
        codec,
        data: kind === 'fill' ? data : data.slice(0, size),
        attrs,
        stop,
      });
    }
  }

  #access(round: string, space: Space, through: Through, access: Access): void {
    const fitting = SURFACES.filter((each) => fits(each, access, through));
    const wanted = this.#outcome(through, access);
    const calls = this.#model.log.splice(0);
    for (const twin of this.#twins) {
      const surface = this.#random.pick(fitting);
      const big = this.#random.once(3);
      const { kind, addr, size, attrs, stop } = access;
      const told = `${round}: ${kind} ${space} ${addr.toString(16)}+${size} ${access.codec.name} ${attrs} ${stop ? 'stop' : 'go on'} by ${surface.name}`;
      expect(perform(surface, twin[space], access, big), told).toEqual(expected(surface, access, wanted));
      expect(twin.log.splice(0), told).toEqual(calls);
    }
  }

  #outcome(through: Through, { kind, addr, size, data, attrs, stop }: Access): Outcome {
    const model = this.#model;
    if (kind === 'load' || kind === 'store')
      return model.scalar(through, addr, size, kind === 'load' ? null : data, attrs);
    if (kind === 'fill') return model.fill(through, addr, size, data[0]!, attrs);
    return model.transfer(through, addr, size, kind === 'read' ? null : data, attrs, stop);
  }

  #address({ view, pages }: Through): bigint {
    const random = this.#random;
    if (pages !== null)
      return PAGE * BigInt(random.below(17)) + BigInt(random.below(2) * random.below(4096)) + BigInt(random.below(24));
    const { first, last } = random.pick(view);
    switch (random.below(4)) {
      case 0:
        return random.pick(PLACES) + BigInt(random.below(0x4000));
      case 1:
        return last - BigInt(random.below(12));
      case 2:
        return first + BigInt(random.below(64));
      default:
        return random.pick([0n, (1n << 64n) - BigInt(1 + random.below(12)), first - BigInt(random.below(8))]);
    }
  }

  /** One edit of all three. */
  #edit(): void {
    const random = this.#random;
    const index = random.below(this.#description.regions.length);
    const model = this.#description.regions[index]!;
    const both = (edit: (twin: SurfaceMachine) => void): void => this.#twins.forEach(edit);
    switch (random.below(9)) {
      case 0:
        model.enabled = !model.enabled;
        both(({ regions }) => regions[index]!.setEnabled(model.enabled));
        break;
      case 1: {
        const addr = random.pick(PLACES) + BigInt(random.below(0x4000));
        if (addr + model.size > 1n << 64n) return;
        model.addr = addr;
        model.order = Math.max(...this.#description.regions.map(({ order }) => order)) + 1;
        both(({ regions }) => regions[index]!.setAddress(addr));
        break;
      }
      case 2:
        if (model.kind !== 'ram') return;
        model.readonly = !model.readonly;
        both(({ regions }) => regions[index]!.setReadonly(model.readonly));
        break;
      case 3:
        if (model.kind !== 'romDevice') return;
        model.romd = !model.romd;
        both(({ regions }) => regions[index]!.romDeviceSetRomd(model.romd));
        break;
      case 4:
        if (model.kind === 'alias' || model.kind === 'io') return;
        model.logged = !model.logged;
        both((twin) => twin.setLogged(index, model.logged));
        break;
      case 5: {
        const page = random.below(this.#pages.length);
        const to = describePage(random);
        this.#pages[page] = to;
        both((twin) => twin.setPage(page, to));
        break;
      }
      case 6:
        this.#pinned = this.#view;
        both((twin) => twin.repin());
        break;
      case 7:
        for (const each of this.#description.regions) each.dirty.clear();
        both((twin) => twin.clean());
        break;
      default: {
        const observer = random.once(2) ? { dmaRead() {} } : null;
        both(({ core }) => {
          core.access.observer = observer;
        });
      }
    }
    this.#view = this.#model.paint();
  }

  /** Memory and dirty pages. */
  #compare(told: string): void {
    const wrong: string[] = [];
    for (const [i, { name, bytes, dirty }] of this.#description.regions.entries())
      for (const { regions } of this.#twins) {
        const { ram } = regions[i]!;
        if (ram === null) continue;
        for (let at = 0; at < bytes.length; ) {
          const segment = ram.backing.segmentAt(at);
          const differs = differsAt(segment.bytes, bytes, segment.start);
          if (differs >= 0) wrong.push(`${name} at ${differs}`);
          at = segment.start + segment.bytes.length;
        }
        for (let page = 0; page * 4096 < bytes.length; page++)
          if (ram.dirty.get(page * 4096, 1, DirtyClient.VGA) !== dirty.has(page)) wrong.push(`page ${page} of ${name}`);
      }
    expect(wrong, told).toEqual([]);
  }
}

function fits(surface: Surface, { kind, size, attrs, stop }: Access, { view }: Through): boolean {
  if (surface.kind !== kind || (surface.plain && attrs !== 'plain')) return false;
  if (surface.streams && (size > 256 || view.some(isCutRomDevice))) return false;
  return kind === 'load' || kind === 'store' || surface.ends === 'both' || (surface.ends === 'stop') === stop;
}

/** The first offset where `bytes` are not those of `model` from `start` on, or -1. */
function differsAt(bytes: Uint8Array, model: Uint8Array, start: number): number {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== model[start + i]) return start + i;
  return -1;
}

function isCutRomDevice({ region, offset, first, last }: Painted): boolean {
  return region.kind === 'romDevice' && offset + last - first + 1n < BigInt(region.bytes.length);
}

/** All that can be seen of it. */
function perform(surface: Surface, space: SurfaceMachine[Space], access: Access, big: boolean): unknown {
  const tx = new MemTx();
  const shown = (): unknown => (surface.tells ? { result: tx.result, done: tx.done } : {});
  try {
    const value = surface.run(space, big ? access.addr : numbered(access.addr), access, tx);
    return { ...(shown() as object), value: read(access, value, surface.tells ? tx.done : access.size) };
  } catch (error) {
    if (error instanceof DeviceError) {
      const { region, offset, size, isWrite } = error;
      return { ...(shown() as object), threw: `${region.name} ${offset} ${size} ${isWrite}` };
    }
    if (!(error instanceof MemTxError)) throw error;
    return { result: error.result, expected: error.expected, completed: error.completed, addr: error.addr };
  }
}

/** What the model says that can be seen. */
function expected({ tells }: Surface, access: Access, { result, done, bytes, threw }: Outcome): unknown {
  const outcome = tells ? { result, done } : {};
  if (threw !== null) return { ...outcome, threw };
  if (!tells && result !== 0) {
    const addr = numbered(BigInt.asUintN(64, access.addr + BigInt(done)));
    return { result, expected: access.size, completed: done, addr };
  }
  return { ...outcome, value: wanted(access, bytes, done) };
}

function read({ kind, stop }: Access, value: unknown, done: number): unknown {
  if (kind === 'load') return value;
  if (kind !== 'read') return undefined;
  const bytes = [...(value as Iterable<number>)];
  return (stop ? bytes.slice(0, done) : bytes).join();
}

function wanted({ kind, codec, stop }: Access, bytes: readonly number[], done: number): unknown {
  if (kind === 'load') return scalarOf(codec, bytes);
  if (kind !== 'read') return undefined;
  return (stop ? bytes.slice(0, done) : bytes).map((byte) => (byte < 0 ? 0xcc : byte)).join();
}
