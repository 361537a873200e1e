/**
 * An immutable, sorted map of regions, and guest memory over it: `GuestRegionCollection` and, with buffer regions,
 * `GuestMemoryMmap` of vm-memory. Insert and remove give new collections; a collection that somebody holds never changes.
 *
 * Hot: `load`, `store`, `readObj`, `writeObj`, `read`, `write` try (1) home, the largest region of one buffer, whose
 * fields never change, (2) the window table over 4 GiB, (3) the window of the last search; the rest is region-walk.ts. The
 * codec's own `get` and `set` do the access: one instruction where the caller's codec is a constant.
 * Tried and lost (u32 load in one region, raw DataView loop 0.8 to 0.9 ns, Node 20 and 26): #private fields 3.0 instead
 * of 1.1, because V8 folds constant fields only if they are ordinary ones; one movable window instead of home 2.5. A switch over
 * the codec's kind instead of `get` and `set`: among eight regions in turn 6 to 20 instead of 3.8 to 6.1 for a store, 4.1 to 14
 * instead of 3.9 to 5.3 for a load. Eight regions (raw 1.3): typed arrays of bases and limits 5.9, table of
 * indices into windows 4.1, table of windows 3.8, movable window and binary search 200. An integer is tested by range and
 * `Math.floor(x) === x`: `x >>> 0 === x` makes the optimiser keep a deoptimisation that stops it from unrolling the
 * caller's loop (store in one region, Node 26: 1.33 and 1.10 ns; load 1.15 and 0.94). V-1.7, V-1.8, D1.
 */
import { type GuestAddress, hex } from './address.ts';
import { compareAddresses } from './address-math.ts';
import type { Bitmap } from './bitmap.ts';
import type { Codec, ScalarCodec } from './codec.ts';
import { GuestRegionCollectionError, rangeName } from './collection-error.ts';
import { checkLoadOrdering, checkStoreOrdering, type Ordering } from './ordering.ts';
import { Permissions } from './permissions.ts';
import { checkRegion, type GuestMemoryRegion } from './region.ts';
import { RegionWalk } from './region-walk.ts';
import { HOST_BYTE_ORDER } from './scalar.ts';
import { readSmall, SMALL, writeSmall } from './small-copy.ts';
import { hasNumbers, makeWindows, makeWindowTable, Window } from './window.ts';

const HOST_LITTLE: boolean = HOST_BYTE_ORDER === 'little';
/* Orderings, as literals: an import is loaded at each use. */
const RELAXED = 1;
const ACQUIRE = 2;
const RELEASE = 3;
const SEQ_CST = 5;

/** Guest memory made of regions. */
export class GuestRegionCollection<R extends GuestMemoryRegion = GuestMemoryRegion> extends RegionWalk<R> {
  /* Home. Ordinary fields, set once: see the header. Limits are bytes; 0 where there is no home, or not for that access. */
  private readonly homeBase: number;
  private readonly homeReadLimit: number;
  private readonly homeWriteLimit: number;
  /** At how many offsets a scalar of any size may begin. */
  private readonly homeReads: number;
  private readonly homeWrites: number;
  private readonly homeView: DataView;
  private readonly homeBytes: Uint8Array;
  private readonly homeBitmap: Bitmap | null;
  /** Home's buffer, as words for atomic accesses, and where home begins in it. Signed: the engine boxes what is 2^31 and more. */
  private readonly homeWords: Int32Array;
  private readonly homeBuffer: ArrayBufferLike;
  private readonly homeByte: number;
  private readonly tableBase: number;
  private readonly tableShift: number;
  private readonly table: readonly Window[];
  private readonly windows: readonly Window[];
  private readonly none: Window;
  /** Where the last search ended. */
  private last: Window;

