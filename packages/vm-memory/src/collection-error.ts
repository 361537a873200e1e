/** What a collection of regions refuses. V-1.7. */
import { hex } from './address.ts';
import type { GuestMemoryRegion } from './region.ts';

/** Why. */
export type GuestRegionCollectionErrorCode = 'no-memory-region' | 'unsorted-memory-regions' | 'memory-region-overlap';

/** A map of regions that cannot be. */
export class GuestRegionCollectionError extends Error {
  override readonly name: string = 'GuestRegionCollectionError';
  readonly code: GuestRegionCollectionErrorCode;

  constructor(code: GuestRegionCollectionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** `[0x1000, 0x1fff]`. */
export function rangeName(region: GuestMemoryRegion): string {
  return `[${hex(region.startAddr)}, ${hex(region.lastAddr)}]`;
}
