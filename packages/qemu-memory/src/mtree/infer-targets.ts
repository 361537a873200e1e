/**
 * Infers which section an alias means where several bear its target's name: the one whose regions the flat views show
 * through the alias's window. T-223.
 */

import { addTo } from '../view/grouped.ts';
import type { FlatDumpRange, FlatDumpView } from './flat-dump.ts';
import type { LinkedDump } from './link.ts';
import type { LinkedRegion } from './linked-region.ts';
import { type Occurrence, occurrencesUnder, placesIn } from './occurrences.ts';
import type { MtreeDump } from './tree-dump.ts';

/** A space and the view that shows it. */
export interface SpaceEvidence {
  readonly root: LinkedRegion;
  readonly view: FlatDumpView;
}

/**
 * Lines of aliases and the lines of the sections that fit better than those they are linked to; empty where all links
 * agree with the views.
 */
export function betterTargets(
  dump: MtreeDump,
  linked: LinkedDump,
  spaces: readonly SpaceEvidence[],
): Map<number, number> {
  const sections = sectionsByName(dump, linked);
  const scores = new Map<LinkedRegion, Map<LinkedRegion, number>>();
  for (const { root, view } of spaces) {
    for (const place of placesIn(root)) {
      const candidates = sections.get(place.region.target?.name ?? '') ?? [];
      if (candidates.length < 2 || place.region.target === null) continue;
      const ranges = rangesWithin(view, place);
      if (ranges.length === 0) continue;
      const sums = scores.get(place.region) ?? new Map<LinkedRegion, number>();
      scores.set(place.region, sums);
      for (const candidate of candidates) {
        if (holds(candidate, place.region)) continue;
        const sum = sums.get(candidate) ?? 0;
        sums.set(candidate, sum + score(ranges, occurrencesUnder(candidate, place)));
      }
    }
  }
  const better = new Map<number, number>();
  for (const [alias, sums] of scores) {
    let best = alias.target!;
    for (const [candidate, sum] of sums) if (sum > (sums.get(best) ?? 0)) best = candidate;
    if (best !== alias.target) better.set(alias.node.line, lineOf(best, dump));
  }
  return better;
}

/** How many ranges a set of occurrences explains. */
export function score(ranges: readonly FlatDumpRange[], occurrences: readonly Occurrence[]): number {
  const keys = new Set(occurrences.map(({ region, start }) => `${start} ${region.node.priority} ${region.name}`));
  let sum = 0;
  for (const { first, offset, priority, name } of ranges) if (keys.has(`${first - offset} ${priority} ${name}`)) sum++;
  return sum;
}

/** Does `target` hold the alias, which would show itself again if it meant it? */
function holds(target: LinkedRegion, alias: LinkedRegion): boolean {
  let at: LinkedRegion | null = alias;
  while (at !== null && at !== target) at = at.parent;
  return at !== null;
}

function sectionsByName(dump: MtreeDump, linked: LinkedDump): Map<string, LinkedRegion[]> {
  const out = new Map<string, LinkedRegion[]>();
  for (const [i, { region }] of dump.blocks.entries()) if (region !== null) addTo(out, region, linked.roots[i]!);
  return out;
}

function rangesWithin(view: FlatDumpView, { first, end }: Occurrence): FlatDumpRange[] {
  return view.ranges.filter((range) => range.first < end && range.last >= first);
}

/** The line by which a `memory-region:` section begins. */
function lineOf(region: LinkedRegion, dump: MtreeDump): number {
  return dump.blocks[region.regionBlock]!.root.line;
}
