/**
 * Guest memory behind an IOMMU: addresses are I/O virtual, translated at every access, all of the range before any byte
 * moves. Switched off, it is the backend itself and asks no permissions. V-1.12.
 */
import { type GuestAddress, hex, toAddress, toLength } from './address.ts';
import type { Bitmap } from './bitmap.ts';
import type { GuestMemoryBackend } from './guest-memory.ts';
import { GuestMemoryBytes } from './guest-memory-bytes.ts';
import { GuestMemorySlices } from './guest-memory-slices.ts';
import { type Iommu, IommuError, iommuFailed } from './iommu.ts';
import type { MappedRange } from './iotlb.ts';
import { Permissions } from './permissions.ts';
import { VolatileSlice } from './volatile-slice.ts';

/** Bytes. Up to 2^64 all its multiples are numbers. */
const FAR_BLOCK = 2048n;

/** Options of `IommuMemory`. */
export interface IommuMemoryOptions {
  /** Translate (default true)? */
  readonly enabled?: boolean;
  /**
   * Marked by writes while translating, at offset = I/O virtual address; the backend's own bitmaps are then left alone
   * (default: nothing is tracked while translating). Not all addresses from 2^53 on are numbers: accesses that reach
   * there mark whole blocks of 2048 bytes.
   */
  readonly bitmap?: Bitmap | null;
}

/** A backend seen through an IOMMU. */
export class IommuMemory<M extends GuestMemoryBackend = GuestMemoryBackend> extends GuestMemoryBytes {
  readonly #backend: M;
  readonly #iommu: Iommu;
  readonly #bitmap: Bitmap | null;
  #enabled: boolean;

  constructor(backend: M, iommu: Iommu, options: IommuMemoryOptions = {}) {
    super();
    this.#backend = backend;
    this.#iommu = iommu;
    this.#bitmap = options.bitmap ?? null;
    this.#enabled = options.enabled ?? true;
  }

  /** The same IOMMU and marks over another backend; this one stays as it is. */
  withReplacedBackend<N extends GuestMemoryBackend>(backend: N): IommuMemory<N> {
    return new IommuMemory(backend, this.#iommu, { enabled: this.#enabled, bitmap: this.#bitmap });
  }

  get iommu(): Iommu {
    return this.#iommu;
  }

  get bitmap(): Bitmap | null {
    return this.#bitmap;
  }

  /** The physical memory, whether translating or not. */
  get backend(): M {
    return this.#backend;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Switches translation on or off for accesses from now on. */
  set enabled(enabled: boolean) {
    this.#enabled = enabled;
  }

  physicalMemory(): M | undefined {
    return this.#enabled ? undefined : this.#backend;
  }

  checkRange(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): boolean {
    if (!this.#enabled) return this.#backend.checkRange(addr, len, access);
    const base = toAddress(addr);
    const length = toLength(len);
    if (length === 0) return true;
    try {
      return this.#translate(base, length, access).every((range) =>
        this.#backend.checkRange(range.base, range.length, access),
      );
    } catch {
      return false;
    }
  }

  /** @throws {GuestMemoryError} `iommu-error` at once, with the translator's error as cause; then as the backend's. */
  getSlices(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): GuestMemorySlices {
    if (!this.#enabled) return this.#backend.getSlices(addr, len, access);
    const base = toAddress(addr);
    const length = toLength(len);
    if (length === 0) return new GuestMemorySlices(() => undefined);
    let ranges: readonly MappedRange[];
    try {
      ranges = this.#translate(base, length, access);
    } catch (cause) {
      throw iommuFailed(base, cause);
    }
    let index = 0;
    let slices: GuestMemorySlices | null = null;
    let marks = this.#bitmap === null ? null : marksFrom(this.#bitmap, base, length);
    return new GuestMemorySlices(() => {
      for (;;) {
        if (slices === null) {
          const range = ranges[index++];
          if (range === undefined) return undefined;
          slices = this.#backend.getSlices(range.base, range.length, access);
        }
        const next = slices.next();
        if (next.done !== true) {
          const slice = new VolatileSlice(next.value.bytes, marks);
          marks = marks?.sliceAt(slice.length) ?? null;
          return slice;
        }
        slices = null;
      }
    });
  }

  /** The translator may be a program's own. @throws {IommuError} also where its ranges are not as long as what was asked. */
  #translate(base: GuestAddress, length: GuestAddress, access: Permissions): readonly MappedRange[] {
    const ranges = this.#iommu.translate(base, length, access);
    const sum = lengthOf(ranges);
    if (sum === length) return ranges;
    throw new IommuError(
      'iommu-misconfigured',
      `translate was asked for ${hex(length)} bytes at ${hex(base)} and gave ${hex(sum)}; its ranges must add up to what was asked`,
      { base, length },
    );
  }
}

/** The marks of [base, base + length). */
function marksFrom(bitmap: Bitmap, base: GuestAddress, length: GuestAddress): Bitmap {
  const end = BigInt(base) + BigInt(length);
  return end <= Number.MAX_SAFE_INTEGER ? bitmap.sliceAt(Number(base)) : new FarMarks(bitmap, BigInt(base));
}

/** `BitmapSlice` where sums are not exact as numbers: rounds outwards, so that all that is written is marked. */
class FarMarks implements Bitmap {
  readonly #inner: Bitmap;
  readonly #base: bigint;

  constructor(inner: Bitmap, base: bigint) {
    this.#inner = inner;
    this.#base = base;
  }

  markDirty(offset: number, len: number): void {
    if (len <= 0) return;
    const first = this.#block(offset);
    this.#inner.markDirty(first, this.#block(offset + len - 1) + Number(FAR_BLOCK) - first);
  }

  dirtyAt(offset: number): boolean {
    return this.#inner.dirtyAt(this.#block(offset));
  }

  sliceAt(offset: number): Bitmap {
    return new FarMarks(this.#inner, this.#base + BigInt(offset));
  }

  /** Where the block begins that the byte lies in. */
  #block(offset: number): number {
    const at = this.#base + BigInt(offset);
    return Number(at - (at % FAR_BLOCK));
  }
}

/** In normal form. */
function lengthOf(ranges: readonly MappedRange[]): GuestAddress {
  let sum = 0;
  for (const { length } of ranges) {
    if (typeof length !== 'number' || !Number.isSafeInteger(sum + length)) {
      const wide = ranges.reduce((all, range) => all + BigInt(range.length), 0n);
      return wide > BigInt(Number.MAX_SAFE_INTEGER) ? wide : Number(wide);
    }
    sum += length;
  }
  return sum;
}
