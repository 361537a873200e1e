export type { GuestAddress, MemoryRegionAddress } from './address.ts';
export { hex, LAST_ADDRESS, toAddress, toBigAddress } from './address.ts';
export type { Backing, BackingSegment } from './backing.ts';
export type { AdoptableBuffer, BufferBackingOptions } from './backing-buffer.ts';
export { bufferBacking, segmentedBacking } from './backing-buffer.ts';
export type { SparseBacking, SparseBackingOptions } from './backing-sparse.ts';
export { sparseBacking } from './backing-sparse.ts';
export type { WasmBackingOptions, WasmMemoryLike } from './backing-wasm.ts';
export { wasmBacking } from './backing-wasm.ts';
export type { Bytes } from './bytes.ts';
export type { ByteOrder, Codec, ScalarShape, ValueOf } from './codec.ts';
export { ScalarCodec, ScalarKind } from './codec.ts';
export type { DisposableHandle } from './dispose.ts';
export { DISPOSE, disposable } from './dispose.ts';
export type { GuestMemoryErrorCode, GuestMemoryErrorDetail } from './error.ts';
export { GuestMemoryError } from './error.ts';
export type { ReadVolatile, WriteVolatile } from './io.ts';
export { Ordering } from './ordering.ts';
export { Permissions, permissionsAllow } from './permissions.ts';
export {
  f32,
  f64,
  HOST_BYTE_ORDER,
  i8,
  i16,
  i32,
  i64,
  i64Number,
  inOrder,
  scalarCodec,
  u8,
  u16,
  u32,
  u64,
  u64Number,
} from './scalar.ts';
export { getScalar, setScalar } from './scalar-access.ts';
