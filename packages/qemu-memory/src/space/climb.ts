/**
 * Carries what changed in regions up to the renderings that show it: through containers, and through aliases where
 * `climbing.ts` says so, cut to each window on the way. Uses the tree as it is at the commit: whatever changed on the way
 * itself has notes of its own. D9.
 */
import type { Window } from '../region/links.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { max, min } from '../view/big.ts';

interface Climber {
  readonly region: MemoryRegion;
  readonly lo: bigint;
  readonly hi: bigint;
}

/**
 * Hands the noted windows of `regions` to the renderings anchored above them.
 * @param budget steps that may be spent. @returns whether it sufficed; if not, everything must be rendered anew.
 */
export function climb(regions: Iterable<MemoryRegion>, budget: number): boolean {
  const todo: Climber[] = [];
  for (const region of regions) {
    for (const { lo, hi } of region.links.dirty ?? []) todo.push({ region, lo, hi });
    for (let left = todo.pop(); left !== undefined; left = todo.pop()) {
      if (--budget < 0) return false;
      step(todo, left);
    }
  }
  return true;
}

function step(todo: Climber[], { region, lo, hi }: Climber): void {
  const { links, container } = region;
  for (const anchor of links.anchors ?? [])
    anchor.rendering.note(clip(lo + anchor.origin, hi + anchor.origin, anchor.lo, anchor.hi));
  if (container?.enabled) push(todo, container, clip(lo + region.addr, hi + region.addr, 0n, container.size));
  for (const entry of links.climbers ?? []) {
    const alias = entry.deref();
    if (alias === undefined) links.climbers!.delete(entry);
    else if (alias.enabled) push(todo, alias, clip(lo - alias.aliasOffset, hi - alias.aliasOffset, 0n, alias.size));
  }
}

function push(todo: Climber[], region: MemoryRegion, window: Window | null): void {
  if (window !== null) todo.push({ region, lo: window.lo, hi: window.hi });
}

/** [lo, hi) cut to [from, to); null where nothing is left. */
export function clip(lo: bigint, hi: bigint, from: bigint, to: bigint): Window | null {
  const start = max(lo, from);
  const end = min(hi, to);
  return start < end ? { lo: start, hi: end } : null;
}
