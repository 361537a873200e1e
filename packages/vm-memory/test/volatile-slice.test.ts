import { describe, expect, it } from 'vitest';
import {
  AtomicBitmap,
  array,
  ByteSource,
  bufferBacking,
  GrowingSink,
  GuestMemoryError,
  GuestRegionBuffer,
  inOrder,
  Ordering,
  u8,
  u16,
  u32,
  u64,
  VolatileSlice,
  wasmBacking,
} from '../src/index.ts';
import { fails } from './support/fails.ts';
import { wasmMemory } from './support/wasm.ts';

const MAX = 2n ** 64n - 1n;
const slice = (n: number, bitmap: AtomicBitmap | null = null) => new VolatileSlice(new Uint8Array(n), bitmap);
const detail = (run: () => unknown) => {
  const { code, addr } = fails(run);
  return addr === undefined ? [code] : [code, addr];
};

describe('volatile slices', () => {
  it('volatile_memory::test_compute_end_offset: every range up to the end, (end, 0) included, and none past it', () => {
    const five = slice(5);
    for (let base = 0; base <= 5; base++)
      for (let len = 0; base + len <= 5; len++) expect(five.computeEndOffset(base, len)).toBe(base + len);
    expect([five.computeEndOffset(4n, 1n), five.computeEndOffset(5n, 0), five.computeEndOffset(0, 5n)]).toEqual([
      5, 5, 5,
    ]);
    expect(detail(() => five.computeEndOffset(5, 1))).toEqual(['out-of-bounds', 6]);
    expect(detail(() => five.computeEndOffset(6, 0))).toEqual(['out-of-bounds', 6]);
    expect(detail(() => five.computeEndOffset(MAX, 1))).toEqual(['overflow', MAX]);
  });

  it('volatile_memory::misaligned_ref: exactly one of two neighbours can be a Uint16Array', () => {
    for (const shift of [0, 1]) {
      const memory = new VolatileSlice(new Uint8Array(new ArrayBuffer(8), shift, 4));
      expect([0, 1].map((offset) => works(() => memory.alignedAs(Uint16Array, offset)))).toEqual(
        shift === 0 ? [true, false] : [false, true],
      );
    }
    const memory = slice(8);
    memory.alignedAs(Uint32Array, 4)[0] = 5;
    expect(memory.load(4, u32)).toBe(5);
    expect(detail(() => memory.alignedAs(Uint32Array, 4, 2))).toEqual(['out-of-bounds', 12]);
  });

  it('volatile_memory::misaligned_atomic: out of bounds comes before alignment', () => {
    expect(detail(() => slice(8).getAtomicRef(1, u64))).toEqual(['out-of-bounds', 9]);
    expect(fails(() => slice(16).getAtomicRef(1, u64)).code).toBe('misaligned');
  });

  it('volatile_memory::atomic_store: through an atomic ref', () => {
    const memory = slice(8);
    memory.getAtomicRef(0, u32).store(0x1234_5678, Ordering.RELAXED);
    expect(memory.getRef(0, u32).load()).toBe(0x1234_5678);
  });

  it('volatile_memory::atomic_load: through an atomic ref', () => {
    const memory = slice(8);
    memory.getRef(0, u32).store(0x1234_5678);
    expect(memory.getAtomicRef(0, u32).load(Ordering.RELAXED)).toBe(0x1234_5678);
  });

  it('volatile_memory::ref_store: writes the bytes of the value', () => {
    const memory = slice(1);
    memory.getRef(0, u8).store(17);
    expect(memory.bytes[0]).toBe(17);
  });

  it('volatile_memory::ref_load: sees what others wrote', () => {
    const memory = slice(1);
    const ref = memory.getRef(0, u8);
    memory.bytes[0] = 17;
    expect([ref.load(), ref.length]).toEqual([17, 1]);
  });

  it('volatile_memory::ref_to_slice: the bytes of the ref', () => {
    const memory = slice(5);
    const ref = memory.getRef(1, inOrder(u32, 'little'));
    ref.store(0x1234_5678);
    const bytes = ref.toSlice();
    expect([bytes.length, [...bytes.bytes]]).toEqual([4, [0x78, 0x56, 0x34, 0x12]]);
  });

  it('volatile_memory::slice_store: a value in the middle', () => {
    const memory = slice(4);
    memory.writeObj(1, u16, 0xffff);
    expect([...memory.bytes]).toEqual([0, 0xff, 0xff, 0]);
  });

  it('volatile_memory::mem_is_empty: and one with bytes is not', () => {
    expect([slice(0).isEmpty, slice(1).isEmpty, slice(0).subslice(0, 0).length]).toEqual([true, false, 0]);
  });

  it('volatile_memory::slice_len: of nested and empty slices', () => {
    const memory = slice(100).getSlice(0, 27);
    expect([memory.length, memory.subslice(4, 6).length, memory.subslice(4, 6).subslice(6, 0).isEmpty]).toEqual([
      27,
      6,
      true,
    ]);
  });

  it('volatile_memory::slice_subslice: every border', () => {
    const memory = slice(100);
    for (const [offset, count] of [
      [0, 0],
      [99, 1],
      [100, 0],
    ] as const)
      expect(memory.subslice(offset, count).length).toBe(count);
    for (const [offset, count, addr] of [
      [0, 101, 101],
      [99, 2, 101],
      [100, 1, 101],
      [101, 0, 101],
      [101, 1, 102],
    ] as const)
      expect(detail(() => memory.subslice(offset, count))).toEqual(['out-of-bounds', addr]);
    expect(fails(() => memory.subslice(MAX, 2)).code).toBe('overflow');
    expect(fails(() => memory.subslice(2, MAX)).code).toBe('overflow');
    expect(() => memory.subslice(-1, 1)).toThrow(RangeError);
    expect(() => memory.subslice(0.5, 1)).toThrow(RangeError);
  });

  it('volatile_memory::slice_offset: the rest from there, or out of bounds', () => {
    const memory = slice(100);
    expect([memory.offset(10).length, memory.offset(100).length]).toEqual([90, 0]);
    expect(detail(() => memory.offset(101))).toEqual(['out-of-bounds', 101]);
  });

  it('volatile_memory::split_at: two parts that share the bytes', () => {
    const memory = slice(32);
    for (const mid of [0, 8, 31, 32]) {
      const [head, tail] = memory.splitAt(mid);
      expect([head.length, tail.length]).toEqual([mid, 32 - mid]);
      if (tail.length > 0) tail.store(0, u8, mid);
      if (mid < 32) expect(memory.load(mid, u8)).toBe(mid);
    }
    expect(fails(() => memory.splitAt(33)).code).toBe('out-of-bounds');
  });

  it('volatile_memory::slice_copy_to_u8: as many bytes as both have', () => {
    const memory = slice(5);
    memory.bytes.set([1, 2, 3, 4, 5]);
    const [small, large] = [new Uint8Array(3), new Uint8Array(7)];
    expect([memory.copyTo(small), memory.copyTo(large)]).toEqual([3, 5]);
    expect([[...small], [...large]]).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4, 5, 0, 0],
    ]);
  });

  it('volatile_memory::slice_copy_to_u16: whole elements only', () => {
    const memory = slice(9);
    memory.bytes.fill(1);
    const target = new Uint16Array(5);
    expect([memory.copyTo(target), [...target]]).toEqual([4, [0x101, 0x101, 0x101, 0x101, 0]]);
  });

  it('volatile_memory::slice_copy_from_u8: as many bytes as both have', () => {
    const memory = slice(5);
    expect([memory.copyFrom(Uint8Array.of(1, 2, 3)), [...memory.bytes]]).toEqual([3, [1, 2, 3, 0, 0]]);
    expect([memory.copyFrom(new Uint8Array(9).fill(7)), [...memory.bytes]]).toEqual([5, [7, 7, 7, 7, 7]]);
  });

  it('volatile_memory::slice_copy_from_u16: whole elements only, unaligned too', () => {
    const memory = slice(10).offset(1);
    expect(memory.copyFrom(new Uint16Array(5).fill(0x101))).toBe(4);
    expect([...memory.bytes]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0]);
  });

  it('volatile_memory::slice_copy_to_volatile_slice: as many bytes as both have; they may overlap', () => {
    const memory = slice(5);
    memory.bytes.set([1, 2, 3, 4, 5]);
    const target = slice(4);
    expect([memory.copyToVolatileSlice(target), [...target.bytes]]).toEqual([4, [1, 2, 3, 4]]);
    memory.subslice(0, 4).copyToVolatileSlice(memory.offset(1));
    expect([...memory.bytes]).toEqual([1, 1, 2, 3, 4]);
  });

  it('volatile_memory::slice_overflow_error: offset plus length past 2^64', () => {
    expect(detail(() => slice(1).getSlice(MAX, 1))).toEqual(['overflow', MAX]);
  });

  it('volatile_memory::slice_oob_error: tells the end', () => {
    expect(detail(() => slice(100).getSlice(5, 100))).toEqual(['out-of-bounds', 105]);
  });

  it('volatile_memory::ref_overflow_error: of a ref', () => {
    expect(detail(() => slice(1).getRef(MAX, u16))).toEqual(['overflow', MAX]);
  });

  it('volatile_memory::ref_oob_error: of a ref', () => {
    const memory = slice(100);
    expect(memory.getRef(99, u8).length).toBe(1);
    expect(detail(() => memory.getRef(99, u16))).toEqual(['out-of-bounds', 101]);
  });

  it('volatile_memory::ref_oob_too_large: of a ref that is larger than the slice', () => {
    expect(detail(() => slice(3).getRef(0, u32))).toEqual(['out-of-bounds', 4]);
  });

  it('volatile_memory::test_write_past_end: six bytes into five write five', () => {
    const memory = slice(5);
    expect([memory.write(Uint8Array.of(5, 4, 3, 2, 1, 0), 0), [...memory.bytes]]).toEqual([5, [5, 4, 3, 2, 1]]);
  });

  it('volatile_memory::slice_read_and_write: short at the end, refused past it, empty anywhere', () => {
    const memory = slice(5);
    expect([memory.write(Uint8Array.of(1, 2, 3), 3), memory.read(new Uint8Array(3), 3)]).toEqual([2, 2]);
    expect(detail(() => memory.write(Uint8Array.of(1), 5))).toEqual(['out-of-bounds', 5]);
    expect(detail(() => memory.read(new Uint8Array(1), 5))).toEqual(['out-of-bounds', 5]);
    expect([
      memory.write(new Uint8Array(0), 100),
      memory.read(new Uint8Array(0), 100),
      slice(0).read(new Uint8Array(0), 0),
    ]).toEqual([0, 0, 0]);
  });

  it('volatile_memory::obj_read_and_write: partial at the end with its progress, out of bounds past it', () => {
    const memory = slice(5);
    memory.writeObj(0, u16, 55);
    expect(memory.readObj(0, u16)).toBe(55);
    const write = fails(() => memory.writeObj(4, u16, 55));
    const read = fails(() => memory.readObj(4, u16));
    expect([write, read].map((e) => [e.code, e.expected, e.completed])).toEqual([
      ['partial-buffer', 2, 1],
      ['partial-buffer', 2, 1],
    ]);
    expect(detail(() => memory.writeObj(MAX, u16, 1))).toEqual(['out-of-bounds', MAX]);
    expect(detail(() => memory.readObj(MAX, u16))).toEqual(['out-of-bounds', MAX]);
  });

  it('volatile_memory::mem_read_and_write: exact streams, and their end', () => {
    const memory = slice(8);
    memory.readExactVolatileFrom(2, { readVolatile: (into) => into.fill(0xaa).length }, 4);
    expect(memory.readObj(2, u32)).toBe(0xaaaa_aaaa);
    expect(fails(() => memory.readExactVolatileFrom(2, new ByteSource(new Uint8Array(0)), 4)).code).toBe('io-error');
    const sink = new GrowingSink();
    memory.writeAllVolatileTo(1, sink, 2);
    expect([...sink.toBytes()]).toEqual([0, 0xaa]);
    expect(detail(() => memory.readExactVolatileFrom(6, new ByteSource(new Uint8Array(9)), 4))).toEqual([
      'out-of-bounds',
      10,
    ]);
    expect(detail(() => memory.writeAllVolatileTo(6, sink, 4))).toEqual(['out-of-bounds', 10]);
    expect([
      memory.readVolatileFrom(8, new ByteSource(new Uint8Array(9)), 4),
      memory.writeVolatileTo(8, sink, 4),
    ]).toEqual([0, 0]);
    expect(detail(() => memory.readVolatileFrom(9, new ByteSource(new Uint8Array(9)), 4))).toEqual([
      'out-of-bounds',
      9,
    ]);
  });

  it('volatile_memory::unaligned_read_and_write: a ref works at any alignment', () => {
    const memory = slice(7);
    const ref = memory.getRef(2, inOrder(u32, 'little'));
    ref.store(0x0403_0201);
    expect([ref.load(), [...memory.bytes]]).toEqual([0x0403_0201, [0, 0, 1, 2, 3, 4, 0]]);
  });

  it('volatile_memory::test_read_from_exceeds_size: a source of 20 bytes fills 20 of 32', () => {
    expect(slice(32).readVolatileFrom(0, new ByteSource(new Uint8Array(20)), 32)).toBe(20);
  });

  it('volatile_memory::ref_array_from_slice: the elements are those of the bytes', () => {
    const memory = slice(5);
    memory.bytes.set([1, 2, 3, 4, 5]);
    const array = memory.getArrayRef(0, 5, u8);
    expect([array.length, array.elementSize, array.isEmpty, array.load(4)]).toEqual([5, 1, false, 5]);
    const copy = new Uint8Array(7);
    expect([array.copyTo(copy), [...copy]]).toEqual([5, [1, 2, 3, 4, 5, 0, 0]]);
    expect([array.copyFrom([9, 8]), memory.bytes[1], array.toSlice().length]).toEqual([2, 8, 5]);
  });

  it('volatile_memory::ref_array_store: an element of its own', () => {
    const memory = slice(8);
    const array = memory.getArrayRef(0, 4, u16);
    array.store(1, 0xbeef);
    array.refAt(3).store(0xcafe);
    expect([memory.readObj(2, u16), memory.readObj(6, u16), memory.readObj(0, u16)]).toEqual([0xbeef, 0xcafe, 0]);
    expect(() => array.store(4, 1)).toThrow(/0 to 3/);
  });

  it('volatile_memory::ref_array_load: an element of its own', () => {
    const memory = slice(8);
    memory.writeObj(4, u16, 0xbeef);
    const array = memory.getArrayRef(0, 4, u16);
    expect([array.load(2), array.refAt(2).load(), memory.getArrayRef(0, 0, u16).isEmpty]).toEqual([
      0xbeef,
      0xbeef,
      true,
    ]);
    expect(() => array.load(-1)).toThrow(RangeError);
    expect(() => array.refAt(1.5)).toThrow(RangeError);
  });

  it('volatile_memory::ref_array_overflow: more elements than any memory has', () => {
    expect(fails(() => slice(8).getArrayRef(0, MAX, u32)).code).toBe('too-big');
    expect(detail(() => slice(8).getArrayRef(0, 3, u32))).toEqual(['out-of-bounds', 12]);
  });

  it('volatile_memory::test_atomic_accesses: of a slice', () => {
    const memory = slice(0x100);
    for (const codec of [u8, u16, u32]) {
      memory.write(new Uint8Array(8), 0);
      expect(memory.load(0, codec, Ordering.SEQ_CST)).toBe(0);
      memory.store(0, codec, 100, Ordering.SEQ_CST);
      expect(memory.load(0, codec, Ordering.SEQ_CST)).toBe(100);
      expect(fails(() => memory.load(0x100, codec, Ordering.SEQ_CST)).code).toBe('out-of-bounds');
      expect(fails(() => memory.store(0x100, codec, 1, Ordering.SEQ_CST)).code).toBe('out-of-bounds');
    }
  });
});

