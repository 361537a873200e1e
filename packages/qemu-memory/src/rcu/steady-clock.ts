/**
 * Time for waits. There is only the wall clock, which may be set, and which goes on while the machine is suspended or the
 * process stopped, and whoever is waited for with it. So time counts as far as somebody looked. A-217.
 */

/** For who waits: it looks every 50 ms at most, where it is not stopped or kept busy. Milliseconds. */
const WAITER_MOST_MS = 250;

/** Never goes back. */
export class SteadyClock {
  readonly #most: number;
  #wall = 0;
  #now = 0;

  /** @param mostMs that count of the time between two looks. */
  constructor(mostMs: number = WAITER_MOST_MS) {
    this.#most = mostMs;
  }

  /** Milliseconds since some moment. */
  now(): number {
    const wall = Date.now();
    this.#now += Math.min(Math.max(wall - this.#wall, 0), this.#most);
    this.#wall = wall;
    return this.#now;
  }
}
