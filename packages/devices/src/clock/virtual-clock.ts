/**
 * A clock that stands still until somebody turns it, with its timers in the order in which they are due. Turning it
 * runs every timer on the way, each with the clock at its own deadline. What a timer throws is kept until the turn is over,
 * so that the others run in time: one as it is, several as an AggregateError..
 */

import { shown } from '@guestmem/vm-memory';
import { throwAll } from '../throw-all.ts';
import { addNanoseconds, type Clock, type ClockTimer, type Nanoseconds, toNanoseconds } from './clock.ts';

/** Options of a virtual clock. */
export interface VirtualClockOptions {
  /** Where it starts, in nanoseconds. Default 0. */
  readonly now?: Nanoseconds;
}

/** How far a turn went. */
export interface ClockTurn {
  /** Timers that ran. */
  readonly ran: number;
  /** False: `limit` timers ran and the clock stopped before its target. */
  readonly complete: boolean;
}

/** The clock of one machine. It counts to 2^63 - 1 ns, as QEMU's does. */
export class VirtualClock implements Clock {
  #now: Nanoseconds;
  readonly #queue = new TimerQueue();

  /** @throws {TypeError | RangeError} `now` is no time that the clock can show. */
  constructor(options: VirtualClockOptions = {}) {
    this.#now = clockTime(options.now ?? 0);
  }

  /** The present, in ns from where the clock began. */
  get now(): Nanoseconds {
    return this.#now;
  }

  /** The earliest deadline, which may lie before the present; null where nothing is armed. */
  get nextDeadline(): Nanoseconds | null {
    return this.#queue.first?.deadline ?? null;
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#queue.length;
  }

  /** A new timer, not armed. @throws {TypeError} `expired` is no function. */
  timer(expired: () => void): ClockTimer {
    if (typeof expired !== 'function') throw new TypeError(`a timer calls a function, not ${shown(expired)}`);
    return new VirtualTimer(this.#queue, expired);
  }

  /**
   * Moves to `target`, running every timer that is due on the way and at it. The clock never goes back: a target at or
   * before the present does nothing, not even for timers that are due now (`runDue` does), and its turn is complete, as QEMU's
   * `clock_set` to the past answers with the time it is.
   *
   * @param limit at most this many timers run, an integer of at least 0 or Infinity; a guest can arm a timer for every tick (H-141).
   *   Default: no limit.
   * @throws {TypeError | RangeError} `target` is no time that the clock can show, or `limit` no such number. Nothing ran.
   */
  advanceTo(target: Nanoseconds, limit: number = Number.POSITIVE_INFINITY): ClockTurn {
    const to = clockTime(target);
    checkLimit(limit);
    const errors: unknown[] = [];
    const turn = this.#advanceTo(to, limit, errors);
    throwAll(errors, 'timers');
    return turn;
  }

  #advanceTo(to: Nanoseconds, limit: number, errors: unknown[]): ClockTurn {
    if (this.#now >= to) return { ran: 0, complete: true };
    let ran = 0;
    while (this.#now < to) {
      const next = this.nextDeadline;
      if (next === null || next > to) {
        this.#now = to;
        break;
      }
      if (ran >= limit) return { ran, complete: false };
      if (next > this.#now) this.#now = next;
      ran += this.#runDue(limit - ran, errors);
    }
    return { ran, complete: !this.#hasDue() };
  }

  /** Moves forward by `delta` nanoseconds; nothing where it is 0 or less. As `advanceTo`. */
  advanceBy(delta: Nanoseconds, limit?: number): ClockTurn {
    return this.advanceTo(addNanoseconds(this.#now, toNanoseconds(delta)), limit);
  }

  /** Moves to the earliest deadline and runs what is due there; nothing where none is armed. */
  advanceToNext(limit?: number): ClockTurn {
    const next = this.nextDeadline;
    return next === null ? { ran: 0, complete: true } : this.advanceTo(next, limit);
  }

  /** Runs the timers that are due at the present, those they arm for it included. `limit` as for `advanceTo`. @returns how many ran. */
  runDue(limit: number = Number.POSITIVE_INFINITY): number {
    checkLimit(limit);
    const errors: unknown[] = [];
    const ran = this.#runDue(limit, errors);
    throwAll(errors, 'timers');
    return ran;
  }

  #runDue(limit: number, errors: unknown[]): number {
    let ran = 0;
    for (; ran < limit && this.#hasDue(); ran++)
      try {
        this.#queue.shift().fire();
      } catch (error) {
        errors.push(error);
      }
    return ran;
  }

  #hasDue(): boolean {
    const { first } = this.#queue;
    return first !== undefined && first.deadline! <= this.#now;
  }
}

/** Armed timers by deadline, equal ones in the order of arming. Numbers and bigints are compared freely: the order is exact. */
class TimerQueue {
  readonly #timers: VirtualTimer[] = [];
  #order = 0;

  get first(): VirtualTimer | undefined {
    return this.#timers[0];
  }
  get length(): number {
    return this.#timers.length;
  }

  shift(): VirtualTimer {
    return this.#timers.shift()!;
  }

  /** Puts `timer` behind all that are due at the same time. @returns the number of this arming. */
  insert(timer: VirtualTimer, deadline: Nanoseconds): number {
    const timers = this.#timers;
    let at = timers.length;
    while (at > 0 && timers[at - 1]!.deadline! > deadline) at--;
    timers.splice(at, 0, timer);
    return ++this.#order;
  }

  remove(timer: VirtualTimer): void {
    this.#timers.splice(this.#timers.indexOf(timer), 1);
  }
}

class VirtualTimer implements ClockTimer {
  readonly #queue: TimerQueue;
  readonly #expired: () => void;
  deadline: Nanoseconds | null = null;
  order = 0;

  constructor(queue: TimerQueue, expired: () => void) {
    this.#queue = queue;
    this.#expired = expired;
  }

  arm(deadline: Nanoseconds): void {
    const at = toNanoseconds(deadline);
    this.cancel();
    this.order = this.#queue.insert(this, at);
    this.deadline = at;
  }

  cancel(): void {
    if (this.deadline === null) return;
    this.#queue.remove(this);
    this.deadline = null;
  }

  fire(): void {
    this.deadline = null;
    this.#expired();
  }
}

/** The clock is a signed 64-bit count. */
const LAST = (1n << 63n) - 1n;

function clockTime(ns: Nanoseconds): Nanoseconds {
  const time = toNanoseconds(ns);
  if (time > LAST) throw new RangeError(`the clock ends at ${LAST} ns; ${time} lies beyond`);
  return time;
}

function checkLimit(limit: number): void {
  if (typeof limit !== 'number') throw new TypeError(`a limit of timers must be a number, not ${typeof limit}`);
  if (limit >= 0 && (Number.isInteger(limit) || limit === Number.POSITIVE_INFINITY)) return;
  throw new RangeError(`a limit of timers must be an integer of at least 0 or Infinity, not ${limit}`);
}
