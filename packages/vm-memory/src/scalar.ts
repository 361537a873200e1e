/**
 * Codecs of single integers and floats in the host's byte order, as vm-memory has them, and `inOrder` to state another
 * one. Names of explicit order (`le32`, `be16`) live in @guestmem/memtx. V-1.2, V-1.11, D2.
 */
import type { GuestAddress } from './address.ts';
import { type ByteOrder, ScalarCodec, type ScalarInfo, ScalarKind } from './codec.ts';
import {
  F32_SHAPE,
  F64_SHAPE,
  I8_SHAPE,
  I16_SHAPE,
  I32_SHAPE,
  I64_NUMBER_SHAPE,
  I64_SHAPE,
  type ScalarShape,
  U8_SHAPE,
  U16_SHAPE,
  U32_SHAPE,
  U64_ADDRESS_SHAPE,
  U64_NUMBER_SHAPE,
  U64_SHAPE,
} from './scalar-shapes.ts';
import { shown } from './shown.ts';

/** The byte order of the machine that runs this program; nearly always `little`. */
export const HOST_BYTE_ORDER: ByteOrder = /* @__PURE__ */ hostByteOrder();

/**
 * Makes a scalar codec. Prefer the ready-made ones; two codecs of equal contents behave equally but are two objects.
 *
 * @param name for messages and tables.
 * @param shape what the value is: `U32_SHAPE`, ...; for a kind of your own, `new ScalarCodec(...)`.
 */
export function scalarCodec<T>(name: string, shape: ScalarShape<T>, order: ByteOrder): ScalarCodec<T> {
  return new ScalarCodec<T>(name, shape.kind, shape.size, order === 'little', shape.get, shape.set);
}

/**
 * The same codec in a stated byte order, which it keeps in a struct that is given another one. Codecs of one byte have none and come
 * back as they are.
 *
 * @throws {TypeError} no scalar codec: structs and arrays take `{ order }`; a codec of kind OTHER whose order differs: only
 *   its author knows how to swap it.
 */
export function inOrder<T>(codec: ScalarCodec<T>, order: ByteOrder): ScalarCodec<T> {
  if (order !== 'little' && order !== 'big')
    throw new TypeError(`byte order must be 'little' or 'big', not ${String(order)}`);
  if (typeof (codec as ScalarCodec<T> | undefined)?.kind !== 'number') throw noScalarCodec(codec, order);
  if (codec.size === 1) return codec;
  if (codec.littleEndian === (order === 'little') && !statesNoOrder(codec)) return codec;
  if (codec.kind === ScalarKind.OTHER)
    throw new TypeError(`inOrder cannot swap "${codec.name}", a codec of its own kind; make one for ${order} order`);
  const base = codec.name.replace(/\.(?:le|be)$/, '');
  const name = `${base}.${order === 'little' ? 'le' : 'be'}`;
  return scalarCodec(name, SHAPES[codec.kind] as unknown as ScalarShape<T>, order);
}

/** Is it one of the codecs below, of this copy of the package or of another one: in the host's order because nobody said which? */
export function statesNoOrder(codec: ScalarInfo): boolean {
  return codec.name === NAMES[codec.kind] && codec.littleEndian === (HOST_BYTE_ORDER === 'little');
}

function noScalarCodec(given: unknown, order: ByteOrder): TypeError {
  return new TypeError(
    `inOrder takes a scalar codec such as u32, not ${shown(given)}; a struct is given its order as it is made: struct(fields, { order: '${order}' })`,
  );
}

/** What the codecs below are called, by kind. */
const NAMES: readonly string[] = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'f64',
  'u64Number',
  'i64Number',
  'u64',
  'i64',
  'u64Address',
];

/** By kind. */
const SHAPES: readonly ScalarShape<never>[] = [
  U8_SHAPE,
  I8_SHAPE,
  U16_SHAPE,
  I16_SHAPE,
  U32_SHAPE,
  I32_SHAPE,
  F32_SHAPE,
  F64_SHAPE,
  U64_NUMBER_SHAPE,
  I64_NUMBER_SHAPE,
  U64_SHAPE,
  I64_SHAPE,
  U64_ADDRESS_SHAPE,
] as unknown as readonly ScalarShape<never>[];

function hostByteOrder(): ByteOrder {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'little' : 'big';
}

/** One byte, 0 to 0xff. */
export const u8: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('u8', U8_SHAPE, HOST_BYTE_ORDER);
/** One byte, -0x80 to 0x7f. */
export const i8: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('i8', I8_SHAPE, HOST_BYTE_ORDER);
/** Two bytes, 0 to 0xffff. */
export const u16: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('u16', U16_SHAPE, HOST_BYTE_ORDER);
/** Two bytes, -0x8000 to 0x7fff. */
export const i16: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('i16', I16_SHAPE, HOST_BYTE_ORDER);
/** Four bytes, 0 to 0xffff_ffff. */
export const u32: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('u32', U32_SHAPE, HOST_BYTE_ORDER);
/** Four bytes, -0x8000_0000 to 0x7fff_ffff. */
export const i32: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('i32', I32_SHAPE, HOST_BYTE_ORDER);
/** Four bytes, IEEE 754; a value is rounded to the nearest that fits. */
export const f32: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('f32', F32_SHAPE, HOST_BYTE_ORDER);
/** Eight bytes, IEEE 754. */
export const f64: ScalarCodec<number> = /* @__PURE__ */ scalarCodec('f64', F64_SHAPE, HOST_BYTE_ORDER);
/** Eight bytes, 0 to 2^64 - 1, as a bigint: allocates on every load. */
export const u64: ScalarCodec<bigint> = /* @__PURE__ */ scalarCodec('u64', U64_SHAPE, HOST_BYTE_ORDER);
/** Eight bytes, -2^63 to 2^63 - 1, as a bigint: allocates on every load. */
export const i64: ScalarCodec<bigint> = /* @__PURE__ */ scalarCodec('i64', I64_SHAPE, HOST_BYTE_ORDER);
/** Eight bytes as a number: 0 to 2^53 - 1, anything else in memory is a RangeError. Not for what a guest fills in: `u64Address`, `u64`. */
export const u64Number: ScalarCodec<number> = /* @__PURE__ */ scalarCodec(
  'u64Number',
  U64_NUMBER_SHAPE,
  HOST_BYTE_ORDER,
);
/** Eight bytes as a number: -(2^53 - 1) to 2^53 - 1, anything else in memory is a RangeError. */
export const i64Number: ScalarCodec<number> = /* @__PURE__ */ scalarCodec(
  'i64Number',
  I64_NUMBER_SHAPE,
  HOST_BYTE_ORDER,
);
/**
 * Eight bytes as a guest address, 0 to 2^64 - 1: a number up to 2^53 - 1, from there on a bigint. Every value loads, so that it is for
 * what a guest fills in: addresses, lengths. Takes numbers and bigints.
 */
export const u64Address: ScalarCodec<GuestAddress> = /* @__PURE__ */ scalarCodec(
  'u64Address',
  U64_ADDRESS_SHAPE,
  HOST_BYTE_ORDER,
);
