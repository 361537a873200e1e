/**
 * A run of neighbouring flat ranges as columns: the piece that successive views share. Immutable but for a count of the
 * views that hold it and for the sections it has handed out. Hot: `indexOf`. 49 bytes a range and about 1 KB a block.
 */
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatRange } from './flat-range.ts';
import { MemoryRegionSection } from './section.ts';

/**
 * Most ranges in one block. One change among 2000, 8192 and 100,000 ranges, Node 20: 64: 28, 31, 117 us; 128: 28, 32, 80;
 * 256: 30, 32, 54, but then a kept view holds twice as much for itself.
 */
const BLOCK_MAX = 128;

const READONLY = 1;
const NONVOLATILE = 2;
const ROMD = 4;
const OWN_READONLY = 8;
const MASK_SHIFT = 4;
/** The flags that T-80 compares. */
const EQUALITY = READONLY | NONVOLATILE | ROMD;

/** Part of a block, to be copied into a new one. */
export interface BlockPart {
  readonly block: FlatBlock;
  /** First row, and the row after the last. */
  readonly from: number;
  readonly to: number;
}

/** At most BLOCK_MAX flat ranges, ascending. */
export class FlatBlock {
  readonly count: number;
  /** First and last address as numbers; from 2^53 on rounded, and then never a safe integer. */
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly firsts: BigUint64Array;
  readonly lasts: BigUint64Array;
  /** Offset in the region. */
  readonly offsets: BigUint64Array;
  readonly flags: Uint8Array;
  readonly regions: readonly MemoryRegion[];
  /** Sum of the rows' hashes: the same however rows are dealt to blocks. */
  readonly hash: number;
  /** Views that hold it. While there are any, it counts as a user of its regions. */
  #users = 0;
  #sections: (MemoryRegionSection | undefined)[] | null = null;
  /** @internal Is one of its regions an eventfd's? Valid while `eventFdStamp` is the core's. */
  hasEventFds = false;
  eventFdStamp = -1;

  /** @param parts rows in ascending order, `count` in all from row `skip` on. */
  constructor(parts: readonly (BlockPart | FlatRange)[], start: PartCursor, count: number) {
    const buffer = new ArrayBuffer(count * 41);
    const regions: MemoryRegion[] = new Array(count);
    this.count = count;
    this.first = new Float64Array(buffer, 0, count);
    this.last = new Float64Array(buffer, count * 8, count);
    this.firsts = new BigUint64Array(buffer, count * 16, count);
    this.lasts = new BigUint64Array(buffer, count * 24, count);
    this.offsets = new BigUint64Array(buffer, count * 32, count);
    this.flags = new Uint8Array(buffer, count * 40, count);
    this.regions = regions;
    for (let at = 0; at < count; ) {
      const part = parts[start.part]!;
      if ('block' in part) {
        const from = part.from + start.row;
        const rows = Math.min(part.to - from, count - at);
        this.#copy(part.block, from, from + rows, at, regions);
        at += rows;
        start.row += rows;
        if (from + rows < part.to) continue;
      } else this.#put(part, at++, regions);
      start.part++;
      start.row = 0;
    }
    this.hash = this.#sum(new Uint32Array(buffer, count * 16, count * 6));
  }

