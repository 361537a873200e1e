/**
 * The order of siblings, which decides who is seen: falling priority, and among equals what the dump's order, facts and
 * guesses say. Pairwise constraints between siblings that overlap, because the rules make no total order. T-193, T-226.
 */

import { grouped } from '../view/grouped.ts';
import type { SiblingGuess } from './facts.ts';
import type { LinkedRegion } from './linked-region.ts';

/** Says whether `a` lies over `b` for sure; undefined where nothing is known. */
export type KnownOver = (a: LinkedRegion, b: LinkedRegion) => boolean;

/** `children` (in printed order) in sibling order: the one on top first. */
export function siblingOrder(
  children: readonly LinkedRegion[],
  isOver: KnownOver,
  guess: SiblingGuess,
): LinkedRegion[] {
  const byPriority = [...grouped(children, ({ node }) => node.priority)].sort(([a], [b]) => b - a);
  return byPriority.flatMap(([, equals]) => clusters(equals).flatMap((cluster) => orderEquals(cluster, isOver, guess)));
}

/** Cuts siblings, sorted by offset, where none reaches over: only those that touch need an order, and that is costly. */
function clusters(equals: readonly LinkedRegion[]): LinkedRegion[][] {
  const out: LinkedRegion[][] = [];
  let end = -1n;
  for (const child of equals) {
    const last = out.at(-1);
    if (last === undefined || child.addr >= end) out.push([child]);
    else last.push(child);
    // At least one byte, so that those at one offset stay together whatever their sizes.
    const top = child.addr + (child.node.size > 0n ? child.node.size : 1n);
    if (top > end) end = top;
  }
  return out;
}

/** Takes, again and again, the first that nothing left must lie over; what is known binds more than what is guessed. */
function orderEquals(equals: readonly LinkedRegion[], isOver: KnownOver, guess: SiblingGuess): LinkedRegion[] {
  if (equals.length < 2) return [...equals];
  const sure = constraints(equals, (a, b, i, j) => isOver(a, b) || (a.addr === b.addr && i < j && !isOver(b, a)));
  const guessed = constraints(
    equals,
    (a, b) => a.addr !== b.addr && overlap(a, b) && !isOver(b, a) && guessOver(a, b, guess),
  );
  const left = new Set(equals.keys());
  const out: LinkedRegion[] = [];
  while (left.size > 0) {
    const free = (over: readonly Set<number>[], i: number): boolean => ![...over[i]!].some((above) => left.has(above));
    const pick =
      find(left, (i) => free(sure, i) && free(guessed, i)) ??
      find(left, (i) => free(sure, i)) ??
      find(left, () => true)!;
    left.delete(pick);
    out.push(equals[pick]!);
  }
  return out;
}

/** For each index, those that must come before it. */
function constraints(
  equals: readonly LinkedRegion[],
  above: (a: LinkedRegion, b: LinkedRegion, i: number, j: number) => boolean,
): Set<number>[] {
  return equals.map((b, j) => {
    const before = new Set<number>();
    for (const [i, a] of equals.entries()) if (i !== j && above(a, b, i, j)) before.add(i);
    return before;
  });
}

function guessOver(a: LinkedRegion, b: LinkedRegion, guess: SiblingGuess): boolean {
  if (guess === 'smaller' && a.node.size !== b.node.size) return a.node.size < b.node.size;
  return a.addr > b.addr;
}

function overlap(a: LinkedRegion, b: LinkedRegion): boolean {
  return a.addr < b.addr + b.node.size && b.addr < a.addr + a.node.size;
}

function find(left: ReadonlySet<number>, test: (i: number) => boolean): number | undefined {
  for (const i of left) if (test(i)) return i;
  return undefined;
}
