/** The slices that a range of guest memory is made of, one after the other. V-1.8. */
import type { VolatileSlice } from './volatile-slice.ts';

/** An iterator that ends after its first error, which it throws from `next`. */
export class GuestMemorySlices implements IterableIterator<VolatileSlice> {
  readonly #next: () => VolatileSlice | undefined;
  #done = false;

  /** @param next the next slice, or undefined at the end; not called again after that, nor after it has thrown. */
  constructor(next: () => VolatileSlice | undefined) {
    this.#next = next;
  }

  next(): IteratorResult<VolatileSlice, undefined> {
    if (!this.#done) {
      this.#done = true; // stays so if #next throws
      const value = this.#next();
      if (value !== undefined) {
        this.#done = false;
        return { done: false, value };
      }
    }
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /**
   * The same slices, ending where an error would be: what a transfer that may be short wants.
   *
   * @throws the error, if the very first slice is one.
   */
  stopOnError(): GuestMemorySlices {
    const first = this.next();
    let pending = first.done === true ? undefined : first.value;
    return new GuestMemorySlices(() => {
      const value = pending;
      pending = undefined;
      if (value !== undefined) return value;
      try {
        return this.next().value;
      } catch {
        return undefined;
      }
    });
  }
}
