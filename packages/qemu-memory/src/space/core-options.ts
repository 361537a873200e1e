/** What a core and the regions it makes are told, and the check of it. D6, T-24, T-46. */

import type { ByteOrder, GuestAddress } from '@guestmem/vm-memory';
import { badNumber } from '@guestmem/vm-memory';
import { isPageSize } from '../dirty/dirty-pages.ts';

/** Options of a core. */
export interface MemoryCoreOptions {
  /** The target CPU's byte order, for `native` devices and native loads. Default `little`. */
  readonly targetOrder?: ByteOrder;
  /** Does the machine translate code, so that all RAM is logged for the CODE client (T-24)? Default false. */
  readonly translatesCode?: boolean;
  /** Bytes of a target page, a power of two: for dirty tracking and for IOMMU look-ups. Default 4096. */
  readonly pageSize?: number;
  /** Refuse writes to what only an alias or container makes read-only; QEMU lets them through (A-53, T-160). Default false. */
  readonly enforceReadonlySections?: boolean;
  /** Regions that rendering one address space may visit before it is refused as `too-complex`. Default 4 million. */
  readonly maxVisits?: number;
}

/** Options every region takes. */
export interface RegionOptions {
  /** Who owns it: for lifetimes and for the re-entrancy guard (T-28, T-30). Default nobody. */
  readonly owner?: object | null;
  readonly nonvolatile?: boolean;
}

/** Options of regions with memory. */
export interface RamOptions extends RegionOptions {
  /** Bytes that the region shows; default the whole block. Independent of it (T-46). */
  readonly size?: GuestAddress;
  /** Does a migration save it (T-24)? Default true. */
  readonly migratable?: boolean;
}

/** @throws {TypeError | RangeError} an option of a core that is none of its values. */
export function checkOptions({ targetOrder = 'little', pageSize = 4096, maxVisits = 1 }: MemoryCoreOptions): void {
  if (targetOrder !== 'little' && targetOrder !== 'big')
    throw new TypeError(`targetOrder must be 'little' or 'big', not ${String(targetOrder)}`);
  if (!isPageSize(pageSize)) throw badNumber('pageSize must be a power of two from 256 bytes to 1 GiB', pageSize);
  if (!(Number.isSafeInteger(maxVisits) && maxVisits >= 1))
    throw badNumber('maxVisits must be an integer of 1 and more', maxVisits);
}
