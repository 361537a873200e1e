/**
 * One object per key, as long as anybody holds it. The entries are weak, so what nobody uses can be collected; and they
 * are limited in number, because a weak entry lives until the current job ends and a guest that makes up process ids
 * inside one long job would otherwise fill the heap. Past the limit newcomers are simply not remembered: what was interned
 * before stays one object, a flood of new keys gets objects that are equal but not identical, and are garbage at once.
 */

/** Live entries of one table, at most. An entry with its attributes is some 250 bytes, so 4 MiB. */
export const INTERN_LIMIT = 16_384;

/** See the header. */
export class InternTable<T extends object> {
  readonly #limit: number;
  readonly #entries = new Map<string | number, WeakRef<T>>();
  /** How many more newcomers are turned away before the table is searched for dead entries again. */
  #patience = 0;

  constructor(limit: number = INTERN_LIMIT) {
    this.#limit = limit;
  }

  /** Entries, dead ones included. */
  get size(): number {
    return this.#entries.size;
  }

  /** The object of `key`, or undefined. */
  get(key: string | number): T | undefined {
    return this.#entries.get(key)?.deref();
  }

  /** Remembers `value` under `key` if there is room. @returns `value`. */
  add(key: string | number, value: T): T {
    if (this.#entries.size >= this.#limit && !this.#entries.has(key) && !this.#makeRoom()) return value;
    this.#entries.set(key, new WeakRef(value));
    return value;
  }

  /** Drops dead entries; looks at all of them once per `limit / 4` newcomers, so a flood costs a constant per key. */
  #makeRoom(): boolean {
    if (this.#patience > 0) {
      this.#patience--;
      return false;
    }
    for (const [key, entry] of this.#entries) if (entry.deref() === undefined) this.#entries.delete(key);
    this.#patience = this.#limit >> 2;
    return this.#entries.size < this.#limit;
  }
}
