/**
 * One flat view held fast: accesses see the map as it was when it was pinned, until it is given back. It is vm-memory's guest
 * memory with the sections of the view as its regions, as the RFC set out., T-94.
 */
import {
  checkedAdd,
  DISPOSE,
  type DisposableHandle,
  type GuestAddress,
  type GuestMemoryBackend,
  GuestMemoryError,
  type HostAddress,
  hex,
  Permissions,
  type RegionAddress,
  toAddress,
  type VolatileSlice,
} from '@guestmem/vm-memory';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { MemoryRegionSection } from '../view/section.ts';
import { SectionRegion } from './section-region.ts';
import { ViewAccess } from './view-access.ts';

/** `using` disposes it. A property of each view: a class member could not be named by `DISPOSE`. */
export interface PinnedView extends DisposableHandle {}

/** Access to a view that does not change. Made by `ViewAccess.memory` and `pin`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor sets the one member
export class PinnedView extends ViewAccess implements GuestMemoryBackend<SectionRegion> {
  #held = true;

  /** @hideconstructor Takes a reference on `view`. @throws {MemoryRegionError} `disposed`: the view has none left. */
  constructor(core: MemoryCore, view: FlatView) {
    super(core, view);
    if (!view.ref())
      throw new MemoryRegionError('disposed', 'the flat view has no references left: pin it while somebody holds it');
    core.pinned.add(view);
    this[DISPOSE] = () => this.dispose();
  }

  get disposed(): boolean {
    return !this.#held;
  }

  /** @internal */
  get title(): string {
    return 'the pinned view';
  }

  /** Gives the view back; regions that only it showed may end now. Accesses still work but nothing is kept alive for them. */
  dispose(): void {
    if (!this.#held) return;
    this.#held = false;
    this.core.pinned.tapped(this, false);
    this.view.unref();
  }

  /** @internal */
  override changed(): void {
    this.core.pinned.tapped(this, this.#held && this.map !== this.view.map);
    super.changed();
  }

  /** The sections in ascending order. */
  *[Symbol.iterator](): Iterator<SectionRegion> {
    for (let i = 0; i < this.numRegions; i++) yield this.#region(this.view.section(i));
  }

  /** How many sections there are. */
  get numRegions(): number {
    return this.view.length;
  }

  /** The last address of the last section; 0 if there is none. */
  get lastAddr(): GuestAddress {
    return this.numRegions === 0 ? 0 : this.#region(this.view.section(this.numRegions - 1)).lastAddr;
  }

  /** The section that shows `addr`; undefined in a hole. */
  findRegion(addr: GuestAddress): SectionRegion | undefined {
    const section = this.view.lookup(toAddress(addr));
    return section === null ? undefined : this.#region(section);
  }

  /** The section of `addr` with the offset in it and what follows; undefined in a hole or where `access` is not permitted. */
  toRegionAddr(addr: GuestAddress, access: Permissions = Permissions.NO): RegionAddress<SectionRegion> | undefined {
    const region = this.findRegion(addr);
    if (region === undefined || !region.permits(access)) return undefined;
    const offset = toAddress(BigInt(addr) - BigInt(region.startAddr));
    return { region, offset, remaining: region.contiguous(offset) };
  }

  /** Does anything answer at `addr`? */
  addressInRange(addr: GuestAddress): boolean {
    return this.view.find(toAddress(addr)) >= 0;
  }

  /** `addr` where something answers, else undefined. */
  checkAddress(addr: GuestAddress): GuestAddress | undefined {
    return this.addressInRange(addr) ? addr : undefined;
  }

  /** `base + offset` where something answers there; what lies between does not matter. */
  checkedOffset(base: GuestAddress, offset: GuestAddress): GuestAddress | undefined {
    const sum = checkedAdd(base, offset);
    return sum === undefined ? undefined : this.checkAddress(sum);
  }

  /** @throws {GuestMemoryError} `invalid-guest-address` in a hole, else as SectionRegion. */
  getHostAddress(addr: GuestAddress): HostAddress {
    const { region, offset } = this.#at(addr);
    return region.getHostAddress(offset);
  }

  /** One slice of one section. @throws {GuestMemoryError} `invalid-guest-address` in a hole, else as SectionRegion. */
  getSlice(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.READ): VolatileSlice {
    const { region, offset } = this.#at(addr);
    return region.getSlice(offset, len, access);
  }

  #at(addr: GuestAddress): RegionAddress<SectionRegion> {
    const found = this.toRegionAddr(addr);
    if (found === undefined)
      throw new GuestMemoryError('invalid-guest-address', `nothing answers at ${hex(addr)}`, { addr });
    return found;
  }

  #region(section: MemoryRegionSection): SectionRegion {
    return new SectionRegion(this, section);
  }
}
