/**
 * The designs themselves. Each has `load(addr, codec)`; the slow path of all is a search that throws in a hole. Figures are of
 * 2026-11-22, Node 20 / 26, three rounds. As their fields never change V8 takes them for constants, which hides what one window
 * costs against another; the figures "in place" are of the same design inside AddressSpace, whose map does change.
 */
import { le32 } from '@guestmem/memtx';
import type { ScalarCodec } from '@guestmem/vm-memory';
import { REGION_BYTES } from '../harness/streams.ts';

type Codec = ScalarCodec<number>;

const LE32 = le32;

/** A section as the fast paths want it: small integers and a view. */
class Section {
  readonly first: number;
  readonly end: number;
  readonly view: DataView;

  constructor(first: number, view: DataView) {
    this.first = first;
    this.end = view.byteLength - 4;
    this.view = view;
  }
}

function sectionsOf(ram: readonly DataView[]): Section[] {
  return ram.map((view, i) => new Section(i * REGION_BYTES, view));
}

abstract class Slow {
  protected readonly sections: readonly Section[];

  constructor(ram: readonly DataView[]) {
    this.sections = sectionsOf(ram);
  }

  protected find(addr: number): Section {
    let low = 0;
    let high = this.sections.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const section = this.sections[middle]!;
      if (addr < section.first) high = middle - 1;
      else if (addr > section.first + section.end + 3) low = middle + 1;
      else return section;
    }
    throw new RangeError(`nothing at ${addr}`);
  }

  protected slow(addr: number): number {
    const section = this.find(addr);
    return section.view.getUint32(addr - section.first, true);
  }
}

/** The plain way: the last section hit, `switch` over the codec's kind, its order passed as a field. 1.5 / 1.6, in place 6.6 / 7.0; eight sections at random 45 / 25. */
class LastHitSwitch extends Slow {
  private hit: Section = this.sections[0]!;

  load(addr: number, codec: Codec): number {
    const section = this.hit;
    const off = addr - section.first;
    if (off >>> 0 === off && off <= section.end)
      switch (codec.kind) {
        case 0:
          return section.view.getUint8(off);
        case 2:
          return section.view.getUint16(off, codec.littleEndian);
        case 4:
          return section.view.getUint32(off, codec.littleEndian);
        default:
          return codec.get(section.view, off);
      }
    this.hit = this.find(addr);
    return this.slow(addr);
  }
}

/** The last section hit with a literal order and no switch: 3.3 / 2.4; eight sections at random 50 / 24: the branch is mispredicted. */
class LastHitSearch extends Slow {
  private hit: Section = this.sections[0]!;

  load(addr: number, codec: Codec): number {
    const section = this.hit;
    const off = (addr - section.first) | 0;
    if (codec === LE32 && (addr | 0) === addr && off >= 0 && off <= section.end)
      return section.view.getUint32(off, true);
    this.hit = this.find(addr);
    return this.slow(addr) >>> 0;
  }
}

/**
 * A closure per space and segment, its constants embedded in the code: 1.6 / 1.6, passed as an argument 2.1 / 2.3, and 5.4 / 5.4 as
 * soon as the process has two such closures (the call is no longer inlined). Lost: machines have many address spaces.
 */
class ClosurePerSegment extends Slow {
  private readonly near: (addr: number, codec: Codec) => number;

  constructor(ram: readonly DataView[]) {
    super(ram);
    const { first, end, view } = this.sections[0]!;
    this.near = (addr, codec) => {
      const off = (addr - first) >>> 0;
      if (codec === LE32 && (addr | 0) === addr && off <= end) return view.getUint32(off, true);
      return this.slow(addr) >>> 0;
    };
  }

  load(addr: number, codec: Codec): number {
    return this.near(addr, codec);
  }
}

/** One window with its first address subtracted: 1.7 / 1.6, in place 1.9 / 2.1. The first step of the real thing, for RAM anywhere below 4 GiB. */
class HomeOnly extends Slow {
  private readonly first = this.sections[0]!.first;
  private readonly end = this.sections[0]!.end;
  private readonly view = this.sections[0]!.view;

