/** Whether looks at a stream of accesses agree on one thing, and not by chance. */

/** So many looks in a row after the first. Eight equal things at random get there once in 10^8 accesses, at a look in 64. */
const AGREE = 8;

/** The last things that looks met. */
export class Agreement {
  #last: unknown = null;
  #count = 0;

  /** A look met `thing`. @returns have enough in a row? Then they are counted anew. */
  on(thing: unknown): boolean {
    if (thing !== this.#last) {
      this.#last = thing;
      this.#count = 0;
    } else this.#count++;
    if (this.#count < AGREE) return false;
    this.#count = 0;
    return true;
  }
}
