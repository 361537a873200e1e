/** One range of a flat view: which bytes of which region answer there, and how; and how ranges become one. T-60, T-75. */
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

/** Appends `range`, or lengthens the last one where it goes on (T-75). */
export function addRange(out: FlatRange[], range: FlatRange): void {
  const before = out.at(-1);
  if (before !== undefined && continues(before, range)) out[out.length - 1] = { ...before, last: range.last };
  else out.push(range);
}

/** T-75. */
function continues(a: FlatRange, b: FlatRange): boolean {
  return (
    a.region === b.region &&
    a.last + 1n === b.first &&
    a.offset + (b.first - a.first) === b.offset &&
    a.readonly === b.readonly &&
    a.nonvolatile === b.nonvolatile &&
    a.romdMode === b.romdMode &&
    a.dirtyMask === b.dirtyMask &&
    a.ownReadonly === b.ownReadonly
  );
}
