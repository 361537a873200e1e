/**
 * Codecs of single integers and floats in the host's byte order, as vm-memory has them, and `inOrder` to state another
 * one. Names of explicit order (`le32`, `be16`) live in @guestmem/memtx. V-1.2, V-1.11, D2.
 */
import { type ByteOrder, ScalarCodec, ScalarKind } from './codec.ts';
import { getScalar, setScalar } from './scalar-access.ts';

/** The byte order of the machine that runs this program; nearly always `little`. */
export const HOST_BYTE_ORDER: ByteOrder = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'little' : 'big';

/**
 * Makes a scalar codec. Prefer the ready-made ones; two codecs of equal contents behave equally but are two objects.
 *
 * @param name for messages and tables.
 * @param kind what the value is; `ScalarKind.OTHER` is refused, build `new ScalarCodec(...)` with your own get and set.
 * @throws {TypeError} `kind` is OTHER or no kind at all.
 */
export function scalarCodec<T>(name: string, kind: ScalarKind, order: ByteOrder): ScalarCodec<T> {
  const size = SIZES[kind];
  if (size === undefined)
    throw new TypeError(`scalarCodec "${name}" needs a kind of ScalarKind other than OTHER, not ${String(kind)}`);
  if (order !== 'little' && order !== 'big')
    throw new TypeError(`byte order must be 'little' or 'big', not ${String(order)}`);
  const codec: ScalarCodec<T> = new ScalarCodec<T>(
    name,
    kind,
    size,
    order === 'little',
    (view, offset) => getScalar(view, offset, codec),
    (view, offset, value) => setScalar(view, offset, codec, value),
  );
  return codec;
}

/**
 * The same codec in a stated byte order. Codecs of one byte have none and come back as they are.
 *
 * @throws {TypeError} a codec of kind OTHER whose order differs: only its author knows how to swap it.
 */
export function inOrder<T>(codec: ScalarCodec<T>, order: ByteOrder): ScalarCodec<T> {
  if (order !== 'little' && order !== 'big')
    throw new TypeError(`byte order must be 'little' or 'big', not ${String(order)}`);
  if (codec.size === 1 || codec.littleEndian === (order === 'little')) return codec;
  if (codec.kind === ScalarKind.OTHER)
    throw new TypeError(`inOrder cannot swap "${codec.name}", a codec of its own kind; make one for ${order} order`);
  const base = codec.name.replace(/\.(?:le|be)$/, '');
  return scalarCodec(
    order === HOST_BYTE_ORDER ? base : `${base}.${order === 'little' ? 'le' : 'be'}`,
    codec.kind,
    order,
  );
}

const SIZES: readonly (1 | 2 | 4 | 8 | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8];

/** One byte, 0 to 0xff. */
export const u8: ScalarCodec<number> = scalarCodec('u8', ScalarKind.U8, HOST_BYTE_ORDER);
/** One byte, -0x80 to 0x7f. */
export const i8: ScalarCodec<number> = scalarCodec('i8', ScalarKind.I8, HOST_BYTE_ORDER);
/** Two bytes, 0 to 0xffff. */
export const u16: ScalarCodec<number> = scalarCodec('u16', ScalarKind.U16, HOST_BYTE_ORDER);
/** Two bytes, -0x8000 to 0x7fff. */
export const i16: ScalarCodec<number> = scalarCodec('i16', ScalarKind.I16, HOST_BYTE_ORDER);
/** Four bytes, 0 to 0xffff_ffff. */
export const u32: ScalarCodec<number> = scalarCodec('u32', ScalarKind.U32, HOST_BYTE_ORDER);
/** Four bytes, -0x8000_0000 to 0x7fff_ffff. */
export const i32: ScalarCodec<number> = scalarCodec('i32', ScalarKind.I32, HOST_BYTE_ORDER);
/** Four bytes, IEEE 754; a value is rounded to the nearest that fits. */
export const f32: ScalarCodec<number> = scalarCodec('f32', ScalarKind.F32, HOST_BYTE_ORDER);
/** Eight bytes, IEEE 754. */
export const f64: ScalarCodec<number> = scalarCodec('f64', ScalarKind.F64, HOST_BYTE_ORDER);
/** Eight bytes, 0 to 2^64 - 1, as a bigint: allocates on every load. */
export const u64: ScalarCodec<bigint> = scalarCodec('u64', ScalarKind.U64, HOST_BYTE_ORDER);
/** Eight bytes, -2^63 to 2^63 - 1, as a bigint: allocates on every load. */
export const i64: ScalarCodec<bigint> = scalarCodec('i64', ScalarKind.I64, HOST_BYTE_ORDER);
/** Eight bytes as a number: 0 to 2^53 - 1, anything else in memory is a RangeError. For addresses and lengths of descriptors. */
export const u64Number: ScalarCodec<number> = scalarCodec('u64Number', ScalarKind.U64_NUMBER, HOST_BYTE_ORDER);
/** Eight bytes as a number: -(2^53 - 1) to 2^53 - 1, anything else in memory is a RangeError. */
export const i64Number: ScalarCodec<number> = scalarCodec('i64Number', ScalarKind.I64_NUMBER, HOST_BYTE_ORDER);
