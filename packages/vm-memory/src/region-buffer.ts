/**
 * A region of plain memory over a Backing: the counterpart of vm-memory's `GuestRegionMmap`. The backing may stand in
 * several regions and maps at once. Hot: `load`, `store` and the segment look-up behind them. V-1.7, V-1.10, D7.
 */
import { type GuestAddress, hex, type MemoryRegionAddress, toAddress, toLength } from './address.ts';
import { checkedAdd } from './address-math.ts';
import { type AtomicCells, cellsOf } from './atomic-access.ts';
import type { Backing, BackingSegment } from './backing.ts';
import type { Bitmap } from './bitmap.ts';
import type { Codec, ScalarCodec } from './codec.ts';
import { GuestMemoryError } from './error.ts';
import type { FileOffset } from './file-offset.ts';
import { checkLoadOrdering, checkStoreOrdering, type Ordering } from './ordering.ts';
import { Permissions, permissionsAllow } from './permissions.ts';
import { checkRegion, GuestMemoryRegion, type HostAddress, outsideRegion, splitAtomic } from './region.ts';
import { misaligned, VolatileSlice } from './volatile-slice.ts';

/** What a buffer region may have beside address and memory. */
export interface GuestRegionBufferOptions {
  /** Marked by every write, at offsets from the start of the region (default: nothing is tracked). */
  readonly bitmap?: Bitmap | null;
  /** What accesses may do (default READ_WRITE). vm-memory has no read-only memory; we do. */
  readonly permissions?: Permissions;
  /** The part of a file that this memory stands for (default none). */
  readonly fileOffset?: FileOffset | null;
}

/** Plain memory at a place. Immutable but for its bytes and marks. */
export class GuestRegionBuffer extends GuestMemoryRegion {
  override readonly startAddr: GuestAddress;
  override readonly length: number;
  readonly #lastAddr: GuestAddress;
  readonly permissions: Permissions;
  readonly #backing: Backing;
  readonly #bitmap: Bitmap | null;
  readonly #fileOffset: FileOffset | null;
  /** May the collection go straight to the bytes? Not in a subclass, which may have overridden `Bytes`. */
  readonly #plain: boolean;
  #segment: BackingSegment | null = null;
  #cells: AtomicCells | null = null;

  /**
   * @param backing kept by reference; its bytes are not changed.
   * @throws {RangeError} the end passes 2^64 - 1 (an end of exactly 2^64 is fine).
   */
  constructor(startAddr: GuestAddress, backing: Backing, options: GuestRegionBufferOptions = {}) {
    super();
    this.startAddr = toAddress(startAddr, 'startAddr');
    this.length = backing.length;
    this.permissions = options.permissions ?? Permissions.READ_WRITE;
    this.#backing = backing;
    this.#bitmap = options.bitmap ?? null;
    this.#fileOffset = options.fileOffset ?? null;
    this.#plain = new.target === GuestRegionBuffer && backing.detachable !== true;
    this.#lastAddr = checkRegion(this);
  }

  override get lastAddr(): GuestAddress {
    return this.#lastAddr;
  }

  override get bitmap(): Bitmap | null {
    return this.#bitmap;
  }

  override get backing(): Backing {
    return this.#backing;
  }

  override get fileOffset(): FileOffset | null {
    return this.#fileOffset;
  }

