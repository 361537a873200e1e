/** The eventfds of an address space at their places, and what is different between two lists of them. T-126, T-127. */
import type { IoEventFd } from '../region/event-fd.ts';
import { compareEventFds } from '../region/event-fd.ts';
import type { FlatBlock } from '../view/flat-block.ts';

/**
 * Walks the ranges; an eventfd is kept where it touches a range of its region, and not clipped: behind two mirrors it appears
 * twice. `offset` of the result is the address. Sorted, as the walk alone is not where one begins before the range that it touches.
 *
 * @param stamp changes whenever the eventfds of any region do; blocks without eventfds are then passed over.
 */
export function placeEventFds(blocks: readonly FlatBlock[], stamp: number): IoEventFd[] {
  const out: IoEventFd[] = [];
  for (const block of blocks) {
    if (block.eventFdStamp !== stamp) {
      block.eventFdStamp = stamp;
      block.hasEventFds = block.regions.some((region) => region.eventFds.length > 0);
    }
    if (!block.hasEventFds) continue;
    for (let row = 0; row < block.count; row++) {
      const fds = block.regions[row]!.eventFds;
      if (fds.length === 0) continue;
      const first = block.firsts[row]!;
      const end = block.lasts[row]! + 1n;
      const shift = first - block.offsets[row]!;
      for (const fd of fds) {
        const addr = fd.offset + shift;
        // Half-open ranges intersect when the start of one lies in the other (T-5).
        if (addr >= first ? addr < end : first < addr + BigInt(fd.size)) out.push({ ...fd, offset: addr });
      }
    }
  }
  return out.sort(compareEventFds);
}

/** Calls `del` for what only `before` has and `add` for what only `after` has, in merged order. Both are sorted. */
export function compareEventFdLists(
  before: readonly IoEventFd[],
  after: readonly IoEventFd[],
  del: (fd: IoEventFd) => void,
  add: (fd: IoEventFd) => void,
): void {
  let a = 0;
  let b = 0;
  while (a < before.length || b < after.length) {
    const old = before[a];
    const now = after[b];
    const order = old === undefined ? 1 : now === undefined ? -1 : compareEventFds(old, now);
    if (order < 0) {
      del(old!);
      a++;
    } else if (order > 0) {
      add(now!);
      b++;
    } else {
      a++;
      b++;
    }
  }
}
