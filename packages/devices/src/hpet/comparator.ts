/**
 * The arithmetic of one comparator: how far it is from the counter, and how a periodic one catches up. Pure functions
 * over 64-bit values, so that every border can be tested by itself. H-60, H-61, H-70, H-141.
 */

/** Ticks from `counter` to `comparator`; 1 where it is equal or behind, as a signed number of the mode's width (H-60). */
export function distance(comparator: bigint, counter: bigint, mode32: boolean): bigint {
  const ahead = BigInt.asIntN(mode32 ? 32 : 64, comparator - counter);
  return ahead > 0n ? ahead : 1n;
}

/** Ticks from `counter` to the last value of its low half, 0xffffffff (H-61). */
export function ticksToWrap(counter: bigint): bigint {
  return 0xffff_ffffn - BigInt.asUintN(32, counter);
}

/**
 * The comparator of a periodic timer that is due at `counter`: `period` (not 0) is added until it is not behind. QEMU adds
 * in a loop, which a guest can make endless (H-141); this is the same result in one step. A period whose counted bits are all 0 in 32-bit mode
 * would never catch up: the comparator then stays.
 */
export function catchUp(comparator: bigint, period: bigint, counter: bigint, mode32: boolean): bigint {
  const width = mode32 ? 32 : 64;
  const behind = BigInt.asIntN(width, comparator - counter);
  if (behind >= 0n) return comparator;
  const step = BigInt.asUintN(width, period);
  if (step === 0n) return comparator;
  const half = 1n << BigInt(width - 1);
  // A step of half the range or more moves backwards, until it falls over the negative end.
  const back = 2n * half - step;
  const steps = step < half ? (-behind + step - 1n) / step : (behind + half) / back + 1n;
  return BigInt.asUintN(width, comparator + steps * step);
}
