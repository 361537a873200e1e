/**
 * A resolved map: sorted, disjoint ranges, immutable once published, shared by every address space that shows the same.
 * Finds the section of an address; what is done there is access/. Ranges live in blocks that successive views share, so
 * keeping an old view costs what changed since. T-60, T-85 to T-97, T-148 to T-152. Hot: `find`, `lookup`.
 */
import type { GuestAddress } from '@guestmem/vm-memory';
import { badNumber, toAddress } from '@guestmem/vm-memory';
import type { ViewMap } from '../access/view-map.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatBlock } from './flat-block.ts';
import type { FlatRange } from './flat-range.ts';
import type { MemoryRegionSection } from './section.ts';

/** Has `reclaim` run after a grace period (T-93). */
export type AfterGracePeriod = (reclaim: () => void) => void;

/** Gets one range; a true result stops (T-148). */
export type RangeVisitor = (first: bigint, size: bigint, region: MemoryRegion, offset: bigint) => boolean | undefined;

/** One flat view. Made by rendering; held by address spaces and by whoever references it. */
export class FlatView {
  /** The canonical root (T-86) of the space that it was first made for; null where that shows nothing. */
  readonly root: MemoryRegion | null;
  /** How many ranges. */
  readonly length: number;
  /** @internal */
  readonly blocks: readonly FlatBlock[];
  /** @internal Equal for equal content; no promise the other way. */
  readonly hash: number;
  /** @internal How accesses find sections; made at the first access. */
  map: ViewMap | null = null;
  /** @internal Called when it is reclaimed; set once it was pinned (space/pinned-views.ts). */
  forget: (() => void) | null = null;
  /** @internal How many renderings show it (space/shared-views.ts). */
  renderings = 0;
  /** First address of each block, rounded like `FlatBlock.first`. */
  readonly #starts: Float64Array;
  /** Index of the first range of each block. */
  readonly #bases: Int32Array;
  readonly #later: AfterGracePeriod;
  #references = 1;
  #ranges: readonly FlatRange[] | null = null;

  /** @hideconstructor With one reference, the maker's. */
  constructor(root: MemoryRegion | null, blocks: readonly FlatBlock[], later: AfterGracePeriod) {
    this.root = root;
    this.blocks = blocks;
    this.#later = later;
    this.#starts = new Float64Array(blocks.length);
    this.#bases = new Int32Array(blocks.length);
    let length = 0;
    let hash = 0;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i]!;
      this.#starts[i] = block.first[0]!;
      this.#bases[i] = length;
      length += block.count;
      hash = (hash + block.hash) | 0;
      block.hold();
    }
    this.length = length;
    this.hash = hash;
  }

  /** The ranges in ascending order. A frozen copy, made when first asked for; `range` and `find` cost less. */
  get ranges(): readonly FlatRange[] {
    this.#ranges ??= Object.freeze([...this]);
    return this.#ranges;
  }

  /** The ranges in ascending order, each made on the way. */
  *[Symbol.iterator](): Generator<FlatRange, void, undefined> {
    for (const block of this.blocks) for (let row = 0; row < block.count; row++) yield block.range(row);
  }

  /** Range `index`, 0 to `length` - 1; a new object each time. @throws {RangeError} no such range. */
  range(index: number): FlatRange {
    const i = this.#blockOfIndex(index);
    return this.blocks[i]!.range(index - this.#bases[i]!);
  }

  /** The section of range `index`; the same object every time, also in other views that share the range. */
  section(index: number): MemoryRegionSection {
    const i = this.#blockOfIndex(index);
    return this.blocks[i]!.section(index - this.#bases[i]!);
  }

  /** Index of the range that covers `addr`, or -1 in a hole. @throws {RangeError} not an address. */
  find(addr: GuestAddress): number {
    const i = this.#blockOf(addr);
    if (i < 0) return -1;
    const row = rowOf(this.blocks[i]!, addr);
    return row < 0 ? -1 : this.#bases[i]! + row;
  }

  /** The section that covers `addr`, or null in a hole. @throws {RangeError} not an address. */
  lookup(addr: GuestAddress): MemoryRegionSection | null {
    const i = this.#blockOf(addr);
    if (i < 0) return null;
    const block = this.blocks[i]!;
    const row = rowOf(block, addr);
    return row < 0 ? null : block.section(row);
  }

  /** Index of the lowest range that ends at or above `addr`; `length` where there is none. */
  findFrom(addr: GuestAddress): number {
    const i = this.#blockOf(addr);
    if (i < 0) return 0;
    const at = BigInt(addr);
    const block = this.blocks[i]!;
    const row = block.rowAtOrBelow(at);
    return this.#bases[i]! + (block.lasts[row]! >= at ? row : row + 1);
  }

  /** Calls `visit` for each range, ascending, until it answers true (T-148). @returns whether it did. */
  forEachRange(visit: RangeVisitor): boolean {
    for (const block of this.blocks)
      for (let row = 0; row < block.count; row++) {
        const first = block.firsts[row]!;
        const size = block.lasts[row]! - first + 1n;
        if (visit(first, size, block.regions[row]!, block.offsets[row]!) === true) return true;
      }
    return false;
  }

  /** References held: 0 once it is on its way to be reclaimed (T-91). */
  get references(): number {
    return this.#references;
  }

  /** Takes a reference, unless the last one has gone (T-94). @returns whether it did. */
  ref(): boolean {
    if (this.#references === 0) return false;
    this.#references++;
    return true;
  }

  /**
   * Gives a reference back; with the last one the view lets go of its regions after a grace period (T-93).
   * @throws {RangeError} more than were taken.
   */
  unref(): void {
    if (this.#references === 0) throw new RangeError('unref of a flat view that has no references');
    if (--this.#references > 0) return;
    this.#later(() => {
      this.forget?.();
      this.map = null;
      for (const block of this.blocks) block.release();
    });
  }

  /**
   * @internal Keeps the regions that it shows for somebody, its references or no, as long as they have not been let go of.
   * @returns gives them back, after a grace period. Call it once.
   */
  keep(): () => void {
    for (const block of this.blocks) block.hold();
    return () =>
      this.#later(() => {
        for (const block of this.blocks) block.release();
      });
  }

  /** The block in which `addr` can lie, or -1 below all. */
  #blockOf(addr: GuestAddress): number {
    if (typeof addr === 'number' && Number.isSafeInteger(addr) && addr >= 0) return lastAtOrBelow(this.#starts, addr);
    const at = toAddress(addr);
    if (typeof at === 'number') return lastAtOrBelow(this.#starts, at);
    let i = lastAtOrBelow(this.#starts, Number(at));
    while (i >= 0 && this.blocks[i]!.firsts[0]! > at) i--; // Rounding may have gone too far up.
    return i;
  }

  #blockOfIndex(index: number): number {
    if (!(index >= 0 && index < this.length && Number.isInteger(index)))
      throw badNumber(`the index of a range must be 0 to ${this.length - 1}`, index);
    return lastAtOrBelow(this.#bases, index);
  }
}

/** The last entry that is not above `value`, or -1. */
function lastAtOrBelow(sorted: Float64Array | Int32Array, value: number): number {
  let lo = -1;
  let hi = sorted.length - 1;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (sorted[mid]! <= value) lo = mid;
    else hi = mid - 1;
  }
  return lo;
}

function rowOf(block: FlatBlock, addr: GuestAddress): number {
  if (typeof addr === 'number') return block.indexOf(addr);
  const row = block.rowAtOrBelow(addr);
  return row >= 0 && addr <= block.lasts[row]! ? row : -1;
}
