/** Places for one value, or for several of a kind, in a volatile slice. V-1.4. */
import type { Bitmap } from './bitmap.ts';
import type { Codec } from './codec.ts';
import { badNumber } from './shown.ts';
import type { VolatileSlice } from './volatile-slice.ts';

/** Any typed array. */
export interface ElementArray extends ArrayBufferView {
  readonly length: number;
  readonly BYTES_PER_ELEMENT: number;
}

/** One value in memory, at any alignment; no atomicity is promised (use `getAtomicRef` for that). */
export class VolatileRef<T> {
  readonly #slice: VolatileSlice;
  readonly codec: Codec<T>;

  /** @hideconstructor Made by `VolatileSlice.getRef`. */
  constructor(slice: VolatileSlice, codec: Codec<T>) {
    this.#slice = slice;
    this.codec = codec;
  }

  /** Bytes of the value. */
  get length(): number {
    return this.#slice.length;
  }

  get bitmap(): Bitmap | null {
    return this.#slice.bitmap;
  }

  load(): T {
    return this.#slice.readObj(0, this.codec);
  }

  /** Marks dirty. @throws {TypeError | RangeError} not a value of the codec; nothing is stored. */
  store(value: T): void {
    this.#slice.writeObj(0, this.codec, value);
  }

  /** The bytes of the value. */
  toSlice(): VolatileSlice {
    return this.#slice;
  }
}

/** `length` values end to end. */
export class VolatileArrayRef<T> {
  readonly #slice: VolatileSlice;
  readonly codec: Codec<T>;
  /** Elements. */
  readonly length: number;

  /** @hideconstructor Made by `VolatileSlice.getArrayRef`. */
  constructor(slice: VolatileSlice, codec: Codec<T>, length: number) {
    this.#slice = slice;
    this.codec = codec;
    this.length = length;
  }

  get elementSize(): number {
    return this.codec.size;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  get bitmap(): Bitmap | null {
    return this.#slice.bitmap;
  }

  /** @throws {RangeError} `index` is not in 0 to length - 1. */
  refAt(index: number): VolatileRef<T> {
    return this.#slice.getRef(this.#offset(index), this.codec);
  }

  /** @throws {RangeError} `index` is not in 0 to length - 1. */
  load(index: number): T {
    return this.#slice.readObj(this.#offset(index), this.codec);
  }

  /** Marks dirty. @throws {RangeError} `index` is not in 0 to length - 1. */
  store(index: number, value: T): void {
    this.#slice.writeObj(this.#offset(index), this.codec, value);
  }

  /** Fills `target` from the first element on, as far as both go. @returns elements. */
  copyTo(target: { readonly length: number; [index: number]: T }): number {
    const n = Math.min(target.length, this.length);
    for (let i = 0; i < n; i++) target[i] = this.load(i);
    return n;
  }

  /** Stores the values of `source` from the first element on, as far as both go. @returns elements. */
  copyFrom(source: ArrayLike<T>): number {
    const n = Math.min(source.length, this.length);
    for (let i = 0; i < n; i++) this.store(i, source[i] as T);
    return n;
  }

  toSlice(): VolatileSlice {
    return this.#slice;
  }

  #offset(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.length))
      throw badNumber(`index must be 0 to ${this.length - 1}`, index);
    return index * this.codec.size;
  }
}
