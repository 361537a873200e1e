import { describe, expect, it } from 'vitest';
import * as vm from '../src/index.ts';
import { fails } from './support/fails.ts';

const native = [
  vm.u8,
  vm.i8,
  vm.u16,
  vm.i16,
  vm.u32,
  vm.i32,
  vm.u64,
  vm.i64,
  vm.f32,
  vm.f64,
  vm.u64Number,
  vm.i64Number,
] as vm.ScalarCodec<number | bigint>[];

describe('byte-valued', () => {
  it('V-1.2: inOrder says what it takes and where a struct gets its order', () => {
    const pair = vm.struct({ a: vm.u16, b: vm.u16 });
    expect(() => vm.inOrder(pair as never, 'big')).toThrow(
      new TypeError(
        "inOrder takes a scalar codec such as u32, not a value of StructCodec; a struct is given its order as it is made: struct(fields, { order: 'big' })",
      ),
    );
    expect(() => vm.inOrder(undefined as never, 'big')).toThrow(/scalar codec such as u32, not undefined/);
  });
  it('bytes::test_byte_valued: a value comes from exactly as many bytes as it has, at any alignment', () => {
    for (const codec of native) {
      const bytes = new Uint8Array(codec.size + 2);
      expect(vm.fromBytes(codec, bytes.subarray(1, 1 + codec.size))).toBe(
        vm.fromBytes(codec, bytes.slice(0, codec.size)),
      );
      expect(vm.fromBytes(codec, bytes.subarray(0, codec.size - 1))).toBeUndefined();
      expect(vm.fromBytes(codec, bytes.subarray(0, codec.size + 1))).toBeUndefined();
    }
    expect(vm.fromBytes(vm.inOrder(vm.u32, 'big'), Uint8Array.of(1, 2, 3, 4))).toBe(0x0102_0304);
  });

  it('bytes::test_byte_valued_zeroed: all bytes 0', () => {
    const s = vm.struct({ a: vm.u64, b: vm.array(vm.u8, 2), c: vm.struct({ d: vm.i32 }) });
    expect(vm.zeroed(s)).toEqual({ a: 0n, b: [0, 0], c: { d: 0 } });
    expect(native.map((codec) => Number(vm.zeroed(codec)))).toEqual(native.map(() => 0));
  });

  it('bytes::byte_valued_slice: a struct filled from bytes', () => {
    const s = vm.struct({ a: vm.u32, b: vm.u32 });
    const slice = new vm.VolatileSlice(new Uint8Array(s.size));
    expect(slice.getRef(0, s).load()).toEqual({ a: 0, b: 0 });
    slice.subslice(4, 4).copyFrom(Uint8Array.of(1, 1, 1, 1));
    expect(slice.getRef(0, s).load()).toEqual({ a: 0, b: 0x0101_0101 });
    expect([...vm.toBytes(s, { a: 0x0202_0202, b: 0 })]).toEqual([2, 2, 2, 2, 0, 0, 0, 0]);
  });

  it('bytes::test_byte_valued_io: seven of eight bytes are refused, eight are a value; a sink of seven is full', () => {
    const le64 = vm.inOrder(vm.u64, 'little');
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const short = fails(() => vm.readExactFrom(le64, new vm.ByteSource(bytes.subarray(0, 7))));
    expect([short.code, short.completed]).toEqual(['io-error', 7]);
    expect(vm.readExactFrom(le64, new vm.ByteSource(bytes))).toBe(0x0807_0605_0403_0201n);
    const all = new vm.GrowingSink();
    vm.writeAllTo(le64, 0x0807_0605_0403_0201n, all);
    expect(all.toBytes()).toEqual(bytes);
    expect(fails(() => vm.writeAllTo(le64, 1n, new vm.ByteSink(new Uint8Array(7)))).code).toBe('io-error');
  });

  it('V-1.5: a stream that answers more than it was offered, or no count, is refused', () => {
    for (const moved of [9, -1, 0.5, Number.NaN]) {
      expect(fails(() => vm.readExactFrom(vm.u64, { readVolatile: () => moved })).code).toBe('callback-out-of-range');
      expect(fails(() => vm.writeAllTo(vm.u64, 1n, { writeVolatile: () => moved })).code).toBe('callback-out-of-range');
    }
  });

  it('bytes::test_bytes: the provided object forms work over any Bytes, and fail at its end', () => {
    class Container extends vm.BytesBase {
      readonly #slice = new vm.VolatileSlice(new Uint8Array(10));
      read(buf: Uint8Array, addr: vm.GuestAddress) {
        return this.#slice.read(buf, addr);
      }
      write(buf: Uint8Array, addr: vm.GuestAddress) {
        return this.#slice.write(buf, addr);
      }
      load(): never {
        throw new Error('not used');
      }
      store(): never {
        throw new Error('not used');
      }
      readVolatileFrom(): never {
        throw new Error('not used');
      }
      writeVolatileTo(): never {
        throw new Error('not used');
      }
    }
    const bytes = new Container();
    bytes.writeObj(2, vm.u64, 2n ** 64n - 1n);
    expect(bytes.readObj(2, vm.u64)).toBe(2n ** 64n - 1n);
    expect(() => bytes.writeObj(3, vm.u64, 1n)).toThrow(vm.GuestMemoryError);
    expect(() => bytes.readObj(3, vm.u64)).toThrow(vm.GuestMemoryError);
  });

  it('V-1.2: an exact stream of any Bytes tells the end of memory from that of the stream', () => {
    const slice = new vm.VolatileSlice(new Uint8Array(6));
    class Short extends vm.BytesBase {
      read = () => 0;
      write = () => 0;
      load = (): never => expect.unreachable();
      store = (): never => expect.unreachable();
      readVolatileFrom = (addr: vm.GuestAddress, src: vm.ReadVolatile, count: number) =>
        slice.readVolatileFrom(addr, src, count);
      writeVolatileTo = (addr: vm.GuestAddress, dst: vm.WriteVolatile, count: number) =>
        slice.writeVolatileTo(addr, dst, count);
    }
    const memory = new Short();
    let left = 4;
    const some = (bytes: Uint8Array) => {
      const n = Math.min(bytes.length, 3, left);
      left -= n;
      return n;
    };
    for (const run of [
      () => memory.readExactVolatileFrom(0, { readVolatile: some }, 8),
      () => memory.writeAllVolatileTo(0, { writeVolatile: some }, 8),
    ]) {
      left = 4;
      expect(run).toThrow(expect.objectContaining({ code: 'io-error', expected: 8, completed: 4 }));
      left = 100;
      expect(run).toThrow(expect.objectContaining({ code: 'partial-buffer', expected: 8, completed: 6 }));
    }
  });

  it('atomic_integer::test_atomic_integer_ops: a cell is loaded and stored', () => {
    const cell = new vm.VolatileSlice(new Uint8Array(8)).getAtomicRef(4, vm.u32);
    expect(cell.load(vm.Ordering.RELAXED)).toBe(0);
    cell.store(0xffff_fffe, vm.Ordering.RELAXED);
    expect(cell.load(vm.Ordering.RELAXED)).toBe(0xffff_fffe);
  });

  it('V-1.2: an atomic cell exchanges, compares and updates, in both byte orders, and marks', () => {
    for (const order of ['little', 'big'] as const)
      for (const base of native) {
        const codec = vm.inOrder(base, order);
        const one = typeof vm.zeroed(codec) === 'bigint' ? 1n : 1;
        const two = typeof one === 'bigint' ? 2n : 2;
        const bitmap = new vm.AtomicBitmap(8, { pageSize: 1 });
        const cell = new vm.VolatileSlice(new Uint8Array(8), bitmap).getAtomicRef(0, codec);
        expect(Number(cell.exchange(one))).toBe(0);
        expect(cell.compareExchange(two, two)).toBe(one);
        expect(cell.compareExchange(one, two)).toBe(one);
        expect(cell.update((v) => (typeof v === 'bigint' ? v + 5n : v + 5))).toBe(two);
        expect(Number(cell.load(vm.Ordering.SEQ_CST))).toBe(7);
        expect([bitmap.dirtyAt(0), bitmap.dirtyAt(codec.size - 1), bitmap.dirtyAt(codec.size)]).toEqual([
          true,
          true,
          false,
        ]);
      }
  });

  it('V-1.2: update asks only for the change of a value that memory held', () => {
    for (const order of ['little', 'big'] as const)
      for (const base of native) {
        const codec = vm.inOrder(base, order);
        const slice = new vm.VolatileSlice(new Uint8Array(8));
        const [five, four] = typeof vm.zeroed(codec) === 'bigint' ? [5n, 4n] : [5, 4];
        slice.store(0, codec, five);
        const asked: (number | bigint)[] = [];
        slice.getAtomicRef(0, codec).update((value) => {
          asked.push(value);
          return four;
        });
        expect([codec.name, asked, slice.load(0, codec)]).toEqual([codec.name, [five], four]);
      }
  });

  it('V-1.2: what cannot give back the value that was there stores nothing and marks nothing', () => {
    for (const [base, was] of [
      [vm.u64Number, 2n ** 53n],
      [vm.i64Number, -(2n ** 53n)],
    ] as const) {
      const bitmap = new vm.AtomicBitmap(8, { pageSize: 1 });
      const slice = new vm.VolatileSlice(new Uint8Array(8), bitmap);
      slice.store(0, vm.i64, was);
      bitmap.reset();
      const cell = slice.getAtomicRef(0, base);
      expect(() => cell.exchange(1)).toThrow(/not a safe integer/);
      expect(() => cell.update(() => 1)).toThrow(/not a safe integer/);
      expect(() => cell.compareExchange(0, 1)).toThrow(/not a safe integer/);
      expect([slice.load(0, vm.i64), bitmap.dirtyAt(0)]).toEqual([was, false]);
      slice.store(0, vm.i64, 2n ** 53n - 1n);
      expect([cell.exchange(1), slice.load(0, vm.i64)]).toEqual([2 ** 53 - 1, 1n]);
    }
  });

  it('V-1.2: a change may use other cells of the same buffer, by other codecs and slices', () => {
    const bytes = new Uint8Array(32);
    const cell = new vm.VolatileSlice(bytes).getAtomicRef(0, vm.u32);
    cell.store(40, vm.Ordering.RELAXED);
    const before = cell.update((value) => {
      new vm.VolatileSlice(bytes).getAtomicRef(8, vm.u64).exchange(0xffff_ffff_ffff_ffffn);
      expect(new vm.VolatileSlice(bytes.subarray(16)).getAtomicRef(0, vm.i16).compareExchange(0, -2)).toBe(0);
      return value + 2;
    });
    expect(before).toBe(40);
    expect(cell.load(vm.Ordering.RELAXED)).toBe(42);
    expect([...bytes.subarray(8, 20)]).toEqual([255, 255, 255, 255, 255, 255, 255, 255, 254, 255, 0, 0]);
  });

  it('V-1.2: update ends where memory holds a NaN that JavaScript would write otherwise', () => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, 0x7fc0_1234, true);
    const cell = new vm.VolatileSlice(bytes).getAtomicRef(0, vm.inOrder(vm.f32, 'little'));
    expect(cell.update(() => 1)).toBeNaN();
    expect(cell.load(vm.Ordering.SEQ_CST)).toBe(1);
  });
});