  /** The row that covers `addr`, a safe integer; -1 for none. */
  indexOf(addr: number): number {
    const first = this.first;
    let lo = 0;
    let hi = this.count - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if (first[mid]! <= addr) lo = mid;
      else hi = mid - 1;
    }
    return first[lo]! <= addr && addr <= this.last[lo]! ? lo : -1;
  }

  /** The last row that starts at or below `addr`; -1 for none. Exact for every address. */
  rowAtOrBelow(addr: bigint): number {
    let lo = -1;
    let hi = this.count - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (this.firsts[mid]! <= addr) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  }

  dirtyMask(row: number): number {
    return this.flags[row]! >> MASK_SHIFT;
  }

  /** Row `row` as an object; a new one each time. */
  range(row: number): FlatRange {
    const flags = this.flags[row]!;
    return {
      first: this.firsts[row]!,
      last: this.lasts[row]!,
      region: this.regions[row]!,
      offset: this.offsets[row]!,
      readonly: (flags & READONLY) !== 0,
      nonvolatile: (flags & NONVOLATILE) !== 0,
      romdMode: (flags & ROMD) !== 0,
      ownReadonly: (flags & OWN_READONLY) !== 0,
      dirtyMask: flags >> MASK_SHIFT,
    };
  }

  /** The section of row `row`; the same object every time, in every view that holds this block. */
  section(row: number): MemoryRegionSection {
    let sections = this.#sections;
    if (sections === null) {
      sections = new Array<MemoryRegionSection | undefined>(this.count).fill(undefined);
      this.#sections = sections;
    }
    const known = sections[row];
    if (known !== undefined) return known;
    const section = new MemoryRegionSection(this.range(row));
    sections[row] = section;
    return section;
  }

  /** T-80 between a row of this block and one of `other`. */
  equalRow(row: number, other: FlatBlock, otherRow: number): boolean {
    return (
      this.regions[row] === other.regions[otherRow] &&
      ((this.flags[row]! ^ other.flags[otherRow]!) & EQUALITY) === 0 &&
      this.firsts[row] === other.firsts[otherRow] &&
      this.lasts[row] === other.lasts[otherRow] &&
      this.offsets[row] === other.offsets[otherRow]
    );
  }

  /** As `equalRow`, and the same mask and own flags too. */
  identicalRow(row: number, other: FlatBlock, otherRow: number): boolean {
    return this.flags[row] === other.flags[otherRow] && this.equalRow(row, other, otherRow);
  }

  /** @internal A view holds it from now on. */
  hold(): void {
    if (this.#users++ === 0) for (const region of this.regions) region.links.shown();
  }

  /** @internal A view that held it has been reclaimed. What no view shows any more keeps no windows, by which the space behind an IOMMU would hold its model. */
  release(): void {
    if (--this.#users > 0) return;
    for (const region of this.regions) if (region.links.unshown()) region.iommu?.pages?.windows.close();
  }

  #copy(from: FlatBlock, start: number, end: number, at: number, regions: MemoryRegion[]): void {
    this.first.set(from.first.subarray(start, end), at);
    this.last.set(from.last.subarray(start, end), at);
    this.firsts.set(from.firsts.subarray(start, end), at);
    this.lasts.set(from.lasts.subarray(start, end), at);
    this.offsets.set(from.offsets.subarray(start, end), at);
    this.flags.set(from.flags.subarray(start, end), at);
    for (let i = start; i < end; i++) regions[at + i - start] = from.regions[i]!;
  }

  #put(range: FlatRange, at: number, regions: MemoryRegion[]): void {
    this.first[at] = Number(range.first);
    this.last[at] = Number(range.last);
    this.firsts[at] = range.first;
    this.lasts[at] = range.last;
    this.offsets[at] = range.offset;
    this.flags[at] = rangeFlags(range);
    regions[at] = range.region;
  }

  /** @param words first, last and offset of all rows, column after column. */
  #sum(words: Uint32Array): number {
    const count = this.count;
    let sum = 0;
    for (let row = 0; row < count; row++) {
      let h = Math.imul(this.regions[row]!.id, 0x9e3779b1) ^ this.flags[row]!;
      for (let column = 2 * row; column < 6 * count; column += 2 * count) {
        h = Math.imul(h ^ words[column]!, 0x85ebca6b);
        h = Math.imul((h ^ (h >>> 15)) + words[column + 1]!, 0xc2b2ae35);
      }
      sum = (sum + (h ^ (h >>> 13))) | 0;
    }
    return sum;
  }
}

/** Where in a list of parts the next row is. */
export interface PartCursor {
  part: number;
  row: number;
}

/** The flags column of a range. */
function rangeFlags(range: FlatRange): number {
  return (
    (range.readonly ? READONLY : 0) |
    (range.nonvolatile ? NONVOLATILE : 0) |
    (range.romdMode ? ROMD : 0) |
    (range.ownReadonly ? OWN_READONLY : 0) |
    (range.dirtyMask << MASK_SHIFT)
  );
}

/** Deals `total` rows to blocks of even size. */
export function packBlocks(parts: readonly (BlockPart | FlatRange)[], total: number): FlatBlock[] {
  const blocks: FlatBlock[] = [];
  if (total === 0) return blocks;
  const wanted = total <= BLOCK_MAX ? 1 : Math.ceil(total / (BLOCK_MAX * 0.75));
  const cursor: PartCursor = { part: 0, row: 0 };
  for (let i = 0; i < wanted; i++) {
    const count = Math.floor(((i + 1) * total) / wanted) - Math.floor((i * total) / wanted);
    blocks.push(new FlatBlock(parts, cursor, count));
  }
  return blocks;
}
