/**
 * Arithmetic on addresses: what vm-memory's `Address` trait offers, as functions over `number | bigint`. Results are in
 * normal form (a number while it is a safe integer). Plain operators are missing on purpose there and unwise here:
 * `addr + 1` is wrong past 2^53 and a TypeError for a bigint. V-1.1, D1.
 */
import { type GuestAddress, hex, LAST_ADDRESS, toAddress, toBigAddress } from './address.ts';

/** `addr + n`, or undefined where that passes 2^64 - 1. */
export function checkedAdd(addr: GuestAddress, n: GuestAddress): GuestAddress | undefined {
  if (typeof addr === 'number' && typeof n === 'number') {
    const sum = addr + n;
    if (addr >= 0 && n >= 0 && Number.isSafeInteger(sum) && Number.isInteger(addr)) return sum;
  }
  const sum = toBigAddress(addr) + toBigAddress(n, 'n');
  return sum > LAST_ADDRESS ? undefined : toAddress(sum);
}

/** `addr - n`, or undefined where that is negative. */
export function checkedSub(addr: GuestAddress, n: GuestAddress): GuestAddress | undefined {
  const difference = toBigAddress(addr) - toBigAddress(n, 'n');
  return difference < 0n ? undefined : toAddress(difference);
}

/** `addr - base`, or undefined where `addr` lies before `base`. */
export function checkedOffsetFrom(addr: GuestAddress, base: GuestAddress): GuestAddress | undefined {
  return checkedSub(addr, base);
}

/** The sum modulo 2^64, and whether it wrapped. */
export function overflowingAdd(addr: GuestAddress, n: GuestAddress): readonly [value: GuestAddress, wrapped: boolean] {
  const sum = toBigAddress(addr) + toBigAddress(n, 'n');
  return [toAddress(BigInt.asUintN(64, sum)), sum > LAST_ADDRESS];
}

/** The difference modulo 2^64, and whether it wrapped. */
export function overflowingSub(addr: GuestAddress, n: GuestAddress): readonly [value: GuestAddress, wrapped: boolean] {
  const difference = toBigAddress(addr) - toBigAddress(n, 'n');
  return [toAddress(BigInt.asUintN(64, difference)), difference < 0n];
}

/** `addr + n` for a caller who knows that it fits. @throws {RangeError} it does not: never wraps, unlike a Rust release build. */
export function uncheckedAdd(addr: GuestAddress, n: GuestAddress): GuestAddress {
  return checkedAdd(addr, n) ?? overflow(addr, '+', n);
}

/** `addr - n` for a caller who knows that it fits. @throws {RangeError} it is negative. */
export function uncheckedSub(addr: GuestAddress, n: GuestAddress): GuestAddress {
  return checkedSub(addr, n) ?? overflow(addr, '-', n);
}

/** `addr - base` for a caller who knows that `addr` is not before `base`. @throws {RangeError} it is. */
export function uncheckedOffsetFrom(addr: GuestAddress, base: GuestAddress): GuestAddress {
  return uncheckedSub(addr, base);
}

/**
 * The next multiple of `powerOfTwo` from `addr` on, or undefined where `addr + (powerOfTwo - 1)` passes 2^64 - 1 (for an
 * aligned `addr` too).
 *
 * @throws {RangeError} `powerOfTwo` is none.
 */
export function checkedAlignUp(addr: GuestAddress, powerOfTwo: GuestAddress): GuestAddress | undefined {
  const step = toBigAddress(powerOfTwo, 'powerOfTwo');
  if (step === 0n || (step & (step - 1n)) !== 0n)
    throw new RangeError(`an alignment must be a power of two, not ${hex(powerOfTwo)}`);
  const raised = checkedAdd(addr, step - 1n);
  return raised === undefined ? undefined : toAddress(BigInt(raised) & ~(step - 1n));
}

/** `checkedAlignUp` for a caller who knows that it fits. @throws {RangeError} it does not, or `powerOfTwo` is none. */
export function uncheckedAlignUp(addr: GuestAddress, powerOfTwo: GuestAddress): GuestAddress {
  return checkedAlignUp(addr, powerOfTwo) ?? overflow(addr, 'aligned to', powerOfTwo);
}

/** The bits that `addr` and `bits` have in common; exact in all 64 bits, which `&` is not. Also what `mask` is in Rust. */
export function bitAnd(addr: GuestAddress, bits: GuestAddress): GuestAddress {
  return toAddress(toBigAddress(addr) & toBigAddress(bits, 'bits'));
}

/** The bits that `addr` or `bits` has; exact in all 64 bits. */
export function bitOr(addr: GuestAddress, bits: GuestAddress): GuestAddress {
  return toAddress(toBigAddress(addr) | toBigAddress(bits, 'bits'));
}

/** Order for `sort`: negative, zero or positive. A number and a bigint of the same value are equal. */
export function compareAddresses(a: GuestAddress, b: GuestAddress): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function overflow(addr: GuestAddress, operator: string, n: GuestAddress): never {
  throw new RangeError(`${hex(addr)} ${operator} ${hex(n)} leaves the address space of 0 to 2^64 - 1`);
}
