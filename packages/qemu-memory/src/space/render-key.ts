/**
 * What an address space shows, as a text: equal texts mean equal views, whatever the roots. Looks through aliases and
 * small containers near the root and ends at the regions that hold the mass of the tree; those are named by identity, so
 * that changes below them change no key. Stricter and wider than QEMU's canonical root: two spaces share only if they
 * provably show the same (T-89), but any two with equal keys do (T-90, T-304).
 */
import { isSmallContainer } from '../region/climbing.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { max, min, SPACE_SIZE } from '../view/big.ts';

/** Where a space shows a region: offset 0 at `origin`, seen through [lo, hi). */
export interface Placed {
  readonly region: MemoryRegion;
  readonly origin: bigint;
  readonly lo: bigint;
  readonly hi: bigint;
}

/** The key of a root, and what was looked at for it. */
export interface RenderKey {
  readonly text: string;
  /** The root's own address, which moves all it shows (T-68). */
  readonly rootAddr: bigint;
  /** Regions whose children or target are part of the key, shown or not. */
  readonly expanded: readonly Placed[];
  /** Regions where looking ended, shown or not. Windows are not cut to the region itself. */
  readonly ends: readonly Placed[];
  /** The ends that show, which the key names. Windows are cut to the region. */
  readonly anchors: readonly Placed[];
}

/** Containers are looked through to this depth below the root, aliases one deeper. */
const MAX_DEPTH = 2;

interface Building {
  readonly parts: string[];
  readonly expanded: Placed[];
  readonly ends: Placed[];
  readonly anchors: Placed[];
}

/** The key of what `root` shows. */
export function renderKey(root: MemoryRegion): RenderKey {
  const out: Building = { parts: [], expanded: [], ends: [], anchors: [] };
  look(out, root, 0n, 0n, SPACE_SIZE, 0, 0);
  return {
    text: out.parts.join(' '),
    rootAddr: root.addr,
    expanded: out.expanded,
    ends: out.ends,
    anchors: out.anchors,
  };
}

/** As a visit of T-61; `flags`: 1 readonly, 2 nonvolatile, as inherited. */
function look(
  out: Building,
  region: MemoryRegion,
  base: bigint,
  lo: bigint,
  hi: bigint,
  flags: number,
  depth: number,
): void {
  const origin = base + region.addr;
  const { target } = region;
  const through = target === null ? depth <= MAX_DEPTH && isSmallContainer(region) : depth <= MAX_DEPTH + 1;
  (through ? out.expanded : out.ends).push({ region, origin, lo, hi });
  if (!region.enabled) return;
  const from = max(origin, lo);
  const to = min(origin + region.size, hi);
  if (from >= to) return;
  if (!through) {
    out.parts.push(`${region.id}@${origin}[${from},${to})${flags}`);
    out.anchors.push({ region, origin, lo: from, hi: to });
    return;
  }
  const inherited = flags | (region.readonly ? 1 : 0) | (region.nonvolatile ? 2 : 0);
  if (target !== null) {
    look(out, target, origin - target.addr - region.aliasOffset, from, to, inherited, depth + 1);
    return;
  }
  for (const child of region.children) look(out, child, origin, from, to, inherited, depth + 1);
}
