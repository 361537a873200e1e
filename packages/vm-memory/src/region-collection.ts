/**
 * An immutable, sorted map of regions, and guest memory over it: `GuestRegionCollection` and, with buffer regions,
 * `GuestMemoryMmap` of vm-memory. Insert and remove give new collections; a collection that somebody holds never changes.
 * Hot: `load`, `store`, `readObj`, `writeObj`, `read` and `write` try the host memory of the last hit first, one window for
 * reads and one for writes; everything else is region-walk.ts. V-1.7, V-1.8, D1.
 */
import { type GuestAddress, hex } from './address.ts';
import { compareAddresses } from './address-math.ts';
import type { Bitmap } from './bitmap.ts';
import type { Codec, ScalarCodec } from './codec.ts';
import { ScalarCodec as Scalar } from './codec.ts';
import { GuestRegionCollectionError, rangeName } from './collection-error.ts';
import type { Ordering } from './ordering.ts';
import { Permissions } from './permissions.ts';
import { checkRegion, type GuestMemoryRegion } from './region.ts';
import { RegionWalk } from './region-walk.ts';
import { getScalar, setScalar } from './scalar-access.ts';

const NO_VIEW = new DataView(new ArrayBuffer(0));
const NO_BYTES = new Uint8Array(0);

/** Guest memory made of regions. */
export class GuestRegionCollection<R extends GuestMemoryRegion = GuestMemoryRegion> extends RegionWalk<R> {
  /* The windows: [base, base + length) of guest addresses is `bytes` and `view`, plain memory. Length 0: no window yet. */
  #readBase = 0;
  #readLength = 0;
  #readView: DataView = NO_VIEW;
  #readBytes: Uint8Array = NO_BYTES;
  #writeBase = 0;
  #writeLength = 0;
  #writeView: DataView = NO_VIEW;
  #writeBytes: Uint8Array = NO_BYTES;
  /** Marked at `offset in window + #bitmapBase`. */
  #bitmap: Bitmap | null = null;
  #bitmapBase = 0;

  /** No regions: every access fails. Use `fromRegions` for memory. */
  constructor();
  /** @internal */
  constructor(sorted: readonly R[]);
  constructor(sorted: readonly R[] = []) {
    super(sorted);
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
    if (ordering === undefined && typeof addr === 'number') {
      const off = addr - this.#readBase;
      // One test for integer, sign and 32 bits; bigger offsets in one buffer take the slow path.
      if (off >>> 0 === off && off + codec.size <= this.#readLength) return getScalar(this.#readView, off, codec);
    }
    return this.#loadFar(addr, codec, ordering);
  }

  override store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    if (ordering === undefined && typeof addr === 'number') {
      const off = addr - this.#writeBase;
      if (off >>> 0 === off && off + codec.size <= this.#writeLength) {
        setScalar(this.#writeView, off, codec, value);
        if (this.#bitmap !== null) this.#bitmap.markDirty(this.#bitmapBase + off, codec.size);
        return;
      }
    }
    this.#storeFar(addr, codec, value, ordering);
  }

  override readObj<T>(addr: GuestAddress, codec: Codec<T>): T {
    if (typeof addr === 'number') {
      const off = addr - this.#readBase;
      if (off >>> 0 === off && off + codec.size <= this.#readLength)
        return codec instanceof Scalar ? getScalar(this.#readView, off, codec) : codec.get(this.#readView, off);
    }
    this.#openRead(addr);
    return super.readObj(addr, codec);
  }

  override writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    if (typeof addr === 'number') {
      const off = addr - this.#writeBase;
      if (off >>> 0 === off && off + codec.size <= this.#writeLength) {
        if (codec instanceof Scalar) setScalar(this.#writeView, off, codec, value);
        else codec.set(this.#writeView, off, value);
        if (this.#bitmap !== null) this.#bitmap.markDirty(this.#bitmapBase + off, codec.size);
        return;
      }
    }
    this.#openWrite(addr);
    super.writeObj(addr, codec, value);
  }

  override read(buf: Uint8Array, addr: GuestAddress): number {
    if (typeof addr === 'number' && buf instanceof Uint8Array) {
      const off = addr - this.#readBase;
      if (off >>> 0 === off && off + buf.length <= this.#readLength) {
        buf.set(this.#readBytes.subarray(off, off + buf.length));
        return buf.length;
      }
    }
    this.#openRead(addr);
    return super.read(buf, addr);
  }

  override write(buf: Uint8Array, addr: GuestAddress): number {
    if (typeof addr === 'number' && buf instanceof Uint8Array) {
      const off = addr - this.#writeBase;
      if (off >>> 0 === off && off + buf.length <= this.#writeLength) {
        this.#writeBytes.set(buf, off);
        if (this.#bitmap !== null) this.#bitmap.markDirty(this.#bitmapBase + off, buf.length);
        return buf.length;
      }
    }
    this.#openWrite(addr);
    return super.write(buf, addr);
  }

  override readSlice(buf: Uint8Array, addr: GuestAddress): void {
    if (typeof addr === 'number' && buf instanceof Uint8Array && addr >= this.#readBase) {
      if (addr - this.#readBase + buf.length <= this.#readLength) {
        this.read(buf, addr);
        return;
      }
    }
    super.readSlice(buf, addr);
  }

  override writeSlice(buf: Uint8Array, addr: GuestAddress): void {
    if (typeof addr === 'number' && buf instanceof Uint8Array && addr >= this.#writeBase) {
      if (addr - this.#writeBase + buf.length <= this.#writeLength) {
        this.write(buf, addr);
        return;
      }
    }
    super.writeSlice(buf, addr);
  }

  #loadFar<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering: Ordering | undefined): T {
    this.#openRead(addr);
    return super.load(addr, codec, ordering);
  }

  #storeFar<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering: Ordering | undefined): void {
    this.#openWrite(addr);
    super.store(addr, codec, value, ordering);
  }

  /** Moves the read window to the plain memory at `addr`, if there is some. Bad addresses are left to the caller. */
  #openRead(addr: GuestAddress): void {
    const region = this.plainRegion(addr);
    if (region === undefined) return;
    const base = region.startAddr as number;
    const segment = region.hostSegment((addr as number) - base, Permissions.READ);
    if (segment === null) return;
    this.#readBase = base + segment.start;
    this.#readLength = segment.bytes.length;
    this.#readView = segment.view;
    this.#readBytes = segment.bytes;
  }

  #openWrite(addr: GuestAddress): void {
    const region = this.plainRegion(addr);
    if (region === undefined) return;
    const base = region.startAddr as number;
    const segment = region.hostSegment((addr as number) - base, Permissions.WRITE);
    if (segment === null) return;
    this.#writeBase = base + segment.start;
    this.#writeLength = segment.bytes.length;
    this.#writeView = segment.view;
    this.#writeBytes = segment.bytes;
    this.#bitmap = region.bitmap;
    this.#bitmapBase = segment.start;
  }
}

function overlap(before: GuestMemoryRegion, region: GuestMemoryRegion): GuestRegionCollectionError {
  return new GuestRegionCollectionError(
    'memory-region-overlap',
    `region ${rangeName(region)} overlaps ${rangeName(before)}; move or shorten one of them`,
  );
}
