/**
 * The chunk iterator: a range as the pieces that answer for it, RAM and devices alike, each found when it is asked for. What
 * a slice is to RAM, a chunk is to everything., D5.
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import { checkCount, type GuestAddress, toAddress, toLength } from '@guestmem/vm-memory';
import { SPACE_SIZE } from '../view/big.ts';
import type { MemoryRegionSection } from '../view/section.ts';
import { advance } from './bulk.ts';
import { type Slot, SlotKind } from './slot.ts';
import { translate } from './target.ts';
import type { ViewMap } from './view-map.ts';

/** The direction of an access, for translation and for what is direct. */
export type AccessMode = 'read' | 'write';

/** @throws {TypeError} neither. */
export function isWriteMode(mode: AccessMode): boolean {
  if (mode === 'write') return true;
  if (mode === 'read') return false;
  throw new TypeError(`an access is 'read' or 'write', not ${String(mode)}`);
}

/** A piece of a range. */
export interface Chunk {
  /** Where it lies in the space that was asked; behind an IOMMU the section is in another one. */
  readonly addr: GuestAddress;
  /** Bytes, 1 and more: one access of the region's own size where it is not direct. */
  readonly length: number;
  /** Who answers; in a hole, and where an IOMMU refuses, the section of `core.unassigned`. */
  readonly section: MemoryRegionSection;
  /** Of the first byte, in the region. */
  readonly offset: GuestAddress;
  /** The host memory itself when the access is direct, else null. A window, not a copy; writing to it marks nothing dirty. */
  readonly bytes: Uint8Array | null;
}

/** The chunks of [start, start + len). Each step translates afresh, so a change of the map between two steps shows. */
export function* chunksOf(
  map: ViewMap,
  start: GuestAddress,
  len: number,
  mode: AccessMode,
  attrs: MemTxAttrs,
): Generator<Chunk, void, void> {
  const isWrite = isWriteMode(mode);
  let addr = toAddress(start);
  for (let left = checkCount(len, 'length'); left > 0; ) {
    translate(map, addr, left, isWrite, attrs, map.target);
    const { slot, at, length } = map.target;
    const direct = isDirect(slot, isWrite, attrs) && at < slot.len;
    const size = direct
      ? Math.min(length, slot.len - at)
      : slot.kind === SlotKind.HOLE
        ? Math.min(length, Math.max(slot.len - at, 1))
        : slot.dispatch.accessSize(slot.alignmentAt(at), length);
    yield {
      addr,
      length: size,
      section: slot.section,
      offset: slot.offsetAt(at),
      bytes: direct ? slot.bytes.subarray(at, at + size) : null,
    };
    left -= size;
    addr = advance(addr, size);
  }
}

/** Does an access go to the bytes? */
export function isDirect(slot: Slot, isWrite: boolean, attrs: MemTxAttrs): boolean {
  return slot.kind === SlotKind.RAM && (isWrite ? slot.takesWrites(attrs) : slot.section.directRead);
}

/**
 * `len` as a number; -1 where the range passes 2^64, or is longer than 2^53 - 1, which nobody walks through.
 *
 * @throws {TypeError | RangeError} no length.
 */
export function walkable(start: GuestAddress, len: GuestAddress): number {
  const bytes = toLength(len);
  return typeof bytes === 'bigint' || BigInt(start) + BigInt(bytes) > SPACE_SIZE ? -1 : bytes;
}
