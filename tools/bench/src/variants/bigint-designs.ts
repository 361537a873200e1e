/**
 * Designs of a 64-bit load that gives a bigint, smaller than the real thing. Figures of 2026-11-23, Node 20 / 26, ns with the loop;
 * `getBigUint64` itself takes 15.6 / 4.3, the real thing 17 / 5.4. What a comparison costs on Node 26: the loop puts each sum into a box, 4 ns,
 * and with a comparison in it V8 does not peel it, so that the map, its fields and those of the DataView are loaded in each round (both as its
 * printed code shows). The map is replaced some times first, as one in use is: else V8 takes its fields for constants and drops the comparisons.
 */
import { le64 } from '@guestmem/memtx';

const LE64 = le64;

/** What an access looks at. */
class Map64 {
  readonly first: number;
  readonly loads: number;
  readonly view: DataView;
  readonly words: BigUint64Array;

  constructor(first: number, view: DataView) {
    this.first = first | 0;
    this.loads = view.byteLength - 7;
    this.view = view;
    this.words = new BigUint64Array(view.buffer);
  }
}

abstract class Design {
  map: Map64;

  constructor(map: Map64) {
    this.map = map;
  }

  abstract load(addr: number): bigint;

  /** Never reached here. */
  protected far(addr: number): bigint {
    return BigInt(addr);
  }
}

/** 17.4 / 5.7: as the real thing, one window with its first address subtracted. */
class Window64 extends Design {
  load(addr: number): bigint {
    const { map } = this;
    const off = (addr - map.first) >>> 0;
    if (off < map.loads >>> 0) return LE64.get(map.view, off);
    return this.far(addr);
  }
}

/** 16.9 / 5.4: a window that starts at 0, so that addresses are offsets. */
class Zero64 extends Design {
  load(addr: number): bigint {
    const { map } = this;
    if (addr < map.loads >>> 0) return LE64.get(map.view, addr);
    return this.far(addr);
  }
}

/** 17.0 / 5.3: the window's fields in the space itself, one load less. Lost: a view is published by one store, and these would be three. */
class Fields64 extends Design {
  private first = 0;
  private loads = 0;
  private view: DataView = this.map.view;

  publish(): this {
    this.first = this.map.first;
    this.loads = this.map.loads;
    this.view = this.map.view;
    return this;
  }

  load(addr: number): bigint {
    const off = (addr - this.first) >>> 0;
    if (off < this.loads >>> 0) return LE64.get(this.view, off);
    return this.far(addr);
  }
}

/**
 * 5.1 / 5.7: elements of a BigUint64Array where the offset is aligned, three times as fast as `getBigUint64` on Node 20. Lost, as codecs read
 * a DataView: `load` would have to ask for the codec's kind and be longer where it is inlined, for engines of the past.
 */
class Words64 extends Design {
  load(addr: number): bigint {
    const { map } = this;
    const off = (addr - map.first) >>> 0;
    if (off < map.loads >>> 0) return (off & 7) === 0 ? map.words[off >>> 3]! : LE64.get(map.view, off);
    return this.far(addr);
  }
}

/** 16.2 / 4.7: no comparison but the engine's own. Not usable (what is outside is an exception of the engine), but what a comparison costs. */
class Unchecked64 extends Design {
  load(addr: number): bigint {
    const { map } = this;
    return LE64.get(map.view, (addr - map.first) >>> 0);
  }
}

/** The designs by name. */
export const BIGINT_DESIGNS = {
  window: (ram: DataView) => used(new Window64(new Map64(0, ram)), ram),
  zero: (ram: DataView) => used(new Zero64(new Map64(0, ram)), ram),
  fields: (ram: DataView) => used(new Fields64(new Map64(0, ram)), ram).publish(),
  words: (ram: DataView) => used(new Words64(new Map64(0, ram)), ram),
  unchecked: (ram: DataView) => used(new Unchecked64(new Map64(0, ram)), ram),
} as const;

/** Replaces the map some times, the last time by the one that is timed. */
function used<T extends Design>(design: T, ram: DataView): T {
  for (let i = 0; i < 4; i++) {
    design.map = new Map64(i === 3 ? 0 : 4096, i === 3 ? ram : new DataView(new ArrayBuffer(1 << 16)));
    if (design instanceof Fields64) design.publish();
    design.load(4096);
  }
  return design;
}
