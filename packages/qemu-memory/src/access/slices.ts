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
  toLength,
  VolatileSlice,
} from '@guestmem/vm-memory';
import { markMask } from '../dirty/mark.ts';
import { advance } from './bulk.ts';
import { isDirect, walkable } from './chunks.ts';
import type { Slot } from './slot.ts';
import { translate } from './target.ts';
import type { ViewAccess } from './view-access.ts';
import type { ViewMap } from './view-map.ts';

/** Is all of [addr, addr + len) there for `access`? NO asks as READ does: something must be there. Never of more than 2^53 - 1 bytes. */
export function rangePermitted(
  space: ViewAccess,
  addr: GuestAddress,
  len: GuestAddress,
  access: Permissions,
  attrs: MemTxAttrs,
): boolean {
  const start = toAddress(addr);
  const near = typeof start === 'number' && typeof len === 'number' && len > 0 && Number.isSafeInteger(start + len);
  const count = near ? (len as number) : walkable(start, len);
  if (count <= 0) return count === 0;
  if ((access & Permissions.WRITE) !== 0 && !space.accessValid(start, count, 'write', attrs)) return false;
  return access === Permissions.WRITE || space.accessValid(start, count, 'read', attrs);
}

/** [addr, addr + len) as slices, found one by one. @throws {GuestMemoryError} while iterating, where there is no RAM. */
export function slicesOf(
  space: ViewAccess,
  start: GuestAddress,
  len: GuestAddress,
  access: Permissions,
  attrs: MemTxAttrs,
): GuestMemorySlices {
  const isWrite = (access & Permissions.WRITE) !== 0;
  const first = toAddress(start);
  const all = toLength(len);
  let map: ViewMap | null = null;
  let addr = first;
  let left = all;
  return new GuestMemorySlices(() => {
    if (left === 0) return undefined;
    if (left !== all && addr === 0) throw noSlice('guest-address-overflow', addr, 'the range ends above 2^64 - 1');
    map ??= space.map;
    let most = left > 0x4000_0000 ? 0x4000_0000 : Number(left);
    let readable = true;
    if (access === Permissions.READ_WRITE) {
      translate(map, addr, most, false, attrs, map.target); // An IOMMU may let write what it does not let read.
      readable = isDirect(map.target.slot, false, attrs);
      most = Math.min(most, map.target.length);
    }
    translate(map, addr, most, isWrite, attrs, map.target);
    const { slot, at, length } = map.target;
    if (!isDirect(slot, isWrite, attrs) || !readable || at >= slot.len)
      throw noSlice(
        'invalid-guest-address',
        addr,
        `${hex(addr)} is not RAM that can be ${access === Permissions.READ_WRITE ? 'read and written' : isWrite ? 'written' : 'read'}`,
      );
    const size = Math.min(length, slot.len - at);
    left = typeof left === 'number' ? left - size : toLength(left - BigInt(size));
    addr = advance(addr, size);
    const bytes = new Uint8Array(slot.buffer, slot.byteOffset + at, size);
    // Marked whatever it was asked for: a slice takes stores, and none may be lost to who follows what is written.
    return new VolatileSlice(bytes, new PagesBitmap(slot, at, size));
  });
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