  /** No regions: every access fails. Use `fromRegions` for memory. */
  constructor();
  /** @internal */
  constructor(sorted: readonly R[]);
  constructor(sorted: readonly R[] = []) {
    super(sorted);
    this.windows = makeWindows(sorted);
    const none = new Window();
    const home = this.windows.reduce((a, b) => (b.bytes.length > a.bytes.length ? b : a), none);
    this.homeBase = home.base;
    this.homeReadLimit = home.readLimit;
    this.homeWriteLimit = home.writeLimit;
    this.homeReads = home.reads;
    this.homeWrites = home.writes;
    this.homeView = home.view;
    this.homeBytes = home.bytes;
    this.homeBitmap = home.bitmap;
    const { buffer, byteOffset } = home.bytes;
    this.homeWords = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    this.homeBuffer = buffer;
    this.homeByte = byteOffset;
    const table = makeWindowTable(sorted, this.windows);
    this.tableBase = table.base;
    this.tableShift = table.shift;
    this.table = table.entries;
    this.last = none;
    this.none = none;
  }

  /**
   * A map of regions that are sorted by address and do not overlap; touching is fine.
   *
   * @param regions kept by reference.
   * @throws {GuestRegionCollectionError} `no-memory-region`, `unsorted-memory-regions`, `memory-region-overlap`.
   * @throws {RangeError} a region is empty or passes 2^64 - 1.
   */
  static fromRegions<R extends GuestMemoryRegion>(regions: Iterable<R>): GuestRegionCollection<R> {
    const sorted = [...regions];
    if (sorted.length === 0)
      throw new GuestRegionCollectionError(
        'no-memory-region',
        'a memory needs at least one region; use new GuestRegionCollection() for an empty one',
      );
    for (const [index, region] of sorted.entries()) {
      checkRegion(region);
      const before = sorted[index - 1];
      if (before === undefined) continue;
      if (before.startAddr > region.startAddr)
        throw new GuestRegionCollectionError(
          'unsorted-memory-regions',
          `region ${rangeName(region)} comes after ${rangeName(before)}; sort the regions by startAddr`,
        );
      if (before.lastAddr >= region.startAddr) throw overlap(before, region);
    }
    return new GuestRegionCollection<R>(sorted);
  }

  /**
   * A map with `region` too; this one stays as it is.
   *
   * @throws {GuestRegionCollectionError} `memory-region-overlap`. @throws {RangeError} as `fromRegions`.
   */
  insertRegion(region: R): GuestRegionCollection<R> {
    const sorted = [...this, region].sort((a, b) => compareAddresses(a.startAddr, b.startAddr));
    return GuestRegionCollection.fromRegions(sorted);
  }

  /**
   * A map without the region at `base` of exactly `length` bytes, and that region; this one stays as it is. Removing the
   * last region gives an empty map.
   *
   * @throws {GuestRegionCollectionError} `no-memory-region`: none starts there with that length.
   */
  removeRegion(base: GuestAddress, length: GuestAddress): [memory: GuestRegionCollection<R>, region: R] {
    const region = this.findRegion(base);
    // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of one value are the same address
    if (region === undefined || region.startAddr != base || region.length != length)
      throw new GuestRegionCollectionError(
        'no-memory-region',
        `no region starts at ${hex(base)} with ${hex(length)} bytes${region === undefined ? '' : `; there is ${rangeName(region)}`}; remove whole regions only`,
      );
    return [new GuestRegionCollection<R>([...this].filter((other) => other !== region)), region];
  }

