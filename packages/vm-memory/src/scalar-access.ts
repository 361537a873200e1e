/**
 * Hot. One scalar in or out of a DataView, by the codec's kind: the innermost step of every load and store. Allocates
 * nothing except the bigint of 64-bit bigint codecs. The cases are literals (their names beside them), because a switch
 * over small literals becomes a jump table. V-1.3, D2.
 */
import type { ScalarCodec, ScalarShape } from './codec.ts';
import { badScalarValue, unsafeScalar } from './scalar-value.ts';

/** Decodes; the caller has checked that `codec.size` bytes at `offset` are in `view`. @throws {RangeError} a 64-bit number codec met an unsafe integer. */
export function getScalar<T>(view: DataView, offset: number, codec: ScalarCodec<T>): T {
  switch (codec.kind) {
    case 0: // U8
      return view.getUint8(offset) as T;
    case 2: // U16
      return view.getUint16(offset, codec.littleEndian) as T;
    case 4: // U32
      return view.getUint32(offset, codec.littleEndian) as T;
    case 8: {
      // U64_NUMBER
      const high = view.getUint32(codec.littleEndian ? offset + 4 : offset, codec.littleEndian);
      if (high > 0x1f_ffff) throw unsafeU64(view, offset, codec.littleEndian);
      return (high * 0x1_0000_0000 + view.getUint32(codec.littleEndian ? offset : offset + 4, codec.littleEndian)) as T;
    }
    default:
      return getOther(view, offset, codec);
  }
}

/** Encodes after checking `value`; nothing is written when it throws. @throws {TypeError | RangeError} not a value of this codec. */
export function setScalar<T>(view: DataView, offset: number, codec: ScalarCodec<T>, value: T): void {
  switch (codec.kind) {
    case 0: {
      const n = value as number;
      if (typeof n !== 'number' || (n & 0xff) !== n) throw badScalarValue(codec, value);
      view.setUint8(offset, n);
      return;
    }
    case 2: {
      const n = value as number;
      if (typeof n !== 'number' || (n & 0xffff) !== n) throw badScalarValue(codec, value);
      view.setUint16(offset, n, codec.littleEndian);
      return;
    }
    case 4: {
      const n = value as number;
      if (typeof n !== 'number' || n >>> 0 !== n) throw badScalarValue(codec, value);
      view.setUint32(offset, n, codec.littleEndian);
      return;
    }
    default:
      setOther(view, offset, codec, value);
  }
}

/** Would `setScalar` take `value`? For callers that must refuse before they move anything. */
export function checkScalar<T>(codec: ScalarCodec<T>, value: T): void {
  if (!isScalarValue(codec, value)) throw badScalarValue(codec, value);
}

function unsafeU64(view: DataView, offset: number, littleEndian: boolean): RangeError {
  return unsafeScalar('u64', view.getBigUint64(offset, littleEndian));
}

function getOther<T>(view: DataView, offset: number, codec: ScalarCodec<T>): T {
  const littleEndian = codec.littleEndian;
  switch (codec.kind) {
    case 1: // I8
      return view.getInt8(offset) as T;
    case 3: // I16
      return view.getInt16(offset, littleEndian) as T;
    case 5: // I32
      return view.getInt32(offset, littleEndian) as T;
    case 6: // F32
      return view.getFloat32(offset, littleEndian) as T;
    case 7: // F64
      return view.getFloat64(offset, littleEndian) as T;
    case 9: // I64_NUMBER
      return getI64Number(view, offset, littleEndian) as T;
    case 10: // U64
      return view.getBigUint64(offset, littleEndian) as T;
    case 11: // I64
      return view.getBigInt64(offset, littleEndian) as T;
    default:
      return codec.get(view, offset);
  }
}

function getI64Number(view: DataView, offset: number, littleEndian: boolean): number {
  const low = view.getUint32(littleEndian ? offset : offset + 4, littleEndian);
  const high = view.getInt32(littleEndian ? offset + 4 : offset, littleEndian);
  // -2^53 itself (high -0x20_0000, low 0) is not a safe integer.
  if (high > 0x1f_ffff || high < -0x20_0000 || (high === -0x20_0000 && low === 0))
    throw unsafeScalar('i64', view.getBigInt64(offset, littleEndian));
  return high * 0x1_0000_0000 + low;
}

function setOther<T>(view: DataView, offset: number, codec: ScalarCodec<T>, value: T): void {
  if (!isScalarValue(codec, value)) throw badScalarValue(codec, value);
  const littleEndian = codec.littleEndian;
  const n = value as number;
  switch (codec.kind) {
    case 1:
      view.setInt8(offset, n);
      return;
    case 3:
      view.setInt16(offset, n, littleEndian);
      return;
    case 5:
      view.setInt32(offset, n, littleEndian);
      return;
    case 6:
      view.setFloat32(offset, n, littleEndian);
      return;
    case 7:
      view.setFloat64(offset, n, littleEndian);
      return;
    case 8:
    case 9:
      view.setUint32(littleEndian ? offset : offset + 4, n >>> 0, littleEndian);
      view.setInt32(littleEndian ? offset + 4 : offset, Math.floor(n / 0x1_0000_0000), littleEndian);
      return;
    case 10:
      view.setBigUint64(offset, value as bigint, littleEndian);
      return;
    case 11:
      view.setBigInt64(offset, value as bigint, littleEndian);
      return;
    default:
      codec.set(view, offset, value);
  }
}

/** OTHER answers true: its own `set` is the judge. */
function isScalarValue(codec: ScalarShape, value: unknown): boolean {
  const n = value as number;
  const isNumber = typeof value === 'number';
  switch (codec.kind) {
    case 0:
      return isNumber && (n & 0xff) === n;
    case 1:
      return isNumber && (n << 24) >> 24 === n;
    case 2:
      return isNumber && (n & 0xffff) === n;
    case 3:
      return isNumber && (n << 16) >> 16 === n;
    case 4:
      return isNumber && n >>> 0 === n;
    case 5:
      return isNumber && (n | 0) === n;
    case 6:
    case 7:
      return isNumber;
    case 8:
      return Number.isSafeInteger(value) && n >= 0;
    case 9:
      return Number.isSafeInteger(value);
    case 10:
      return typeof value === 'bigint' && BigInt.asUintN(64, value) === value;
    case 11:
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
    default:
      return true;
  }
}
