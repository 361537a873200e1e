/** Atomic loads and stores of RAM, the owner's and workers': one `Atomics` operation on the bytes, then the codec's order. V-1.3. */
import {
  checkLoadOrdering,
  checkStoreOrdering,
  type GuestAddress,
  GuestMemoryError,
  HOST_BYTE_ORDER,
  hex,
  type Ordering,
  type ScalarCodec,
} from '@guestmem/vm-memory';

const HOST_LITTLE = HOST_BYTE_ORDER === 'little';

/**
 * Loads `size` bytes at `at` of `bytes` into `scratch`, sequentially consistent.
 * @returns false where they are not aligned in their buffer; then nothing is done. @throws {TypeError} a store's ordering.
 */
export function atomicLoad(
  bytes: Uint8Array,
  at: number,
  size: number,
  ordering: Ordering,
  scratch: DataView,
): boolean {
  checkLoadOrdering(ordering);
  const offset = bytes.byteOffset + at;
  if (!isAligned(bytes, at, size)) return false;
  const { buffer } = bytes;
  if (size === 1) scratch.setUint8(0, Atomics.load(new Uint8Array(buffer, offset, 1), 0));
  else if (size === 2) scratch.setUint16(0, Atomics.load(new Uint16Array(buffer, offset, 1), 0), HOST_LITTLE);
  else if (size === 4) scratch.setUint32(0, Atomics.load(new Uint32Array(buffer, offset, 1), 0), HOST_LITTLE);
  else scratch.setBigUint64(0, Atomics.load(new BigUint64Array(buffer, offset, 1), 0), HOST_LITTLE);
  return true;
}

/** Stores `value`, by way of `scratch`, as `atomicLoad` loads. Throws what the codec throws, too, and stores nothing then. */
export function atomicStore<T>(
  bytes: Uint8Array,
  at: number,
  codec: ScalarCodec<T>,
  value: T,
  ordering: Ordering,
  scratch: DataView,
): boolean {
  checkStoreOrdering(ordering);
  const { size } = codec;
  const offset = bytes.byteOffset + at;
  if (!isAligned(bytes, at, size)) return false;
  const { buffer } = bytes;
  codec.set(scratch, 0, value);
  if (size === 1) Atomics.store(new Uint8Array(buffer, offset, 1), 0, scratch.getUint8(0));
  else if (size === 2) Atomics.store(new Uint16Array(buffer, offset, 1), 0, scratch.getUint16(0, HOST_LITTLE));
  else if (size === 4) Atomics.store(new Uint32Array(buffer, offset, 1), 0, scratch.getUint32(0, HOST_LITTLE));
  else Atomics.store(new BigUint64Array(buffer, offset, 1), 0, scratch.getBigUint64(0, HOST_LITTLE));
  return true;
}

/** What becomes of an atomic access that is not aligned where there is no place for a result. */
export function misaligned(addr: GuestAddress, size: number): GuestMemoryError {
  return new GuestMemoryError(
    'misaligned',
    `an atomic access of ${size} bytes at ${hex(addr)} is not aligned in its buffer; leave the ordering out for a plain one`,
    { addr, expected: size, completed: 0 },
  );
}

function isAligned(bytes: Uint8Array, at: number, size: number): boolean {
  return (bytes.byteOffset + at) % size === 0 && at + size <= bytes.length;
}
