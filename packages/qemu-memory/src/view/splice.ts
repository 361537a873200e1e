/**
 * Puts newly rendered windows into an old list of blocks. What lies outside is not touched: its blocks go over as they
 * are. Ranges that reach over an edge are cut there, and whatever continues across an edge afterwards is merged, so the
 * result is the list that rendering everything would give. D9, T-75.
 */
import { max, min } from './big.ts';
import type { BlockPart, FlatBlock } from './flat-block.ts';
import { packBlocks } from './flat-block.ts';
import { addRange, type FlatRange } from './flat-range.ts';

/** What a window [lo, hi) shows now. `ranges` ascend and lie inside it. */
export interface Patch {
  readonly lo: bigint;
  readonly hi: bigint;
  readonly ranges: readonly FlatRange[];
}

/** A block smaller than this is joined with its neighbour when it is rewritten. */
const BLOCK_MIN = 32;

/** A row of a list of blocks; `block` is their number behind the last row. */
interface Place {
  block: number;
  row: number;
}

/** The blocks with `patches` (ascending, disjoint) put in; the same array where nothing is different. */
export function splice(blocks: readonly FlatBlock[], patches: readonly Patch[]): readonly FlatBlock[] {
  let out: FlatBlock[] | null = null;
  for (const patch of patches) {
    const changed = splicePatch(out ?? blocks, patch);
    if (changed !== null) out = changed;
  }
  return out ?? blocks;
}

function splicePatch(blocks: readonly FlatBlock[], patch: Patch): FlatBlock[] | null {
  // [from, to): the rows that touch the window or border on it, and may be cut or merged.
  const from = firstEndingFrom(blocks, patch.lo === 0n ? 0n : patch.lo - 1n);
  const to = { ...from };
  const before: FlatRange[] = [];
  const right: FlatRange[] = [];
  const after: FlatRange[] = [];
  for (; to.block < blocks.length && blocks[to.block]!.firsts[to.row]! <= patch.hi; step(blocks, to)) {
    const old = blocks[to.block]!.range(to.row);
    before.push(old);
    if (old.first < patch.lo) after.push(cut(old, old.first, min(old.last, patch.lo - 1n)));
    if (old.last >= patch.hi) right.push(cut(old, max(old.first, patch.hi), old.last));
  }
  for (const range of [...patch.ranges, ...right]) addRange(after, range);
  if (sameRanges(before, after)) return null;
  return replace(blocks, from, to, after);
}

/** Blocks with the rows [from, to) replaced by `ranges`. */
function replace(blocks: readonly FlatBlock[], from: Place, to: Place, ranges: readonly FlatRange[]): FlatBlock[] {
  const parts: (BlockPart | FlatRange)[] = [];
  let total = ranges.length;
  let first = from.block;
  let end = to.row > 0 ? to.block + 1 : to.block;
  const head = blocks[first];
  if (head !== undefined && from.row > 0) {
    parts.push({ block: head, from: 0, to: from.row });
    total += from.row;
  }
  for (const range of ranges) parts.push(range);
  if (to.row > 0) {
    const tail = blocks[to.block]!;
    parts.push({ block: tail, from: to.row, to: tail.count });
    total += tail.count - to.row;
  }
  if (total < BLOCK_MIN && first > 0) {
    const joined = blocks[--first]!;
    parts.unshift({ block: joined, from: 0, to: joined.count });
    total += joined.count;
  } else if (total < BLOCK_MIN && end < blocks.length) {
    const joined = blocks[end++]!;
    parts.push({ block: joined, from: 0, to: joined.count });
    total += joined.count;
  }
  const out = blocks.slice(0, first);
  for (const block of packBlocks(parts, total)) out.push(block);
  for (let i = end; i < blocks.length; i++) out.push(blocks[i]!);
  return out;
}

/** The first row that ends at or above `addr`. */
function firstEndingFrom(blocks: readonly FlatBlock[], addr: bigint): Place {
  let lo = 0;
  let hi = blocks.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    const block = blocks[mid]!;
    if (block.lasts[block.count - 1]! < addr) lo = mid + 1;
    else hi = mid;
  }
  const block = blocks[lo];
  if (block === undefined) return { block: lo, row: 0 };
  const row = block.rowAtOrBelow(addr);
  if (row >= 0 && block.lasts[row]! >= addr) return { block: lo, row };
  return { block: lo, row: row + 1 };
}

function step(blocks: readonly FlatBlock[], place: Place): void {
  if (++place.row < blocks[place.block]!.count) return;
  place.block++;
  place.row = 0;
}

function cut(range: FlatRange, first: bigint, last: bigint): FlatRange {
  if (first === range.first && last === range.last) return range;
  return { ...range, first, last, offset: range.offset + (first - range.first) };
}

function sameRanges(a: readonly FlatRange[], b: readonly FlatRange[]): boolean {
  return a.length === b.length && a.every((range, i) => sameRange(range, b[i]!));
}

function sameRange(a: FlatRange, b: FlatRange): boolean {
  return (
    a.first === b.first &&
    a.last === b.last &&
    a.region === b.region &&
    a.offset === b.offset &&
    a.readonly === b.readonly &&
    a.nonvolatile === b.nonvolatile &&
    a.romdMode === b.romdMode &&
    a.dirtyMask === b.dirtyMask &&
    a.ownReadonly === b.ownReadonly
  );
}

/** Do both put the same ranges into the same windows? */
export function samePatches(a: readonly Patch[], b: readonly Patch[]): boolean {
  return (
    a.length === b.length &&
    a.every((patch, i) => {
      const other = b[i]!;
      return patch.lo === other.lo && patch.hi === other.hi && sameRanges(patch.ranges, other.ranges);
    })
  );
}
