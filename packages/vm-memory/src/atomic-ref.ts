/** An atomic cell in guest memory: what `get_atomic_ref` gives in Rust, read-modify-write included. V-1.2, V-1.4. */
import type { AtomicCells } from './atomic-access.ts';
import type { Bitmap } from './bitmap.ts';
import { detached } from './bytes-check.ts';
import type { ScalarCodec } from './codec.ts';
import { checkLoadOrdering, checkStoreOrdering, type Ordering } from './ordering.ts';

/** One value of 1, 2, 4 or 8 bytes that agents change together. Everything that writes marks dirty, unlike in Rust. */
export class AtomicRef<T> {
  readonly #cells: AtomicCells;
  readonly #byte: number;
  readonly #bitmap: Bitmap | null;
  readonly codec: ScalarCodec<T>;

  /** @hideconstructor Made by `VolatileSlice.getAtomicRef`. */
  constructor(cells: AtomicCells, byte: number, codec: ScalarCodec<T>, bitmap: Bitmap | null) {
    this.#cells = cells;
    this.#byte = byte;
    this.codec = codec;
    this.#bitmap = bitmap;
  }

  /** @throws {TypeError} an ordering that a load cannot have. */
  load(ordering: Ordering): T {
    checkLoadOrdering(ordering);
    try {
      return this.#cells.load(this.#byte, this.codec);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** @throws {TypeError} an ordering that a store cannot have. */
  store(value: T, ordering: Ordering): void {
    checkStoreOrdering(ordering);
    try {
      this.#cells.store(this.#byte, this.codec, value);
    } catch (cause) {
      throw this.#failed(cause);
    }
    this.#mark();
  }

  /** Stores `value`. @returns what was there. @throws {RangeError} that is no value of the codec (`u64Number`); nothing is stored. */
  exchange(value: T): T {
    return this.update(() => value);
  }

  /** Stores `value`, and marks, if the cell holds `expected`, compared by bytes. @returns what was there; equal to `expected` if it was stored. */
  compareExchange(expected: T, value: T): T {
    const cells = this.#cells;
    let before: T;
    try {
      before = cells.compareExchange(this.#byte, this.codec, expected, value);
    } catch (cause) {
      throw this.#failed(cause);
    }
    if (cells.stored) this.#mark();
    return before;
  }

  /**
   * Replaces the value by `change(value)`, again if another agent was faster: every fetch-and-op in one.
   *
   * @param change pure; may be called several times.
   * @returns what was there.
   */
  update(change: (value: T) => T): T {
    let before: T;
    try {
      before = this.#cells.update(this.#byte, this.codec, change);
    } catch (cause) {
      throw this.#failed(cause);
    }
    this.#mark();
    return before;
  }

  /** What to throw for `cause`: asked afterwards, as asking each time whether the buffer is there took 3 ns of 26 (Node 20). */
  #failed(cause: unknown): unknown {
    return this.#cells.buffer.byteLength === 0 ? detached() : cause;
  }

  #mark(): void {
    if (this.#bitmap !== null) this.#bitmap.markDirty(0, this.codec.size);
  }
}
