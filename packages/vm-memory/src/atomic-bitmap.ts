/**
 * A dirty bitmap over (shared) 32-bit words, set and cleared with Atomics, so that many agents mark the same one.
 * Hot: `markDirty` runs on every tracked store. Words that no other agent has it tests before it sets: 1.8 ns against 8.9
 * for an unconditional `Atomics.or` on Node 20 when the page is dirty already. Shared words it sets always: a look could come
 * before the stored bytes have left the processor, find the mark of before, and another agent that takes the marks in between
 * and reads the bytes would miss the store for good (5,000 of a million provoked meetings). V-1.6, D16.
 */
import { isShared } from './backing-buffer.ts';
import { type Bitmap, BitmapSlice } from './bitmap.ts';
import { badNumber } from './shown.ts';

/** How an AtomicBitmap is made. */
export interface AtomicBitmapOptions {
  /** Bytes per bit (default 4096). Need not be a power of two; powers of two are faster. */
  readonly pageSize?: number;
  /** Keep the words in a SharedArrayBuffer, so that workers can `attach` (default false). */
  readonly shared?: boolean;
}

/** What a worker needs to mark the same bitmap: structured-cloneable when shared. */
export interface AtomicBitmapHandle {
  readonly words: SharedArrayBuffer | ArrayBuffer;
  readonly byteSize: number;
  readonly pageSize: number;
}

/** One bit per page. All operations take offsets in bytes, except those that say bit. */
export class AtomicBitmap implements Bitmap {
  #words: Int32Array;
  #byteSize: number;
  #bits: number;
  readonly pageSize: number;
  /** log2 of the page size, or -1 when it is no power of two. */
  readonly #shift: number;
  /** May other agents clear marks? */
  #shared: boolean;

  /**
   * All clear.
   *
   * @param byteSize bytes to track, 0 to 2^53 - 1; the last page may be partial.
   * @throws {RangeError} `byteSize` or `pageSize` is no such integer, or there are more than 2^37 pages.
   */
  constructor(byteSize: number, options: AtomicBitmapOptions = {}) {
    const pageSize = options.pageSize ?? 4096;
    if (!Number.isSafeInteger(byteSize) || byteSize < 0) throw badNumber('byteSize must be 0 to 2^53 - 1', byteSize);
    if (!Number.isSafeInteger(pageSize) || pageSize < 1) throw badNumber('pageSize must be 1 to 2^53 - 1', pageSize);
    this.#byteSize = byteSize;
    this.pageSize = pageSize;
    this.#shift = Number.isInteger(Math.log2(pageSize)) && pageSize <= 0x8000_0000 ? Math.log2(pageSize) : -1;
    this.#bits = Math.ceil(byteSize / pageSize);
    this.#shared = options.shared ?? false;
    this.#words = allocateWords(this.#bits, this.#shared);
  }

