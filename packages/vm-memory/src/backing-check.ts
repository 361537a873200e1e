/** Checks that every backing shares; messages are built on failure only. */
import { badNumber } from './shown.ts';

/** @returns `length`. @throws {TypeError | RangeError} not an integer in 1 to 2^53 - 1. */
export function checkLength(length: number, what: string): number {
  if (typeof length !== 'number') throw new TypeError(`${what} must be a number of bytes, not ${typeof length}`);
  if (Number.isSafeInteger(length) && length >= 1) return length;
  const shown = Number.isInteger(length) && length >= 0 ? `0x${length.toString(16)}` : String(length);
  throw new RangeError(`${what} must be 1 to 2^53 - 1 bytes, not ${shown}`);
}

/** The error of `segmentAt`. */
export function badOffset(offset: number, length: number): TypeError | RangeError {
  if (typeof offset !== 'number') return badNumber('an offset in a backing must be a number', offset);
  const shown = Number.isInteger(offset) && offset >= 0 ? `0x${offset.toString(16)}` : String(offset);
  return new RangeError(`offset ${shown} is outside the backing; it has 0x${length.toString(16)} bytes`);
}
