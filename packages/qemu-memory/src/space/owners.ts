/**
 * Who keeps the owner of a region alive: containers, ranges of live views, look-up results, mappings. A region has no
 * count of its own. T-30, T-31, T-36.
 */
import type { Call } from './listener-list.ts';

/** Somebody who waits; who asks twice is called twice. */
interface Waiting {
  readonly fn: () => void;
}

/** The references on one owner. */
export class OwnerRecord {
  readonly #unreferenced: (record: OwnerRecord) => void;
  #count = 0;
  #waiting: Waiting[] = [];

  /** @param unreferenced is told when somebody waits and no reference is left; runs `settle` when it is safe to. */
  constructor(unreferenced: (record: OwnerRecord) => void) {
    this.#unreferenced = unreferenced;
  }

  get count(): number {
    return this.#count;
  }

  ref(): void {
    this.#count++;
  }

  /** @throws {RangeError} more than were taken. */
  unref(): void {
    if (this.#count === 0) throw new RangeError('unref of an owner that has no references');
    if (--this.#count === 0 && this.#waiting.length > 0) this.#unreferenced(this);
  }

  /** Has `fn` run once, when no reference is left. @returns takes it back. */
  wait(fn: () => void): () => void {
    const added: Waiting = { fn };
    this.#waiting.push(added);
    if (this.#count === 0) this.#unreferenced(this);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== added);
    };
  }

  /** Runs what waits, each through `call`, unless somebody has taken a reference meanwhile. */
  settle(call: Call): void {
    while (this.#count === 0 && this.#waiting.length > 0) call(this.#waiting.shift()!.fn);
  }
}
