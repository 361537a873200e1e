/** What a write does to the page states: the one place where clients are told, code is invalidated and bits are set. A-186. */

import { checkCount } from '@guestmem/vm-memory';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { RamBlock } from '../region/ram-block.ts';
import { DirtyClient, TRACKER_BIT } from './client.ts';

const CODE_BIT = 1 << DirtyClient.CODE;
const MIGRATION_BIT = 1 << DirtyClient.MIGRATION;

/** Told that translated code in the range is no longer valid. */
export type CodeInvalidator = (block: RamBlock, offset: number, len: number) => void;

/** The clients that a write to `region` marks now, those in force (T-24): trackers follow global logging. */
export function markMask(region: MemoryRegion): number {
  const mask = region.core.effectiveLogMask(region);
  return (mask & MIGRATION_BIT) === 0 ? mask : mask | TRACKER_BIT;
}

/** Marks [offset, offset + len) of `block`. CODE is never set by a write: its code is invalidated where a page was clean for it. */
export function markWritten(
  block: RamBlock,
  offset: number,
  len: number,
  mask: number,
  invalidate: CodeInvalidator | null,
): void {
  if (len <= 0 || mask === 0) return;
  if ((mask & CODE_BIT) !== 0 && invalidate !== null && block.dirty.includesClean(offset, len, CODE_BIT) !== 0)
    invalidate(block, offset, len);
  block.dirty.mark(offset, len, mask & ~CODE_BIT);
}

/**
 * marks a range of a region that something else than an access has changed; also for ROM devices. A region without
 * RAM has nothing to mark.
 *
 * @throws {RangeError} the range is not inside the RAM block.
 */
export function memoryRegionSetDirty(region: MemoryRegion, offset: number, len: number): void {
  if (region.ram !== null) checkBlockRange(region, region.ram, offset, len);
  markRegion(region, offset, len);
}

/** @internal As `memoryRegionSetDirty`, of a range that is known to be inside. */
export function markRegion(region: MemoryRegion, offset: number, len: number): void {
  const { ram, core } = region;
  if (ram === null) return;
  markWritten(ram, offset, len, markMask(region), core.access.invalidateCode);
}

/** @throws {TypeError | RangeError} no range, or one that is not inside the block. */
export function checkBlockRange({ name }: MemoryRegion, block: RamBlock, offset: number, len: number): void {
  const inside = checkCount(offset, 'offset') + checkCount(len, 'length') <= block.length;
  if (!inside) throw new RangeError(`[${offset}, +${len}) is not inside the ${block.length} bytes of "${name}"`);
}
