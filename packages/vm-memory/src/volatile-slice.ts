/**
 * A window on host memory that others may change at any time, with its part of a dirty bitmap: what guest memory hands
 * out for work in place. A slice of WebAssembly memory ends when that grows: it says so, and you ask for a new one. V-1.4.
 */
import { type GuestAddress, hex, toAddress } from './address.ts';
import { checkedAdd } from './address-math.ts';
import { type AtomicCells, cellsOf } from './atomic-access.ts';
import { AtomicRef } from './atomic-ref.ts';
import type { Bitmap } from './bitmap.ts';
import { BytesBase } from './bytes-base.ts';
import { checkBuffer, checkCount, checkMoved, detached, streamFailed } from './bytes-check.ts';
import type { Codec, ScalarCodec } from './codec.ts';
import { GuestMemoryError } from './error.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import { checkLoadOrdering, checkStoreOrdering, type Ordering } from './ordering.ts';
import { readSmall, SMALL, writeSmall } from './small-copy.ts';
import { type ElementArray, VolatileArrayRef, VolatileRef } from './volatile-ref.ts';

/** Offsets are bytes from the start of the slice, 0 to `length`. */
export class VolatileSlice extends BytesBase {
  /**
   * The host bytes themselves; empty once detached. Writing here is not tracked: mark `bitmap` yourself. This is what
   * `ptr_guard` gives in Rust; the garbage collector is the guard.
   */
  readonly bytes: Uint8Array;
  /** Bytes. */
  readonly length: number;
  /** Its marks, offset 0 being the first byte of the slice; null when nothing is tracked. */
  readonly bitmap: Bitmap | null;
  #view: DataView | null = null;
  #cells: AtomicCells | null = null;

