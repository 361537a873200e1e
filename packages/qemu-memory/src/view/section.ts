/**
 * Part of a region placed in an address space: what a look-up answers with. Immutable; what an access needs in the hot
 * path is worked out from it once, in access/slot.ts. T-140, A-105.
 */
import type { Slot } from '../access/slot.ts';
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatRange } from './flat-range.ts';

/** One section of a flat view. */
export class MemoryRegionSection {
  readonly region: MemoryRegion;
  readonly offsetWithinRegion: bigint;
  readonly offsetWithinAddressSpace: bigint;
  /** Bytes, 1 to 2^64. */
  readonly size: bigint;
  /** Effective: the region's own and everything's on the path to it. Honoured where a space asks for it (A-53, T-160). */
  readonly readonly: boolean;
  readonly nonvolatile: boolean;
  /** May reads be answered from the block's bytes, never by callbacks? Decided when rendered (T-95). */
  readonly directRead: boolean;
  /** May writes go to the block's bytes? */
  readonly directWrite: boolean;
  /** Clients whose pages a direct write marks. */
  readonly dirtyMask: number;

  /** @internal The slots of access/view-map.ts that were made for it, by window; shared by every view that shows it. */
  slots: Slot | Map<number, Slot> | null = null;

  constructor(range: FlatRange) {
    const { region } = range;
    this.region = region;
    this.offsetWithinRegion = range.offset;
    this.offsetWithinAddressSpace = range.first;
    this.size = range.last - range.first + 1n;
    this.readonly = range.readonly;
    this.nonvolatile = range.nonvolatile;
    this.directRead = region.kind === RegionKind.RAM || (region.kind === RegionKind.ROM_DEVICE && range.romdMode);
    const enforced = range.readonly && region.core.enforceReadonlySections;
    this.directWrite = region.kind === RegionKind.RAM && !range.ownReadonly && !enforced;
    this.dirtyMask = range.dirtyMask;
  }

  /** Last address. */
  get last(): bigint {
    return this.offsetWithinAddressSpace + this.size - 1n;
  }

  /** The `size` bytes from `offset` on, both within the section, as a section of their own (T-142, T-144). */
  part(offset: bigint, size: bigint): MemoryRegionSection {
    const first = this.offsetWithinAddressSpace + offset;
    return new MemoryRegionSection({
      first,
      last: first + size - 1n,
      region: this.region,
      offset: this.offsetWithinRegion + offset,
      readonly: this.readonly,
      nonvolatile: this.nonvolatile,
      romdMode: this.directRead,
      ownReadonly: !this.directWrite,
      dirtyMask: this.dirtyMask,
    });
  }

  /** T-140: same region, place, size and flags. */
  equals(other: MemoryRegionSection): boolean {
    return (
      this.region === other.region &&
      this.offsetWithinRegion === other.offsetWithinRegion &&
      this.offsetWithinAddressSpace === other.offsetWithinAddressSpace &&
      this.size === other.size &&
      this.readonly === other.readonly &&
      this.nonvolatile === other.nonvolatile
    );
  }
}
