/** Memory orderings of atomic accesses. JavaScript's Atomics are sequentially consistent, so each is at least met. V-1.3. */

/** A load takes RELAXED, ACQUIRE or SEQ_CST; a store RELAXED, RELEASE or SEQ_CST. */
export const Ordering = { RELAXED: 1, ACQUIRE: 2, RELEASE: 3, ACQ_REL: 4, SEQ_CST: 5 } as const;
export type Ordering = (typeof Ordering)[keyof typeof Ordering];

/** Refuses what a load cannot have, for memories of a program's own. V-1.3. @throws {TypeError} not RELAXED, ACQUIRE or SEQ_CST. */
export function checkLoadOrdering(ordering: Ordering): void {
  if (ordering !== Ordering.RELAXED && ordering !== Ordering.ACQUIRE && ordering !== Ordering.SEQ_CST)
    throw new TypeError(`a load takes Ordering.RELAXED, ACQUIRE or SEQ_CST, not ${orderingName(ordering)}`);
}

/** As `checkLoadOrdering`, for a store. @throws {TypeError} not RELAXED, RELEASE or SEQ_CST. */
export function checkStoreOrdering(ordering: Ordering): void {
  if (ordering !== Ordering.RELAXED && ordering !== Ordering.RELEASE && ordering !== Ordering.SEQ_CST)
    throw new TypeError(`a store takes Ordering.RELAXED, RELEASE or SEQ_CST, not ${orderingName(ordering)}`);
}

function orderingName(ordering: unknown): string {
  const found = Object.entries(Ordering).find(([, value]) => value === ordering);
  return found?.[0] ?? String(ordering);
}
