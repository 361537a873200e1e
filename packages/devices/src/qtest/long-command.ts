/**
 * Commands that one line can make long: a memset of gigabytes, a clock command with millions of timers on its way. They are
 * done in steps of about a millisecond, so that whoever serves them can look after others between two.
 */
import type { Nanoseconds } from '../clock/clock.ts';
import type { VirtualClock } from '../clock/virtual-clock.ts';
import type { BlockAccess } from './block.ts';

/** A command that is under way. */
export interface LongCommand {
  /** Does the next part. @returns the reply when that was the last one, else null. */
  step(): string | null;
}

/** Bytes of a memset in a step; a step ends at a multiple of it, so that devices see the accesses of pieces of this size. */
const FILL_STEP = 1 << 16;
const FILL_SHIFT = 16;
/** Timers in a step. */
const TIMERS_STEP = 1000;
/** Timers that one clock command runs, before it gives up: a guest can arm one for every tick (H-141). */
const MAX_TIMERS = 5_000_000;

/** `length` times `byte` from `addr` on, going on at 0 behind the last byte of the space. */
export class Fill implements LongCommand {
  readonly #memory: BlockAccess;
  readonly #piece: Uint8Array;
  #at: number | bigint;
  #left: number;

  constructor(memory: BlockAccess, addr: number | bigint, length: number, byte: number) {
    this.#memory = memory;
    this.#piece = new Uint8Array(Math.min(length, FILL_STEP)).fill(byte);
    this.#at = addr;
    this.#left = length;
  }

  step(): string | null {
    if (this.#left > 0) {
      const toBorder = FILL_STEP - Number(BigInt.asUintN(FILL_SHIFT, BigInt(this.#at)));
      const size = Math.min(this.#left, toBorder, this.#piece.length);
      this.#memory.write(this.#at, this.#piece.subarray(0, size));
      this.#left -= size;
      this.#at = BigInt.asUintN(64, BigInt(this.#at) + BigInt(size));
    }
    return this.#left > 0 ? null : 'OK';
  }
}

/** the clock moves to `target`, running every timer on the way; nothing happens for a target in the past. */
export class ClockMove implements LongCommand {
  readonly #clock: VirtualClock;
  readonly #target: Nanoseconds;
  #ran = 0;

  constructor(clock: VirtualClock, target: Nanoseconds) {
    this.#clock = clock;
    this.#target = target;
  }

  step(): string | null {
    const clock = this.#clock;
    const limit = Math.min(TIMERS_STEP, MAX_TIMERS - this.#ran);
    const { ran, complete } = this.#goOn(limit);
    this.#ran += ran;
    if (complete) return `OK ${clock.now}`;
    return this.#ran < MAX_TIMERS ? null : `FAIL The clock stopped at ${clock.now} after ${this.#ran} timers`;
  }

  /** A later step may find the clock at its target, with timers due there that are still to run. */
  #goOn(limit: number): { readonly ran: number; readonly complete: boolean } {
    const clock = this.#clock;
    if (this.#ran === 0 || clock.now < this.#target) return clock.advanceTo(this.#target, limit);
    const ran = clock.runDue(limit);
    return { ran, complete: clock.nextDeadline === null || clock.nextDeadline > clock.now };
  }
}
