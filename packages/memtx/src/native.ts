/**
 * The codecs of one target under order-free names. Native order exists only here, where somebody states what it is: a
 * machine keeps the answer of `nativeCodecs` and hands it to code that is compiled for "the CPU's order". D3, A-75, A-273.
 */
import type { ByteOrder, GuestAddress, ScalarCodec } from '@guestmem/vm-memory';
import {
  be16,
  be16f,
  be16s,
  be32,
  be32f,
  be32s,
  be64,
  be64a,
  be64f,
  be64n,
  be64s,
  be64sn,
  i8,
  le16,
  le16f,
  le16s,
  le32,
  le32f,
  le32s,
  le64,
  le64a,
  le64f,
  le64n,
  le64s,
  le64sn,
  u8,
} from './codecs.ts';

/** One codec of every kind, all in one order. `n`: 64 bits as a safe integer; `a`: as a guest address. */
export interface NativeCodecs {
  readonly order: ByteOrder;
  readonly u8: ScalarCodec<number>;
  readonly i8: ScalarCodec<number>;
  readonly u16: ScalarCodec<number>;
  readonly i16: ScalarCodec<number>;
  readonly u32: ScalarCodec<number>;
  readonly i32: ScalarCodec<number>;
  readonly u64: ScalarCodec<bigint>;
  readonly i64: ScalarCodec<bigint>;
  readonly u64n: ScalarCodec<number>;
  readonly i64n: ScalarCodec<number>;
  readonly u64a: ScalarCodec<GuestAddress>;
  readonly f16: ScalarCodec<number>;
  readonly f32: ScalarCodec<number>;
  readonly f64: ScalarCodec<number>;
}

/** The codecs of a target of order `order`; the same object for the same order. @throws {TypeError} no order. */
export function nativeCodecs(order: ByteOrder): NativeCodecs {
  if (order === 'little') return LITTLE;
  if (order === 'big') return BIG;
  throw new TypeError(`byte order must be 'little' or 'big', not ${String(order)}`);
}

const LITTLE: NativeCodecs = /* @__PURE__ */ Object.freeze({
  order: 'little',
  u8,
  i8,
  u16: le16,
  i16: le16s,
  u32: le32,
  i32: le32s,
  u64: le64,
  i64: le64s,
  u64n: le64n,
  i64n: le64sn,
  u64a: le64a,
  f16: le16f,
  f32: le32f,
  f64: le64f,
});

const BIG: NativeCodecs = /* @__PURE__ */ Object.freeze({
  order: 'big',
  u8,
  i8,
  u16: be16,
  i16: be16s,
  u32: be32,
  i32: be32s,
  u64: be64,
  i64: be64s,
  u64n: be64n,
  i64n: be64sn,
  u64a: be64a,
  f16: be16f,
  f32: be32f,
  f64: be64f,
});
