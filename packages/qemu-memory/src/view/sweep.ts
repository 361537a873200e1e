/**
 * From claims in visibility order to flat ranges: at each address the first claim answers; neighbours that continue each
 * other become one. A sweep over the starts with a heap of the claims that are open, so that the cost is n log n however
 * they overlap. T-60, T-75 to T-78, T-301.
 */
import { addRange, type FlatRange } from './flat-range.ts';
import type { Claim } from './walk.ts';

/** The flat ranges of `claims` (highest first), ascending, disjoint, merged. */
export function sweep(claims: readonly Claim[]): FlatRange[] {
  const out: FlatRange[] = [];
  const starts = claims.map((_, rank) => rank);
  starts.sort((a, b) => compare(claims[a]!.lo, claims[b]!.lo) || a - b);
  const open = new RankHeap();
  let next = 0;
  let at = 0n;
  for (;;) {
    while (open.size > 0 && claims[open.top]!.hi <= at) open.pop();
    if (open.size === 0) {
      if (next === starts.length) return out;
      const rank = starts[next++]!;
      open.push(rank);
      at = claims[rank]!.lo;
    }
    let top = open.top;
    let end = claims[top]!.hi;
    // Claims that start inside the top one: lower ones wait in the heap, a higher one ends it there.
    for (; next < starts.length; next++) {
      const rank = starts[next]!;
      const claim = claims[rank]!;
      if (claim.lo >= end) break;
      open.push(rank);
      if (rank > top) continue;
      if (claim.lo > at) {
        end = claim.lo;
        next++;
        break;
      }
      top = rank;
      end = claim.hi;
    }
    addRange(out, rangeOf(claims[top]!, at, end));
    at = end;
  }
}

/** [at, end) of `claim`. */
function rangeOf({ region, origin, readonly, nonvolatile }: Claim, at: bigint, end: bigint): FlatRange {
  return {
    first: at,
    last: end - 1n,
    region,
    offset: at - origin,
    readonly,
    nonvolatile,
    romdMode: region.romdMode,
    ownReadonly: region.readonly,
    dirtyMask: region.core.effectiveLogMask(region),
  };
}

function compare(a: bigint, b: bigint): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/** A binary heap of ranks, the smallest on top. */
class RankHeap {
  readonly #ranks: number[] = [];

  get size(): number {
    return this.#ranks.length;
  }
  /** Only while `size` is not 0. */
  get top(): number {
    return this.#ranks[0]!;
  }

  push(rank: number): void {
    const ranks = this.#ranks;
    let at = ranks.length;
    ranks.push(rank);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (ranks[above]! <= rank) break;
      ranks[at] = ranks[above]!;
      at = above;
    }
    ranks[at] = rank;
  }

  pop(): void {
    const ranks = this.#ranks;
    const moved = ranks.pop()!;
    const count = ranks.length;
    if (count === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= count) break;
      if (below + 1 < count && ranks[below + 1]! < ranks[below]!) below++;
      if (ranks[below]! >= moved) break;
      ranks[at] = ranks[below]!;
      at = below;
    }
    ranks[at] = moved;
  }
}
