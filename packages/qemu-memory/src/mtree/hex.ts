/** Addresses as `info mtree` writes them: 16 lower-case hex digits; and the 64-bit arithmetic of the text. T-182, T-183. */
import { SPACE_SIZE } from '../view/big.ts';

/** 16 lower-case hex digits, zero padded; the value modulo 2^64. */
export function hex16(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, '0');
}

/** The value of 16 hex digits. */
export function unhex16(digits: string): bigint {
  // Two halves are twice as quick as one bigint literal of 16 digits, and most upper halves are 0.
  const high = Number.parseInt(digits.slice(0, 8), 16);
  const low = Number.parseInt(digits.slice(8), 16);
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

/** The printed end of `size` bytes at `start`: modulo 2^64, the start itself for size 0 (T-183). */
export function printedEnd(start: bigint, size: bigint): bigint {
  return size === 0n ? BigInt.asUintN(64, start) : BigInt.asUintN(64, start + size - 1n);
}

/** The size that a printed start and end tell: 1 to 2^64. Sizes 0 and 1 look the same (T-183). */
export function printedSize(start: bigint, end: bigint): bigint {
  const size = BigInt.asUintN(64, end - start + 1n);
  return size === 0n ? SPACE_SIZE : size;
}
