/** What a display or a migration asks of a region's dirty pages: test, clear, and a snapshot that is taken while it clears.. */
import { checkCount } from '@guestmem/vm-memory';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { RamBlock } from '../region/ram-block.ts';
import { afterSyncBlock, clearBlock, syncBlock } from './block-log.ts';
import { DirtyClient, TRACKER_BIT } from './client.ts';
import { checkBlockRange, markMask } from './mark.ts';

/** Pages that one word of QEMU's bitmap holds: snapshots clear whole words. */
const WORD_PAGES = 64;

/** Is any page of the range dirty for `client`? */
export function memoryRegionGetDirty(region: MemoryRegion, offset: number, len: number, client: DirtyClient): boolean {
  return blockOf(region, offset, len).dirty.get(offset, len, client);
}

/** Clears the range for `client` and tells listeners. @returns pages that were dirty. */
export function memoryRegionResetDirty(region: MemoryRegion, offset: number, len: number, client: DirtyClient): number {
  if (len === 0) return 0;
  const block = blockOf(region, offset, len);
  const count = block.dirty.testAndClear(offset, len, client);
  clearBlock(block, offset, len);
  return count;
}

/** A client's dirty pages of a range, as they were when it was taken. */
export class DirtySnapshot {
  readonly #offset: number;
  readonly #len: number;
  readonly #pageSize: number;
  readonly #pages: Uint8Array;

  /** @hideconstructor */
  constructor(offset: number, len: number, pageSize: number, pages: Uint8Array) {
    this.#offset = offset;
    this.#len = len;
    this.#pageSize = pageSize;
    this.#pages = pages;
  }

  /** Was any page of the range dirty? @throws {RangeError} the range is not inside the snapshot. */
  getDirty(offset: number, len: number): boolean {
    checkCount(offset, 'offset');
    checkCount(len, 'length');
    if (offset < this.#offset || offset + len > this.#offset + this.#len)
      throw new RangeError(`[0x${offset.toString(16)}, +0x${len.toString(16)}) is not inside the snapshot`);
    if (len === 0) return false;
    const base = Math.floor(this.#offset / this.#pageSize);
    const last = Math.floor((offset + len - 1) / this.#pageSize) - base;
    for (let page = Math.floor(offset / this.#pageSize) - base; page <= last; page++)
      if (this.#pages[page] === 1) return true;
    return false;
  }
}

/**
 * Syncs, copies and clears the client's states, then lets listeners clear theirs. Whole words of 64 pages are
 * cleared, as QEMU does: pages beside the range may lose their bit without showing in the snapshot.
 */
export function memoryRegionSnapshotAndClearDirty(
  region: MemoryRegion,
  offset: number,
  len: number,
  client: DirtyClient,
): DirtySnapshot {
  const block = blockOf(region, offset, len);
  syncBlock(block);
  const { dirty } = block;
  const first = Math.floor(offset / dirty.pageSize);
  const last = len === 0 ? first - 1 : Math.floor((offset + len - 1) / dirty.pageSize);
  const from = first - (first % WORD_PAGES);
  const to = len === 0 ? from - 1 : Math.min(last + (WORD_PAGES - 1 - (last % WORD_PAGES)), dirty.count - 1);
  const pages = new Uint8Array(Math.max(last - first + 1, 0));
  for (let page = from; page <= to; page++)
    if (dirty.clearPage(page, 1 << client) && page >= first && page <= last) pages[page - first] = 1;
  clearBlock(block, offset, len);
  afterSyncBlock(block);
  return new DirtySnapshot(offset, len, dirty.pageSize, pages);
}

/**
 * Marks what an accelerator has seen written: a little-endian bitmap, bit 0 of byte 0 for the page at `offset`.
 * VGA always, MIGRATION with global logging, CODE with translated code, trackers where there are any.
 *
 * @returns pages set.
 */
export function setDirtyLebitmap(
  region: MemoryRegion,
  offset: number,
  bitmap: Uint8Array,
  globalLogging: boolean,
): number {
  const block = blockOf(region, offset, 0);
  const { dirty } = block;
  let mask = 1 << DirtyClient.VGA;
  if (globalLogging) mask |= 1 << DirtyClient.MIGRATION;
  mask |= markMask(region) & TRACKER_BIT;
  if (region.core.translatesCode) mask |= 1 << DirtyClient.CODE;
  const first = Math.floor(offset / dirty.pageSize);
  let count = 0;
  for (let bit = 0; bit < bitmap.length * 8 && first + bit < dirty.count; bit++) {
    if ((bitmap[bit >>> 3]! & (1 << (bit & 7))) === 0) continue;
    dirty.mark((first + bit) * dirty.pageSize, 1, mask);
    count++;
  }
  return count;
}

/** @throws {MemoryRegionError} `no-ram`. @throws {RangeError} the range is not inside the block. */
function blockOf(region: MemoryRegion, offset: number, len: number): RamBlock {
  const { ram } = region;
  if (ram === null)
    throw new MemoryRegionError('no-ram', `region "${region.name}" has no RAM block, so no dirty pages`);
  checkBlockRange(region, ram, offset, len);
  return ram;
}
