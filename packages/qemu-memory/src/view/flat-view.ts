/**
 * A resolved map: sorted, disjoint ranges, immutable once published, shared by every address space with the same
 * canonical root. Finds the section of an address; what is done there is access/. T-60, T-85, T-150.
 */
import type { GuestAddress } from '@guestmem/vm-memory';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { ViewMap } from '../access/view-map.ts';
import type { FlatRange } from './flat-range.ts';
import { MemoryRegionSection } from './section.ts';

/** One flat view. Made by rendering; held by address spaces and by whoever pins it. */
export class FlatView {
  /** The canonical root (T-86); null for the empty view. */
  readonly root: MemoryRegion | null;
  readonly ranges: readonly FlatRange[];
  /** @internal How accesses find sections; made at the first access. */
  map: ViewMap | null = null;
  readonly #sections: (MemoryRegionSection | undefined)[];

  constructor(root: MemoryRegion | null, ranges: readonly FlatRange[]) {
    this.root = root;
    this.ranges = ranges;
    this.#sections = new Array(ranges.length).fill(undefined);
  }

  /** How many ranges. */
  get length(): number {
    return this.ranges.length;
  }

  /** Range `index`. */
  range(index: number): FlatRange {
    return this.ranges[index]!;
  }

  /** The section that covers `addr`, or null in a hole. */
  lookup(addr: GuestAddress): MemoryRegionSection | null {
    const i = this.find(addr);
    return i < 0 ? null : this.section(i);
  }

  /** Index of the range that covers `addr`, or -1 in a hole. */
  find(addr: GuestAddress): number {
    let lo = 0;
    let hi = this.ranges.length - 1;
    while (lo <= hi) {
      const mid = (lo + hi) >>> 1;
      const range = this.ranges[mid]!;
      if (addr < range.first) hi = mid - 1;
      else if (addr > range.last) lo = mid + 1;
      else return mid;
    }
    return -1;
  }

  /** The section of range `index`; the same object every time. */
  section(index: number): MemoryRegionSection {
    const known = this.#sections[index];
    if (known !== undefined) return known;
    const section = new MemoryRegionSection(this.ranges[index]!);
    this.#sections[index] = section;
    return section;
  }
}
