/**
 * One range of guest memory with something behind it. Extend it for memory of your own: three members make a region on
 * the map, `getSlice` gives it all of `Bytes`, and any method may be overridden (a region whose `Bytes` is its own, such
 * as one that calls a device, is never gone around). Plain buffers are region-buffer.ts. V-1.7.
 */
import { type GuestAddress, hex, LAST_ADDRESS, type MemoryRegionAddress, toAddress, toLength } from './address.ts';
import { checkedAdd } from './address-math.ts';
import type { Backing, BackingSegment } from './backing.ts';
import type { Bitmap } from './bitmap.ts';
import { BytesBase } from './bytes-base.ts';
import { checkBuffer, checkCount } from './bytes-check.ts';
import type { ScalarCodec } from './codec.ts';
import { GuestMemoryError } from './error.ts';
import type { FileOffset } from './file-offset.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import type { Ordering } from './ordering.ts';
import { Permissions } from './permissions.ts';
import type { VolatileSlice } from './volatile-slice.ts';

/** Where the host keeps a byte: for handing memory to a worker or to WebAssembly, not for access. */
export interface HostAddress {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly byteOffset: number;
}

/** A region; addresses in its methods are offsets in it unless they say GuestAddress. */
export abstract class GuestMemoryRegion extends BytesBase<MemoryRegionAddress> {
  /** First guest address. */
  abstract readonly startAddr: GuestAddress;
  /** Bytes, 1 to 2^64 - startAddr. */
  abstract readonly length: GuestAddress;

  /** Its dirty marks, from offset 0 of the region on (a slice of a larger bitmap, perhaps); null when nothing is tracked. */
  get bitmap(): Bitmap | null {
    return null;
  }

  /** The host memory, when it is plain; null otherwise. */
  get backing(): Backing | null {
    return null;
  }

  /** Where in a file the region begins, for memory that stands for part of one; null otherwise. */
  get fileOffset(): FileOffset | null {
    return null;
  }

  /** Last guest address, inclusive, so that a region may end with the address space. */
  get lastAddr(): GuestAddress {
    return toAddress(BigInt(this.startAddr) + BigInt(this.length) - 1n);
  }

  /** Is `offset` in the region? */
  addressInRange(offset: MemoryRegionAddress): boolean {
    return toAddress(offset, 'offset') < this.length;
  }

  /** `offset` where it is in the region, else undefined. */
  checkAddress(offset: MemoryRegionAddress): MemoryRegionAddress | undefined {
    return this.addressInRange(offset) ? offset : undefined;
  }

  /** `base + offset` where that is in the region, else undefined. */
  checkedOffset(base: MemoryRegionAddress, offset: GuestAddress): MemoryRegionAddress | undefined {
    const sum = checkedAdd(base, offset);
    return sum === undefined ? undefined : this.checkAddress(sum);
  }

  /** The offset of a guest address, undefined where it is in no part of this region. */
  toRegionAddr(addr: GuestAddress): MemoryRegionAddress | undefined {
    const checked = toAddress(addr);
    if (checked < this.startAddr || checked > this.lastAddr) return undefined;
    return toAddress(BigInt(checked) - BigInt(this.startAddr));
  }

  /** Does this region permit `access`? Plain memory permits everything. */
  permits(_access: Permissions): boolean {
    return true;
  }

  /**
   * The byte's place in host memory.
   *
   * @throws {GuestMemoryError} `host-address-not-available` unless overridden; `invalid-backend-address` past the end.
   */
  getHostAddress(_offset: MemoryRegionAddress): HostAddress {
    throw noHostMemory(this);
  }

  /**
   * [offset, offset + count) as host memory. Required for the `Bytes` of this class to work.
   *
   * @param _access what the caller will do with it.
   * @throws {GuestMemoryError} `host-address-not-available` unless overridden; `invalid-backend-address` past the end or
   *   across two host buffers; `permission-denied`.
   */
  getSlice(_offset: MemoryRegionAddress, _count: GuestAddress, _access?: Permissions): VolatileSlice {
    throw noHostMemory(this);
  }

  /** How many bytes from `offset` on one slice can hold: all that follow, unless host memory is in pieces. */
  contiguous(offset: MemoryRegionAddress): GuestAddress {
    return toLength(BigInt(this.length) - BigInt(offset));
  }

  /** Can `access` have [offset, offset + count) as host memory? Allocates nothing where `getSlice` would, if overridden. */
  checkRange(offset: MemoryRegionAddress, count: GuestAddress, access: Permissions = Permissions.NO): boolean {
    toAddress(offset, 'offset');
    toLength(count);
    if (!this.permits(access)) return false;
    try {
      sliceOf(this, offset, count, access);
      return true;
    } catch {
      return false;
    }
  }

  /** The whole region as one slice. @throws {GuestMemoryError} as `getSlice`. */
  asVolatileSlice(): VolatileSlice {
    return this.getSlice(0, this.length);
  }

  /**
   * Plain host memory around `offset` that may be used without calling the region, or null (the default: every access
   * calls `Bytes`). Segment offsets are region offsets; writes must mark `bitmap`. Whoever overrides methods of `Bytes`
   * in a subclass of a plain region must let this return null.
   */
  hostSegment(_offset: number, _access: Permissions): BackingSegment | null {
    return null;
  }

  /** `hostSegment` for a region that is one buffer as a whole and stays so, without allocating anything; else null. */
  hostWhole(): BackingSegment | null {
    return null;
  }

