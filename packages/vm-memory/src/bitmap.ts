/**
 * Dirty tracking: what a bitmap is to the memory that marks it. Reads never mark; every write through `Bytes`, slices
 * and refs marks exactly the bytes it wrote; who writes through raw host bytes marks by hand. V-1.6.
 */

/** Remembers which bytes were written, at some granularity. Offsets are in bytes from the place it was sliced at. */
export interface Bitmap {
  /** Notes a write of `len` bytes at `offset`. What lies past the end is ignored, and so is `len` 0. */
  markDirty(offset: number, len: number): void;
  /** May the byte at `offset` have been written? False past the end. */
  dirtyAt(offset: number): boolean;
  /** The same marks, seen from `offset` on: what a region or a slice of it is given. */
  sliceAt(offset: number): Bitmap;
}

/** Part of another bitmap, by a base that is added to every offset. Holds no marks itself. */
export class BitmapSlice<B extends Bitmap = Bitmap> implements Bitmap {
  readonly inner: B;
  /** Added to offsets. */
  readonly base: number;

  constructor(inner: B, base: number) {
    this.inner = inner;
    this.base = base;
  }

  markDirty(offset: number, len: number): void {
    this.inner.markDirty(this.base + offset, len);
  }

  dirtyAt(offset: number): boolean {
    return this.inner.dirtyAt(this.base + offset);
  }

  /** A slice of the same inner bitmap: slices do not pile up. */
  sliceAt(offset: number): BitmapSlice<B> {
    return new BitmapSlice(this.inner, this.base + offset);
  }
}