  load(addr: number, codec: Codec): number {
    const off = (addr - this.first) | 0;
    if (codec === LE32 && (addr | 0) === addr && off >= 0 && off <= this.end) return this.view.getUint32(off, true);
    return this.slow(addr) >>> 0;
  }
}

/** One window that starts at address 0, so that addresses are offsets: 1.6 / 1.6, in place 1.9 / 1.9, with 2.3 / 2.8 for all other RAM behind it. Lost: what is not at 0 pays for it, and RAM from 2 GiB on had no window. */
class ZeroOnly extends Slow {
  private readonly end = this.sections[0]!.end;
  private readonly view = this.sections[0]!.view;

  load(addr: number, codec: Codec): number {
    if (codec === LE32 && (addr | 0) === addr && addr >= 0 && addr <= this.end) return this.view.getUint32(addr, true);
    return this.slow(addr) >>> 0;
  }
}

const CELLS = 256;
const SHIFT = 24;

function cellsOf(sections: readonly Section[]): Section[] {
  return Array.from({ length: CELLS }, (_, i) => sections[Math.floor((i * 2 ** SHIFT) / REGION_BYTES)] ?? sections[0]!);
}

/** A table of sections by the top bits, no window: 3.0 / 3.3, in place 4.7 / 4.9; eight sections at random 3.7 / 4.1, in place 5.3 / 5.3. The second step of the real thing. */
class TableOnly extends Slow {
  private readonly cells = cellsOf(this.sections);

  load(addr: number, codec: Codec): number {
    const section = this.cells[(addr >>> SHIFT) & (CELLS - 1)]!;
    const off = (addr - section.first) | 0;
    if (codec === LE32 && (addr | 0) === addr && off >= 0 && off <= section.end)
      return section.view.getUint32(off, true);
    return this.slow(addr) >>> 0;
  }
}

/** The same with a slow path whose result the compiler knows nothing of: it boxes the fast path's numbers: 12 / 11, and 8 bytes of garbage per access. */
class UntypedSlow extends Slow {
  private readonly cells = cellsOf(this.sections);
  /** Replaced by another function once, so that its calls are not inlined and its results are unknown. */
  far: (addr: number) => unknown = (addr) => this.slow(addr);

  load(addr: number, codec: Codec): number {
    const section = this.cells[(addr >>> SHIFT) & (CELLS - 1)]!;
    const off = (addr - section.first) | 0;
    if (codec === LE32 && (addr | 0) === addr && off >= 0 && off <= section.end)
      return section.view.getUint32(off, true);
    return this.far(addr) as number;
  }
}

/** Calls the slow path some times, as a program with devices does: code that never ran is left out of the comparison. */
function warmed<T extends { load(addr: number, codec: Codec): number }>(memory: T, addr: number): T {
  const other = Object.assign(Object.create(Object.getPrototypeOf(LE32)), LE32) as Codec;
  for (let i = 0; i < 2000; i++) memory.load(addr, other);
  return memory;
}

export const lastHitSwitch = (ram: readonly DataView[]): object => warmed(new LastHitSwitch(ram), 0);
export const lastHitBinarySearch = (ram: readonly DataView[]): object => warmed(new LastHitSearch(ram), 0);
export const closurePerSegment = (ram: readonly DataView[]): object => warmed(new ClosurePerSegment(ram), 0);
export const homeOnly = (ram: readonly DataView[]): object => warmed(new HomeOnly(ram), 0);
export const zeroOnly = (ram: readonly DataView[]): object => warmed(new ZeroOnly(ram), 0);
export const tableOnly = (ram: readonly DataView[]): object => warmed(new TableOnly(ram), 0);
export const untypedSlow = (ram: readonly DataView[]): object => {
  const memory = warmed(new UntypedSlow(ram), 0);
  const { far } = memory;
  memory.far = (addr) => far(addr);
  return warmed(memory, 0);
};
