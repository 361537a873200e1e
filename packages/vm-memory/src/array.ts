/** Codecs of several values of one kind end to end, and of raw bytes: parts of structs, or objects of their own. V-1.2. */
import type { ByteOrder, Codec } from './codec.ts';
import { alignOf, partCodec, putPart, reorder, takePart } from './layout.ts';
import { badNumber } from './shown.ts';

/** `length` values of `element`. Its value is an array of exactly that length. */
export class ArrayCodec<T> implements Codec<T[]> {
  readonly element: Codec<T>;
  readonly length: number;
  readonly size: number;
  /** What a C compiler would align it to. */
  readonly align: number;
  readonly checksFirst: boolean;

  /** @hideconstructor Made by `array`. */
  constructor(element: Codec<T>, length: number) {
    this.element = partCodec(element);
    this.length = length;
    this.size = element.size * length;
    this.align = alignOf(this.element);
    this.checksFirst = this.element.checksFirst === true;
  }

  get(view: DataView, offset: number): T[] {
    const values: T[] = [];
    for (let i = 0; i < this.length; i++) values.push(this.element.get(view, offset + i * this.element.size));
    return values;
  }

  set(view: DataView, offset: number, value: T[]): void {
    this.put(view, offset, this.take(value));
  }

  /** @internal @throws {TypeError} no array. @throws {RangeError} another length, or as the element says. */
  take(value: T[]): readonly unknown[] {
    if (!Array.isArray(value))
      throw new TypeError(`an array field takes an array of ${this.length}, not ${typeof value}`);
    if (value.length !== this.length)
      throw new RangeError(`an array field takes exactly ${this.length} elements, not ${value.length}`);
    const taken: unknown[] = [];
    for (let i = 0; i < this.length; i++) taken.push(takePart(this.element, value[i] as T, i));
    return taken;
  }

  /** @internal */
  put(view: DataView, offset: number, taken: readonly unknown[]): void {
    for (let i = 0; i < this.length; i++) putPart(this.element, view, offset + i * this.element.size, taken[i]);
  }

  /** @internal */
  withOrder(order: ByteOrder): ArrayCodec<T> {
    return new ArrayCodec(reorder(this.element, order), this.length);
  }
}

/** `length` bytes as they are. Its value is a Uint8Array of exactly that length; reading copies. */
export class BytesCodec implements Codec<Uint8Array> {
  readonly size: number;
  readonly align: number = 1;
  readonly checksFirst: boolean = true;

  /** @hideconstructor Made by `byteArray`. */
  constructor(length: number) {
    this.size = length;
  }

  get(view: DataView, offset: number): Uint8Array {
    return new Uint8Array(view.buffer, view.byteOffset + offset, this.size).slice();
  }

  set(view: DataView, offset: number, value: Uint8Array): void {
    this.check(value);
    new Uint8Array(view.buffer, view.byteOffset + offset, this.size).set(value);
  }

  /** @throws {TypeError} no Uint8Array. @throws {RangeError} another length. */
  check(value: Uint8Array): void {
    if (!(ArrayBuffer.isView(value) && value.BYTES_PER_ELEMENT === 1))
      throw new TypeError(`a byte array field takes a Uint8Array of ${this.size}, not ${typeof value}`);
    if (value.length !== this.size)
      throw new RangeError(`a byte array field takes exactly ${this.size} bytes, not ${value.length}`);
  }
}

/**
 * `length` values of `element`, end to end. 0 is allowed: the flexible array member at the end of a C struct.
 *
 * @throws {RangeError} `length` is not an integer in 0 to 2^32 - 1.
 */
export function array<T>(element: Codec<T>, length: number): ArrayCodec<T> {
  return new ArrayCodec(element, checked(length));
}

/** `length` raw bytes. @throws {RangeError} `length` is not an integer in 0 to 2^32 - 1. */
export function byteArray(length: number): BytesCodec {
  return new BytesCodec(checked(length));
}

function checked(length: number): number {
  if (Number.isInteger(length) && length >= 0 && length <= 0xffff_ffff) return length;
  throw badNumber('length must be an integer in 0 to 0xffffffff', length);
}
