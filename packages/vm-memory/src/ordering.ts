/** Memory orderings of atomic accesses. JavaScript's Atomics are sequentially consistent, so each is at least met. V-1.3. */

/** A load takes RELAXED, ACQUIRE or SEQ_CST; a store RELAXED, RELEASE or SEQ_CST. */
export const Ordering = { RELAXED: 1, ACQUIRE: 2, RELEASE: 3, ACQ_REL: 4, SEQ_CST: 5 } as const;
export type Ordering = (typeof Ordering)[keyof typeof Ordering];
