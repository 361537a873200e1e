/** One range of a flat view: which bytes of which region answer there, and how. T-60. */
import type { MemoryRegion } from '../region/memory-region.ts';

/** Addresses `first` to `last`, both included, are answered by `region` from `offset` on. */
export interface FlatRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly region: MemoryRegion;
  /** Of the first byte within the region. */
  readonly offset: bigint;
  /** Effective: the region's own and everything's on the path to it (T-63). */
  readonly readonly: boolean;
  readonly nonvolatile: boolean;
  /** The region's ROMD mode when rendered. */
  readonly romdMode: boolean;
  /** The region's own read-only flag when rendered; no part of equality. */
  readonly ownReadonly: boolean;
  /** Effective dirty-log mask when rendered (T-24); no part of equality (T-80). */
  readonly dirtyMask: number;
}