  read(buf: Uint8Array, addr: MemoryRegionAddress): number {
    checkBuffer(buf);
    return this.#pieces(addr, buf.length, Permissions.READ, (slice, done) =>
      slice.read(buf.subarray(done, done + slice.length), 0),
    );
  }

  write(buf: Uint8Array, addr: MemoryRegionAddress): number {
    checkBuffer(buf);
    return this.#pieces(addr, buf.length, Permissions.WRITE, (slice, done) =>
      slice.write(buf.subarray(done, done + slice.length), 0),
    );
  }

  readVolatileFrom(addr: MemoryRegionAddress, src: ReadVolatile, count: number): number {
    checkCount(count);
    return this.#pieces(addr, count, Permissions.WRITE, (slice) => slice.readVolatileFrom(0, src, slice.length));
  }

  writeVolatileTo(addr: MemoryRegionAddress, dst: WriteVolatile, count: number): number {
    checkCount(count);
    return this.#pieces(addr, count, Permissions.READ, (slice) => slice.writeVolatileTo(0, dst, slice.length));
  }

  load<T>(addr: MemoryRegionAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    const slice = this.#scalar(addr, codec.size, Permissions.READ);
    if (slice !== null) return slice.load(0, codec, ordering);
    if (ordering !== undefined) throw splitAtomic(addr, codec.size);
    return this.readObj(addr, codec);
  }

  store<T>(addr: MemoryRegionAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    const slice = this.#scalar(addr, codec.size, Permissions.WRITE);
    if (slice !== null) slice.store(0, codec, value, ordering);
    else if (ordering !== undefined) throw splitAtomic(addr, codec.size);
    else this.writeObj(addr, codec, value);
  }

  /** The host memory of one scalar; null where it lies in two pieces. */
  #scalar(addr: MemoryRegionAddress, size: number, access: Permissions): VolatileSlice | null {
    const offset = toAddress(addr, 'offset');
    const last = checkedAdd(offset, size - 1); // The end may be 2^64.
    if (last === undefined || last >= this.length) throw outsideRegion(this, offset, size);
    return contiguousFrom(this, offset) >= size ? sliceOf(this, offset, size, access) : null;
  }

  /** Calls `step` for each piece of host memory, in order, until one moves less than it could. */
  #pieces(
    addr: MemoryRegionAddress,
    count: number,
    access: Permissions,
    step: (slice: VolatileSlice, done: number) => number,
  ): number {
    const first = toAddress(addr, 'offset');
    if (count === 0) return 0;
    if (first >= this.length) throw outsideRegion(this, first, count);
    let done = 0;
    while (done < count) {
      const offset = checkedAdd(first, done);
      if (offset === undefined || offset >= this.length) break;
      const rest = contiguousFrom(this, offset);
      const n = rest < count - done ? Number(rest) : count - done;
      let moved: number;
      try {
        moved = step(sliceOf(this, offset, n, access), done);
      } catch (cause) {
        if (done === 0) throw cause;
        throw this.incomplete('transfer', addr, count, done, cause);
      }
      done += moved;
      if (moved < n) break;
    }
    return done;
  }
}

/** Checks what a map needs of a region. @returns its last address. @throws {RangeError} an empty region, or one that passes 2^64 - 1. */
export function checkRegion(region: GuestMemoryRegion): GuestAddress {
  const start = toAddress(region.startAddr, 'startAddr');
  const length = BigInt(toLength(region.length));
  if (length === 0n) throw new RangeError(`the region at ${hex(start)} is empty; a region has at least one byte`);
  const last = BigInt(start) + length - 1n;
  if (last > LAST_ADDRESS)
    throw new RangeError(
      `the region at ${hex(start)} of ${hex(length)} bytes passes 2^64 - 1; shorten it or map it lower`,
    );
  return toAddress(last);
}

/** `region.contiguous`, which may be a program's own. @throws {RangeError} it answered with no byte at all. */
export function contiguousFrom(region: GuestMemoryRegion, offset: MemoryRegionAddress): GuestAddress {
  const n = region.contiguous(offset);
  if (n >= 1) return n;
  throw new RangeError(
    `the region at ${hex(region.startAddr)} was asked how many bytes lie together from offset ${hex(offset)} on and answered ${String(n)}; it must be at least 1`,
  );
}

/** `region.getSlice`, which may be a program's own. @throws {RangeError} it answered with another length. */
export function sliceOf(
  region: GuestMemoryRegion,
  offset: MemoryRegionAddress,
  count: GuestAddress,
  access: Permissions,
): VolatileSlice {
  const slice = region.getSlice(offset, count, access);
  if (slice.length === Number(count)) return slice;
  throw new RangeError(
    `the region at ${hex(region.startAddr)} was asked for a slice of ${hex(count)} bytes at offset ${hex(offset)} and gave one of ${hex(slice.length)}; it must be as long as asked`,
  );
}

/** `invalid-backend-address` for an access that is not wholly in `region`. */
export function outsideRegion(
  region: GuestMemoryRegion,
  offset: MemoryRegionAddress,
  count: GuestAddress,
): GuestMemoryError {
  return new GuestMemoryError(
    'invalid-backend-address',
    `${hex(count)} bytes at offset ${hex(offset)} are not in the region at ${hex(region.startAddr)} of ${hex(region.length)} bytes`,
    { addr: offset },
  );
}

/** An atomic access over two host buffers. */
export function splitAtomic(addr: MemoryRegionAddress, size: number): GuestMemoryError {
  return new GuestMemoryError(
    'misaligned',
    `atomic access of ${size} bytes at offset ${hex(addr)} lies in two host buffers; align it to ${size}`,
    { addr },
  );
}

function noHostMemory(region: GuestMemoryRegion): GuestMemoryError {
  return new GuestMemoryError(
    'host-address-not-available',
    `the region at ${hex(region.startAddr)} has no host memory; override getSlice, or use Bytes if it has its own`,
  );
}
