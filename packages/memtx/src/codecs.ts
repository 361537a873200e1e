/**
 * Scalar codecs whose type tells the byte order: what every load and store of a guest memory takes (D3, A-260 d, A-273).
 * `le` or `be`, the bits, then how the value looks: nothing for unsigned, `s` signed, `n` 64 bits as a number (safe
 * integers only), `a` as a guest address (a number or a bigint), `f` float. Two 32-bit halves: halves.ts. The short names of one target order: native.ts.
 */
import {
  i8 as anyI8,
  u8 as anyU8,
  F32_SHAPE,
  F64_SHAPE,
  type GuestAddress,
  I16_SHAPE,
  I32_SHAPE,
  I64_NUMBER_SHAPE,
  I64_SHAPE,
  ScalarCodec,
  ScalarKind,
  scalarCodec,
  U16_SHAPE,
  U32_SHAPE,
  U64_ADDRESS_SHAPE,
  U64_NUMBER_SHAPE,
  U64_SHAPE,
} from '@guestmem/vm-memory';
import { fromFloat16Bits, toFloat16Bits } from './float16.ts';

/** One byte, 0 to 0xff. A byte has no order. */
export const u8: ScalarCodec<number> = anyU8;
/** One byte, -0x80 to 0x7f. */
export const i8: ScalarCodec<number> = anyI8;

/** Two bytes, 0 to 0xffff, least significant first. */
export const le16: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le16', U16_SHAPE, 'little');
/** Two bytes, 0 to 0xffff, most significant first. */
export const be16: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be16', U16_SHAPE, 'big');
/** Two bytes, -0x8000 to 0x7fff, least significant first. */
export const le16s: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le16s', I16_SHAPE, 'little');
/** Two bytes, -0x8000 to 0x7fff, most significant first. */
export const be16s: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be16s', I16_SHAPE, 'big');

/** Four bytes, 0 to 0xffff_ffff, least significant first. */
export const le32: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le32', U32_SHAPE, 'little');
/** Four bytes, 0 to 0xffff_ffff, most significant first. */
export const be32: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be32', U32_SHAPE, 'big');
/** Four bytes, -0x8000_0000 to 0x7fff_ffff, least significant first. */
export const le32s: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le32s', I32_SHAPE, 'little');
/** Four bytes, -0x8000_0000 to 0x7fff_ffff, most significant first. */
export const be32s: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be32s', I32_SHAPE, 'big');

/** Eight bytes, 0 to 2^64 - 1 as a bigint, least significant first. A load allocates the bigint. */
export const le64: ScalarCodec<bigint> = /* @__PURE__ */ scalarCodec<bigint>('le64', U64_SHAPE, 'little');
/** Eight bytes, 0 to 2^64 - 1 as a bigint, most significant first. A load allocates the bigint. */
export const be64: ScalarCodec<bigint> = /* @__PURE__ */ scalarCodec<bigint>('be64', U64_SHAPE, 'big');
/** Eight bytes, -2^63 to 2^63 - 1 as a bigint, least significant first. A load allocates the bigint. */
export const le64s: ScalarCodec<bigint> = /* @__PURE__ */ scalarCodec<bigint>('le64s', I64_SHAPE, 'little');
/** Eight bytes, -2^63 to 2^63 - 1 as a bigint, most significant first. A load allocates the bigint. */
export const be64s: ScalarCodec<bigint> = /* @__PURE__ */ scalarCodec<bigint>('be64s', I64_SHAPE, 'big');
/** Eight bytes as a number, 0 to 2^53 - 1, least significant first; loading more is a RangeError. Not for what a guest fills in: `le64a`, `le64`. */
export const le64n: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le64n', U64_NUMBER_SHAPE, 'little');
/** Eight bytes as a number, 0 to 2^53 - 1, most significant first; loading more is a RangeError. Not for what a guest fills in: `be64a`, `be64`. */
export const be64n: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be64n', U64_NUMBER_SHAPE, 'big');
/** Eight bytes as a number, within +-(2^53 - 1), least significant first; loading more is a RangeError. */
export const le64sn: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le64sn', I64_NUMBER_SHAPE, 'little');
/** Eight bytes as a number, within +-(2^53 - 1), most significant first; loading more is a RangeError. */
export const be64sn: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be64sn', I64_NUMBER_SHAPE, 'big');
/** Eight bytes as a guest address, 0 to 2^64 - 1, least significant first: a number up to 2^53 - 1, from there on a bigint; takes both. */
export const le64a: ScalarCodec<GuestAddress> = /* @__PURE__ */ scalarCodec<GuestAddress>(
  'le64a',
  U64_ADDRESS_SHAPE,
  'little',
);
/** Eight bytes as a guest address, 0 to 2^64 - 1, most significant first: a number up to 2^53 - 1, from there on a bigint; takes both. */
export const be64a: ScalarCodec<GuestAddress> = /* @__PURE__ */ scalarCodec<GuestAddress>(
  'be64a',
  U64_ADDRESS_SHAPE,
  'big',
);

/** Two bytes, IEEE 754 binary16, least significant first; a value is rounded to the nearest that fits. */
export const le16f: ScalarCodec<number> = /* @__PURE__ */ float16('le16f', true);
/** Two bytes, IEEE 754 binary16, most significant first; a value is rounded to the nearest that fits. */
export const be16f: ScalarCodec<number> = /* @__PURE__ */ float16('be16f', false);
/** Four bytes, IEEE 754 binary32, least significant first; a value is rounded to the nearest that fits. */
export const le32f: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le32f', F32_SHAPE, 'little');
/** Four bytes, IEEE 754 binary32, most significant first; a value is rounded to the nearest that fits. */
export const be32f: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be32f', F32_SHAPE, 'big');
/** Eight bytes, IEEE 754 binary64, least significant first. */
export const le64f: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('le64f', F64_SHAPE, 'little');
/** Eight bytes, IEEE 754 binary64, most significant first. */
export const be64f: ScalarCodec<number> = /* @__PURE__ */ scalarCodec<number>('be64f', F64_SHAPE, 'big');

function float16(name: string, littleEndian: boolean): ScalarCodec<number> {
  return new ScalarCodec<number>(
    name,
    ScalarKind.OTHER,
    2,
    littleEndian,
    (view, offset) => fromFloat16Bits(view.getUint16(offset, littleEndian)),
    (view, offset, value) => {
      if (typeof value !== 'number') throw new TypeError(`${name} takes a number, not ${typeof value}`);
      view.setUint16(offset, toFloat16Bits(value), littleEndian);
    },
  );
}
