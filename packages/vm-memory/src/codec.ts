/**
 * What `ByteValued` is in Rust: how a value of a fixed size lies in bytes. `ScalarCodec` is the kind that load, store
 * and devices take (1, 2, 4 or 8 bytes in one access); structs and arrays are `Codec`s of any size (struct.ts).
 * Hot: `kind`, `size` and `littleEndian` are read on every access, so every ScalarCodec has the same shape. V-1.2, D2.
 */

/** How a value of type `T` lies in `size` bytes. Stateless; used from any agent. */
export interface Codec<T> {
  /** Bytes, 0 and more. */
  readonly size: number;
  /** Decodes the value at `offset` of `view`. */
  get(view: DataView, offset: number): T;
  /** Encodes `value` at `offset` of `view`. @throws {TypeError | RangeError} `value` is not one of this codec's. */
  set(view: DataView, offset: number, value: T): void;
  /**
   * Does `set` refuse a value before it writes a byte of it? Then it may be given guest memory itself; otherwise it is
   * given a buffer, so that half a value is never seen. A ScalarCodec always does.
   */
  readonly checksFirst?: boolean;
}

/** The type of a codec's values. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** `little`: the least significant byte lies at the lowest address. */
export type ByteOrder = 'little' | 'big';

/** What a ScalarCodec's value is. The hot paths switch on this number; OTHER goes through `get` and `set`. */
export const ScalarKind = {
  U8: 0,
  I8: 1,
  U16: 2,
  I16: 3,
  U32: 4,
  I32: 5,
  F32: 6,
  F64: 7,
  /** 64 bits, unsigned, as a number; a value that is not a safe integer is refused. */
  U64_NUMBER: 8,
  /** 64 bits, signed, as a number; a value that is not a safe integer is refused. */
  I64_NUMBER: 9,
  U64: 10,
  I64: 11,
  /** 64 bits, unsigned, as a guest address: a number where it is a safe integer, else a bigint. */
  U64_ADDRESS: 12,
  OTHER: 13,
} as const;
export type ScalarKind = (typeof ScalarKind)[keyof typeof ScalarKind];

/** What a ScalarCodec tells about itself, whatever its type of value. */
export interface ScalarInfo {
  readonly name: string;
  readonly kind: ScalarKind;
  readonly size: number;
  readonly littleEndian: boolean;
}

/** A codec of 1, 2, 4 or 8 bytes in a stated byte order: what one load or store moves. */
export class ScalarCodec<T> implements Codec<T>, ScalarInfo {
  /** For messages and tables: `le32`, `u8`, ... */
  readonly name: string;
  readonly kind: ScalarKind;
  /** Bytes: 1, 2, 4 or 8. */
  readonly size: number;
  readonly littleEndian: boolean;
  readonly get: (view: DataView, offset: number) => T;
  readonly set: (view: DataView, offset: number, value: T) => void;

  constructor(
    name: string,
    kind: ScalarKind,
    size: 1 | 2 | 4 | 8,
    littleEndian: boolean,
    get: (view: DataView, offset: number) => T,
    set: (view: DataView, offset: number, value: T) => void,
  ) {
    this.name = name;
    this.kind = kind;
    this.size = size;
    this.littleEndian = littleEndian;
    this.get = get;
    this.set = set;
  }

  /** Always. Of the class, not of the object: asked on hot paths, and costs nothing there. */
  get checksFirst(): boolean {
    return true;
  }
}
