/** One range of a flat view: which bytes of which region answer there, and how. T-60. */
import type { MemoryRegion } from '../region/memory-region.ts';

/** Addresses `first` to `last`, both included, are answered by `region` from `offset` on. */
export interface FlatRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly region: MemoryRegion;
  readonly offset: bigint;
  /** Effective: the region's own and everything's on the path to it (T-63). */
  readonly readonly: boolean;
  readonly nonvolatile: boolean;
  /** The region's ROMD mode when rendered. */
  readonly romdMode: boolean;
}
