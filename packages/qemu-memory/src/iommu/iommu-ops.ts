/** What an IOMMU region asks its model: one translation, and what it may be told.. */
import type { MemTxAttrs } from '@guestmem/memtx';
import type { GuestAddress } from '@guestmem/vm-memory';
import type { ViewAccess } from '../access/view-access.ts';
import type { IommuNotifier } from './iommu-notifier.ts';

/** Bits of an access or of a permission. NONE as an access means "tell me everything, full walk". */
export const IommuAccess = {
  NONE: 0,
  RO: 1,
  WO: 2,
  RW: 3,
  EXEC: 4,
  PRIV: 8,
  GLOBAL: 16,
  UNTRANSLATED_ONLY: 32,
} as const;
/** A set of `IommuAccess` bits. */
export type IommuAccess = number;

/**
 * One translation. The access path reads it at once and keeps nothing, so a model may hand out one object again and again.
 */
export interface IommuTlbEntry {
  /** Where the translated address is looked up. */
  readonly targetAs: ViewAccess;
  /** An address of the page before translation: an offset in the IOMMU region. */
  readonly iova: GuestAddress;
  /** An address of the page in `targetAs`; its low bits, those of `addrMask`, do not count. */
  readonly translatedAddr: GuestAddress;
  /** Page size - 1, a power of two less one; 0xfff for 4 KiB. */
  readonly addrMask: GuestAddress;
  /** NONE: no mapping. */
  readonly perm: IommuAccess;
  /** Process id, where the model knows one. */
  readonly pasid?: number;
}

/** The model behind an IOMMU region. */
export interface IommuMemoryRegionOps {
  /**
   * Translates `offset` of the region; called for every step of every access, nothing is cached.
   * @param access RO, WO, or NONE for a look that changes nothing (replay, getIotlbEntry tools).
   * @param index from `attrsToIndex`.
   */
  translate(offset: GuestAddress, access: IommuAccess, index: number): IommuTlbEntry;
  /** Which of the region's translations these attributes use; default 0. */
  attrsToIndex?(attrs: MemTxAttrs): number;
  /** How many indexes there are; default 1. */
  numIndexes?(): number;
  /** Bytes; default the core's page. */
  minPageSize?(): number;
  /** The union of the notifiers' flags changes; returning false undoes a registration, and means nothing when one ends (A-162). */
  notifyFlagChanged?(before: number, after: number): boolean;
  /** Tells `notifier` of everything that is mapped; default: a walk over the region. */
  replay?(notifier: IommuNotifier): void;
}
