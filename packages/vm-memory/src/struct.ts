/**
 * Declared layouts: what a `ByteValued` struct is in Rust. A struct is a codec, so `readObj`, `writeObj`, refs, arrays and
 * other structs take it; `accessor` gives its fields in place, without an object per read (struct-accessor.ts). V-1.2.
 */
import type { GuestAddress } from './address.ts';
import type { Bytes } from './bytes.ts';
import type { ByteOrder, Codec, ValueOf } from './codec.ts';
import { alignOf, partCodec, putPart, reorder, takePart } from './layout.ts';
import { makeAccessorClass, type StructAccessor, type StructAccessorClass } from './struct-accessor.ts';

/** Names and codecs of the fields, in memory order. */
// biome-ignore lint/suspicious/noExplicitAny: a field may be of any type, and Codec is invariant in it
export type StructFields = Readonly<Record<string, Codec<any>>>;

/** The plain object that a struct reads and writes. */
export type StructValue<F extends StructFields> = { -readonly [K in keyof F]: ValueOf<F[K]> };

/** How a struct is laid out. */
export interface StructOptions {
  /**
   * `c` (default): fields and size aligned as a C compiler does; `packed`: no gaps. Gaps read as nothing. Written in place, as
   * RAM is inside one buffer, they keep their bytes; else they are written as zeros.
   */
  readonly layout?: 'c' | 'packed';
  /**
   * Byte order of the fields that state none: native codecs (u32, ...) and structs and arrays of them. Default: the host's.
   * A field with an order of its own (le32, inOrder(u32, 'big')) keeps it, also where it is the host's.
   */
  readonly order?: ByteOrder;
}

/** A codec of named fields. */
export class StructCodec<F extends StructFields> implements Codec<StructValue<F>> {
  readonly size: number;
  readonly align: number;
  readonly checksFirst: boolean;
  /** The fields' codecs, in their final byte order. */
  readonly fields: F;
  readonly #names: readonly string[];
  readonly #codecs: readonly Codec<unknown>[];
  readonly #offsets: readonly number[];
  readonly #options: StructOptions;
  #accessor: StructAccessorClass | undefined;

  /** @hideconstructor Made by `struct`. */
  constructor(fields: F, options: StructOptions) {
    const { layout = 'c', order } = options;
    if (layout !== 'c' && layout !== 'packed')
      throw new TypeError(`layout must be 'c' or 'packed', not ${String(layout)}`);
    this.#options = options;
    this.#names = Object.keys(fields);
    this.#codecs = this.#names.map((name) => fieldCodec(name, fields[name], order));
    this.fields = Object.fromEntries(this.#names.map((name, i) => [name, this.#codecs[i]])) as unknown as F;
    let end = 0;
    let align = 1;
    this.#offsets = this.#codecs.map((codec) => {
      const step = layout === 'c' ? alignOf(codec) : 1;
      const offset = Math.ceil(end / step) * step;
      end = offset + codec.size;
      align = Math.max(align, step);
      return offset;
    });
    this.align = align;
    this.checksFirst = this.#codecs.every((codec) => codec.checksFirst === true);
    this.size = Math.ceil(end / align) * align;
  }

  /** Byte of the field from the start of the struct. @throws {RangeError} no such field. */
  offsetOf(name: keyof F & string): number {
    const offset = this.#offsets[this.#names.indexOf(name)];
    if (offset === undefined) throw new RangeError(`no field "${name}"; there are ${this.#names.join(', ')}`);
    return offset;
  }

  get(view: DataView, offset: number): StructValue<F> {
    const names = this.#names;
    const codecs = this.#codecs;
    const offsets = this.#offsets;
    const value: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) value[names[i]!] = codecs[i]!.get(view, offset + offsets[i]!);
    return value as StructValue<F>;
  }

  /** Reads and checks all fields, then writes them. Gaps keep what they hold, or are zeros, as StructOptions says. */
  set(view: DataView, offset: number, value: StructValue<F>): void {
    this.put(view, offset, this.take(value));
  }

  /** @internal @throws {TypeError | RangeError} a field is missing or not one of its codec's; the message names it. */
  take(value: StructValue<F>): readonly unknown[] {
    if (typeof value !== 'object' || value === null)
      throw new TypeError(`a struct takes an object with ${this.#names.join(', ')}, not ${String(value)}`);
    const names = this.#names;
    const codecs = this.#codecs;
    const taken: unknown[] = [];
    for (let i = 0; i < names.length; i++) taken.push(takePart(codecs[i]!, value[names[i]!], names[i]!));
    return taken;
  }

  /** @internal */
  put(view: DataView, offset: number, taken: readonly unknown[]): void {
    const codecs = this.#codecs;
    const offsets = this.#offsets;
    for (let i = 0; i < codecs.length; i++) putPart(codecs[i]!, view, offset + offsets[i]!, taken[i]);
  }

  /**
   * The struct at `addr` of `memory`, live: reading a property reads guest memory, setting one writes it. One accessor
   * serves a whole ring: `$move` it from entry to entry, nothing is allocated.
   *
   * @throws {TypeError | RangeError} `addr` is no address, or the struct passes 2^64 - 1 there.
   */
  accessor(memory: Bytes<GuestAddress>, addr: GuestAddress): StructAccessor<F> {
    this.#accessor ??= makeAccessorClass(this.size, this.#names, this.#codecs, this.#offsets);
    return new this.#accessor(memory, addr) as unknown as StructAccessor<F>;
  }

  /** @internal The same struct with `order` for fields that state none; unchanged if it states one itself. */
  withOrder(order: ByteOrder): StructCodec<F> {
    if (this.#options.order !== undefined) return this;
    return new StructCodec(this.fields, { ...this.#options, order });
  }
}

/**
 * Declares a struct.
 *
 * @param fields names and codecs in memory order; nested structs and arrays too. Names must not be integers (JavaScript
 *   would reorder them) nor begin with `$`.
 * @throws {TypeError} a field is no codec, or has such a name.
 */
export function struct<F extends StructFields>(fields: F, options: StructOptions = {}): StructCodec<F> {
  return new StructCodec(fields, options);
}

function fieldCodec(name: string, codec: Codec<unknown> | undefined, order: ByteOrder | undefined): Codec<unknown> {
  if (/^(?:\d|\$|__proto__$)/.test(name))
    throw new TypeError(`field "${name}" must not begin with a digit or $, nor be __proto__; rename it`);
  if (typeof codec?.get !== 'function' || typeof codec.set !== 'function' || !Number.isInteger(codec.size))
    throw new TypeError(`field "${name}" needs a codec, for example u32, array(u8, 4) or another struct`);
  const part = partCodec(codec);
  return order === undefined ? part : reorder(part, order);
}
