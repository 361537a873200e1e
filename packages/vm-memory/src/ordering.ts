/** Memory orderings of atomic accesses. JavaScript's Atomics are sequentially consistent, so each is at least met. V-1.3. */

/** A load takes RELAXED, ACQUIRE or SEQ_CST; a store RELAXED, RELEASE or SEQ_CST. */
export const Ordering = { RELAXED: 1, ACQUIRE: 2, RELEASE: 3, ACQ_REL: 4, SEQ_CST: 5 } as const;
export type Ordering = (typeof Ordering)[keyof typeof Ordering];

/** @throws {TypeError} not an ordering that a load can have. */
export function checkLoadOrdering(ordering: Ordering): void {
  if (ordering !== Ordering.RELAXED && ordering !== Ordering.ACQUIRE && ordering !== Ordering.SEQ_CST)
    throw new TypeError(`a load takes Ordering.RELAXED, ACQUIRE or SEQ_CST, not ${orderingName(ordering)}`);
}

/** @throws {TypeError} not an ordering that a store can have. */
export function checkStoreOrdering(ordering: Ordering): void {
  if (ordering !== Ordering.RELAXED && ordering !== Ordering.RELEASE && ordering !== Ordering.SEQ_CST)
    throw new TypeError(`a store takes Ordering.RELAXED, RELEASE or SEQ_CST, not ${orderingName(ordering)}`);
}

function orderingName(ordering: unknown): string {
  const found = Object.entries(Ordering).find(([, value]) => value === ordering);
  return found?.[0] ?? String(ordering);
}
