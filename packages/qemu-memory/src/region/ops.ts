/**
 * The callbacks of a device region and the rules of its accesses, as a device model declares them. How an access is
 * checked and cut to fit is in access/., D13.
 */
import type { MemTx, MemTxAttrs } from '@guestmem/memtx';

/** Sizes in bytes: 1, 2, 4 or 8. 0 or absent means the default of A-27. */
export interface AccessSizes {
  readonly minAccessSize?: number;
  readonly maxAccessSize?: number;
  /** May an access stand at an offset that is not a multiple of its size? Default false. */
  readonly unaligned?: boolean;
}

/** What the modelled hardware accepts; anything else is refused with DECODE_ERROR. */
export interface ValidAccess extends AccessSizes {
  /** Asked before anything else, with the whole access. */
  accepts?(offset: number, size: number, isWrite: boolean, attrs: MemTxAttrs): boolean;
}

/** A 64-bit value as two unsigned 32-bit halves, owned by the caller. */
export interface Halves {
  lo: number;
  hi: number;
}

/** How a device's numbers lie in bytes. `native` is the machine's target order. */
export type DeviceEndianness = 'native' | 'little' | 'big';

/**
 * A device's callbacks. `offset` is within the region; `size` is 1, 2 or 4 for `read` and `write`, values unsigned numbers. Accesses
 * of 8 bytes (only where `impl.maxAccessSize` is 8) use the `64` forms, as bigint or as halves. For each direction the plain form is used
 * where present, else the one with attributes, which may OR bits into `tx.result`. A direction that is used must have one.
 */
export interface MemoryRegionOps {
  /** Default `native`. */
  readonly endianness?: DeviceEndianness;
  readonly valid?: ValidAccess;
  /** What the callbacks can do; the core splits and widens. Default 1 to 4 bytes. */
  readonly impl?: AccessSizes;
  read?(offset: number, size: number): number;
  write?(offset: number, value: number, size: number): void;
  readWithAttrs?(offset: number, size: number, attrs: MemTxAttrs, tx: MemTx): number;
  writeWithAttrs?(offset: number, value: number, size: number, attrs: MemTxAttrs, tx: MemTx): void;
  read64?(offset: number): bigint;
  write64?(offset: number, value: bigint): void;
  read64WithAttrs?(offset: number, attrs: MemTxAttrs, tx: MemTx): bigint;
  write64WithAttrs?(offset: number, value: bigint, attrs: MemTxAttrs, tx: MemTx): void;
  readHalves?(offset: number, out: Halves): void;
  writeHalves?(offset: number, lo: number, hi: number): void;
  /** What a debugger or dump reads: no side effect. Absent: the region is opaque to them (D13). */
  peek?(offset: number, size: number): number | bigint;
}
