/** A WebAssembly.Memory as a backing: attached again by itself after the memory has grown. D7. */
import { hex } from './address.ts';
import type { Backing, BackingSegment } from './backing.ts';
import { isShared, segment } from './backing-buffer.ts';
import { badOffset, checkLength } from './backing-check.ts';

/** What is used of a `WebAssembly.Memory`. */
export interface WasmMemoryLike {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

/** Which part of the memory. */
export interface WasmBackingOptions {
  /** First byte in the memory (default 0). */
  readonly offset?: number;
  /** Bytes (default: to the end that the memory has now). */
  readonly length?: number;
}

/**
 * Adopts part of `memory`. Growing the memory, from JavaScript or from inside, detaches its old buffer; the next access
 * finds the new one. The backing keeps its length: to use the added pages, add a region with another backing.
 *
 * @throws {TypeError} no `buffer` in `memory`. @throws {RangeError} the part is empty or not in the memory.
 */
export function wasmBacking(memory: WasmMemoryLike, options: WasmBackingOptions = {}): Backing {
  const buffer: ArrayBuffer | SharedArrayBuffer | undefined = memory?.buffer;
  if (buffer === undefined) throw new TypeError('wasmBacking takes a WebAssembly.Memory');
  const offset = options.offset ?? 0;
  const length = options.length ?? buffer.byteLength - offset;
  if (!Number.isSafeInteger(offset) || offset < 0) throw badOffset(offset, buffer.byteLength);
  checkLength(length, 'length');
  if (offset + length > buffer.byteLength)
    throw new RangeError(
      `offset ${hex(offset)} and length ${hex(length)} end outside the memory of ${hex(buffer.byteLength)} bytes; grow it first`,
    );
  return new WasmBacking(memory, offset, length);
}

class WasmBacking implements Backing {
  readonly length: number;
  readonly shared: boolean;
  /** A shared memory keeps its old buffer valid when it grows. */
  readonly detachable: boolean;
  readonly #memory: WasmMemoryLike;
  readonly #offset: number;
  #segment: BackingSegment;

  constructor(memory: WasmMemoryLike, offset: number, length: number) {
    this.length = length;
    this.shared = isShared(memory.buffer);
    this.detachable = !this.shared;
    this.#memory = memory;
    this.#offset = offset;
    this.#segment = segment(0, new Uint8Array(memory.buffer, offset, length));
  }

  segmentAt(offset: number): BackingSegment {
    if (!(offset >= 0 && offset < this.length && Number.isInteger(offset))) throw badOffset(offset, this.length);
    if (this.#segment.bytes.length === 0) this.#attach();
    return this.#segment;
  }

  #attach(): void {
    this.#segment = segment(0, new Uint8Array(this.#memory.buffer, this.#offset, this.length));
  }
}
