/**
 * Compares the dispatch maps that QEMU printed with those built from rendered ranges, view by view. `[MRU]` tells what
 * was used last and `[iommu]` what no tree tells; both are left out.
 */
import {
  type FlatDump,
  type FlatDumpView,
  flatDump,
  type MemoryCore,
  mtreeStyle,
  parseFlatDump,
  printFlatDump,
} from '@guestmem/qemu-memory';
import { firstDifference, type ReplayBuilder } from './replay.ts';

/** Page sizes of QEMU's targets, 2^n bytes, the commonest first. */
const PAGE_BITS = [12, 10, 13, 14, 8];

/** Counts the maps of `core` that are equal to those of a flat dump with dispatch maps into `out`. */
export function compareDispatch(text: string, core: MemoryCore, out: ReplayBuilder): void {
  const expected = parseFlatDump(text);
  const style = mtreeStyle(text);
  const wanted = expected.views.filter((view) => view.dispatch !== null);
  const known = pageBitsOf(expected);
  // A dump without a page that regions share does not show its page size: then one size must fit all its views.
  const tries = known === undefined ? PAGE_BITS : [known];
  const outcomes = tries.map((pageBits) => compareAll(wanted, flatDump(core, { pageBits, style, canonical: true })));
  const best = outcomes.reduce((a, b) => (b.equal > a.equal ? b : a));
  out.count('dispatch maps', best.equal, wanted.length, best.difference);
}

/** What a page that several regions share tells of the page size; undefined if no view has one. */
function pageBitsOf(dump: FlatDump): number | undefined {
  for (const { dispatch } of dump.views)
    for (const { name, first, last } of dispatch?.sections.slice(1) ?? [])
      if (name === null) return (last - first).toString(2).length;
  return undefined;
}

function compareAll(wanted: readonly FlatDumpView[], actual: FlatDump): { equal: number; difference: string } {
  const byRanges = new Map(actual.views.map((view) => [rangesText(view), view]));
  let equal = 0;
  let difference = '';
  for (const view of wanted) {
    const other = byRanges.get(rangesText(view));
    const name = `the view of "${view.spaces[0]?.name}"`;
    const [a, b] = [dispatchText(view), other === undefined ? '' : dispatchText(other)];
    if (a === b) equal++;
    else if (difference === '')
      difference = other === undefined ? `${name} has other ranges` : `${name}, ${firstDifference(a, b)}`;
  }
  return { equal, difference };
}

/** What identifies a view, whatever its number and whoever shares it. */
function rangesText(view: FlatDumpView): string {
  return textOf({ ...view, dispatch: null });
}

function dispatchText(view: FlatDumpView): string {
  const sections = view.dispatch!.sections.map((section) => ({ ...section, mostRecent: false, iommu: false }));
  return textOf({ ...view, dispatch: { ...view.dispatch!, sections } });
}

function textOf(view: FlatDumpView): string {
  const ranges = view.ranges.map((range) => ({ ...range, owner: '', accelerators: '' }));
  return printFlatDump({ views: [{ ...view, number: 0, spaces: [], ranges }] });
}
