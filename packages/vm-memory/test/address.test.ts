import { describe, expect, it } from 'vitest';
import {
  bitAnd,
  bitOr,
  checkedAdd,
  checkedAlignUp,
  checkedOffsetFrom,
  checkedSub,
  compareAddresses,
  guestMemory,
  overflowingAdd,
  overflowingSub,
  toAddress,
  uncheckedAdd,
  uncheckedAlignUp,
  uncheckedOffsetFrom,
  uncheckedSub,
} from '../src/index.ts';

const MAX = 2n ** 64n - 1n;

describe('addresses', () => {
  it('address::test_new: 0 and the last address keep their value; small bigints become numbers', () => {
    expect([toAddress(0), toAddress(MAX), toAddress(5n), toAddress(2n ** 53n)]).toEqual([0, MAX, 5, 2n ** 53n]);
    expect(Object.is(toAddress(-0), 0)).toBe(true);
  });

  it('address::test_equals: a number and a bigint of one value are the same address', () => {
    expect([compareAddresses(0x123, 0x123n), compareAddresses(MAX, MAX), compareAddresses(1, 2) === 0]).toEqual([
      0,
      0,
      false,
    ]);
  });

  it('address::test_cmp: order is that of the values, across both kinds', () => {
    const sorted = [MAX, 3, 2n ** 53n, 0, 2 ** 53 - 1, 4n].sort(compareAddresses);
    expect(sorted).toEqual([0, 3, 4n, 2 ** 53 - 1, 2n ** 53n, MAX]);
  });

  it('address::test_default: the first address of an empty map is 0', () => {
    expect(guestMemory([{ startAddr: 0, memory: 1 }]).removeRegion(0, 1)[0].lastAddr).toBe(0);
  });

  it('address::test_offset_from: 0x150 is 0x50 from 0x100, and not the other way round', () => {
    expect([checkedOffsetFrom(0x150, 0x100), uncheckedOffsetFrom(0x150n, 0x100)]).toEqual([0x50, 0x50]);
    expect(checkedOffsetFrom(0x100, 0x150)).toBeUndefined();
    expect(() => uncheckedOffsetFrom(0x100, 0x150)).toThrow(RangeError);
  });

  it('address::test_checked_align_up: to 8 and 16; not where the sum passes the end', () => {
    expect([checkedAlignUp(0x128, 8), checkedAlignUp(0x128, 16), checkedAlignUp(MAX - 0x3fffn, 0x1_0000)]).toEqual([
      0x128,
      0x130,
      undefined,
    ]);
    expect(checkedAlignUp(MAX - 0xfn, 16)).toBe(MAX - 0xfn);
  });

  it('address::test_checked_align_up_invalid: an alignment that is no power of two is refused', () => {
    for (const bad of [12, 0, 3n]) expect(() => checkedAlignUp(0x128, bad)).toThrow(/power of two/);
  });

  it('address::test_unchecked_align_up: the same two values; never wraps', () => {
    expect([uncheckedAlignUp(0x128, 8), uncheckedAlignUp(0x128, 16)]).toEqual([0x128, 0x130]);
    expect(() => uncheckedAlignUp(MAX, 16)).toThrow(RangeError);
  });

  it('address::test_mask: exact in all 64 bits', () => {
    expect([bitAnd(0x5050, 0xff00), bitAnd(MAX, 0xffff_0000_0000n), bitOr(0x5050, 5)]).toEqual([
      0x5000, 0xffff_0000_0000, 0x5055,
    ]);
  });

  it('address::test_bit_and: as the integers', () => {
    for (const [a, b] of [
      [0x0fff_ffff_ffff, 0xf0f0_f0f0_f0f0n],
      [0xffff_ffff, 0x8000_0001],
    ] as const)
      expect(BigInt(bitAnd(a, b))).toBe(BigInt(a) & BigInt(b));
  });

  it('address::test_bit_or: as the integers', () => {
    for (const [a, b] of [
      [0x0f0f, 0xf0f0_f0f0_f0f0n],
      [0x8000_0000, 1],
      [MAX, 0],
    ] as const)
      expect(BigInt(bitOr(a, b))).toBe(BigInt(a) | BigInt(b));
  });

  it('address::test_add: checked, overflowing and unchecked agree, and unchecked never wraps', () => {
    expect([checkedAdd(10, 10), checkedAdd(MAX - 1n, 1), checkedAdd(2 ** 53 - 1, 1)]).toEqual([20, MAX, 2n ** 53n]);
    expect([overflowingAdd(10, 10), overflowingAdd(MAX, 1), overflowingAdd(MAX - 1n, 1)]).toEqual([
      [20, false],
      [0, true],
      [MAX, false],
    ]);
    expect(checkedAdd(MAX, 1)).toBeUndefined();
    expect([uncheckedAdd(10, 10n), uncheckedAdd(MAX - 1n, 1)]).toEqual([20, MAX]);
    expect(() => uncheckedAdd(MAX, 1)).toThrow(/0xffffffffffffffff \+ 0x1 leaves/);
  });

  it('address::test_sub: checked, overflowing and unchecked agree', () => {
    expect([checkedSub(20, 10), checkedSub(1, 1n), checkedSub(0, 1)]).toEqual([10, 0, undefined]);
    expect([overflowingSub(20, 10), overflowingSub(1, 1), overflowingSub(0, 1)]).toEqual([
      [10, false],
      [0, false],
      [MAX, true],
    ]);
    expect([uncheckedSub(20n, 10), checkedOffsetFrom(20, 10), checkedOffsetFrom(0, 1)]).toEqual([10, 10, undefined]);
    expect(() => uncheckedSub(0, 1)).toThrow(RangeError);
  });

  it('D1: what is no address is refused with its value', () => {
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 64, -1n, 2n ** 64n]) expect(() => toAddress(bad)).toThrow(RangeError);
    for (const bad of ['1', null, undefined, true]) expect(() => toAddress(bad as never)).toThrow(TypeError);
    expect(() => toAddress(2 ** 60)).toThrow('0x1000000000000000 is not a safe integer; pass it as a bigint');
    expect(() => toAddress(-5n)).toThrow(/not -0x5/);
    expect(() => checkedAdd(1, -1)).toThrow(RangeError);
  });
});
