/**
 * What each kind of scalar is in bytes: one constant per kind, so that a bundle with one codec holds one of them. Every
 * `set` checks its value first and writes nothing when it throws. `scalarCodec` makes a codec of a shape, a name and an
 * order; the functions here are the codec's own, and ask it for its order, which the compiler knows where it knows the
 * codec: a load then is the one instruction of its kind. Kinds are literals: a bundler keeps all constants that read a
 * property of another object. V-1.2, D2.
 */
import type { GuestAddress } from './address.ts';
import type { ScalarInfo, ScalarKind } from './codec.ts';

/** How values of one kind lie in bytes. Stateless. Its functions are called as those of a codec. */
export interface ScalarShape<T> {
  readonly kind: ScalarKind;
  readonly size: 1 | 2 | 4 | 8;
  /** @throws {RangeError} a 64-bit number shape met an integer that a number cannot hold. */
  get(this: ScalarInfo, view: DataView, offset: number): T;
  /** @throws {TypeError | RangeError} not a value of this kind. */
  set(this: ScalarInfo, view: DataView, offset: number, value: T): void;
}

/** One byte, unsigned. */
export const U8_SHAPE: ScalarShape<number> = {
  kind: 0, // U8
  size: 1,
  get: (view, offset) => view.getUint8(offset),
  set(view, offset, value) {
    if (typeof value !== 'number' || (value & 0xff) !== value) throw bad(this.name, value, '0 to 0xff');
    view.setUint8(offset, value);
  },
};

/** One byte, signed. */
export const I8_SHAPE: ScalarShape<number> = {
  kind: 1, // I8
  size: 1,
  get: (view, offset) => view.getInt8(offset),
  set(view, offset, value) {
    if (typeof value !== 'number' || (value << 24) >> 24 !== value) throw bad(this.name, value, '-0x80 to 0x7f');
    view.setInt8(offset, value);
  },
};

