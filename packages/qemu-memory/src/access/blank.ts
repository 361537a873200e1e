/**
 * What every look-up of a machine begins with: tables in which nobody answers. Shared, and never written: a look-up that
 * enters something has a table of its own from then on. Full tables for each are 10 KB that a program which changes the
 * map often (bank switching) makes for a few accesses each: a commit 18 us instead of 14.
 */
import type { MemoryRegion } from '../region/memory-region.ts';
import { SPACE_SIZE } from '../view/big.ts';
import { MemoryRegionSection } from '../view/section.ts';
import { Slot, SlotKind } from './slot.ts';
import { TABLE_ENTRIES } from './view-map.ts';

/** The beginning of the look-ups of one core. */
export class Blank {
  /** T-150: what answers in holes, at offset = address. */
  readonly unassigned: MemoryRegionSection;
  /** Covers nothing. */
  readonly never: Slot;
  /** Answers when an IOMMU refuses. */
  readonly refused: Slot;
  readonly coarse: readonly Slot[];
  readonly pages: readonly Slot[];
  readonly fine: readonly Slot[];

  /** @param region `core.unassigned`. */
  constructor(region: MemoryRegion) {
    const section = new MemoryRegionSection({
      first: 0n,
      last: SPACE_SIZE - 1n,
      region,
      offset: 0n,
      readonly: false,
      ownReadonly: false,
      nonvolatile: false,
      romdMode: true,
      dirtyMask: 0,
    });
    const hole = { len: 0, kind: SlotKind.HOLE, section, offset: 0n };
    this.unassigned = section;
    this.never = new Slot({ first: Number.POSITIVE_INFINITY, ...hole });
    this.refused = new Slot({ first: 0, ...hole });
    this.coarse = new Array<Slot>(TABLE_ENTRIES.coarse).fill(this.never);
    this.pages = new Array<Slot>(TABLE_ENTRIES.pages).fill(this.never);
    this.fine = new Array<Slot>(TABLE_ENTRIES.fine).fill(this.never);
  }
}
