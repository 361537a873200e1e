/** Addresses of the later parts of a long access. A-61: they go on at 0 after 2^64 - 1. */
import { type GuestAddress, toAddress } from '@guestmem/vm-memory';

/** `addr + count` modulo 2^64, in normal form. `count` is a safe integer >= 0. */
export function addressPlus(addr: GuestAddress, count: number): GuestAddress {
  if (typeof addr === 'number') {
    const sum = addr + count;
    if (sum <= Number.MAX_SAFE_INTEGER) return sum;
  }
  return toAddress(BigInt.asUintN(64, BigInt(addr) + BigInt(count)));
}
