/** Atomic loads and stores of RAM, the owner's and workers': one `Atomics` operation on the bytes, then the codec's order. V-1.3. */
import {
  type GuestAddress,
  GuestMemoryError,
  HOST_BYTE_ORDER,
  hex,
  Ordering,
  type ScalarCodec,
  setScalar,
} from '@guestmem/vm-memory';

const HOST_LITTLE = HOST_BYTE_ORDER === 'little';

/**
 * Loads `size` bytes at `at` of `bytes` into `scratch`, sequentially consistent.
 * @param addr the address of the access, for the error. @throws {GuestMemoryError} `misaligned`. @throws {TypeError} a store's ordering.
 */
export function atomicLoad(
  bytes: Uint8Array,
  at: number,
  size: number,
  ordering: Ordering,
  addr: GuestAddress,
  scratch: DataView,
): void {
  if (ordering !== Ordering.RELAXED && ordering !== Ordering.ACQUIRE && ordering !== Ordering.SEQ_CST)
    throw new TypeError('a load takes the orderings RELAXED, ACQUIRE and SEQ_CST');
  const offset = alignedOffset(bytes, at, size, addr);
  const { buffer } = bytes;
  if (size === 1) scratch.setUint8(0, Atomics.load(new Uint8Array(buffer, offset, 1), 0));
  else if (size === 2) scratch.setUint16(0, Atomics.load(new Uint16Array(buffer, offset, 1), 0), HOST_LITTLE);
  else if (size === 4) scratch.setUint32(0, Atomics.load(new Uint32Array(buffer, offset, 1), 0), HOST_LITTLE);
  else scratch.setBigUint64(0, Atomics.load(new BigUint64Array(buffer, offset, 1), 0), HOST_LITTLE);
}

/** Stores `value`, by way of `scratch`, as `atomicLoad` loads. Throws what the codec throws, too, and stores nothing then. */
export function atomicStore<T>(
  bytes: Uint8Array,
  at: number,
  codec: ScalarCodec<T>,
  value: T,
  ordering: Ordering,
  addr: GuestAddress,
  scratch: DataView,
): void {
  if (ordering !== Ordering.RELAXED && ordering !== Ordering.RELEASE && ordering !== Ordering.SEQ_CST)
    throw new TypeError('a store takes the orderings RELAXED, RELEASE and SEQ_CST');
  const { size } = codec;
  const offset = alignedOffset(bytes, at, size, addr);
  const { buffer } = bytes;
  setScalar(scratch, 0, codec, value);
  if (size === 1) Atomics.store(new Uint8Array(buffer, offset, 1), 0, scratch.getUint8(0));
  else if (size === 2) Atomics.store(new Uint16Array(buffer, offset, 1), 0, scratch.getUint16(0, HOST_LITTLE));
  else if (size === 4) Atomics.store(new Uint32Array(buffer, offset, 1), 0, scratch.getUint32(0, HOST_LITTLE));
  else Atomics.store(new BigUint64Array(buffer, offset, 1), 0, scratch.getBigUint64(0, HOST_LITTLE));
}

function alignedOffset(bytes: Uint8Array, at: number, size: number, addr: GuestAddress): number {
  const offset = bytes.byteOffset + at;
  if (offset % size === 0 && at + size <= bytes.length) return offset;
  throw new GuestMemoryError(
    'misaligned',
    `an atomic access of ${size} bytes at ${hex(addr)} is not aligned in its buffer; leave the ordering out for a plain one`,
    { addr, expected: size, completed: 0 },
  );
}
