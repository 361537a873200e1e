/**
 * A section of a pinned view as vm-memory's region: what the RFC calls `GuestMemoryRegion`, since vm-memory's regions cannot
 * overlap and QEMU's can. Addresses in it are section offsets. Its `Bytes` is its own: a device's section is
 * read and written through callbacks, as everywhere..
 */
import {
  checkBuffer,
  checkCount,
  type GuestAddress,
  GuestMemoryError,
  GuestMemoryRegion,
  type HostAddress,
  hex,
  type MemoryRegionAddress,
  type Ordering,
  Permissions,
  type ReadVolatile,
  type ScalarCodec,
  toAddress,
  toLength,
  VolatileSlice,
  type WriteVolatile,
} from '@guestmem/vm-memory';
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegionSection } from '../view/section.ts';
import type { PinnedView } from './pinned-view.ts';

/** One section, seen as a region. Made by iterating a PinnedView, or by its `findRegion`. */
export class SectionRegion extends GuestMemoryRegion {
  override readonly startAddr: GuestAddress;
  /** Bytes, 1 to 2^64. */
  override readonly length: GuestAddress;
  readonly section: MemoryRegionSection;
  readonly #view: PinnedView;

  /** @hideconstructor */
  constructor(view: PinnedView, section: MemoryRegionSection) {
    super();
    this.#view = view;
    this.section = section;
    this.startAddr = toAddress(section.offsetWithinAddressSpace);
    this.length = toLength(section.size);
  }

  /** Memory permits writing unless it is read-only; what a device permits, only the device knows. */
  override permits(access: Permissions): boolean {
    if ((access & Permissions.WRITE) === 0) return true;
    return this.section.directWrite || this.section.region.kind !== RegionKind.RAM;
  }

  /** @throws {GuestMemoryError} `host-address-not-available` for what callbacks answer; `invalid-backend-address` past the end. */
  override getHostAddress(offset: MemoryRegionAddress): HostAddress {
    this.#addr(offset, 1);
    const { region, offsetWithinRegion, directRead } = this.section;
    const at = Number(offsetWithinRegion) + Number(offset);
    // A region may be larger than its block (T-46).
    if (region.ram === null || !directRead || at >= region.ram.length) return super.getHostAddress(offset);
    const { start, bytes } = region.ram.backing.segmentAt(at);
    return { buffer: bytes.buffer, byteOffset: bytes.byteOffset + at - start };
  }

  override getSlice(
    offset: MemoryRegionAddress,
    count: GuestAddress,
    access: Permissions = Permissions.READ,
  ): VolatileSlice {
    const len = BigInt(toLength(count));
    if (len === 0n && this.section.directRead) {
      this.#check(offset, 0n);
      return new VolatileSlice(new Uint8Array(0));
    }
    const addr = this.#addr(offset, count);
    const slice = this.#view.getSlices(addr, count, access).next();
    if (slice.done === true || BigInt(slice.value.length) !== len)
      throw this.#outside(offset, count, 'are not in one piece of host memory');
    return slice.value;
  }

  override read(buf: Uint8Array, offset: MemoryRegionAddress): number {
    checkBuffer(buf);
    const n = this.#fit(offset, buf.length);
    return n === 0 ? 0 : this.#view.read(buf.subarray(0, n), this.#addr(offset, n));
  }

  override write(buf: Uint8Array, offset: MemoryRegionAddress): number {
    checkBuffer(buf);
    const n = this.#fit(offset, buf.length);
    return n === 0 ? 0 : this.#view.write(buf.subarray(0, n), this.#addr(offset, n));
  }

  override load<T>(offset: MemoryRegionAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    return this.#view.load(this.#addr(offset, codec.size), codec, ordering);
  }

  override store<T>(offset: MemoryRegionAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    this.#view.store(this.#addr(offset, codec.size), codec, value, ordering);
  }

  override readVolatileFrom(offset: MemoryRegionAddress, src: ReadVolatile, count: number): number {
    const n = this.#fit(offset, count);
    return n === 0 ? 0 : this.#view.readVolatileFrom(this.#addr(offset, n), src, n);
  }

  override writeVolatileTo(offset: MemoryRegionAddress, dst: WriteVolatile, count: number): number {
    const n = this.#fit(offset, count);
    return n === 0 ? 0 : this.#view.writeVolatileTo(this.#addr(offset, n), dst, n);
  }

  /** How many of `count` bytes lie in the section. @throws {GuestMemoryError} none, though some are asked for. */
  #fit(offset: MemoryRegionAddress, count: number): number {
    const rest = BigInt(this.length) - BigInt(toAddress(offset, 'offset'));
    if (checkCount(count) === 0) return 0;
    if (rest <= 0n) throw this.#outside(offset, count, 'are past the end');
    return rest < BigInt(count) ? Number(rest) : count;
  }

  /** The address of `offset`. @throws {GuestMemoryError} unless all `count` bytes are in the section. */
  #addr(offset: MemoryRegionAddress, count: GuestAddress): GuestAddress {
    return toAddress(BigInt(this.startAddr) + this.#check(offset, BigInt(count)));
  }

  /** The offset. @throws {GuestMemoryError} unless all `count` bytes are in the section. */
  #check(offset: MemoryRegionAddress, count: bigint): bigint {
    const at = BigInt(toAddress(offset, 'offset'));
    if (at + count > BigInt(this.length)) throw this.#outside(offset, count, 'are past the end');
    return at;
  }

  #outside(offset: MemoryRegionAddress, count: GuestAddress, why: string): GuestMemoryError {
    const { region, size } = this.section;
    return new GuestMemoryError(
      'invalid-backend-address',
      `${hex(count)} bytes at offset ${hex(offset)} of the section of "${region.name}" at ${hex(this.startAddr)} (${hex(size)} bytes) ${why}`,
      { addr: offset },
    );
  }
}
