/**
 * Renders a MemoryRegion tree into flat ranges: sorted, disjoint, merged where equal. Visiting order is visibility
 * order: what is in the list is never changed, a later visit only fills gaps. T-60 to T-78.
 */
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatRange } from './flat-range.ts';

const SPACE_END = 1n << 64n;

/** The flat ranges that `root` shows, in ascending order. */
export function render(root: MemoryRegion): FlatRange[] {
  const ranges: FlatRange[] = [];
  visit(ranges, root, 0n, 0n, SPACE_END, false, false);
  return merge(ranges);
}

/** T-61. `base` is where offset 0 of the region's container lies; [start, end) is the window. */
function visit(
  out: FlatRange[],
  region: MemoryRegion,
  base: bigint,
  start: bigint,
  end: bigint,
  readonly: boolean,
  nonvolatile: boolean,
): void {
  if (!region.enabled) return;
  const origin = base + region.addr;
  const ro = readonly || region.readonly;
  const nv = nonvolatile || region.nonvolatile;
  const lo = origin > start ? origin : start;
  const hi = origin + region.size < end ? origin + region.size : end;
  if (lo >= hi) return;
  if (region.kind === RegionKind.ALIAS) {
    const target = region.target!;
    visit(out, target, origin - target.addr - region.aliasOffset, lo, hi, ro, nv);
    return;
  }
  for (const child of region.children) visit(out, child, origin, lo, hi, ro, nv);
  if (region.terminates) fill(out, region, origin, lo, hi, ro, nv);
}

/** Puts `region` into every gap of [lo, hi). */
function fill(
  out: FlatRange[],
  region: MemoryRegion,
  origin: bigint,
  lo: bigint,
  hi: bigint,
  ro: boolean,
  nv: boolean,
): void {
  let at = lo;
  for (let i = 0; at < hi; i++) {
    const next = out[i];
    if (next !== undefined && next.last < at) continue;
    const stop = next !== undefined && next.first < hi ? next.first : hi;
    if (at < stop) {
      out.splice(i, 0, {
        first: at,
        last: stop - 1n,
        region,
        offset: at - origin,
        readonly: ro,
        nonvolatile: nv,
        romdMode: region.romdMode,
        ownReadonly: region.readonly,
        dirtyMask: region.core.effectiveLogMask(region),
      });
      i++;
    }
    if (next === undefined) return;
    at = next.last + 1n;
  }
}

/** T-75: neighbours that continue each other become one. */
function merge(ranges: readonly FlatRange[]): FlatRange[] {
  const out: FlatRange[] = [];
  for (const range of ranges) {
    const before = out.at(-1);
    if (
      before !== undefined &&
      before.last + 1n === range.first &&
      before.region === range.region &&
      before.offset + (range.first - before.first) === range.offset &&
      before.readonly === range.readonly &&
      before.nonvolatile === range.nonvolatile &&
      before.romdMode === range.romdMode &&
      before.dirtyMask === range.dirtyMask
    )
      out[out.length - 1] = { ...before, last: range.last };
    else out.push(range);
  }
  return out;
}
