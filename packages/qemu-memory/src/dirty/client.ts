/** Who wants to know which pages were written. A-180. */

/** Clients of dirty tracking. */
export const DirtyClient = {
  /** Displays: set per region with `setLog`. */
  VGA: 0,
  /** Translated code. */
  CODE: 1,
  /** Migration, dirty rate, dirty limit: set globally. */
  MIGRATION: 2,
} as const;
export type DirtyClient = (typeof DirtyClient)[keyof typeof DirtyClient];

/** The first of the clients that `DirtyTracker` hands out to programs; 3 to 7, five per RAM block. */
export const FIRST_TRACKER = 3;
/** One past the last client. */
export const CLIENT_END = 8;
/** Bits of QEMU's three clients. */
export const ALL_CLIENTS = 0b111;
