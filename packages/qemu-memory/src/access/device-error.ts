/** The typed error for a device callback that threw: names the region, the offset and the access. D10. */
import { type GuestAddress, hex, textOf } from '@guestmem/vm-memory';
import type { MemoryRegion } from '../region/memory-region.ts';

/** A device's callback threw. The re-entrancy guard is released, the space stays usable; `cause` is what was thrown. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code = 'device-callback';
  /** Not enumerable: whoever prints the error wants its message, not all that hangs on the region. */
  declare readonly region: MemoryRegion;
  /** Offset within `region` that the callback was given. */
  readonly offset: GuestAddress;
  /** Bytes of the callback; 0 when an IOMMU's translation threw. */
  readonly size: number;
  readonly isWrite: boolean;

  constructor(region: MemoryRegion, offset: GuestAddress, size: number, isWrite: boolean, cause: unknown) {
    const way = isWrite ? 'write' : 'read';
    const what = size === 0 ? `translation for a ${way}` : `${way} of ${size} bytes`;
    super(`region "${region.name}": ${what} at offset ${hex(offset)} threw: ${textOf(cause)}`, { cause });
    Object.defineProperty(this, 'region', { value: region });
    this.offset = offset;
    this.size = size;
    this.isWrite = isWrite;
  }
}
