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
/** One of the `DirtyClient` numbers. */
export type DirtyClient = (typeof DirtyClient)[keyof typeof DirtyClient];

/** Our own fourth client, set along with MIGRATION: what DirtyTracker reads, so that it takes nothing from a migration. */
export const TRACKER = 3;
/** Its bit. */
export const TRACKER_BIT = 8;
/** New memory is dirty for all clients. */
export const ALL_CLIENTS = 0b1111;
