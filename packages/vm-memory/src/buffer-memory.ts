/** Plain guest memory from ranges or buffers in one call: the counterpart of `GuestMemoryMmap::from_ranges`. V-1.10. */
import type { GuestAddress } from './address.ts';
import { AtomicBitmap } from './atomic-bitmap.ts';
import type { Backing } from './backing.ts';
import { type AdoptableBuffer, bufferBacking } from './backing-buffer.ts';
import type { FileOffset } from './file-offset.ts';
import type { Permissions } from './permissions.ts';
import { GuestRegionBuffer, type GuestRegionBufferOptions } from './region-buffer.ts';
import { GuestRegionCollection } from './region-collection.ts';

/** One region to make. */
export interface MemoryRange {
  readonly startAddr: GuestAddress;
  /** A length in bytes (allocated, zero), a buffer or view of one (adopted), or a backing (kept). */
  readonly memory: number | AdoptableBuffer | Backing;
  readonly permissions?: Permissions;
  readonly fileOffset?: FileOffset;
}

/** What `guestMemory` does with all ranges. */
export interface GuestMemoryOptions {
  /** Allocate SharedArrayBuffers (default false). */
  readonly shared?: boolean;
  /** Track writes: each region gets an AtomicBitmap with this many bytes per bit (default: nothing is tracked). */
  readonly dirtyPageSize?: number;
}

/**
 * Guest memory of the given ranges, sorted by address, touching or apart.
 *
 * @throws {GuestRegionCollectionError} none, unsorted or overlapping ranges.
 * @throws {TypeError | RangeError} as `bufferBacking` and `GuestRegionBuffer`.
 */
export function guestMemory(
  ranges: readonly MemoryRange[],
  options: GuestMemoryOptions = {},
): GuestRegionCollection<GuestRegionBuffer> {
  return GuestRegionCollection.fromRegions(ranges.map((range) => bufferRegion(range, options)));
}

function bufferRegion(range: MemoryRange, options: GuestMemoryOptions): GuestRegionBuffer {
  const { memory } = range;
  const backing = isBacking(memory) ? memory : bufferBacking(memory, { shared: options.shared ?? false });
  const made: { -readonly [K in keyof GuestRegionBufferOptions]: GuestRegionBufferOptions[K] } = {};
  if (range.permissions !== undefined) made.permissions = range.permissions;
  if (range.fileOffset !== undefined) made.fileOffset = range.fileOffset;
  if (options.dirtyPageSize !== undefined)
    made.bitmap = new AtomicBitmap(backing.length, { pageSize: options.dirtyPageSize, shared: backing.shared });
  return new GuestRegionBuffer(range.startAddr, backing, made);
}

function isBacking(memory: MemoryRange['memory']): memory is Backing {
  return typeof (memory as Partial<Backing> | null | undefined)?.segmentAt === 'function';
}