  /** @param bytes kept, not copied. @param bitmap marked at offsets relative to `bytes`. */
  constructor(bytes: Uint8Array, bitmap: Bitmap | null = null) {
    super();
    checkBuffer(bytes);
    this.bytes = bytes;
    this.length = bytes.length;
    this.bitmap = bitmap;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** [0, mid) and [mid, length). @throws {GuestMemoryError} `out-of-bounds`. */
  splitAt(mid: GuestAddress): [VolatileSlice, VolatileSlice] {
    const at = this.#checkRange(mid, 0);
    return [this.subslice(0, at), this.subslice(at, this.length - at)];
  }

  /** [offset, offset + count); shares bytes and marks. @throws {GuestMemoryError} `out-of-bounds`, `overflow`. */
  subslice(offset: GuestAddress, count: GuestAddress): VolatileSlice {
    const at = this.#checkRange(offset, count);
    return new VolatileSlice(this.#part(at, Number(count)), this.bitmap?.sliceAt(at) ?? null);
  }

  /** [count, length). @throws {GuestMemoryError} `out-of-bounds`. */
  offset(count: GuestAddress): VolatileSlice {
    const at = this.#checkRange(count, 0);
    return this.subslice(at, this.length - at);
  }

  /** `subslice`, under the name that every volatile memory has. */
  getSlice(offset: GuestAddress, count: GuestAddress): VolatileSlice {
    return this.subslice(offset, count);
  }

  /** `offset + len`, checked against the end. @throws {GuestMemoryError} `out-of-bounds` with the end as `addr`, `overflow`. */
  computeEndOffset(offset: GuestAddress, len: GuestAddress): number {
    return this.#checkRange(offset, len) + Number(len);
  }

  /** A place for one value, at any alignment. @throws {GuestMemoryError} `out-of-bounds`, `overflow`. */
  getRef<T>(offset: GuestAddress, codec: Codec<T>): VolatileRef<T> {
    return new VolatileRef(this.subslice(offset, codec.size), codec);
  }

  /** A place for `n` values end to end. @throws {GuestMemoryError} `too-big`, `out-of-bounds`, `overflow`. */
  getArrayRef<T>(offset: GuestAddress, n: GuestAddress, codec: Codec<T>): VolatileArrayRef<T> {
    const bytes = Number(toAddress(n, 'n')) * codec.size; // Not exact past 2^53, and then too big in any case.
    if (bytes > Number.MAX_SAFE_INTEGER)
      throw new GuestMemoryError(
        'too-big',
        `an array of ${hex(n)} elements of ${codec.size} bytes is too big for any memory`,
      );
    return new VolatileArrayRef(this.subslice(offset, bytes), codec, Number(n));
  }

  /** An atomic cell. @throws {GuestMemoryError} `misaligned` in the host buffer, `out-of-bounds`, `overflow`. */
  getAtomicRef<T>(offset: GuestAddress, codec: ScalarCodec<T>): AtomicRef<T> {
    const at = this.#checkRange(offset, codec.size);
    const byte = this.#aligned(at, codec.size);
    return new AtomicRef(this.#atomic(), byte, codec, this.bitmap?.sliceAt(at) ?? null);
  }

  /**
   * A typed array over this memory, in the host's byte order and aligned; writes through it are not tracked.
   *
   * @throws {GuestMemoryError} `misaligned`, `out-of-bounds`, `overflow`.
   */
  alignedAs<V extends ArrayBufferView>(
    type: { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer, byteOffset: number, length: number): V },
    offset: GuestAddress,
    n = 1,
  ): V {
    checkCount(n);
    const at = this.#checkRange(offset, n * type.BYTES_PER_ELEMENT);
    if (this.bytes.length !== this.length) throw detached();
    return new type(this.bytes.buffer as ArrayBuffer, this.#aligned(at, type.BYTES_PER_ELEMENT), n);
  }

  /** Copies whole elements, in the host's byte order, as many as both have. @returns elements. Unaligned is fine. */
  copyTo(target: ElementArray): number {
    const n = Math.min(target.length, Math.floor(this.length / target.BYTES_PER_ELEMENT));
    bytesOf(target, n).set(this.#part(0, n * target.BYTES_PER_ELEMENT));
    return n;
  }

  /** Copies whole elements from `source`, as `copyTo` does; marks what was written. @returns elements. */
  copyFrom(source: ElementArray): number {
    const n = Math.min(source.length, Math.floor(this.length / source.BYTES_PER_ELEMENT));
    const count = n * source.BYTES_PER_ELEMENT;
    this.#part(0, count).set(bytesOf(source, n));
    this.#mark(0, count);
    return n;
  }

  /** Copies as many bytes as both have; they may overlap. Marks the target. @returns bytes. */
  copyToVolatileSlice(target: VolatileSlice): number {
    const n = Math.min(this.length, target.length);
    target.#part(0, n).set(this.#part(0, n));
    target.#mark(0, n);
    return n;
  }

  read(buf: Uint8Array, addr: GuestAddress): number {
    checkBuffer(buf);
    if (buf.length === 0) return nothingAt(addr);
    const at = this.#checkStart(addr);
    const n = Math.min(buf.length, this.length - at);
    if (n <= SMALL) readSmall(this.#dataView(), at, buf, n);
    else buf.set(this.#part(at, n));
    return n;
  }

  write(buf: Uint8Array, addr: GuestAddress): number {
    checkBuffer(buf);
    if (buf.length === 0) return nothingAt(addr);
    const at = this.#checkStart(addr);
    const n = Math.min(buf.length, this.length - at);
    if (n <= SMALL) writeSmall(this.#dataView(), at, buf, n);
    else this.#part(at, n).set(n === buf.length ? buf : buf.subarray(0, n));
    this.#mark(at, n);
    return n;
  }

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    if (ordering === undefined) return codec.get(this.#dataView(), this.#checkRange(addr, codec.size));
    checkLoadOrdering(ordering);
    const byte = this.#aligned(this.#checkRange(addr, codec.size), codec.size);
    return this.#atomic().load(byte, codec);
  }

  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    const at = this.#checkRange(addr, codec.size);
    if (ordering === undefined) codec.set(this.#dataView(), at, value);
    else {
      checkStoreOrdering(ordering);
      this.#atomic().store(this.#aligned(at, codec.size), codec, value);
    }
    this.#mark(at, codec.size);
  }

  override readObj<T>(addr: GuestAddress, codec: Codec<T>): T {
    if (codec.size === 0 || this.read !== READ || this.readSlice !== READ_SLICE) return super.readObj(addr, codec);
    const at = this.#checkStart(addr);
    if (at + codec.size > this.length) throw this.incomplete('read', addr, codec.size, this.length - at);
    return codec.get(this.#dataView(), at);
  }

  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): number {
    checkCount(count);
    if (count === 0) return nothingAt(addr);
    const at = this.#checkRange(addr, 0);
    const n = Math.min(count, this.length - at);
    if (n === 0) return 0;
    const part = this.#part(at, n);
    let moved: number;
    try {
      moved = src.readVolatile(part);
    } catch (cause) {
      this.#mark(at, n); // how much arrived before it failed is unknown
      throw streamFailed('the source', addr, cause);
    }
    checkMoved(moved, n, 'the source');
    this.#mark(at, moved);
    return moved;
  }

  override readExactVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): void {
    checkCount(count);
    if (count > 0) this.#checkRange(addr, count);
    super.readExactVolatileFrom(addr, src, count);
  }

  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): number {
    checkCount(count);
    if (count === 0) return nothingAt(addr);
    const at = this.#checkRange(addr, 0);
    const n = Math.min(count, this.length - at);
    if (n === 0) return 0;
    const part = this.#part(at, n);
    let moved: number;
    try {
      moved = dst.writeVolatile(part);
    } catch (cause) {
      throw streamFailed('the sink', addr, cause);
    }
    return checkMoved(moved, n, 'the sink');
  }

  override writeAllVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): void {
    checkCount(count);
    if (count > 0) this.#checkRange(addr, count);
    super.writeAllVolatileTo(addr, dst, count);
  }

  #mark(offset: number, len: number): void {
    if (this.bitmap !== null) this.bitmap.markDirty(offset, len);
  }

  /** For an access of at least one byte. */
  #checkStart(addr: GuestAddress): number {
    const at = toAddress(addr, 'offset');
    if (at >= this.length) throw outOfBounds(at, this.length);
    return at as number;
  }

  #checkRange(offset: GuestAddress, count: GuestAddress): number {
    if (typeof offset === 'number' && typeof count === 'number' && Number.isInteger(offset) && Number.isInteger(count))
      if (offset >= 0 && count >= 0 && offset + count <= this.length) return offset;
    const end = checkedAdd(toAddress(offset, 'offset'), toAddress(count, 'count'));
    if (end === undefined)
      throw new GuestMemoryError('overflow', `offset ${hex(offset)} plus ${hex(count)} passes 2^64 - 1`, {
        addr: offset,
      });
    if (end > this.length) throw outOfBounds(end, this.length);
    return Number(offset);
  }

  #part(at: number, count: number): Uint8Array {
    if (this.bytes.length !== this.length) throw detached();
    const { buffer, byteOffset } = this.bytes;
    return at === 0 && count === this.length ? this.bytes : new Uint8Array(buffer, byteOffset + at, count);
  }

