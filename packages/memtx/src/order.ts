/**
 * Byte order: the one rule of A-16. An access of n bytes is a string of n bytes in ascending address order; the caller's
 * order says how his number maps to the string, the device's order how the device's number does. So the two numbers agree
 * iff the orders do, else one is the other with its n bytes reversed; one byte never changes. No host order anywhere
 * . Hot: `toDevice` and `fromDevice` run once per device access and allocate nothing up to 4 bytes.
 */
import { type ByteOrder, type ScalarCodec, ScalarKind } from '@guestmem/vm-memory';
import type { U64Halves } from './halves.ts';

/** Bytes of one access. */
export type AccessSize = 1 | 2 | 4 | 8;

/** The order that a device's numbers have. NATIVE: whatever the machine's CPU has. */
export const DeviceEndian = { NATIVE: 'native', BIG: 'big', LITTLE: 'little' } as const;
export type DeviceEndian = (typeof DeviceEndian)[keyof typeof DeviceEndian];

/**
 * The order that `endian` stands for on a machine of order `target`.
 * @throws {TypeError} NATIVE where no target order is configured, or no DeviceEndian at all.
 */
export function resolveDeviceEndian(endian: DeviceEndian, target: ByteOrder | undefined): ByteOrder {
  if (endian === 'little' || endian === 'big') return endian;
  if (endian !== 'native')
    throw new TypeError(`device order must be "native", "big" or "little", not ${String(endian)}`);
  if (target === 'little' || target === 'big') return target;
  throw new TypeError(
    'a device of native order needs a target order: configure one, or make the device "little" or "big"',
  );
}

/**
 * The rule. `value` is a number of `size` bytes to a party of order `from`; the answer is the number that a party of order
 * `to` sees in the same bytes. It is its own inverse.
 *
 * @param value a number for 1, 2 and 4 bytes, a bigint for any size; more than `size` bytes are cut off. Unsigned result.
 */
export function reorder(value: number, size: 1 | 2 | 4, from: ByteOrder, to: ByteOrder): number;
export function reorder(value: bigint, size: AccessSize, from: ByteOrder, to: ByteOrder): bigint;
export function reorder(value: number | bigint, size: AccessSize, from: ByteOrder, to: ByteOrder): number | bigint {
  if (typeof value === 'bigint')
    return from === to ? BigInt.asUintN(size * 8, value) : reverse64(value) >> BigInt(64 - size * 8);
  if (size === 8) throw new TypeError('a number has no 8 bytes: pass a bigint or two halves');
  return from === to ? cut(value, size) : reverse32(value) >>> (32 - size * 8);
}

/** `reorder` of 8 bytes as two halves, in place. */
export function reorderHalves(value: U64Halves, from: ByteOrder, to: ByteOrder): void {
  const { lo, hi } = value;
  value.lo = from === to ? lo >>> 0 : reverse32(hi);
  value.hi = from === to ? hi >>> 0 : reverse32(lo);
}

/** The four bytes of `value` in the other order, unsigned. */
export function reverse32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** The eight bytes of `value` in the other order, unsigned. */
export function reverse64(value: bigint): bigint {
  scratch.setBigUint64(0, value, true);
  return scratch.getBigUint64(0, false);
}

/**
 * What a device of order `device` is given when the caller stores `value` with `codec`: an unsigned number for 1, 2 and 4
 * bytes, an unsigned bigint for 8. @throws {TypeError | RangeError} `value` is not one of the codec's.
 */
export function toDevice<T>(codec: ScalarCodec<T>, value: T, device: ByteOrder): number | bigint {
  const number = value as number;
  if (codec.kind === ScalarKind.U32 && number >>> 0 === number)
    return codec.littleEndian === (device === 'little') ? number : reverse32(number);
  codec.set(scratch, 0, value);
  return takeUnsigned(scratch, codec.size, device === 'little');
}

/**
 * What the caller gets who loads with `codec` when a device of order `device` answers `raw`. Bits above the codec's size
 * are dropped; a device may answer 8 bytes with a safe integer as well as with a bigint.
 */
export function fromDevice<T>(codec: ScalarCodec<T>, raw: number | bigint, device: ByteOrder): T {
  if (codec.kind === ScalarKind.U32 && typeof raw === 'number')
    return (codec.littleEndian === (device === 'little') ? raw >>> 0 : reverse32(raw)) as T;
  putUnsigned(scratch, codec.size, raw, device === 'little');
  return codec.get(scratch, 0);
}

/** Filled and emptied within one call of this file. A codec's `get` and `set` run in between, and must not access guest memory. */
const scratch: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

function cut(value: number, size: number): number {
  return size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
}

function takeUnsigned(view: DataView, size: number, littleEndian: boolean): number | bigint {
  if (size === 8) return view.getBigUint64(0, littleEndian);
  if (size === 4) return view.getUint32(0, littleEndian);
  return size === 2 ? view.getUint16(0, littleEndian) : view.getUint8(0);
}

function putUnsigned(view: DataView, size: number, raw: number | bigint, littleEndian: boolean): void {
  if (size === 8) {
    view.setBigUint64(0, BigInt(raw), littleEndian);
    return;
  }
  const low = typeof raw === 'bigint' ? Number(BigInt.asUintN(32, raw)) : raw;
  if (size === 4) view.setUint32(0, low, littleEndian);
  else if (size === 2) view.setUint16(0, low, littleEndian);
  else view.setUint8(0, low);
}
