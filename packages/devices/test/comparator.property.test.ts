import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catchUp, distance, ticksToWrap } from '../src/hpet/comparator.ts';

const u64 = fc.bigInt(0n, (1n << 64n) - 1n);

describe('the comparator', () => {
  it('H-60: the distance is signed, and at least 1', () => {
    expect(distance(100n, 0n, false)).toBe(100n);
    expect(distance(100n, 100n, false)).toBe(1n);
    expect(distance(99n, 100n, false)).toBe(1n);
    expect(distance(1n << 63n, 0n, false)).toBe(1n);
    expect(distance((1n << 63n) - 1n, 0n, false)).toBe((1n << 63n) - 1n);
    expect(distance(0x5_0000_0010n, 0x7_ffff_fff0n, true)).toBe(0x20n);
    expect(distance(0x8000_0001n, 0n, true)).toBe(1n);
  });

  it('H-61: the ticks to the last value of the low half', () => {
    expect(ticksToWrap(0x7_ffff_ff00n)).toBe(0xffn);
    expect(ticksToWrap(0xffff_ffffn)).toBe(0n);
  });

  it('H-70: catches up to where a loop of additions ends, in either mode', () => {
    const loop = (comparator: bigint, period: bigint, counter: bigint, width: number): bigint | null => {
      let now = comparator;
      for (let i = 0; i < 2000; i++) {
        if (BigInt.asIntN(width, now - counter) >= 0n) return now;
        now = BigInt.asUintN(width, now + period);
      }
      return null;
    };
    fc.assert(
      fc.property(
        u64,
        fc.bigInt(0n, 1n << 40n),
        u64,
        fc.boolean(),
        fc.boolean(),
        (counter, back, period, near, mode32) => {
          const width = mode32 ? 32 : 64;
          // Near: behind by at most a thousand periods, so that the loop ends soon.
          const step = near ? (back % 1000n) + 1n : period;
          const behind = BigInt.asUintN(64, counter - (near ? back % (500n * step) : back));
          const expected = loop(behind, step, counter, width);
          if (expected !== null && BigInt.asUintN(width, step) !== 0n)
            expect(catchUp(behind, step, counter, mode32)).toBe(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('H-141: takes no longer for a period of 2^63, of 1, or of nothing that counts', () => {
    expect(catchUp(0n, 1n << 63n, (1n << 63n) - 5n, false)).toBe(1n << 63n);
    expect(catchUp(0n, 1n, (1n << 63n) - 5n, false)).toBe((1n << 63n) - 5n);
    expect(catchUp(0n, 0x3_0000_0000n, 5n, true)).toBe(0n);
  });
});