  /** The same memory at another address, marks and file included: both are then live. */
  at(startAddr: GuestAddress): GuestRegionBuffer {
    const { permissions } = this;
    return new GuestRegionBuffer(startAddr, this.#backing, {
      bitmap: this.#bitmap,
      permissions,
      fileOffset: this.#fileOffset,
    });
  }

  override permits(access: Permissions): boolean {
    return permissionsAllow(this.permissions, access);
  }

  override getHostAddress(offset: MemoryRegionAddress): HostAddress {
    const at = this.#check(offset, 1);
    const { start, bytes } = this.#backing.segmentAt(at);
    return { buffer: bytes.buffer as ArrayBuffer | SharedArrayBuffer, byteOffset: bytes.byteOffset + at - start };
  }

  override getSlice(
    offset: MemoryRegionAddress,
    count: GuestAddress,
    access: Permissions = Permissions.NO,
  ): VolatileSlice {
    if (toLength(count) > this.length) throw outsideRegion(this, offset, count);
    const at = this.#check(offset, count);
    this.#permit(access, at);
    const n = Number(count);
    const { start, bytes } = this.#backing.segmentAt(Math.min(at, this.length - 1));
    if (at - start + n > bytes.length) throw inPieces(offset, count);
    return new VolatileSlice(
      new Uint8Array(bytes.buffer, bytes.byteOffset + at - start, n),
      this.#bitmap?.sliceAt(at) ?? null,
    );
  }

  override contiguous(offset: MemoryRegionAddress): number {
    const at = this.#check(offset, 1);
    const { start, bytes } = this.#backing.segmentAt(at);
    return start + bytes.length - at;
  }

  override checkRange(offset: MemoryRegionAddress, count: GuestAddress, access: Permissions = Permissions.NO): boolean {
    const at = toAddress(offset, 'offset');
    const n = toLength(count);
    return n <= this.length && at <= this.length - Number(n) && permissionsAllow(this.permissions, access);
  }

  override hostSegment(offset: number, access: Permissions): BackingSegment | null {
    if (!this.#plain || !permissionsAllow(this.permissions, access)) return null;
    return this.#backing.segmentAt(offset);
  }

  override hostWhole(): BackingSegment | null {
    return this.#plain ? (this.#backing.whole ?? null) : null;
  }

  override load<T>(addr: MemoryRegionAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    const at = this.#check(addr, codec.size);
    this.#permit(Permissions.READ, at);
    const segment = this.#segmentOf(at);
    const off = at - segment.start;
    const inOne = off + codec.size <= segment.bytes.length;
    if (ordering === undefined) return inOne ? codec.get(segment.view, off) : this.readObj(at, codec);
    checkLoadOrdering(ordering);
    if (!inOne) throw splitAtomic(addr, codec.size);
    return this.#cellsOf(segment).load(alignedByte(segment, off, codec.size, at), codec);
  }

  override store<T>(addr: MemoryRegionAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    const at = this.#check(addr, codec.size);
    this.#permit(Permissions.WRITE, at);
    const segment = this.#segmentOf(at);
    const off = at - segment.start;
    const inOne = off + codec.size <= segment.bytes.length;
    if (ordering !== undefined) {
      checkStoreOrdering(ordering);
      if (!inOne) throw splitAtomic(addr, codec.size);
      this.#cellsOf(segment).store(alignedByte(segment, off, codec.size, at), codec, value);
    } else if (inOne) codec.set(segment.view, off, value);
    else {
      this.writeObj(at, codec, value); // marks
      return;
    }
    if (this.#bitmap !== null) this.#bitmap.markDirty(at, codec.size);
  }

  override readObj<T>(addr: MemoryRegionAddress, codec: Codec<T>): T {
    if (codec.size === 0 || this.read !== READ || this.readSlice !== READ_SLICE) return super.readObj(addr, codec);
    const at = this.#check(addr, 1);
    const segment = this.#segmentOf(at);
    const off = at - segment.start;
    if (off + codec.size > segment.bytes.length || !this.permits(Permissions.READ)) return super.readObj(addr, codec);
    return codec.get(segment.view, off);
  }

  #check(offset: MemoryRegionAddress, count: GuestAddress): number {
    const end = checkedAdd(offset, count);
    if (end === undefined || end > this.length) throw outsideRegion(this, offset, count);
    return Number(offset);
  }

  #permit(access: Permissions, offset: number): void {
    if (!permissionsAllow(this.permissions, access)) throw denied(this, access, offset);
  }

  #segmentOf(offset: number): BackingSegment {
    const last = this.#segment;
    if (last !== null && offset >= last.start && offset - last.start < last.bytes.length) return last;
    this.#segment = this.#backing.segmentAt(offset);
    return this.#segment;
  }

  #cellsOf(segment: BackingSegment): AtomicCells {
    if (this.#cells === null || this.#cells.buffer !== segment.bytes.buffer)
      this.#cells = cellsOf(segment.bytes.buffer);
    return this.#cells;
  }
}

/* Pure, so that who does not use the class is not given it. Constants, as its prototype asked at each call takes 4 ns more. */
const READ = /* @__PURE__ */ (() => GuestRegionBuffer.prototype.read)();
const READ_SLICE = /* @__PURE__ */ (() => GuestRegionBuffer.prototype.readSlice)();

/** `permission-denied`. */
function denied(region: GuestMemoryRegion, access: Permissions, offset: MemoryRegionAddress): GuestMemoryError {
  const names = ['nothing', 'reads', 'writes', 'reads and writes'];
  return new GuestMemoryError(
    'permission-denied',
    `the region at ${hex(region.startAddr)} does not permit ${names[access]}; map it with other permissions`,
    { addr: offset },
  );
}

function alignedByte(segment: BackingSegment, off: number, size: number, at: number): number {
  const byte = segment.bytes.byteOffset + off;
  if (byte % size !== 0) throw misaligned(at, byte, size);
  return byte;
}

function inPieces(offset: MemoryRegionAddress, count: GuestAddress): GuestMemoryError {
  return new GuestMemoryError(
    'invalid-backend-address',
    `${hex(count)} bytes at offset ${hex(offset)} lie in two host buffers; use getSlices, which gives one slice for each`,
    { addr: offset },
  );
}
