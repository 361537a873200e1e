/** Writes that signal instead of reaching the device: their order and equality. Matching is in access/. T-125, T-129. */

/** What a matched write signals. Its identity is part of the eventfd's. */
export interface EventNotifier {
  /** Called inside the write; must not block. */
  notify(): void;
}

/** One eventfd of a region. */
export interface IoEventFd {
  /** Within the region. */
  readonly offset: bigint;
  /** Bytes of the write: 1, 2, 4, 8; 0 matches any size and any data. */
  readonly size: number;
  /** Must the written value equal `data`? */
  readonly matchData: boolean;
  /** In the region's byte order; 0 unless `matchData`. */
  readonly data: bigint;
  readonly notifier: EventNotifier;
  /** Stands for the notifier's identity in the sort order: when it was first seen. */
  readonly serial: number;
}

/** Order by offset, size, match flag, data, identity (T-125). Negative: `a` first; 0: the same eventfd. */
export function compareEventFds(a: IoEventFd, b: IoEventFd): number {
  if (a.offset !== b.offset) return a.offset < b.offset ? -1 : 1;
  if (a.size !== b.size) return a.size - b.size;
  if (a.matchData !== b.matchData) return a.matchData ? 1 : -1;
  if (a.matchData && a.data !== b.data) return a.data < b.data ? -1 : 1;
  return a.serial - b.serial;
}

/** The looser equality that removal uses: with a size of 0 on either side only the offset counts (T-129). */
export function sameEventFd(a: IoEventFd, b: IoEventFd): boolean {
  if (a.offset !== b.offset) return false;
  if (a.size === 0 || b.size === 0) return true;
  return (
    a.size === b.size && a.matchData === b.matchData && (!a.matchData || a.data === b.data) && a.notifier === b.notifier
  );
}
