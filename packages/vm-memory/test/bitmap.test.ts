import { describe, expect, it } from 'vitest';
import { AtomicBitmap, type Bitmap, BitmapSlice } from '../src/index.ts';

/** The crate's helper for anything that is a bitmap: marks 0x100 bytes at 0x400 and looks from several bases. */
function testBitmap(bitmap: Bitmap): void {
  const [first, slice] = [bitmap.sliceAt(0), bitmap.sliceAt(0x400)];
  expect([bitmap.dirtyAt(0x400), first.dirtyAt(0x400), slice.dirtyAt(0)]).toEqual([false, false, false]);
  bitmap.markDirty(0x400, 0x100);
  for (let i = 0; i < 0x100; i += 0x10)
    expect([bitmap.dirtyAt(0x400 + i), first.dirtyAt(0x400 + i), slice.dirtyAt(i)]).toEqual([true, true, true]);
  expect([bitmap.dirtyAt(0x3ff), bitmap.dirtyAt(0x500), slice.dirtyAt(0x100)]).toEqual([false, false, false]);
  slice.markDirty(0x300, 0x80);
  expect([bitmap.dirtyAt(0x700), bitmap.dirtyAt(0x77f), bitmap.dirtyAt(0x780)]).toEqual([true, true, false]);
  expect(slice.sliceAt(0x300).dirtyAt(0)).toBe(true);
}

describe.each([false, true])('AtomicBitmap (shared: %s)', (shared) => {
  const make = (bytes: number, pageSize: number) => new AtomicBitmap(bytes, { pageSize, shared });

  it('bitmap::test_bitmap_basic: 1025 bytes of 128 are 9 pages; set, clone, reset, get and reset', () => {
    expect([make(1025, 128).length, make(1024, 128).length]).toEqual([9, 8]);
    const bitmap = make(1024, 128);
    bitmap.setAddrRange(128, 129);
    expect([0, 1, 2, 3].map((i) => bitmap.isBitSet(i))).toEqual([false, true, true, false]);
    const copy = bitmap.clone();
    expect([copy.isBitSet(1), copy.isBitSet(2), copy.length]).toEqual([true, true, 8]);
    bitmap.reset();
    expect([bitmap.isBitSet(1), bitmap.isBitSet(2), copy.isBitSet(1)]).toEqual([false, false, true]);
    bitmap.setAddrRange(128, 129);
    expect([...bitmap.getAndReset()]).toEqual([0b110]);
    expect([bitmap.isBitSet(1), bitmap.isBitSet(2)]).toEqual([false, false]);
    const into = new Uint32Array(bitmap.wordCount);
    expect(bitmap.getAndReset(into)).toBe(into);
    expect(() => bitmap.getAndReset(new Uint32Array(3))).toThrow(RangeError);
  });

  it('bitmap::test_bitmap_reset: a range clears just its pages', () => {
    const bitmap = make(1024, 128);
    bitmap.setAddrRange(0, 1024);
    bitmap.resetAddrRange(128, 129);
    expect(Array.from({ length: 8 }, (_, i) => bitmap.isBitSet(i))).toEqual([
      true,
      false,
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
    bitmap.resetBit(0);
    bitmap.setBit(1);
    expect([bitmap.isBitSet(0), bitmap.isAddrSet(255)]).toEqual([false, true]);
  });

  it('bitmap::test_bitmap_out_of_range: what lies past the end is ignored', () => {
    const bitmap = make(1024, 1);
    bitmap.setAddrRange(768, 512);
    bitmap.setBit(1024);
    bitmap.resetBit(5000);
    bitmap.markDirty(2 ** 52, 2 ** 52);
    bitmap.markDirty(1023, 0);
    bitmap.markDirty(-8, 8);
    expect([bitmap.isBitSet(767), bitmap.isBitSet(768), bitmap.isBitSet(1023), bitmap.isBitSet(1024)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect([bitmap.isAddrSet(1024), bitmap.isAddrSet(-1), bitmap.isBitSet(0)]).toEqual([false, false, false]);
  });

  it('bitmap::test_bitmap_impl: marks are seen through slices', () => {
    testBitmap(make(0x800, 128));
    testBitmap(make(0x800, 1));
    testBitmap(make(0x800, 64));
  });

  it('bitmap::test_bitmap_enlarge: old bits stay, new ones are clear and usable', () => {
    const bitmap = make(8 * 1024, 128);
    bitmap.setAddrRange(0, 8 * 1024);
    bitmap.enlarge(8 * 1024);
    expect([bitmap.length, bitmap.byteSize]).toEqual([128, 16 * 1024]);
    expect([bitmap.isBitSet(63), bitmap.isBitSet(64), bitmap.isBitSet(127)]).toEqual([true, false, false]);
    bitmap.setBit(72);
    expect(bitmap.isBitSet(72)).toBe(true);
    bitmap.setAddrRange(64 * 128, 128 * 4);
    bitmap.resetAddrRange(65 * 128, 128);
    expect([64, 65, 66, 67, 68].map((i) => bitmap.isBitSet(i))).toEqual([true, false, true, true, false]);
  });

  it('bitmap::test_slice: a slice sees the marks of its parent shifted, and is a bitmap itself', () => {
    const parent = make(0x1_0000, 128);
    const slice = parent.sliceAt(0x8000);
    expect(slice).toBeInstanceOf(BitmapSlice);
    parent.markDirty(0x8100, 1);
    expect([slice.dirtyAt(0x100), slice.dirtyAt(0)]).toEqual([true, false]);
    testBitmap(slice.sliceAt(0x1000));
    expect(slice.sliceAt(0x1000).inner).toBe(parent);
  });

  it('V-1.6: pages need not be powers of two', () => {
    const bitmap = make(1000, 100);
    bitmap.markDirty(199, 2);
    expect(Array.from({ length: 10 }, (_, i) => bitmap.isBitSet(i))).toEqual([
      false,
      true,
      true,
      ...new Array(7).fill(false),
    ]);
  });
});

it('V-1.6: a shared bitmap is attached by its handle; a bad one is refused', () => {
  const bitmap = new AtomicBitmap(0x4000, { pageSize: 0x1000, shared: true });
  const other = AtomicBitmap.attach(structuredClone(bitmap.handle));
  other.markDirty(0x2000, 1);
  expect([bitmap.isBitSet(2), other.length, other.pageSize]).toEqual([true, 4, 0x1000]);
  expect(() => AtomicBitmap.attach({ ...bitmap.handle, byteSize: 0x100_0000 })).toThrow(RangeError);
  expect(() => new AtomicBitmap(-1)).toThrow(RangeError);
  for (const pageSize of [0, -4096, 0.5, Number.NaN, 2 ** 53])
    expect(() => new AtomicBitmap(8, { pageSize })).toThrow(RangeError);
  for (const bytes of [0.5, Number.NaN, 2 ** 53]) expect(() => new AtomicBitmap(bytes)).toThrow(RangeError);
  for (const bytes of [-1, 0.5, 2 ** 53 - 1]) expect(() => bitmap.enlarge(bytes)).toThrow(RangeError);
});
