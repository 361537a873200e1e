/**
 * Guest addresses: a number while it is a safe integer, a bigint up to 2^64 - 1 otherwise; both mean the same.
 * This file checks and normalises them at the edge and does the arithmetic that must not wrap by accident. V-1.1, D1.
 */
import { shown } from './shown.ts';

/** An address in a guest's space: an integer in 0 to 2^64 - 1. Numbers must be safe integers. */
export type GuestAddress = number | bigint;

/** An offset inside one region: an integer in 0 to 2^64 - 1. Never mixed with a GuestAddress. */
export type MemoryRegionAddress = number | bigint;

/** The last address of the 64-bit space, 2^64 - 1. */
export const LAST_ADDRESS: bigint = (1n << 64n) - 1n;

/**
 * Checks `value` and gives its normal form: a number where it is a safe integer, else a bigint. Hot callers test
 * `Number.isSafeInteger(value) && value >= 0` themselves and call this for the rest.
 *
 * @param what names the argument in the message, for example `address` or `offset`.
 * @throws {TypeError} not a number or bigint.
 * @throws {RangeError} negative, fractional, NaN, an unsafe number, or 2^64 and more.
 */
export function toAddress(value: GuestAddress, what = 'address'): GuestAddress {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return value + 0; // + 0: -0 becomes 0
    throw badNumber(value, what);
  }
  if (typeof value !== 'bigint') throw new TypeError(`${what} must be a number or a bigint, not ${shown(value)}`);
  if (value < 0n || value > LAST_ADDRESS) throw outOfRange(value, what);
  return value <= MAX_SAFE ? Number(value) : value;
}

/** `toAddress`, as a bigint. For cold code that computes past 2^53. */
export function toBigAddress(value: GuestAddress, what = 'address'): bigint {
  return BigInt(toAddress(value, what));
}

/** A length in normal form: as an address, or all of the space, 2^64. @throws {TypeError | RangeError} neither. */
export function toLength(value: GuestAddress): GuestAddress {
  return value === LAST_ADDRESS + 1n ? value : toAddress(value, 'length');
}

/** `0x` and lower-case hex digits of an address or length, for messages. */
export function hex(value: GuestAddress): string {
  return `0x${value.toString(16)}`;
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function badNumber(value: number, what: string): RangeError {
  if (Number.isInteger(value) && value > Number.MAX_SAFE_INTEGER)
    return new RangeError(`${what} ${hex(value)} is not a safe integer; pass it as a bigint (${hex(BigInt(value))}n)`);
  return new RangeError(`${what} must be an integer in 0 to 2^64 - 1, not ${value}`);
}

function outOfRange(value: bigint, what: string): RangeError {
  const given = value < 0n ? `-${hex(-value)}` : hex(value);
  return new RangeError(`${what} must be in 0 to ${hex(LAST_ADDRESS)}, not ${given}`);
}
