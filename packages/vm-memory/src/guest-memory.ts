/**
 * The interfaces that devices program against (`GuestMemory`) and that memory providers implement (`GuestMemoryBackend`).
 * Every range operation knows its access mode, and an implementor may bring its own `Bytes`: the two things that QEMU
 * had to patch into vm-memory. V-1.8.
 */
import type { GuestAddress, MemoryRegionAddress } from './address.ts';
import type { Bytes } from './bytes.ts';
import type { GuestMemorySlices } from './guest-memory-slices.ts';
import type { Permissions } from './permissions.ts';
import type { GuestMemoryRegion, HostAddress } from './region.ts';
import type { VolatileSlice } from './volatile-slice.ts';

/** Guest memory as a device sees it: physical, or behind an IOMMU. */
export interface GuestMemory extends Bytes<GuestAddress> {
  /** Is every byte of [addr, addr + len) there and is `access` permitted? True for `len` 0, anywhere. */
  checkRange(addr: GuestAddress, len: GuestAddress, access?: Permissions): boolean;
  /**
   * [addr, addr + len) as slices of host memory: ascending, one per region (and host buffer) touched, summing to `len`.
   *
   * @throws {GuestMemoryError} while iterating, at the first byte that has no slice; then the iteration is over.
   */
  getSlices(addr: GuestAddress, len: GuestAddress, access?: Permissions): GuestMemorySlices;
  /** The backend when addresses are physical, undefined when they are translated. */
  physicalMemory(): GuestMemoryBackend | undefined;
}

/** Where an address lies. */
export interface RegionAddress<R extends GuestMemoryRegion = GuestMemoryRegion> {
  readonly region: R;
  readonly offset: MemoryRegionAddress;
  /** Bytes from there to the end of the region: what QEMU asked for and vm-memory lacks. */
  readonly remaining: GuestAddress;
}

/** Physical memory, made of regions. Iterating it gives them in ascending order. */
export interface GuestMemoryBackend<R extends GuestMemoryRegion = GuestMemoryRegion> extends GuestMemory {
  [Symbol.iterator](): Iterator<R>;
  readonly numRegions: number;
  /** The largest address of any region; 0 if there are none. */
  readonly lastAddr: GuestAddress;
  /** The region that holds `addr`, or undefined. */
  findRegion(addr: GuestAddress): R | undefined;
  /** The region that holds `addr`, with offset and rest; undefined in a hole, or where `access` is not permitted. */
  toRegionAddr(addr: GuestAddress, access?: Permissions): RegionAddress<R> | undefined;
  /** Is there a region at `addr`? */
  addressInRange(addr: GuestAddress): boolean;
  /** `addr` where a region has it, else undefined. */
  checkAddress(addr: GuestAddress): GuestAddress | undefined;
  /** `base + offset` where a region has that; what lies between does not matter. */
  checkedOffset(base: GuestAddress, offset: GuestAddress): GuestAddress | undefined;
  /** @throws {GuestMemoryError} `invalid-guest-address` in a hole, else as the region. */
  getHostAddress(addr: GuestAddress): HostAddress;
  /** One slice, in one region. @throws {GuestMemoryError} `invalid-guest-address` in a hole, `invalid-backend-address` across an end. */
  getSlice(addr: GuestAddress, len: GuestAddress, access?: Permissions): VolatileSlice;
}

/** Something that can be asked for the memory as it is now: a memory itself, or a `GuestMemoryAtomic`. V-1.8. */
export interface GuestAddressSpace<M extends GuestMemory = GuestMemory> {
  /**
   * A consistent snapshot of the map (not of the bytes). Some hold their regions until they are disposed of, as those of
   * @guestmem/qemu-memory do: who is given any space takes a `loadGuard`, or the memory itself where no snapshot is needed.
   */
  memory(): M;
}
