/**
 * Where the regions of a dump stand in an address space, whether seen or not: each place with the way to it, through
 * containers and aliases. What lies over what is told by comparing ways. T-61, T-65, T-226.
 */

import { SPACE_SIZE } from '../view/big.ts';
import type { LinkedRegion } from './linked-region.ts';

/** One place of a region in a space. */
export interface Occurrence {
  readonly region: LinkedRegion;
  /** Where the region's offset 0 lies; may be negative or beyond 2^64. */
  readonly start: bigint;
  /** The window that is left of it: `first` to `end`, not included. */
  readonly first: bigint;
  readonly end: bigint;
  /** From the root: each region, and after an alias its target. The last is `region`. */
  readonly way: readonly LinkedRegion[];
}

/** How two occurrences that share an address relate. */
export type Relation =
  | { readonly kind: 'over' | 'under' }
  /** Two siblings of equal priority decide: `mine` on the way of the first, `other` on that of the second. */
  | { readonly kind: 'equals'; readonly mine: LinkedRegion; readonly other: LinkedRegion };

/** More than this are not looked at: text that was made up can have exponentially many. */
const MAX_OCCURRENCES = 200_000;

/** Every place of every enabled region but aliases, in the space that `root` is the root of. */
export function occurrencesIn(root: LinkedRegion): Occurrence[] {
  return places(root, root.addr, 0n, SPACE_SIZE).filter(({ region }) => region.target === null);
}

/** Every place of every enabled alias, in the space that `root` is the root of. */
export function placesIn(root: LinkedRegion): Occurrence[] {
  return places(root, root.addr, 0n, SPACE_SIZE).filter(({ region }) => region.target !== null);
}

/** Places of what the alias at `place` would show if it meant `target`. */
export function occurrencesUnder(target: LinkedRegion, place: Occurrence): Occurrence[] {
  const { region, start, first, end } = place;
  return places(target, start - (region.node.alias?.offset ?? 0n), first, end);
}

function places(root: LinkedRegion, at: bigint, from: bigint, to: bigint): Occurrence[] {
  const out: Occurrence[] = [];
  const visit = (region: LinkedRegion, start: bigint, lo: bigint, hi: bigint, way: readonly LinkedRegion[]): void => {
    if (region.node.disabled || out.length >= MAX_OCCURRENCES) return;
    const first = start > lo ? start : lo;
    const top = start + region.likelySize;
    const end = top < hi ? top : hi;
    if (first >= end || way.length > MAX_DEPTH) return;
    const here = [...way, region];
    if (region.target !== null) visit(region.target, start - (region.node.alias?.offset ?? 0n), first, end, here);
    else for (const child of region.children) visit(child, start + child.addr, first, end, here);
    out.push({ region, start, first, end, way: here });
  };
  visit(root, at, from, to, []);
  return out;
}

/** Deeper than any real machine by far; ends true infinite descents (T-52). */
const MAX_DEPTH = 200;

/** Which of two occurrences in one space lies over the other where both answer. */
export function relate(a: Occurrence, b: Occurrence): Relation {
  const { way: mine } = a;
  const { way: others } = b;
  let i = 0;
  while (i < mine.length && i < others.length && mine[i] === others[i]) i++;
  // One contains the other: what is inside lies over.
  if (i === mine.length) return { kind: 'under' };
  if (i === others.length) return { kind: 'over' };
  const [x, y] = [mine[i]!, others[i]!];
  if (x.node.priority !== y.node.priority) return { kind: x.node.priority > y.node.priority ? 'over' : 'under' };
  if (x.addr === y.addr) {
    const children = x.parent?.children ?? [];
    return { kind: children.indexOf(x) < children.indexOf(y) ? 'over' : 'under' };
  }
  return { kind: 'equals', mine: x, other: y };
}
