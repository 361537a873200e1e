/**
 * Time as a device sees it: a clock it reads and timers it arms. Who turns the clock is not its business: a test, a
 * protocol server or the host's real time (virtual-clock.ts, real-time.ts).
 */

/** Nanoseconds: a number while it is a safe integer (104 days), a bigint beyond. Both compare and mean the same. */
export type Nanoseconds = number | bigint;

/** A clock that a device reads and arms timers on. */
export interface Clock {
  /** Nanoseconds since the clock began; in normal form (a number where it is a safe integer). */
  readonly now: Nanoseconds;
  /** A new timer, not armed. `expired` is called once for each time it comes due, with the clock at that moment. */
  timer(expired: () => void): ClockTimer;
}

/** One deadline on a clock. */
export interface ClockTimer {
  /** When it is due, in nanoseconds of its clock; null while it is not armed. */
  readonly deadline: Nanoseconds | null;
  /** Number of the arming it stands for, rising over the whole clock: equal deadlines run in this order. */
  readonly order: number;
  /** Sets the deadline, replacing an earlier one. One at or before the present is due at the next turn. */
  arm(deadline: Nanoseconds): void;
  /** Forgets the deadline; nothing where none is set. */
  cancel(): void;
}

/**
 * The normal form of `ns`: a number where it is a safe integer, else a bigint.
 *
 * @throws {TypeError} not a number or bigint.
 * @throws {RangeError} fractional, NaN or an unsafe number.
 */
export function toNanoseconds(ns: Nanoseconds): Nanoseconds {
  if (typeof ns === 'number') {
    if (Number.isSafeInteger(ns)) return ns;
    throw new RangeError(`a time in nanoseconds must be a safe integer or a bigint, not ${ns}`);
  }
  if (typeof ns !== 'bigint')
    throw new TypeError(`a time in nanoseconds must be a number or a bigint, not ${ns === null ? 'null' : typeof ns}`);
  return ns >= MIN_SAFE && ns <= MAX_SAFE ? Number(ns) : ns;
}

/** `a + b` in normal form. Both must be in normal form. */
export function addNanoseconds(a: Nanoseconds, b: Nanoseconds): Nanoseconds {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return toNanoseconds(BigInt(a) + BigInt(b));
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_SAFE = -MAX_SAFE;