describe('dirty tracking of slices', () => {
  const tracked = () => {
    const bitmap = new AtomicBitmap(0x1000, { pageSize: 1 });
    const dirty = () => {
      const marked: number[] = [];
      for (let i = 0; i < 0x1000; i++) if (bitmap.dirtyAt(i)) marked.push(i);
      bitmap.reset();
      return marked;
    };
    return { memory: new VolatileSlice(new Uint8Array(0x1000), bitmap), dirty };
  };

  it('volatile_memory::test_volatile_slice_dirty_tracking: what writes marks its bytes, through every kind of slice', () => {
    const { memory, dirty } = tracked();
    memory.writeObj(8, u16, 1);
    expect(dirty()).toEqual([8, 9]);
    slice(4).copyToVolatileSlice(memory.subslice(16, 3));
    expect(dirty()).toEqual([16, 17, 18]);
    memory.subslice(16, 3).copyToVolatileSlice(slice(4));
    expect(dirty()).toEqual([]);
    const [, tail] = memory.splitAt(0x100);
    tail.store(0, u8, 1);
    tail.subslice(2, 4).offset(1).store(0, u8, 1);
    expect(dirty()).toEqual([0x100, 0x103]);
    memory.offset(4).copyFrom(new Uint8Array(2));
    memory.offset(0x20).copyFrom(new Uint32Array(1));
    expect(dirty()).toEqual([4, 5, 0x20, 0x21, 0x22, 0x23]);
    memory.read(new Uint8Array(8), 0);
    memory.copyTo(new Uint8Array(8));
    memory.bytes[5] = 1;
    expect(() => memory.store(0xfff, u16, 1)).toThrow(GuestMemoryError);
    expect(dirty()).toEqual([]);
  });

  it('volatile_memory::test_volatile_ref_dirty_tracking: a ref marks what it stores', () => {
    const { memory, dirty } = tracked();
    const ref = memory.getRef(0x30, u32);
    ref.load();
    expect(dirty()).toEqual([]);
    ref.store(1);
    expect([ref.bitmap?.dirtyAt(0), ref.bitmap?.dirtyAt(4), dirty()]).toEqual([true, false, [0x30, 0x31, 0x32, 0x33]]);
  });

  it('volatile_memory::test_volatile_array_ref_dirty_tracking: an array marks the elements it stores', () => {
    const { memory, dirty } = tracked();
    const array = memory.getArrayRef(0x40, 8, u16);
    array.refAt(1).store(1);
    array.store(3, 1);
    expect(dirty()).toEqual([0x42, 0x43, 0x46, 0x47]);
    array.copyFrom([1, 2]);
    memory.getArrayRef(0x80, 2, u8).copyFrom(new Uint8Array(5));
    expect(dirty()).toEqual([0x40, 0x41, 0x42, 0x43, 0x80, 0x81]);
    expect(array.bitmap?.dirtyAt(0)).toBe(false);
  });

  it("mmap/unix::test_dirty_tracking: refs, atomic refs and objects of a region's memory mark", () => {
    const { memory, dirty } = tracked();
    memory.writeObj(0, u64, 1n);
    memory.getRef(16, u8).store(1);
    memory.getArrayRef(32, 1, u8).store(0, 1);
    memory.getAtomicRef(64, u16).store(1, Ordering.RELAXED);
    expect(dirty()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 16, 32, 64, 65]);
  });
});