describe('byte order', () => {
  const check = (base: vm.ScalarCodec<number> | vm.ScalarCodec<bigint>, order: vm.ByteOrder): void => {
    const codec = vm.inOrder(base as vm.ScalarCodec<number | bigint>, order);
    const number = codec.size === 2 ? 0x0102 : codec.size === 4 ? 0x0102_0304 : 0x0002_0304_0506_0708;
    const value = base === vm.u64 ? 0x0102_0304_0506_0708n : number;
    const image = Array.from({ length: codec.size }, (_, i) => i + 1);
    if (base === vm.u64Number) image[0] = 0;
    const bytes = vm.toBytes(codec, value);
    expect([...bytes]).toEqual(order === 'big' ? image : image.reverse());
    expect([codec.size, vm.fromBytes(codec, bytes)]).toEqual([base.size, value]);
  };

  it('endian::test_le16: size as the integer, its image in memory, the value back', () => check(vm.u16, 'little'));
  it('endian::test_le32: size as the integer, its image in memory, the value back', () => check(vm.u32, 'little'));
  it('endian::test_le64: size as the integer, its image in memory, the value back', () => check(vm.u64, 'little'));
  it('endian::test_lesize: size as the integer, its image in memory, the value back', () =>
    check(vm.u64Number, 'little'));
  it('endian::test_be16: size as the integer, its image in memory, the value back', () => check(vm.u16, 'big'));
  it('endian::test_be32: size as the integer, its image in memory, the value back', () => check(vm.u32, 'big'));
  it('endian::test_be64: size as the integer, its image in memory, the value back', () => check(vm.u64, 'big'));
  it('endian::test_besize: size as the integer, its image in memory, the value back', () => check(vm.u64Number, 'big'));
});
