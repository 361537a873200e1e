/** Renders what a region tree shows in one window, or in the whole space: walk, then sweep. T-60 to T-78. */
import type { MemoryRegion } from '../region/memory-region.ts';
import { SPACE_SIZE } from './big.ts';
import type { FlatRange } from './flat-range.ts';
import { sweep } from './sweep.ts';
import { walk } from './walk.ts';

/** Default of `maxVisits`: a hundred thousand devices many times over, and still an answer within seconds. */
export const MAX_VISITS = 4_000_000;

/**
 * The flat ranges that `root` shows in [lo, hi), ascending, cut at both ends. The root's own address counts (T-68).
 * @throws {MemoryRegionError} `endless-alias`, `too-complex`.
 */
export function render(
  root: MemoryRegion,
  lo: bigint = 0n,
  hi: bigint = SPACE_SIZE,
  maxVisits: number = MAX_VISITS,
): FlatRange[] {
  return sweep(walk(root, lo, hi, maxVisits));
}
