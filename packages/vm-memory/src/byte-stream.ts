/** Sources and sinks over plain bytes: the slices, vectors and cursors that vm-memory implements its traits for. V-1.5. */
import { endOfSource, fullSink } from './bytes-check.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import type { OwnBytes } from './own-bytes.ts';
import type { VolatileSlice } from './volatile-slice.ts';

/** Reads bytes from a position on: `&[u8]` and `Cursor` in Rust. */
export class ByteSource implements ReadVolatile {
  readonly bytes: Uint8Array;
  /** Next byte; 0 to `bytes.length`. */
  position: number;

  /** @param bytes kept, not copied. */
  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return Math.max(0, this.bytes.length - this.position);
  }

  readVolatile(into: Uint8Array): number {
    const n = Math.min(into.length, this.remaining);
    into.set(this.bytes.subarray(this.position, this.position + n));
    this.position += n;
    return n;
  }
}

/** Writes into bytes from a position on, as far as they go: `&mut [u8]` and `Cursor<&mut [u8]>` in Rust. */
export class ByteSink implements WriteVolatile {
  readonly bytes: Uint8Array;
  /** Next byte; 0 to `bytes.length`. */
  position: number;

  /** @param bytes kept and written to. */
  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  writeVolatile(from: Uint8Array): number {
    const n = Math.min(from.length, Math.max(0, this.bytes.length - this.position));
    this.bytes.set(from.subarray(0, n), this.position);
    this.position += n;
    return n;
  }
}

/** Takes all it is given and grows: `Vec<u8>` in Rust. */
export class GrowingSink implements WriteVolatile {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** Bytes taken. */
  get length(): number {
    return this.#length;
  }

  writeVolatile(from: Uint8Array): number {
    const length = this.#length + from.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(from, this.#length);
    this.#length = length;
    return from.length;
  }

  /** A copy of what was taken. */
  toBytes(): OwnBytes {
    return this.#bytes.slice(0, this.#length);
  }
}

/**
 * Fills all of `slice`, calling `src` as often as that takes. A ByteSource that has too little left is refused before a
 * byte moves; from others what came is in memory, and marked.
 *
 * @throws {GuestMemoryError} `io-error`: the source ended before.
 */
export function readExactVolatile(src: ReadVolatile, slice: VolatileSlice): void {
  if (src instanceof ByteSource && src.remaining < slice.length) throw endOfSource(0, slice.length, 0);
  slice.readExactVolatileFrom(0, src, slice.length);
}

/** Gives all of `slice` to `dst`. @throws {GuestMemoryError} `io-error`: it took less, and keeps what it took. */
export function writeAllVolatile(dst: WriteVolatile, slice: VolatileSlice): void {
  let done = 0;
  while (done < slice.length) {
    const moved = slice.writeVolatileTo(done, dst, slice.length - done);
    if (moved === 0) throw fullSink(0, slice.length, done);
    done += moved;
  }
}
