/**
 * Keeps the eventfd lists of the spaces whose listeners want them, and tells what is different. Spaces without such
 * listeners have no list: nothing is computed for them. T-125 to T-128.
 */
import type { IoEventFd } from '../region/event-fd.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { AddressSpace } from './address-space.ts';
import { compareEventFdLists, placeEventFds } from './event-fd-list.ts';
import type { MemoryListener, PlacedEventFd } from './listener.ts';
import type { Call } from './listener-list.ts';

/** The eventfd lists of one core. */
export class EventFdUpdates {
  readonly #lists: Map<AddressSpace, readonly IoEventFd[]> = new Map();
  #stamp = 0;

  /** Spaces that have a list. */
  get spaces(): Iterable<AddressSpace> {
    return this.#lists.keys();
  }

  /** The eventfds of some region have changed. */
  changed(): void {
    this.#stamp++;
  }

  /** A listener of `space` came or went. */
  listenersChanged(space: AddressSpace): void {
    const wanted = space.listeners.has('eventfdAdd') || space.listeners.has('eventfdDel');
    if (!wanted) this.#lists.delete(space);
    else if (!this.#lists.has(space)) this.#lists.set(space, placeEventFds(space.view.blocks, this.#stamp));
  }

  /** T-127, on the published view. */
  update(space: AddressSpace, call: Call): void {
    const old = this.#lists.get(space);
    if (old === undefined) return;
    const { listeners, view } = space;
    const now = placeEventFds(view.blocks, this.#stamp);
    this.#lists.set(space, now);
    compareEventFdLists(
      old,
      now,
      (fd) => listeners.forward(call, (listener) => listener.eventfdDel?.(place(fd), view)),
      (fd) => listeners.reverse(call, (listener) => listener.eventfdAdd?.(place(fd), view)),
    );
  }

  /** Tells one listener what is there (unlike 7.2: T-122, T-128). */
  replayAdd(space: AddressSpace, listener: MemoryListener, view: FlatView, call: Call): void {
    for (const fd of this.#lists.get(space) ?? []) call(() => listener.eventfdAdd?.(place(fd), view));
  }

  /** Tells one listener that all of it is gone. */
  replayDel(space: AddressSpace, listener: MemoryListener, view: FlatView, call: Call): void {
    for (const fd of this.#lists.get(space) ?? []) call(() => listener.eventfdDel?.(place(fd), view));
  }
}

function place(fd: IoEventFd): PlacedEventFd {
  return { addr: fd.offset, size: fd.size, matchData: fd.matchData, data: fd.data, notifier: fd.notifier };
}
