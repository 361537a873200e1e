/** Backings that are there from the start: fresh zeros, adopted buffers, and several buffers end to end. D7. */
import { hex } from './address.ts';
import type { Backing, BackingSegment } from './backing.ts';
import { badOffset, checkLength } from './backing-check.ts';
import { tagOf } from './shown.ts';

/** What `bufferBacking` takes instead of a length: memory that somebody else made. It is adopted, never copied. */
export type AdoptableBuffer = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

/** How `bufferBacking` allocates. */
export interface BufferBackingOptions {
  /** Allocate a SharedArrayBuffer, so that workers can use it (default false). Adopted buffers are what they are. */
  readonly shared?: boolean;
}

/**
 * One buffer as a backing. With a length it is allocated, full of zeros; with a buffer or a view of one (a Uint8Array
 * window, a Node Buffer, a DataView) those very bytes are adopted and stay the caller's too.
 *
 * @throws {TypeError} neither of these, or a resizable or growable buffer: pass a fixed-length one (memory is added by
 *   adding a region); for WebAssembly.Memory use `wasmBacking`.
 * @throws {RangeError} the length is not an integer in 1 to 2^53 - 1, or the engine cannot allocate it; use `sparseBacking` for large guests.
 */
export function bufferBacking(source: number | AdoptableBuffer, options: BufferBackingOptions = {}): Backing {
  if (typeof source === 'number') return new BufferBacking(allocate(source, options.shared ?? false));
  return new BufferBacking(adopt(source));
}

/**
 * Several buffers end to end, as one backing: more than one buffer can hold, or memory that comes in pieces. Shared if
 * all of them are.
 *
 * @throws {RangeError} no parts; an empty part; a part other than the last whose length is no multiple of 8.
 * @throws {TypeError} as `bufferBacking`.
 */
export function segmentedBacking(parts: readonly AdoptableBuffer[]): Backing {
  if (parts.length === 0) throw new RangeError('segmentedBacking needs at least one buffer');
  return new SegmentedBacking(parts.map(adopt));
}

class BufferBacking implements Backing {
  readonly length: number;
  readonly shared: boolean;
  readonly whole: BackingSegment;

  constructor(bytes: Uint8Array) {
    checkLength(bytes.length, 'buffer');
    this.length = bytes.length;
    this.shared = isShared(bytes.buffer);
    this.whole = segment(0, bytes);
  }

  segmentAt(offset: number): BackingSegment {
    if (!(offset >= 0 && offset < this.length && Number.isInteger(offset))) throw badOffset(offset, this.length);
    return this.whole;
  }
}

class SegmentedBacking implements Backing {
  readonly length: number;
  readonly shared: boolean;
  readonly #segments: readonly BackingSegment[];
  #last = 0;

  constructor(parts: readonly Uint8Array[]) {
    let start = 0;
    this.#segments = parts.map((bytes, index) => {
      checkLength(bytes.length, `buffer ${index}`);
      if (bytes.length % 8 !== 0 && index < parts.length - 1)
        throw new RangeError(`buffer ${index} has ${hex(bytes.length)} bytes; all but the last need a multiple of 8`);
      const made = segment(start, bytes);
      start += bytes.length;
      return made;
    });
    this.length = checkLength(start, 'the sum of the buffers');
    this.shared = parts.every((bytes) => isShared(bytes.buffer));
  }

  segmentAt(offset: number): BackingSegment {
    if (!(offset >= 0 && offset < this.length && Number.isInteger(offset))) throw badOffset(offset, this.length);
    let found = this.#segments[this.#last]!;
    if (offset >= found.start && offset - found.start < found.bytes.length) return found;
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#segments[middle]!.start <= offset) low = middle;
      else high = middle - 1;
    }
    this.#last = low;
    found = this.#segments[low]!;
    return found;
  }
}

/** A segment of `bytes` at `start`. */
export function segment(start: number, bytes: Uint8Array): BackingSegment {
  return { start, bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** `length` zeros. @throws {RangeError} what the engine cannot allocate. */
export function allocate(length: number, shared: boolean): Uint8Array {
  checkLength(length, 'length');
  try {
    return new Uint8Array(shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length));
  } catch (cause) {
    throw new RangeError(
      `this engine cannot allocate one buffer of ${hex(length)} bytes; use sparseBacking or segmentedBacking`,
      { cause },
    );
  }
}

/** Also where the engine has no SharedArrayBuffer. */
export function isShared(buffer: ArrayBufferLike): boolean {
  return tagOf(buffer) === '[object SharedArrayBuffer]';
}

function adopt(source: AdoptableBuffer): Uint8Array {
  let bytes: Uint8Array;
  if (ArrayBuffer.isView(source)) bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  else if (tagOf(source) === '[object ArrayBuffer]' || isShared(source)) bytes = new Uint8Array(source);
  else
    throw new TypeError(
      'a backing takes a length, an ArrayBuffer, a SharedArrayBuffer or a view of one; for WebAssembly.Memory use wasmBacking',
    );
  const { resizable, growable } = bytes.buffer as { readonly resizable?: boolean; readonly growable?: boolean };
  if (resizable === true || growable === true)
    throw new TypeError('a backing cannot resize: pass a fixed-length buffer, and add a region to add memory');
  return bytes;
}
