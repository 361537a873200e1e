/**
 * How long one end of the ring looks out for the other before it sleeps. To be woken costs tens of microseconds, so a wait
 * that is met is worth it; one that is not only keeps the other end from a core that it may need. So: long as long as that
 * works, else short, and long again now and then to see whether it would. A look is about 10 ns.
 */

const PROBE_EVERY = 8;

/** Of one end. */
export class Patience {
  readonly #long: number;
  readonly #short: number;
  #works = true;
  #turns = 0;

  /** @param long looks that are worth it while they are met. @param short looks otherwise. */
  constructor(long: number, short: number) {
    this.#long = long;
    this.#short = Math.min(short, long);
  }

  /** Looks that are worth it now. */
  next(): number {
    return this.#works || ++this.#turns % PROBE_EVERY === 0 ? this.#long : this.#short;
  }

  /** @param looks that `next` gave. @param met did the other end come? */
  tell(looks: number, met: boolean): void {
    if (looks === this.#long) this.#works = met;
  }
}