/** Two bytes, unsigned. */
export const U16_SHAPE: ScalarShape<number> = {
  kind: 2, // U16
  size: 2,
  get(view, offset) {
    return view.getUint16(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    if (typeof value !== 'number' || (value & 0xffff) !== value) throw bad(this.name, value, '0 to 0xffff');
    view.setUint16(offset, value, this.littleEndian === true);
  },
};

/** Two bytes, signed. */
export const I16_SHAPE: ScalarShape<number> = {
  kind: 3, // I16
  size: 2,
  get(view, offset) {
    return view.getInt16(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    if (typeof value !== 'number' || (value << 16) >> 16 !== value) throw bad(this.name, value, '-0x8000 to 0x7fff');
    view.setInt16(offset, value, this.littleEndian === true);
  },
};

/** Four bytes, unsigned. */
export const U32_SHAPE: ScalarShape<number> = {
  kind: 4, // U32
  size: 4,
  get(view, offset) {
    return view.getUint32(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    // By range: `value >>> 0 !== value` costs the caller's loop 0.3 ns (region-collection.ts tells why).
    if (!(typeof value === 'number' && value >= 0 && value <= 0xffff_ffff && Math.floor(value) === value))
      throw bad(this.name, value, '0 to 0xffffffff');
    view.setUint32(offset, value, this.littleEndian === true);
  },
};

/** Four bytes, signed. */
export const I32_SHAPE: ScalarShape<number> = {
  kind: 5, // I32
  size: 4,
  get(view, offset) {
    return view.getInt32(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    if (typeof value !== 'number' || (value | 0) !== value) throw bad(this.name, value, '-0x80000000 to 0x7fffffff');
    view.setInt32(offset, value, this.littleEndian === true);
  },
};

/** Four bytes, IEEE 754. */
export const F32_SHAPE: ScalarShape<number> = {
  kind: 6, // F32
  size: 4,
  get(view, offset) {
    return view.getFloat32(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    if (typeof value !== 'number') throw bad(this.name, value, '');
    view.setFloat32(offset, value, this.littleEndian === true);
  },
};

/** Eight bytes, IEEE 754. */
export const F64_SHAPE: ScalarShape<number> = {
  kind: 7, // F64
  size: 8,
  get(view, offset) {
    return view.getFloat64(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    if (typeof value !== 'number') throw bad(this.name, value, '');
    view.setFloat64(offset, value, this.littleEndian === true);
  },
};

/** Eight bytes, unsigned, as a number; only safe integers. */
export const U64_NUMBER_SHAPE: ScalarShape<number> = {
  kind: 8, // U64_NUMBER
  size: 8,
  get(view, offset) {
    const littleEndian = this.littleEndian === true;
    const first = view.getUint32(offset, littleEndian);
    const second = view.getUint32(offset + 4, littleEndian);
    const high = littleEndian ? second : first;
    if (high > 0x1f_ffff) throw unsafe(view.getBigUint64(offset, littleEndian));
    return high * 0x1_0000_0000 + (littleEndian ? first : second);
  },
  set(view, offset, value) {
    if (!Number.isSafeInteger(value) || value < 0) throw bad(this.name, value, '0 to 0x1fffffffffffff');
    setHalves(view, offset, value, this.littleEndian === true);
  },
};

/** Eight bytes, signed, as a number; only safe integers. */
export const I64_NUMBER_SHAPE: ScalarShape<number> = {
  kind: 9, // I64_NUMBER
  size: 8,
  get(view, offset) {
    const littleEndian = this.littleEndian === true;
    const first = view.getUint32(offset, littleEndian);
    const second = view.getUint32(offset + 4, littleEndian);
    const value = ((littleEndian ? second : first) | 0) * 0x1_0000_0000 + (littleEndian ? first : second);
    if (!Number.isSafeInteger(value)) throw unsafe(view.getBigInt64(offset, littleEndian));
    return value;
  },
  set(view, offset, value) {
    if (!Number.isSafeInteger(value)) throw bad(this.name, value, '-0x1fffffffffffff to 0x1fffffffffffff');
    setHalves(view, offset, value, this.littleEndian === true);
  },
};

/** Eight bytes, unsigned, as a bigint. */
export const U64_SHAPE: ScalarShape<bigint> = {
  kind: 10, // U64
  size: 8,
  get(view, offset) {
    return view.getBigUint64(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value)
      throw bad(this.name, value, '0 to 0xffffffffffffffff', 'bigint');
    view.setBigUint64(offset, value, this.littleEndian === true);
  },
};

/** Eight bytes, signed, as a bigint. */
export const I64_SHAPE: ScalarShape<bigint> = {
  kind: 11, // I64
  size: 8,
  get(view, offset) {
    return view.getBigInt64(offset, this.littleEndian === true);
  },
  set(view, offset, value) {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value)
      throw bad(this.name, value, '-0x8000000000000000 to 0x7fffffffffffffff', 'bigint');
    view.setBigInt64(offset, value, this.littleEndian === true);
  },
};

/** Eight bytes, unsigned, as a guest address: a number where it is a safe integer, else a bigint. */
export const U64_ADDRESS_SHAPE: ScalarShape<GuestAddress> = {
  kind: 12, // U64_ADDRESS
  size: 8,
  get(view, offset) {
    const littleEndian = this.littleEndian === true;
    const first = view.getUint32(offset, littleEndian);
    const second = view.getUint32(offset + 4, littleEndian);
    const high = littleEndian ? second : first;
    if (high > 0x1f_ffff) return view.getBigUint64(offset, littleEndian);
    return high * 0x1_0000_0000 + (littleEndian ? first : second);
  },
  set(view, offset, value) {
    const littleEndian = this.littleEndian === true;
    if (typeof value === 'bigint') {
      if (BigInt.asUintN(64, value) !== value) throw bad(this.name, value, '0 to 0xffffffffffffffff', 'bigint');
      view.setBigUint64(offset, value, littleEndian);
    } else {
      if (!Number.isSafeInteger(value) || value < 0) throw bad(this.name, value, '0 to 0x1fffffffffffff');
      setHalves(view, offset, value, littleEndian);
    }
  },
};

/** Both halves, in the order that they have in memory: an offset that depends on it costs 7 ns. */
function setHalves(view: DataView, offset: number, value: number, littleEndian: boolean): void {
  const low = value >>> 0;
  const high = Math.floor(value / 0x1_0000_0000) | 0;
  view.setInt32(offset, littleEndian ? low : high, littleEndian);
  view.setInt32(offset + 4, littleEndian ? high : low, littleEndian);
}

function bad(name: string, value: unknown, range: string, type: 'number' | 'bigint' = 'number'): Error {
  const given = value === null ? 'null' : typeof value;
  if (given === type)
    return new RangeError(`${name} takes integers from ${range}, not ${hex(value as number | bigint)}`);
  const hint = given === 'bigint' || given === 'number' ? `; use a codec of ${given}s` : '';
  return new TypeError(`${name} takes a ${type}, not ${given}${hint}`);
}

function unsafe(value: bigint): RangeError {
  return new RangeError(`64-bit value ${hex(value)} is not a safe integer; load it with a bigint codec`);
}

/** Hex for integers, decimal for the rest. */
function hex(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(value);
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
