/** What a region is made of, as the factories of MemoryCore say it. T-10 to T-18. */
import type { GuestAddress } from '@guestmem/vm-memory';
import type { IommuMemoryRegionOps } from '../iommu/iommu-ops.ts';
import type { RegionKind } from './kind.ts';
import type { MemoryRegion } from './memory-region.ts';
import type { MemoryRegionOps } from './ops.ts';
import type { RamBlock } from './ram-block.ts';

/** What a region is made of. The factories of MemoryCore fill this in. */
export interface MemoryRegionInit {
  readonly kind: RegionKind;
  /** Any text, need not be unique; '' stands for none (T-26, T-27). */
  readonly name: string;
  /** Bytes, 0 to 2^64; 2^64 - 1 means 2^64 (T-2). */
  readonly size: GuestAddress;
  /** Who owns it: for lifetimes and for the re-entrancy guard (T-28, T-30). */
  readonly owner?: object | null;
  readonly ram?: RamBlock | null;
  readonly ops?: MemoryRegionOps | null;
  /** What translates, for an IOMMU region. */
  readonly iommu?: IommuMemoryRegionOps | null;
  readonly target?: MemoryRegion | null;
  readonly aliasOffset?: GuestAddress;
  readonly readonly?: boolean;
  readonly nonvolatile?: boolean;
  /** Is its RAM saved by a migration, so that global dirty logging covers it (T-24)? Default true. */
  readonly migratable?: boolean;
}
