/** Matching a write against a region's ioeventfds: before splitting, on the whole access, in device order.. */

import type { IoEventFd } from '../region/event-fd.ts';

/** An ioeventfd with its data as halves. */
export interface PreparedEvent {
  readonly offset: number;
  readonly size: number;
  readonly matchData: boolean;
  readonly lo: number;
  readonly hi: number;
  notify(): void;
}

/** Splits the data once, at registration, so that matching allocates nothing. */
export function prepareEvents(events: readonly IoEventFd[]): readonly PreparedEvent[] {
  return events.map((event) => ({
    offset: Number(event.offset),
    size: event.size,
    matchData: event.matchData,
    lo: Number(BigInt.asUintN(32, event.data)),
    hi: Number(BigInt.asUintN(32, event.data >> 32n)),
    notify: () => event.notifier.notify(),
  }));
}

/** Does a write of `size` bytes with device-order value (lo, hi) at `offset` match? */
export function eventMatches(event: PreparedEvent, offset: number, size: number, lo: number, hi: number): boolean {
  if (event.offset !== offset) return false;
  if (event.size === 0) return true;
  return event.size === size && (!event.matchData || (event.lo === lo && event.hi === hi));
}