  /** The bitmap behind a handle from another agent (or this one): same words, same marks. */
  static attach(handle: AtomicBitmapHandle): AtomicBitmap {
    const made = new AtomicBitmap(0, { pageSize: handle.pageSize });
    made.#byteSize = handle.byteSize;
    made.#bits = Math.ceil(handle.byteSize / handle.pageSize);
    const words = new Int32Array(handle.words);
    if (words.length * 32 < made.#bits)
      throw new RangeError(`the handle has words for ${words.length * 32} pages but needs ${made.#bits}`);
    made.#words = words;
    made.#shared = isShared(words.buffer);
    return made;
  }

  /** For `attach`. After `enlarge` the old handle is stale: make a new one. */
  get handle(): AtomicBitmapHandle {
    return {
      words: this.#words.buffer as SharedArrayBuffer | ArrayBuffer,
      byteSize: this.#byteSize,
      pageSize: this.pageSize,
    };
  }

  /** Pages, which is bits. */
  get length(): number {
    return this.#bits;
  }

  /** Bytes tracked. */
  get byteSize(): number {
    return this.#byteSize;
  }

  markDirty(offset: number, len: number): void {
    if (this.#shift >= 0 && offset >>> 0 === offset) {
      const first = offset >>> this.#shift;
      const last = offset + len - 1;
      if (last >>> 0 === last && len > 0 && last >>> this.#shift === first) {
        if (first < this.#bits) {
          const word = this.#shared ? 0 : this.#words[first >>> 5]!;
          if ((word & (1 << (first & 31))) === 0) Atomics.or(this.#words, first >>> 5, 1 << (first & 31));
        }
        return;
      }
    }
    this.#range(offset, len, true);
  }

  dirtyAt(offset: number): boolean {
    return this.isBitSet(Math.floor(offset / this.pageSize));
  }

  sliceAt(offset: number): BitmapSlice<AtomicBitmap> {
    return new BitmapSlice<AtomicBitmap>(this, offset);
  }

  /** Marks every page that [start, start + len) touches; the part past the end is ignored. */
  setAddrRange(start: number, len: number): void {
    this.#range(start, len, true);
  }

  /** Clears every page that [start, start + len) touches. */
  resetAddrRange(start: number, len: number): void {
    this.#range(start, len, false);
  }

  /** Is the page of the byte at `addr` marked? False past the end. */
  isAddrSet(addr: number): boolean {
    return this.dirtyAt(addr);
  }

  /** Is bit `index` set? False past the end. */
  isBitSet(index: number): boolean {
    if (!(index >= 0 && index < this.#bits)) return false;
    return (Atomics.load(this.#words, Math.floor(index / 32)) & (1 << (index % 32))) !== 0;
  }

  /** Sets bit `index`; ignored past the end. */
  setBit(index: number): void {
    this.#range(index * this.pageSize, 1, true);
  }

  /** Clears bit `index`; ignored past the end. */
  resetBit(index: number): void {
    this.#range(index * this.pageSize, 1, false);
  }

  /**
   * Takes the marks and clears them: each word in one atomic exchange, all words not in one snapshot. Bit i of word w is
   * page 32 w + i.
   *
   * @param into receives the words, so that polling allocates nothing; must have `wordCount` elements.
   * @throws {RangeError} `into` has another length.
   */
  getAndReset(into: Uint32Array = new Uint32Array(this.#words.length)): Uint32Array {
    if (into.length !== this.#words.length)
      throw new RangeError(`getAndReset needs ${this.#words.length} words to fill, not ${into.length}`);
    for (let i = 0; i < into.length; i++) into[i] = Atomics.exchange(this.#words, i, 0);
    return into;
  }

  /** 32-bit words that `getAndReset` fills. */
  get wordCount(): number {
    return this.#words.length;
  }

  /** Clears all. What was stored before a mark that it takes is seen by who reads after it. */
  reset(): void {
    for (let i = 0; i < this.#words.length; i++) Atomics.exchange(this.#words, i, 0);
  }

  /** Tracks `bytes` more, clear. Not for use while other agents mark: they keep the old words; give them a new handle. */
  enlarge(bytes: number): void {
    if (!Number.isSafeInteger(bytes) || bytes < 0 || !Number.isSafeInteger(this.#byteSize + bytes))
      throw badNumber('bytes must be 0 and more, and 2^53 - 1 at most with those that are tracked', bytes);
    const larger = new AtomicBitmap(this.#byteSize + bytes, { pageSize: this.pageSize, shared: this.#shared });
    larger.#words.set(this.#words);
    this.#words = larger.#words;
    this.#byteSize = larger.#byteSize;
    this.#bits = larger.#bits;
  }

  /** A bitmap of its own with the same marks. */
  clone(): AtomicBitmap {
    const { byteSize, pageSize } = this;
    const made = new AtomicBitmap(byteSize, { pageSize, shared: this.#shared });
    for (let i = 0; i < this.#words.length; i++) made.#words[i] = Atomics.load(this.#words, i);
    return made;
  }

  #range(start: number, len: number, set: boolean): void {
    if (!(len > 0) || !(start + len > 0)) return;
    const first = Math.max(0, Math.floor(start / this.pageSize));
    const last = Math.min(this.#bits - 1, Math.floor((start + len - 1) / this.pageSize));
    let index = first;
    while (index <= last) {
      const bit = index % 32;
      const count = Math.min(32 - bit, last - index + 1);
      const mask = (-1 >>> (32 - count)) << bit;
      const word = Math.floor(index / 32);
      if (set) {
        if (this.#shared || (this.#words[word]! & mask) !== mask) Atomics.or(this.#words, word, mask);
      } else Atomics.and(this.#words, word, ~mask);
      index += count;
    }
  }
}

function allocateWords(bits: number, shared: boolean): Int32Array {
  const bytes = Math.ceil(bits / 32) * 4;
  try {
    return new Int32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  } catch (cause) {
    throw new RangeError(`a bitmap of ${bits} pages cannot be allocated; choose a larger pageSize`, { cause });
  }
}