  override load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    if (typeof addr === 'number' && ordering === undefined) {
      const off = addr - this.homeBase;
      if (off >= 0 && off < this.homeReads && Math.floor(off) === off) return codec.get(this.homeView, off);
      const near = this.near(addr);
      const at = addr - near.base;
      if (at >= 0 && at < near.reads) return codec.get(near.view, at);
    }
    return this.loadElse(addr, codec, ordering);
  }

  override store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    if (typeof addr === 'number' && ordering === undefined) {
      const off = addr - this.homeBase;
      if (off >= 0 && off < this.homeWrites && Math.floor(off) === off) {
        codec.set(this.homeView, off, value);
        if (this.homeBitmap !== null) this.homeBitmap.markDirty(off, codec.size);
        return;
      }
      const near = this.near(addr);
      const free = (addr - this.tableBase - near.rel) >>> 0;
      if (free < near.free >>> 0) {
        codec.set(near.view, free, value);
        return;
      }
      const at = addr - near.base;
      if (at >= 0 && at < near.writes) {
        codec.set(near.view, at, value);
        if (near.bitmap !== null) near.bitmap.markDirty(at + near.bitmapBase, codec.size);
        return;
      }
    }
    this.storeElse(addr, codec, value, ordering);
  }

  override readObj<T>(addr: GuestAddress, codec: Codec<T>): T {
    if (typeof addr === 'number') {
      const off = addr - this.homeBase;
      if (off >= 0 && Math.floor(off) === off && off <= this.homeReadLimit - codec.size)
        return codec.get(this.homeView, off);
      const window = this.windowAt(addr);
      if (window !== null && addr - window.base <= window.readLimit - codec.size)
        return codec.get(window.view, addr - window.base);
    }
    return super.readObj(addr, codec);
  }

  override writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    if (typeof addr === 'number' && codec.checksFirst === true) {
      const off = addr - this.homeBase;
      if (off >= 0 && Math.floor(off) === off && off <= this.homeWriteLimit - codec.size) {
        codec.set(this.homeView, off, value);
        if (this.homeBitmap !== null) this.homeBitmap.markDirty(off, codec.size);
        return;
      }
      const window = this.windowAt(addr);
      if (window !== null && addr - window.base <= window.writeLimit - codec.size) {
        codec.set(window.view, addr - window.base, value);
        if (window.bitmap !== null) window.bitmap.markDirty(addr - window.base + window.bitmapBase, codec.size);
        return;
      }
    }
    super.writeObj(addr, codec, value);
  }

  override read(buf: Uint8Array, addr: GuestAddress): number {
    if (typeof addr === 'number' && buf instanceof Uint8Array) {
      const off = addr - this.homeBase;
      if (off >= 0 && Math.floor(off) === off && off <= this.homeReadLimit - buf.length) {
        if (buf.length <= SMALL) readSmall(this.homeView, off, buf, buf.length);
        // A view by its buffer: 97 / 96 ns for 4 KiB; by `subarray` 117 / 113, by `homeBytes.buffer`, a call, 120 / 108.
        else buf.set(new Uint8Array(this.homeBuffer, this.homeByte + off, buf.length));
        return buf.length;
      }
      const window = this.windowAt(addr);
      if (window !== null && addr - window.base <= window.readLimit - buf.length) {
        const at = addr - window.base;
        if (buf.length <= SMALL) readSmall(window.view, at, buf, buf.length);
        else buf.set(window.bytes.subarray(at, at + buf.length));
        return buf.length;
      }
    }
    return super.read(buf, addr);
  }

  override write(buf: Uint8Array, addr: GuestAddress): number {
    if (typeof addr === 'number' && buf instanceof Uint8Array) {
      const off = addr - this.homeBase;
      if (off >= 0 && Math.floor(off) === off && off <= this.homeWriteLimit - buf.length) {
        if (buf.length <= SMALL) writeSmall(this.homeView, off, buf, buf.length);
        else this.homeBytes.set(buf, off);
        if (this.homeBitmap !== null) this.homeBitmap.markDirty(off, buf.length);
        return buf.length;
      }
      const window = this.windowAt(addr);
      if (window !== null && addr - window.base <= window.writeLimit - buf.length) {
        if (buf.length <= SMALL) writeSmall(window.view, addr - window.base, buf, buf.length);
        else window.bytes.set(buf, addr - window.base);
        if (window.bitmap !== null) window.bitmap.markDirty(addr - window.base + window.bitmapBase, buf.length);
        return buf.length;
      }
    }
    return super.write(buf, addr);
  }

  override readSlice(buf: Uint8Array, addr: GuestAddress): void {
    const window = typeof addr === 'number' && buf instanceof Uint8Array ? this.windowAt(addr) : null;
    if (window !== null && (addr as number) - window.base <= window.readLimit - buf.length) this.read(buf, addr);
    else super.readSlice(buf, addr);
  }

  override writeSlice(buf: Uint8Array, addr: GuestAddress): void {
    const window = typeof addr === 'number' && buf instanceof Uint8Array ? this.windowAt(addr) : null;
    if (window !== null && (addr as number) - window.base <= window.writeLimit - buf.length) this.write(buf, addr);
    else super.writeSlice(buf, addr);
  }

  /** The window that the table has for `addr`, if any: it may show other addresses. */
  private near(addr: number): Window {
    const rel = addr - this.tableBase;
    if (rel >= 0 && rel <= 0xffff_ffff && Math.floor(rel) === rel) {
      const index = rel >>> this.tableShift;
      if (index < this.table.length) return this.table[index]!;
    }
    return this.none;
  }

  /** Small, so that the engine inlines it: a value of 2^31 and more that a call returns is put into a box. */
  private loadElse<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering: Ordering | undefined): T {
    const allowed = ordering === SEQ_CST || ordering === ACQUIRE || ordering === RELAXED;
    if (allowed && typeof addr === 'number' && codec.kind === 4 && codec.littleEndian === HOST_LITTLE) {
      const off = addr - this.homeBase;
      const index = (off + this.homeByte) / 4;
      if (off >= 0 && Math.floor(index) === index && off <= this.homeReadLimit - 4)
        return (Atomics.load(this.homeWords, index) >>> 0) as T;
    }
    return this.loadFar(addr, codec, ordering);
  }

  private storeElse<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering: Ordering | undefined): void {
    const allowed = ordering === SEQ_CST || ordering === RELEASE || ordering === RELAXED;
    if (allowed && typeof addr === 'number' && codec.kind === 4 && codec.littleEndian === HOST_LITTLE) {
      const off = addr - this.homeBase;
      const index = (off + this.homeByte) / 4;
      const n = value as number;
      if (off >= 0 && Math.floor(index) === index && off <= this.homeWriteLimit - 4 && typeof n === 'number')
        if (n >= 0 && n <= 0xffff_ffff && Math.floor(n) === n) {
          Atomics.store(this.homeWords, index, n | 0);
          if (this.homeBitmap !== null) this.homeBitmap.markDirty(off, 4);
          return;
        }
    }
    this.storeFar(addr, codec, value, ordering);
  }

  private loadFar<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering: Ordering | undefined): T {
    const window = typeof addr === 'number' ? this.windowAt(addr) : null;
    if (window !== null) {
      const off = (addr as number) - window.base;
      if (off <= window.readLimit - codec.size) {
        if (ordering === undefined) return codec.get(window.view, off);
        checkLoadOrdering(ordering);
        const byte = window.bytes.byteOffset + off;
        if (byte % codec.size === 0) return window.cells().load(byte, codec);
      }
    }
    return super.load(addr, codec, ordering);
  }

  private storeFar<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering: Ordering | undefined): void {
    const window = typeof addr === 'number' ? this.windowAt(addr) : null;
    if (window !== null) {
      const off = (addr as number) - window.base;
      const byte = window.bytes.byteOffset + off;
      if (off <= window.writeLimit - codec.size && (ordering === undefined || byte % codec.size === 0)) {
        if (ordering === undefined) codec.set(window.view, off, value);
        else {
          checkStoreOrdering(ordering);
          window.cells().store(byte, codec, value);
        }
        if (window.bitmap !== null) window.bitmap.markDirty(off + window.bitmapBase, codec.size);
        return;
      }
    }
    super.store(addr, codec, value, ordering);
  }

  /** A window that shows `addr`, moved there if need be; null where there is no plain memory, or for a bad address. */
  private windowAt(addr: number): Window | null {
    const near = this.near(addr);
    const at = addr - near.base;
    return at >= 0 && at < near.bytes.length ? near : this.open(addr);
  }

  private open(addr: number): Window | null {
    if (!Number.isSafeInteger(addr)) return null;
    const { last } = this;
    if (addr >= last.base && addr - last.base < last.bytes.length) return last;
    const index = addr < 0 ? -1 : this.indexOf(addr);
    if (index < 0) return null;
    const window = this.windows[index]!;
    if (!(addr >= window.base && addr - window.base < window.bytes.length)) {
      const region = this.regions[index]!;
      if (!hasNumbers(region)) return null;
      const offset = addr - (region.startAddr as number);
      const segment = region.hostSegment(offset, Permissions.READ) ?? region.hostSegment(offset, Permissions.WRITE);
      if (segment === null) return null;
      window.show(region, segment);
    }
    this.last = window;
    return window;
  }
}

function overlap(before: GuestMemoryRegion, region: GuestMemoryRegion): GuestRegionCollectionError {
  return new GuestRegionCollectionError(
    'memory-region-overlap',
    `region ${rangeName(region)} overlaps ${rangeName(before)}; move or shorten one of them`,
  );
}
