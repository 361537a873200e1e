import { describe, expect, it } from 'vitest';
import * as vm from '../src/index.ts';

const cases = [
  // codec, smallest, largest, one below, one above, little-endian bytes of the largest
  [vm.u8, 0, 0xff, -1, 0x100],
  [vm.i8, -0x80, 0x7f, -0x81, 0x80],
  [vm.u16, 0, 0xffff, -1, 0x1_0000],
  [vm.i16, -0x8000, 0x7fff, -0x8001, 0x8000],
  [vm.u32, 0, 0xffff_ffff, -1, 0x1_0000_0000],
  [vm.i32, -0x8000_0000, 0x7fff_ffff, -0x8000_0001, 0x8000_0000],
  [vm.u64, 0n, 2n ** 64n - 1n, -1n, 2n ** 64n],
  [vm.i64, -(2n ** 63n), 2n ** 63n - 1n, -(2n ** 63n) - 1n, 2n ** 63n],
  [vm.u64Number, 0, 2 ** 53 - 1, -1, 2 ** 53],
  [vm.i64Number, -(2 ** 53 - 1), 2 ** 53 - 1, -(2 ** 53), 2 ** 53],
] as const;

describe('scalar codecs', () => {
  it.each(cases.map((c) => [c[0].name, ...c] as const))(
    'D2: %s takes its limits and nothing beyond, in both byte orders',
    (_name, native, low, high, below, above) => {
      for (const order of ['little', 'big'] as const) {
        const codec = vm.inOrder(native as vm.ScalarCodec<number | bigint>, order);
        const view = new DataView(new ArrayBuffer(16));
        for (const value of [low, high]) {
          codec.set(view, 3, value);
          expect(codec.get(view, 3)).toBe(value);
          const integer = BigInt.asUintN(codec.size * 8, BigInt(value));
          const bytes = Array.from({ length: codec.size }, (_, i) => Number((integer >> BigInt(8 * i)) & 0xffn));
          if (order === 'big') bytes.reverse();
          expect([...new Uint8Array(view.buffer, 3, codec.size)]).toEqual(bytes);
          expect([view.getUint8(2), view.getUint8(3 + codec.size)]).toEqual([0, 0]);
        }
        const before = new Uint8Array(view.buffer.slice(0));
        for (const value of [below, above]) expect(() => codec.set(view, 3, value)).toThrow(RangeError);
        for (const value of ['1', null, undefined, {}, typeof low === 'bigint' ? 1 : 1n])
          expect(() => codec.set(view, 3, value as never)).toThrow(TypeError);
        if (typeof low === 'number')
          for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY])
            expect(() => codec.set(view, 3, value)).toThrow(RangeError);
        expect(new Uint8Array(view.buffer)).toEqual(before);
      }
    },
  );

  it('V-1.2: a codec tells its kind, in either order', () => {
    const { U8, I8, U16, I16, U32, I32, F32, F64, U64_NUMBER, I64_NUMBER, U64, I64 } = vm.ScalarKind;
    const kinds = [U8, I8, U16, I16, U32, I32, U64, I64, U64_NUMBER, I64_NUMBER, F32, F64];
    const codecs = [...cases.map(([codec]) => codec), vm.f32, vm.f64] as vm.ScalarCodec<unknown>[];
    expect(codecs.map(({ kind }) => kind)).toEqual(kinds);
    expect(codecs.map((codec) => vm.inOrder(codec, 'big').kind)).toEqual(kinds);
    expect(new Set([...kinds, vm.ScalarKind.U64_ADDRESS, vm.ScalarKind.OTHER]).size).toBe(14);
  });

  it('D2: an address codec loads every value, as a number where it is safe, and takes numbers and bigints', () => {
    for (const order of ['little', 'big'] as const) {
      const codec = vm.inOrder(vm.u64Address, order);
      const view = new DataView(new ArrayBuffer(16));
      expect([codec.kind, codec.size]).toEqual([vm.ScalarKind.U64_ADDRESS, 8]);
      for (const [given, got] of [
        [0, 0],
        [0n, 0],
        [0x8000_0000, 0x8000_0000],
        [0x1_2345_6789_abcdn, 0x1_2345_6789_abcd],
        [2 ** 53 - 1, 2 ** 53 - 1],
        [2n ** 53n - 1n, 2 ** 53 - 1],
        [2n ** 53n, 2n ** 53n],
        [2n ** 64n - 16n, 2n ** 64n - 16n],
      ] as const) {
        codec.set(view, 3, given);
        expect(view.getBigUint64(3, order === 'little')).toBe(BigInt(given));
        expect(codec.get(view, 3)).toBe(got);
      }
      const before = new Uint8Array(view.buffer.slice(0));
      for (const value of [-1, 0.5, 2 ** 53, Number.NaN, -1n, 2n ** 64n])
        expect(() => codec.set(view, 3, value)).toThrow(RangeError);
      for (const value of ['1', null, undefined, {}])
        expect(() => codec.set(view, 3, value as never)).toThrow(TypeError);
      expect(new Uint8Array(view.buffer)).toEqual(before);
    }
  });

  it('D2: a number codec refuses 64-bit integers in memory that a number cannot hold', () => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, 2n ** 53n, true);
    expect(() => vm.inOrder(vm.u64Number, 'little').get(view, 0)).toThrow(/0x20000000000000 is not a safe integer/);
    view.setBigInt64(0, -(2n ** 53n), true);
    expect(() => vm.inOrder(vm.i64Number, 'little').get(view, 0)).toThrow(/-0x20000000000000/);
    view.setBigInt64(0, -(2n ** 53n) + 1n, true);
    expect(vm.inOrder(vm.i64Number, 'little').get(view, 0)).toBe(-(2 ** 53 - 1));
  });

  it('D2: messages show the value in hex and what is allowed', () => {
    const view = new DataView(new ArrayBuffer(8));
    expect(() => vm.u16.set(view, 0, 0x1_2345)).toThrow('u16 takes integers from 0 to 0xffff, not 0x12345');
    expect(() => vm.i8.set(view, 0, -200)).toThrow('i8 takes integers from -0x80 to 0x7f, not -0xc8');
    expect(() => vm.u64.set(view, 0, 5 as never)).toThrow('u64 takes a bigint, not number; use a codec of numbers');
    expect(() => vm.u64Number.set(view, 0, 5n as never)).toThrow(
      'u64Number takes a number, not bigint; use a codec of bigints',
    );
  });

  it('D2: floats keep their bits', () => {
    const view = new DataView(new ArrayBuffer(8));
    vm.inOrder(vm.f32, 'big').set(view, 0, 1.5);
    expect(view.getUint32(0)).toBe(0x3fc0_0000);
    vm.inOrder(vm.f64, 'little').set(view, 0, -2);
    expect(view.getBigUint64(0, true)).toBe(0xc000_0000_0000_0000n);
    expect(() => vm.f64.set(view, 0, '1' as never)).toThrow(TypeError);
  });

  it('D3: inOrder gives one-byte codecs and codecs that state that order back, and refuses unknown ones', () => {
    expect(vm.inOrder(vm.u8, 'big')).toBe(vm.u8);
    const stated = vm.inOrder(vm.u32, vm.HOST_BYTE_ORDER);
    expect(stated.name).toBe(vm.HOST_BYTE_ORDER === 'little' ? 'u32.le' : 'u32.be');
    expect(vm.inOrder(stated, vm.HOST_BYTE_ORDER)).toBe(stated);
    const own = new vm.ScalarCodec<number>(
      'own',
      vm.ScalarKind.OTHER,
      2,
      true,
      () => 0,
      () => undefined,
    );
    expect(vm.inOrder(own, 'little')).toBe(own);
    expect(() => vm.inOrder(own, 'big')).toThrow(/make one for big order/);
    expect(() => vm.inOrder(vm.u32, 'middle' as never)).toThrow(TypeError);
  });
});
