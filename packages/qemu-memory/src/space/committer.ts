/**
 * Transactions of one core: they nest, the outermost end renders what changed, tells the listeners and publishes, in
 * this order and all in one go (T-101 to T-108). Listeners must not edit while they are told; only `commit` may, and what
 * it edits is committed in a round of its own. What callbacks throw is kept until everybody has been told.
 */

import { throwCollected } from '../rcu/callback-queue.ts';
import { MemoryRegionError } from '../region/error.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { AddressSpace } from './address-space.ts';
import { announce, replayAdd, replayDel } from './announce.ts';
import { EventFdUpdates } from './event-fd-updates.ts';
import type { MemoryListener } from './listener.ts';
import type { Call, Registration } from './listener-list.ts';
import { checkListener, ListenerList } from './listener-list.ts';
import type { OwnerRecord } from './owners.ts';
import type { ViewTable } from './view-table.ts';

/** Rounds that the edits of `commit` callbacks may cause one after the other. */
const MAX_ROUNDS = 100;

/** Where a commit is. */
type Phase = 'idle' | 'telling' | 'committed';

/** The transaction state of one core. */
export class Committer {
  /** All listeners of the core (T-111). */
  readonly listeners: ListenerList = new ListenerList();
  readonly eventFds: EventFdUpdates = new EventFdUpdates();
  readonly #views: ViewTable;
  readonly #poll: () => void;
  #depth = 0;
  #phase: Phase = 'idle';
  /** T-102. */
  #updatePending = false;
  #eventFdsPending = false;
  /** Spaces with a listener that wants the ranges that stay. */
  readonly #nopSpaces: Set<AddressSpace> = new Set();
  #unreferenced: OwnerRecord[] = [];
  #settling = false;

  /** @param poll runs the RCU callbacks that are due. */
  constructor(views: ViewTable, poll: () => void) {
    this.#views = views;
    this.#poll = poll;
  }

  begin(): void {
    this.#depth++;
  }

