export type { GuestAddress, MemoryRegionAddress } from './address.ts';
export { hex, LAST_ADDRESS, toAddress, toBigAddress, toLength } from './address.ts';
export {
  bitAnd,
  bitOr,
  checkedAdd,
  checkedAlignUp,
  checkedOffsetFrom,
  checkedSub,
  compareAddresses,
  overflowingAdd,
  overflowingSub,
  uncheckedAdd,
  uncheckedAlignUp,
  uncheckedOffsetFrom,
  uncheckedSub,
} from './address-math.ts';
export { ArrayCodec, array, BytesCodec, byteArray } from './array.ts';
export type { AtomicBitmapHandle, AtomicBitmapOptions } from './atomic-bitmap.ts';
export { AtomicBitmap } from './atomic-bitmap.ts';
export { AtomicRef } from './atomic-ref.ts';
export type { Backing, BackingSegment } from './backing.ts';
export type { AdoptableBuffer, BufferBackingOptions } from './backing-buffer.ts';
export { bufferBacking, segmentedBacking } from './backing-buffer.ts';
export type { SparseBacking, SparseBackingOptions } from './backing-sparse.ts';
export { sparseBacking } from './backing-sparse.ts';
export type { WasmBackingOptions, WasmMemoryLike } from './backing-wasm.ts';
export { wasmBacking } from './backing-wasm.ts';
export type { Bitmap } from './bitmap.ts';
export { BitmapSlice } from './bitmap.ts';
export type { GuestMemoryOptions, MemoryRange } from './buffer-memory.ts';
export { guestMemory } from './buffer-memory.ts';
export { ByteSink, ByteSource, GrowingSink, readExactVolatile, writeAllVolatile } from './byte-stream.ts';
export { fromBytes, readExactFrom, toBytes, writeAllTo, zeroed } from './byte-valued.ts';
export type { Bytes } from './bytes.ts';
export { BytesBase } from './bytes-base.ts';
export { checkBuffer, checkCount, checkMoved, streamFailed } from './bytes-check.ts';
export type { ByteOrder, Codec, ScalarInfo, ValueOf } from './codec.ts';
export { ScalarCodec, ScalarKind } from './codec.ts';
export type { GuestRegionCollectionErrorCode } from './collection-error.ts';
export { GuestRegionCollectionError } from './collection-error.ts';
export type { DisposableHandle } from './dispose.ts';
export { DISPOSE, DisposableBase, disposable } from './dispose.ts';
export type { GuestMemoryErrorCode, GuestMemoryErrorDetail } from './error.ts';
export { GuestMemoryError } from './error.ts';
export { FileOffset } from './file-offset.ts';
export type { GuestAddressSpace, GuestMemory, GuestMemoryBackend, RegionAddress } from './guest-memory.ts';
export { GuestMemoryAtomic, GuestMemoryExclusiveGuard } from './guest-memory-atomic.ts';
export { GuestMemoryBytes } from './guest-memory-bytes.ts';
export { GuestMemorySlices } from './guest-memory-slices.ts';
export type { ReadVolatile, WriteVolatile } from './io.ts';
export type { Iommu, IommuErrorCode, IommuMissHandler } from './iommu.ts';
export { IommuError, tlbIommu } from './iommu.ts';
export type { IommuMemoryOptions } from './iommu-memory.ts';
export { IommuMemory } from './iommu-memory.ts';
export type { IotlbFails, IotlbResult, IovaRange, MappedRange } from './iotlb.ts';
export { Iotlb } from './iotlb.ts';
export type { GuestMemoryLoadGuard } from './load-guard.ts';
export { loadGuard } from './load-guard.ts';
export { checkLoadOrdering, checkStoreOrdering, Ordering } from './ordering.ts';
export type { OwnBytes } from './own-bytes.ts';
export { Permissions, permissionsAllow, permissionsAnd, permissionsHaveWrite, permissionsOr } from './permissions.ts';
export type { HostAddress } from './region.ts';
export { GuestMemoryRegion } from './region.ts';
export type { GuestRegionBufferOptions } from './region-buffer.ts';
export { GuestRegionBuffer } from './region-buffer.ts';
export { GuestRegionCollection } from './region-collection.ts';
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
  u64Address,
  u64Number,
} from './scalar.ts';
export type { ScalarShape } from './scalar-shapes.ts';
export {
  F32_SHAPE,
  F64_SHAPE,
  I8_SHAPE,
  I16_SHAPE,
  I32_SHAPE,
  I64_NUMBER_SHAPE,
  I64_SHAPE,
  U8_SHAPE,
  U16_SHAPE,
  U32_SHAPE,
  U64_ADDRESS_SHAPE,
  U64_NUMBER_SHAPE,
  U64_SHAPE,
} from './scalar-shapes.ts';
export { badNumber, shown, textOf } from './shown.ts';
export type { LoadOptions, SaveOptions, StreamSource, WebReadableLike, WebReaderLike } from './stream.ts';
export { chunksOf, loadFrom, saveTo } from './stream.ts';
export type { NodeWritableLike, StreamSink, WebWritableLike, WebWriterLike } from './stream-sink.ts';
export type { StructFields, StructOptions, StructValue } from './struct.ts';
export { StructCodec, struct } from './struct.ts';
export type { AccessorControls, ArrayAccessor, FieldAccess, PlainCopy, StructAccessor } from './struct-accessor.ts';
export type { ElementArray } from './volatile-ref.ts';
export { VolatileArrayRef, VolatileRef } from './volatile-ref.ts';
export { VolatileSlice } from './volatile-slice.ts';
