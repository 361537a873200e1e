/** How many ranges of one flat dump another has too: the figure a person wants beside compareFlatDumps' yes or no. */
import type { FlatDump, FlatDumpView } from './flat-dump.ts';
import { shownText } from './flat-dump.ts';

/**
 * Counts the ranges of `expected`, view by view, and those that `actual` shows in the same place of a view of the same address
 * space (by name and root; where several bear them, the one that fits best). Owners and accelerators do not count,
 * nor which `i/o` region is a `container` (T-190).
 */
export function countEqualRanges(expected: FlatDump, actual: FlatDump): { total: number; equal: number } {
  let total = 0;
  let equal = 0;
  for (const view of expected.views) {
    const spaces = new Set(view.spaces.map(({ name, root }) => `${name}\n${root}`));
    const others = actual.views.filter((other) =>
      other.spaces.some(({ name, root }) => spaces.has(`${name}\n${root}`)),
    );
    const wanted = linesOf(view);
    total += wanted.length;
    equal += Math.max(0, ...others.map((other) => common(wanted, new Set(linesOf(other)))));
  }
  return { total, equal };
}

function linesOf(view: FlatDumpView): string[] {
  return view.ranges.map(shownText);
}

function common(wanted: readonly string[], found: ReadonlySet<string>): number {
  return wanted.reduce((count, line) => count + (found.has(line) ? 1 : 0), 0);
}
