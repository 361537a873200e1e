/** Who wants to know when translations appear or go.. */
import type { GuestAddress } from '@guestmem/vm-memory';
import type { IommuTlbEntry } from './iommu-ops.ts';

/** What a notifier asks for, and what an event is. */
export const IommuNotifierFlag = {
  UNMAP: 1,
  MAP: 2,
  DEVIOTLB_UNMAP: 4,
} as const;

/** One registration. `entry.addrMask` is a length - 1 after cropping, not always a mask. */
export interface IommuNotifier {
  /** Bits of `IommuNotifierFlag`; not 0. */
  readonly flags: number;
  /** First and last offset of the region that it cares for. */
  readonly start: GuestAddress;
  readonly end: GuestAddress;
  /** Default 0. */
  readonly iommuIndex?: number;
  /** Called inside the change; must not register or unregister at the same region. */
  notify(entry: IommuTlbEntry): void;
}

/** A change of the translations of one index. */
export interface IommuEvent {
  /** One bit of `IommuNotifierFlag`. An UNMAP event has an entry of permission NONE. */
  readonly type: number;
  readonly entry: IommuTlbEntry;
}
