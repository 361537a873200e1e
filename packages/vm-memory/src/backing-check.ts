/** Checks that every backing shares; messages are built on failure only. */
import { hex } from './address.ts';
import { badNumber } from './shown.ts';

/** @returns `length`. @throws {TypeError | RangeError} not an integer in 1 to 2^53 - 1. */
export function checkLength(length: number, what: string): number {
  if (typeof length !== 'number') throw new TypeError(`${what} must be a number of bytes, not ${typeof length}`);
  if (Number.isSafeInteger(length) && length >= 1) return length;
  throw new RangeError(`${what} must be 1 to 2^53 - 1 bytes, not ${digits(length)}`);
}

/** The error of `segmentAt`. */
export function badOffset(offset: number, length: number): TypeError | RangeError {
  if (typeof offset !== 'number') return badNumber('an offset in a backing must be a number', offset);
  return new RangeError(`offset ${digits(offset)} is outside the backing; it has ${hex(length)} bytes`);
}

/** Hex where it could be an address, decimal where it could not. */
function digits(value: number): string {
  return Number.isInteger(value) && value >= 0 ? hex(value) : String(value);
}
