/**
 * Part of a region placed in an address space: what a look-up answers with, and the unit of every access. Immutable.
 * Hot: `first`, `last` and `ram` are what the fast paths test. T-140, A-105.
 */
import type { BackingSegment } from '@guestmem/vm-memory';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatRange } from './flat-range.ts';

/** One section of a flat view. */
export class MemoryRegionSection {
  readonly region: MemoryRegion;
  readonly offsetWithinRegion: bigint;
  readonly offsetWithinAddressSpace: bigint;
  /** Bytes, 1 to 2^64. */
  readonly size: bigint;
  readonly readonly: boolean;
  readonly nonvolatile: boolean;
  /** First and last address as numbers; those from 2^53 on are rounded and never equal a safe integer. */
  readonly first: number;
  readonly last: number;
  /** The bytes of plain RAM when one segment holds the whole section; null for everything else. */
  readonly ram: BackingSegment | null;

  constructor(range: FlatRange) {
    this.region = range.region;
    this.offsetWithinRegion = range.offset;
    this.offsetWithinAddressSpace = range.first;
    this.size = range.last - range.first + 1n;
    this.readonly = range.readonly;
    this.nonvolatile = range.nonvolatile;
    this.first = Number(range.first);
    this.last = Number(range.last);
    this.ram = null;
  }
}
