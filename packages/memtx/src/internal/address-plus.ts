/** Addresses of the later parts of a long access. A-61: they go on at 0 after 2^64 - 1. */
import { type GuestAddress, toAddress, toBigAddress } from '@guestmem/vm-memory';

/** `addr + count` modulo 2^64, in normal form. `count` is a safe integer >= 0. @throws {TypeError | RangeError} `addr` is no address. */
export function addressPlus(addr: GuestAddress, count: number): GuestAddress {
  if (typeof addr === 'number') {
    const sum = addr + count;
    if (addr >= 0 && Number.isSafeInteger(sum)) return sum;
  }
  return toAddress(BigInt.asUintN(64, toBigAddress(addr) + BigInt(count)));
}
