/**
 * Fields of a struct in place. Hot where a device walks a descriptor ring: a property read is one `readObj` at a sum of
 * two numbers and allocates nothing; nested accessors are made once and moved along. V-1.2.
 */
import { type GuestAddress, toAddress } from './address.ts';
import { uncheckedAdd } from './address-math.ts';
import type { ArrayCodec } from './array.ts';
import type { Bytes } from './bytes.ts';
import { type Codec, ScalarCodec, type ValueOf } from './codec.ts';
import type { Ordering } from './ordering.ts';
import { badNumber } from './shown.ts';
import type { StructCodec, StructFields, StructValue } from './struct.ts';

/** What every accessor has beside its fields. */
export interface AccessorControls<F extends StructFields> {
  /** Where it is. */
  readonly $addr: GuestAddress;
  readonly $memory: Bytes<GuestAddress>;
  /** Goes to another address; allocates nothing for safe integers. @returns itself. */
  $move(addr: GuestAddress): this;
  /**
   * A field's value: with an ordering one atomic load of a scalar (an index that another agent publishes), without one
   * any field, nested ones as plain objects.
   */
  $load<K extends keyof F & string>(name: K, ordering?: Ordering): ValueOf<F[K]>;
  /** Sets a field, nested ones as a whole; with an ordering one atomic store of a scalar. */
  $store<K extends keyof F & string>(name: K, value: ValueOf<F[K]>, ordering?: Ordering): void;
}

type PartNames<F extends StructFields> = {
  [K in keyof F]: F[K] extends StructCodec<infer _> ? K : F[K] extends ArrayCodec<infer _> ? K : never;
}[keyof F];

/** What `JSON.stringify` and a debugger's copy ask for. */
export interface PlainCopy<T> {
  /**
   * The value as plain data, read field by field now; nested structs and arrays too. 64-bit integers stay bigints, which
   * `JSON.stringify` refuses: give it a replacer, or `u64Number` as the field's codec. A field named `toJSON` takes its place.
   */
  toJSON(): T;
}

/** Values for scalars, to read and to set; accessors for nested structs and arrays. */
export type StructAccessor<F extends StructFields> = AccessorControls<F> & {
  -readonly [K in Exclude<keyof F, PartNames<F>>]: ValueOf<F[K]>;
} & { readonly [K in PartNames<F>]: FieldAccess<F[K]> } & ('toJSON' extends keyof F
    ? unknown
    : PlainCopy<StructValue<F>>);

/** How a field shows in an accessor. */
export type FieldAccess<C> =
  C extends StructCodec<infer G> ? StructAccessor<G> : C extends ArrayCodec<infer T> ? ArrayAccessor<T> : ValueOf<C>;

/** The elements of an array field, in place. */
export interface ArrayAccessor<T> extends PlainCopy<T[]> {
  readonly length: number;
  /** @throws {RangeError} `index` is not in 0 to length - 1. */
  get(index: number): T;
  /** @throws {RangeError} `index` is not in 0 to length - 1. */
  set(index: number, value: T): void;
}

/** @internal */
export type StructAccessorClass = new (memory: Bytes<GuestAddress>, addr: GuestAddress) => Base;

/** @internal One class per struct, with a getter and setter per field. */
export function makeAccessorClass(
  size: number,
  names: readonly string[],
  codecs: readonly Codec<unknown>[],
  offsets: readonly number[],
): StructAccessorClass {
  const fields = new Map(names.map((name, i) => [name, { codec: codecs[i]!, offset: offsets[i]! }]));
  const made = class extends Base {
    constructor(memory: Bytes<GuestAddress>, addr: GuestAddress) {
      super(memory, size, fields);
      this.$move(addr);
    }
  };
  for (const [name, { codec, offset }] of fields)
    Object.defineProperty(made.prototype, name, { enumerable: true, ...property(name, codec, offset) });
  return made;
}

interface Field {
  readonly codec: Codec<unknown>;
  readonly offset: number;
}

/** All of its own begins with `$`, which fields must not, but `toJSON`, which a field of that name hides. */
class Base {
  readonly $memory: Bytes<GuestAddress>;
  /** The address while it and the end of the struct are safe integers, else -1 and `$big` counts. */
  private $near = 0;
  private $big: bigint = 0n;
  private readonly $size: number;
  private readonly $fields: ReadonlyMap<string, Field>;
  private readonly $nested: Map<string, { $move(addr: GuestAddress): unknown }> = new Map();

  constructor(memory: Bytes<GuestAddress>, size: number, fields: ReadonlyMap<string, Field>) {
    this.$memory = memory;
    this.$size = size;
    this.$fields = fields;
  }

