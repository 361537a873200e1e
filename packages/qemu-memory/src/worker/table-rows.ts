/**
 * What of a flat view workers may reach themselves: plain RAM in shared memory, below 2^53, where no tap sits. All else,
 * and RAM whose host memory may move, is asked of the owner., D15.
 */
import { markMask } from '../dirty/mark.ts';
import { RegionKind } from '../region/kind.ts';
import type { RamBlock } from '../region/ram-block.ts';
import type { TapList } from '../taps/tap-list.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { BlockTable } from './block-table.ts';
import type { TableRow } from './table-layout.ts';

const SAFE_LAST = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * The rows of `view`, in ascending order.
 *
 * @param seesLoads an observer wants every load of RAM: then there are none. @param seen gets the blocks that they show.
 */
export function rowsOf(
  view: FlatView,
  taps: TapList | null,
  seesLoads: boolean,
  blocks: BlockTable,
  seen: Set<RamBlock>,
): TableRow[] {
  const rows: TableRow[] = [];
  if (seesLoads) return rows;
  for (let i = 0; i < view.length; i++) {
    const section = view.section(i);
    const { ram } = section.region;
    // ROM devices are left to the owner, in ROMD mode too: their own callbacks change it.
    if (ram === null || section.region.kind !== RegionKind.RAM) continue;
    const start = section.offsetWithinAddressSpace;
    const room = ram.length - Number(section.offsetWithinRegion); // The region may be larger than its block (T-46).
    if (start > SAFE_LAST || room <= 0) continue;
    const block = blocks.idOf(ram);
    if (block === 0) continue;
    seen.add(ram);
    let last = section.last < SAFE_LAST ? section.last : SAFE_LAST;
    if (last - start >= BigInt(room)) last = start + BigInt(room) - 1n;
    // What a tap sees goes through the owner, where the tap is (D15).
    for (const part of taps === null ? [{ first: start, last }] : taps.untapped(start, last))
      rows.push({
        first: Number(part.first),
        last: Number(part.last),
        offset: Number(section.offsetWithinRegion + (part.first - start)),
        block,
        store: section.directWrite,
        dirtyMask: markMask(section.region),
      });
  }
  return rows;
}

/** Do they show the same? */
export function sameRows(a: readonly TableRow[], b: readonly TableRow[]): boolean {
  return (
    a.length === b.length &&
    a.every((row, i) => {
      const other = b[i]!;
      return (
        row.first === other.first &&
        row.last === other.last &&
        row.offset === other.offset &&
        row.block === other.block &&
        row.store === other.store &&
        row.dirtyMask === other.dirtyMask
      );
    })
  );
}