  #dataView(): DataView {
    if (this.bytes.length !== this.length) throw detached();
    this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.length);
    return this.#view;
  }

  #atomic(): AtomicCells {
    if (this.bytes.length !== this.length) throw detached();
    this.#cells ??= cellsOf(this.bytes.buffer);
    return this.#cells;
  }

  #aligned(at: number, alignment: number): number {
    const byte = this.bytes.byteOffset + at;
    if (byte % alignment !== 0) throw misaligned(at, byte, alignment);
    return byte;
  }
}

/* Pure, so that who does not use the class is not given it. Constants, as its prototype asked at each call takes 4 ns more. */
const READ = /* @__PURE__ */ (() => VolatileSlice.prototype.read)();
const READ_SLICE = /* @__PURE__ */ (() => VolatileSlice.prototype.readSlice)();

/** `misaligned`: where the byte lies in its host buffer decides, not its guest address. */
export function misaligned(addr: GuestAddress, byte: number, alignment: number): GuestMemoryError {
  return new GuestMemoryError(
    'misaligned',
    `atomic access of ${alignment} bytes at ${hex(addr)} is at byte ${hex(byte)} of its host buffer; align it to ${alignment}, or leave the ordering out`,
    { addr },
  );
}

/** What no bytes move: 0. @throws {TypeError | RangeError} `addr` is no offset of anything. */
function nothingAt(addr: GuestAddress): number {
  toAddress(addr, 'offset');
  return 0;
}

function outOfBounds(addr: GuestAddress, length: number): GuestMemoryError {
  return new GuestMemoryError('out-of-bounds', `${hex(addr)} is outside the slice of ${hex(length)} bytes`, { addr });
}

function bytesOf(array: ElementArray, n: number): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, n * array.BYTES_PER_ELEMENT);
}