  get $addr(): GuestAddress {
    return this.$near >= 0 ? this.$near : toAddress(this.$big);
  }

  $move(addr: GuestAddress): this {
    if (typeof addr === 'number' && Number.isSafeInteger(addr + this.$size) && addr >= 0 && Number.isInteger(addr))
      this.$near = addr;
    else {
      const start = BigInt(toAddress(addr));
      if (this.$size > 0) uncheckedAdd(addr, this.$size - 1); // refuses what passes the end
      this.$big = start;
      this.$near = this.$big + BigInt(this.$size) <= Number.MAX_SAFE_INTEGER ? Number(this.$big) : -1;
    }
    return this;
  }

  $load(name: string, ordering?: Ordering): unknown {
    const { codec, offset } = this.$field(name);
    if (codec instanceof ScalarCodec) return this.$memory.load(this.$place(offset), codec, ordering);
    if (ordering !== undefined) throw noScalar(name);
    return this.$memory.readObj(this.$place(offset), codec);
  }

  $store(name: string, value: unknown, ordering?: Ordering): void {
    const { codec, offset } = this.$field(name);
    if (codec instanceof ScalarCodec) this.$memory.store(this.$place(offset), codec, value, ordering);
    else if (ordering !== undefined) throw noScalar(name);
    else this.$memory.writeObj(this.$place(offset), codec, value);
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries([...this.$fields.keys()].map((name) => [name, this.$load(name)]));
  }

  /** @internal Address of a field. */
  $place(offset: number): GuestAddress {
    return this.$near >= 0 ? this.$near + offset : toAddress(this.$big + BigInt(offset));
  }

  /** @internal The accessor of a nested field, made once and moved to where the field is now. */
  $child(name: string, offset: number, codec: StructCodec<StructFields> | ArrayCodec<unknown>): unknown {
    const at = this.$place(offset);
    const found = this.$nested.get(name);
    if (found !== undefined) return found.$move(at);
    const made = isStruct(codec) ? codec.accessor(this.$memory, at) : new Elements(this.$memory, codec, at);
    this.$nested.set(name, made);
    return made;
  }

  private $field(name: string): Field {
    const field = this.$fields.get(name);
    if (field === undefined)
      throw new TypeError(`no field "${name}"; there are ${[...this.$fields.keys()].join(', ')}`);
    return field;
  }
}

class Elements {
  readonly length: number;
  readonly #memory: Bytes<GuestAddress>;
  readonly #codec: Codec<unknown>;
  #addr: GuestAddress;

  constructor(memory: Bytes<GuestAddress>, codec: ArrayCodec<unknown>, addr: GuestAddress) {
    this.#memory = memory;
    this.#codec = codec.element;
    this.length = codec.length;
    this.#addr = addr;
  }

  $move(addr: GuestAddress): this {
    this.#addr = addr;
    return this;
  }

  get(index: number): unknown {
    return this.#memory.readObj(this.#place(index), this.#codec);
  }

  set(index: number, value: unknown): void {
    this.#memory.writeObj(this.#place(index), this.#codec, value);
  }

  toJSON(): unknown[] {
    return Array.from({ length: this.length }, (_, index) => this.get(index));
  }

  #place(index: number): GuestAddress {
    if (!(Number.isInteger(index) && index >= 0 && index < this.length))
      throw badNumber(`index must be 0 to ${this.length - 1}`, index);
    return uncheckedAdd(this.#addr, index * this.#codec.size);
  }
}

function noScalar(name: string): TypeError {
  return new TypeError(`"${name}" is no scalar field; only those can be accessed with an ordering`);
}

/** By what they have: one of another copy of this package is no instance, and a field set by way of its plain value would be lost. */
function isStruct(codec: Codec<unknown>): codec is StructCodec<StructFields> {
  return typeof (codec as Partial<StructCodec<StructFields>>).accessor === 'function';
}

function isArray(codec: Codec<unknown>): codec is ArrayCodec<unknown> {
  const { element, withOrder } = codec as Partial<ArrayCodec<unknown>>;
  return element !== undefined && withOrder !== undefined;
}

function property(name: string, codec: Codec<unknown>, offset: number): PropertyDescriptor {
  if (isStruct(codec) || isArray(codec))
    return {
      get(this: Base) {
        return this.$child(name, offset, codec);
      },
    };
  return {
    get(this: Base) {
      return this.$memory.readObj(this.$place(offset), codec);
    },
    set(this: Base, value: unknown) {
      this.$memory.writeObj(this.$place(offset), codec, value);
    },
  };
}