  /** @throws {MemoryRegionError} `transaction`, `endless-alias`, `too-complex`; and what listeners threw. */
  commit(): void {
    if (this.#depth === 0) throw new MemoryRegionError('transaction', 'commit without begin: no transaction is open');
    if (--this.#depth > 0) return;
    const errors: unknown[] = [];
    if (this.#phase === 'idle') this.#act(errors);
    if (this.#phase === 'idle') this.#settle(errors);
    throwCollected(errors);
  }

  requestUpdate(): void {
    this.#updatePending = true;
  }

  requestEventFds(): void {
    this.#eventFdsPending = true;
  }

  /** @throws {MemoryRegionError} `in-callback`. */
  refuseInCallback(what: string): void {
    if (this.#phase === 'telling')
      throw new MemoryRegionError(
        'in-callback',
        `${what} from a listener callback: only the commit callback may edit; note what to do there and do it then`,
      );
  }

  /** Tells listeners outside of a commit, with edits refused meanwhile. */
  telling(tell: (call: Call) => void): void {
    const errors: unknown[] = [];
    const outer = this.#phase;
    this.#phase = 'telling';
    try {
      tell(collector(errors));
    } finally {
      this.#phase = outer;
    }
    throwCollected(errors);
  }

  /**
   * Puts `listener` into both lists and replays to it alone what there is (T-121). Where it throws it is taken out again, and told
   * nothing more: as with `logGlobalStart` (T-137), who refuses a beginning is not told its end.
   * @param logging is global logging on?
   */
  register(space: AddressSpace, listener: MemoryListener, logging: boolean): Registration {
    const registration = checkListener(listener, space);
    this.listeners.add(registration);
    space.listeners.add(registration);
    this.#listenersChanged(space);
    const { view } = space;
    try {
      this.telling((call) => {
        call(() => listener.begin?.());
        if (logging) call(() => listener.logGlobalStart?.());
        replayAdd(listener, view, call);
        this.eventFds.replayAdd(space, listener, view, call);
      });
      this.#tellCommit(listener);
    } catch (error) {
      this.#forget(registration); // Nobody gets a handle to do it with.
      throw error;
    }
    return registration;
  }

  /**
   * Tells it that all is gone, then takes it out of both lists, whatever it throws (T-123). Twice is fine.
   * @throws {MemoryRegionError} `in-callback`; and what it threw.
   */
  unregister(registration: Registration): void {
    const { listener, space } = registration;
    if (!space.listeners.all.includes(registration)) return;
    this.refuseInCallback('a listener cannot be unregistered');
    const { view } = space;
    const errors: unknown[] = [];
    const each = collector(errors);
    each(() =>
      this.telling((call) => {
        call(() => listener.begin?.());
        replayDel(listener, view, call);
        this.eventFds.replayDel(space, listener, view, call);
      }),
    );
    this.#forget(registration); // Of what its last `commit` edits it hears nothing: it was told that nothing is left.
    each(() => this.#tellCommit(listener));
    throwCollected(errors);
  }

  /** All of `space`, in the order of the list, whatever they throw (T-100). @throws as `unregister`. */
  unregisterAll(space: AddressSpace): void {
    if (space.listeners.size > 0) this.refuseInCallback('listeners cannot be unregistered');
    const errors: unknown[] = [];
    for (const registration of space.listeners.all) collector(errors)(() => this.unregister(registration));
    throwCollected(errors);
  }

  /** What waits for the end of all transactions, where none is open. */
  settle(): void {
    if (this.#depth > 0 || this.#phase !== 'idle') return;
    const errors: unknown[] = [];
    this.#settle(errors);
    throwCollected(errors);
  }

  /** The `commit` callback of a replay may edit as well. */
  #tellCommit(listener: MemoryListener): void {
    this.begin();
    try {
      listener.commit?.();
    } catch (error) {
      throwAfter(error, () => this.commit());
    }
    this.commit();
  }

  #forget(registration: Registration): void {
    const { space } = registration;
    this.listeners.remove(registration);
    space.listeners.remove(registration);
    this.#listenersChanged(space);
  }

  #listenersChanged(space: AddressSpace): void {
    if (space.listeners.has('regionNop')) this.#nopSpaces.add(space);
    else this.#nopSpaces.delete(space);
    this.eventFds.listenersChanged(space);
  }

  /** `record` has no references and somebody waits for that. */
  unreferenced(record: OwnerRecord): void {
    this.#unreferenced.push(record);
    this.settle();
  }

  #act(errors: unknown[]): void {
    for (let round = 0; this.#updatePending || this.#eventFdsPending; round++) {
      if (round === MAX_ROUNDS) {
        errors.push(
          new MemoryRegionError('transaction', `commit callbacks have edited ${MAX_ROUNDS} times in a row; gave up`),
        );
        return;
      }
      try {
        if (this.#updatePending) this.#update(errors);
        else this.#updateEventFds(errors);
      } catch (error) {
        errors.push(error); // Rendering was refused: the flags stay set, so that the next commit tries again.
        return;
      } finally {
        this.#phase = 'idle';
      }
    }
  }

  /** T-105. */
  #update(errors: unknown[]): void {
    const call = collector(errors);
    const targets = this.#views.update();
    this.#phase = 'telling';
    this.listeners.forward(call, (listener) => listener.begin?.());
    for (const space of this.#nopSpaces) targets.add(space);
    for (const space of this.eventFds.spaces) targets.add(space);
    for (const space of inOrder(targets)) {
      this.#publish(space, space.rendering.view, call);
      this.eventFds.update(space, call);
    }
    this.#updatePending = false;
    this.#eventFdsPending = false;
    this.#phase = 'committed';
    this.listeners.forward(call, (listener) => listener.commit?.());
  }

  /** T-106: no begin, no commit. */
  #updateEventFds(errors: unknown[]): void {
    const call = collector(errors);
    this.#phase = 'telling';
    for (const space of inOrder(this.eventFds.spaces)) this.eventFds.update(space, call);
    this.#eventFdsPending = false;
  }

  #publish(space: AddressSpace, next: FlatView, call: Call): void {
    const old = space.view;
    if (space.listeners.size > 0) announce(space, old, next, call);
    if (next === old) return;
    next.ref();
    call(() => space.publish(next));
    old.unref();
  }

  /** Runs what waited for the end of all transactions: reclaiming, and those who wait for owners. */
  #settle(errors: unknown[]): void {
    if (this.#settling) return;
    this.#settling = true;
    const call = collector(errors);
    try {
      do {
        call(this.#poll);
        for (let record = this.#unreferenced.shift(); record !== undefined; record = this.#unreferenced.shift())
          record.settle(call);
      } while (this.#unreferenced.length > 0);
    } finally {
      this.#settling = false;
    }
  }
}

/** In creation order. */
function inOrder(spaces: Iterable<AddressSpace>): AddressSpace[] {
  return [...spaces].sort((a, b) => a.id - b.id);
}

/** A `Call` that puts what is thrown into `errors`. */
export function collector(errors: unknown[]): Call {
  return (tell) => {
    try {
      tell();
    } catch (error) {
      errors.push(error);
    }
  };
}

/** Throws `error` when `ending` has ended or undone what was begun, together with what that throws. */
export function throwAfter(error: unknown, ending: () => void): never {
  const errors = [error];
  collector(errors)(ending);
  throwCollected(errors);
  throw error;
}