it('V-1.2: an object of no bytes reads anywhere, as a reference and out of a region, too', () => {
  const nothing = array(u8, 0);
  const memory = slice(8);
  for (const offset of [4, 8, 100, MAX]) expect(memory.readObj(offset, nothing)).toEqual([]);
  for (const offset of [4, 8]) expect(memory.getRef(offset, nothing).load()).toEqual([]);
  expect(memory.getArrayRef(8, 3, nothing).load(2)).toEqual([]);
  const region = new GuestRegionBuffer(0x1000, bufferBacking(8));
  for (const offset of [4, 8, 100, MAX]) expect(region.readObj(offset, nothing)).toEqual([]);
});

it('D7: a slice of WebAssembly memory ends when that grows, and says so', () => {
  const memory = wasmMemory(1);
  const window = new VolatileSlice(wasmBacking(memory).segmentAt(0).bytes);
  window.store(0, u32, 5);
  memory.grow(1);
  for (const run of [
    () => window.load(0, u32),
    () => window.store(0, u32, 1),
    () => window.read(new Uint8Array(4), 0),
    () => window.write(new Uint8Array(4), 0),
    () => window.load(0, u32, Ordering.SEQ_CST),
    () => window.subslice(0, 1),
    () => window.alignedAs(Uint32Array, 0),
    () => window.readVolatileFrom(1, { readVolatile: () => 1 }, 4),
    () => window.writeVolatileTo(1, { writeVolatile: () => 1 }, 4),
  ])
    expect(fails(run).message).toMatch(/^the host buffer .* get a new slice/);
});

