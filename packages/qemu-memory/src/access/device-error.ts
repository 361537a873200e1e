/** The typed error for a device callback that threw: names the region, the offset and the access. D10. */
import { type GuestAddress, hex } from '@guestmem/vm-memory';
import type { MemoryRegion } from '../region/memory-region.ts';

/** A device's callback threw. The re-entrancy guard is released, the space stays usable; `cause` is what was thrown. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code = 'device-callback';
  readonly region: MemoryRegion;
  /** Offset within `region` that the callback was given. */
  readonly offset: GuestAddress;
  /** Bytes of the callback; 0 when an IOMMU's translation threw. */
  readonly size: number;
  readonly isWrite: boolean;

  constructor(region: MemoryRegion, offset: GuestAddress, size: number, isWrite: boolean, cause: unknown) {
    const what = isWrite ? 'write' : 'read';
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`region "${region.name}": ${what} of ${size} bytes at offset ${hex(offset)} threw: ${why}`, { cause });
    this.region = region;
    this.offset = offset;
    this.size = size;
    this.isWrite = isWrite;
  }
}
