/**
 * How changes find their way from a region up to what shows it: the aliases to follow, the renderings anchored here, the
 * windows that changed since the last commit; and how many views show it. Bookkeeping of view/ and space/, kept in the
 * region so that nothing is looked up. D9, T-35, T-36.
 */
import type { AddressSpace } from '../space/address-space.ts';
import type { OwnerRecord } from '../space/owners.ts';
import type { Rendering } from '../space/rendering.ts';
import type { MemoryRegion } from './memory-region.ts';

/** Where a rendering shows a region: its offset 0 at `origin`, seen through [lo, hi) of the address space. */
export interface Anchor {
  readonly rendering: Rendering;
  readonly origin: bigint;
  readonly lo: bigint;
  readonly hi: bigint;
}

/** A half-open window. */
export interface Window {
  lo: bigint;
  hi: bigint;
}

/** Windows kept apart per region; more become the one that covers them. */
const MAX_WINDOWS = 32;

/** The bookkeeping of one region. */
export class RegionLinks {
  /** When it was added to its container; later is larger, and on top among equals. */
  stamp = 0;
  /** Address spaces whose root it is, in creation order. */
  readonly roots: AddressSpace[] = [];
  /** Aliases of it that exist and are not disposed of. */
  aliases = 0;
  /** Aliases of it that changes must climb through: see `climbs` in climbing.ts. Weak: the tree keeps them alive. */
  climbers: Set<WeakRef<MemoryRegion>> | null = null;
  /** For an alias: its entry in `target.links.climbers`. */
  climber: WeakRef<MemoryRegion> | null = null;
  anchors: Set<Anchor> | null = null;
  /** Spaces whose render key looks at its children, and those whose key ends at it. */
  expandedBy: Set<AddressSpace> | null = null;
  endOf: Set<AddressSpace> | null = null;
  /** What may be different since the last commit, in its own offsets. */
  dirty: Window[] | null = null;
  readonly owner: OwnerRecord | null;
  #views = 0;

  constructor(owner: OwnerRecord | null) {
    this.owner = owner;
  }

  /** Blocks of live views that name it. */
  get views(): number {
    return this.#views;
  }

  /** One more range of a live view names it (T-31). */
  shown(): void {
    if (this.#views++ === 0) this.owner?.ref();
  }

  /** One less. @returns was it the last? */
  unshown(): boolean {
    if (--this.#views > 0) return false;
    this.owner?.unref();
    return true;
  }

  /** Is there a way from `region`, whose links these are, up to something that is shown? */
  isSeen(region: MemoryRegion): boolean {
    return (
      region.container !== null ||
      (this.climbers?.size ?? 0) > 0 ||
      (this.anchors?.size ?? 0) > 0 ||
      (this.expandedBy?.size ?? 0) > 0 ||
      (this.endOf?.size ?? 0) > 0
    );
  }

  /** Notes that [lo, hi) may be different. @returns whether it is the first note since the last commit. */
  note(lo: bigint, hi: bigint): boolean {
    if (this.dirty === null) {
      this.dirty = [{ lo, hi }];
      return true;
    }
    this.dirty.push({ lo, hi });
    if (this.dirty.length > MAX_WINDOWS) this.dirty = [hull(this.dirty)];
    return false;
  }
}

/** The smallest window over all. */
function hull(windows: readonly Window[]): Window {
  let { lo, hi } = windows[0]!;
  for (const window of windows) {
    if (window.lo < lo) lo = window.lo;
    if (window.hi > hi) hi = window.hi;
  }
  return { lo, hi };
}