it('V-1.6: every operation of an atomic cell that writes marks its bytes, and a load does not', () => {
  const bitmap = new AtomicBitmap(16, { pageSize: 1 });
  const cell = new VolatileSlice(new Uint8Array(16), bitmap).getAtomicRef(4, u32);
  const marked = (act: () => void) => {
    act();
    return [...bitmap.getAndReset()];
  };
  expect(marked(() => cell.load(Ordering.SEQ_CST))).toEqual([0]);
  expect(marked(() => cell.store(1, Ordering.SEQ_CST))).toEqual([0xf0]);
  expect(marked(() => cell.exchange(2))).toEqual([0xf0]);
  expect(marked(() => cell.compareExchange(2, 3))).toEqual([0xf0]);
  expect(marked(() => cell.update((value) => value + 1))).toEqual([0xf0]);
  expect(cell.load(Ordering.SEQ_CST)).toBe(4);
});

it('V-1.4: an exact stream over the end is refused before a byte moves; a buffer that is none, too', () => {
  const four = new VolatileSlice(new Uint8Array(4));
  const moved: number[] = [];
  const stream = {
    readVolatile: (into: Uint8Array) => moved.push(into.length),
    writeVolatile: (from: Uint8Array) => moved.push(from.length),
  };
  for (const [addr, count] of [
    [4, 1],
    [3, 2],
    [5, 1],
  ] as const) {
    expect(detail(() => four.readExactVolatileFrom(addr, stream, count))).toEqual(['out-of-bounds', addr + count]);
    expect(detail(() => four.writeAllVolatileTo(addr, stream, count))).toEqual(['out-of-bounds', addr + count]);
  }
  for (const buf of [[1], new Uint16Array(1), null] as never[]) {
    expect(() => four.read(buf, 0)).toThrow(TypeError);
    expect(() => four.write(buf, 0)).toThrow(TypeError);
  }
  expect(moved).toEqual([]);
});

