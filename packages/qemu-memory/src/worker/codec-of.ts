/**
 * The codec of an access on its way to the owner: kind and order go in the request's flags, so that taps there see the
 * value that the worker meant. What has no codec here goes as the unsigned integer of its size.
 */
import {
  be16,
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
} from '@guestmem/memtx';
import { type ScalarCodec, ScalarKind } from '@guestmem/vm-memory';
import { BIG_ENDIAN, KIND_SHIFT } from './ring-layout.ts';

type AnyCodec = ScalarCodec<number> | ScalarCodec<bigint> | ScalarCodec<number | bigint>;

/** By ScalarKind, up to U64_ADDRESS. */
const LITTLE: readonly AnyCodec[] = [u8, i8, le16, le16s, le32, le32s, le32f, le64f, le64n, le64sn, le64, le64s, le64a];
const BIG: readonly AnyCodec[] = [u8, i8, be16, be16s, be32, be32s, be32f, be64f, be64n, be64sn, be64, be64s, be64a];
const UNSIGNED: Readonly<Record<number, ScalarKind>> = {
  1: ScalarKind.U8,
  2: ScalarKind.U16,
  4: ScalarKind.U32,
  8: ScalarKind.U64,
};

/** Bits of a request's flags that say which codec. */
export function codecFlags(codec: { readonly kind: ScalarKind; readonly littleEndian: boolean }): number {
  return (codec.littleEndian ? 0 : BIG_ENDIAN) | (codec.kind << KIND_SHIFT);
}

/** The codec that `flags` say. */
export function codecOf(flags: number, size: number): ScalarCodec<number | bigint> {
  const kind = (flags >>> KIND_SHIFT) & 15;
  const known = kind < ScalarKind.OTHER ? kind : UNSIGNED[size]!;
  return ((flags & BIG_ENDIAN) !== 0 ? BIG : LITTLE)[known] as ScalarCodec<number | bigint>;
}
