export type {
  Access,
  AccessOptions,
  BulkAccess,
  MemTxViewOptions,
  ReportingOptions,
  ShortAccess,
  ShortAccessOptions,
} from './access-options.ts';
export { attributed } from './attributed.ts';
export type { MemTxAttrsFields, MemTxAttrsValue } from './attrs.ts';
export { MEMTXATTRS_UNSPECIFIED, MemTxAttrs, memTxAttrs, memTxAttrsFromBits, mergeMemTxAttrs } from './attrs.ts';
export { memTxView } from './bound-view.ts';
export {
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
export { GuestDataView } from './data-view.ts';
export type { MemTxErrorDetail } from './error.ts';
export { MemTxError } from './error.ts';
export { halvesCodec, U64Halves } from './halves.ts';
export { MemTx } from './mem-tx.ts';
export type { OnError, TxMemory } from './memory.ts';
export { NOT_DIRECT } from './memory.ts';
export type { NativeCodecs } from './native.ts';
export { nativeCodecs } from './native.ts';
export type { AccessSize } from './order.ts';
export {
  DeviceEndian,
  fromDevice,
  reorder,
  reorderHalves,
  resolveDeviceEndian,
  reverse32,
  reverse64,
  toDevice,
} from './order.ts';
export { PinnedMemTxView, pinnedView } from './pinned.ts';
export { MemTxResult, memTxResultName } from './result.ts';
export type { ReportingMemTxView } from './view.ts';
export { MemTxView } from './view.ts';