it('V-1.6: a compare and exchange that stores nothing marks nothing', () => {
  const bitmap = new AtomicBitmap(64, { pageSize: 1 });
  for (const codec of [u8, u16, u32, inOrder(u32, 'big')]) {
    const cell = slice(64, bitmap).getAtomicRef(8, codec);
    expect([cell.compareExchange(1, 0x80), bitmap.dirtyAt(8)]).toEqual([0, false]);
    expect([cell.compareExchange(0, 0x80), bitmap.dirtyAt(8)]).toEqual([0, true]);
    bitmap.reset();
    expect([cell.compareExchange(0x80, 0x81), bitmap.dirtyAt(8)]).toEqual([0x80, true]);
    bitmap.reset();
  }
  const wide = slice(64, bitmap).getAtomicRef(8, u64);
  expect([wide.compareExchange(1n, 2n), bitmap.dirtyAt(8), wide.compareExchange(0n, MAX)]).toEqual([0n, false, 0n]);
  expect([bitmap.dirtyAt(8), wide.load(Ordering.SEQ_CST)]).toEqual([true, MAX]);
});

it('D7: an atomic cell of WebAssembly memory ends when that grows, and says so', () => {
  const memory = wasmMemory(1);
  const cell = new VolatileSlice(wasmBacking(memory).segmentAt(0).bytes).getAtomicRef(8, u32);
  cell.store(5, Ordering.SEQ_CST);
  memory.grow(1);
  for (const run of [
    () => cell.load(Ordering.SEQ_CST),
    () => cell.store(1, Ordering.SEQ_CST),
    () => cell.exchange(1),
    () => cell.compareExchange(5, 1),
    () => cell.update((value) => value + 1),
  ])
    expect(fails(run).code).toBe('host-address-not-available');
});

function works(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}
