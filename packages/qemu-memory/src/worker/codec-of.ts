/**
 * The codec of an access on its way to the owner: kind and order go in the request's flags, so that taps there see the
 * value that the worker meant. What has no codec here goes as the unsigned integer of its size.
 */
import { nativeCodecs } from '@guestmem/memtx';
import { type ByteOrder, ScalarCodec, ScalarKind } from '@guestmem/vm-memory';
import { BIG_ENDIAN, KIND_SHIFT } from './ring-layout.ts';

/** By ScalarKind. */
const LITTLE = /* @__PURE__ */ byKind('little');
const BIG = /* @__PURE__ */ byKind('big');
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
  return ((flags & BIG_ENDIAN) !== 0 ? BIG : LITTLE)[known]!;
}

function byKind(order: ByteOrder): readonly ScalarCodec<number | bigint>[] {
  const table: ScalarCodec<number | bigint>[] = [];
  for (const codec of Object.values(nativeCodecs(order))) if (codec instanceof ScalarCodec) table[codec.kind] = codec;
  return table;
}
