/**
 * Guest memory as vm-memory's devices want it: ranges checked with a permission, and slices of host memory that mark dirty
 * what is written through them. Only RAM has slices; devices are reached by loads, stores and transfers..
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import {
  type Bitmap,
  type GuestAddress,
  GuestMemoryError,
  GuestMemorySlices,
  hex,
  Permissions,
  toAddress,
  toBigAddress,
  VolatileSlice,
} from '@guestmem/vm-memory';
import { markMask } from '../dirty/mark.ts';
import { advance } from './bulk.ts';
import { isDirect } from './chunks.ts';
import type { Slot } from './slot.ts';
import { translate } from './target.ts';
import type { ViewAccess } from './view-access.ts';

/** Is all of [addr, addr + len) there for `access`? NO asks as READ does: something must be there. */
export function rangePermitted(
  space: ViewAccess,
  addr: GuestAddress,
  len: GuestAddress,
  access: Permissions,
  attrs: MemTxAttrs,
): boolean {
  const start = toAddress(addr);
  const wide = BigInt(len);
  if (wide < 0n) throw new RangeError(`length must not be negative, not ${len}`);
  if (wide === 0n) return true;
  if (BigInt(start) + wide > 1n << 64n || wide > BigInt(Number.MAX_SAFE_INTEGER)) return false;
  const count = Number(len);
  if ((access & Permissions.WRITE) !== 0 && !space.accessValid(start, count, 'write', attrs)) return false;
  return access === Permissions.WRITE || space.accessValid(start, count, 'read', attrs);
}

/** [addr, addr + len) as slices, found one by one. @throws {GuestMemoryError} while iterating, where there is no RAM. */
export function slicesOf(
  space: ViewAccess,
  addr: GuestAddress,
  len: GuestAddress,
  access: Permissions,
  attrs: MemTxAttrs,
): GuestMemorySlices {
  const slices = generate(space, toAddress(addr), toBigAddress(len, 'length'), access, attrs);
  return new GuestMemorySlices(() => slices.next().value ?? undefined);
}

function* generate(
  space: ViewAccess,
  start: GuestAddress,
  len: bigint,
  access: Permissions,
  attrs: MemTxAttrs,
): Generator<VolatileSlice, void, void> {
  const { map } = space;
  const isWrite = (access & Permissions.WRITE) !== 0;
  let addr = start;
  for (let left = len; left > 0n; ) {
    if (left < len && addr === 0) throw noSlice('guest-address-overflow', addr, 'the range ends above 2^64 - 1');
    translate(map, addr, left > 0x4000_0000n ? 0x4000_0000 : Number(left), isWrite, attrs, map.target);
    const { slot, at, length } = map.target;
    const readable = access !== Permissions.READ_WRITE || isDirect(slot, false, attrs);
    if (!isDirect(slot, isWrite, attrs) || !readable || at >= slot.len)
      throw noSlice(
        'invalid-guest-address',
        addr,
        `${hex(addr)} is not RAM that can be ${isWrite ? 'written' : 'read'}`,
      );
    const size = Math.min(length, slot.len - at);
    yield new VolatileSlice(slot.bytes.subarray(at, at + size), isWrite ? new PagesBitmap(slot, at, size) : null);
    left -= BigInt(size);
    addr = advance(addr, size);
  }
}

function noSlice(
  code: 'invalid-guest-address' | 'guest-address-overflow',
  addr: GuestAddress,
  why: string,
): GuestMemoryError {
  return new GuestMemoryError(code, why, { addr });
}

/** Page states as a vm-memory bitmap: marks the clients that are in force then. */
class PagesBitmap implements Bitmap {
  readonly #slot: Slot;
  readonly #at: number;
  readonly #len: number;

  constructor(slot: Slot, at: number, len: number) {
    this.#slot = slot;
    this.#at = at;
    this.#len = len;
  }

  markDirty(offset: number, len: number): void {
    this.#slot.markSlow(this.#at + offset, Math.min(len, this.#len - offset));
  }

  dirtyAt(offset: number): boolean {
    const { blockOffset, section } = this.#slot;
    const { region } = section;
    const mask = markMask(region);
    return offset < this.#len && region.ram!.dirty.includesClean(blockOffset + this.#at + offset, 1, mask) !== mask;
  }

  sliceAt(offset: number): Bitmap {
    return new PagesBitmap(this.#slot, this.#at + offset, Math.max(this.#len - offset, 0));
  }
}
