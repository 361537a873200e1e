/**
 * From the map as data to a live core: every region, its place, its flags, and the address spaces, which render as they
 * are made. D14.
 */
import { type Backing, sparseBacking } from '@guestmem/vm-memory';
import { IommuAccess, type IommuMemoryRegionOps } from '../iommu/iommu-ops.ts';
import { MtreeError } from '../mtree/error.ts';
import { MemoryRegionError } from '../region/error.ts';
import { RegionKind } from '../region/kind.ts';
import { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps } from '../region/ops.ts';
import { RamBlock } from '../region/ram-block.ts';
import type { AddressSpace } from '../space/address-space.ts';
import type { MemoryCoreOptions } from '../space/core-options.ts';
import { MemoryCore } from '../space/memory-core.ts';
import { SPACE_SIZE } from '../view/big.ts';
import { checkMap } from './check-map.ts';
import type { MapRegion, MapRegionKind, MemoryMap } from './memory-map.ts';
import { HIDDEN_OWNER, NamedOwner } from './owner.ts';

/** What stands behind the regions; the map itself has no bytes and no devices. An IOMMU refuses every access. */
export interface BuildMapOptions extends MemoryCoreOptions {
  /** Bytes of a RAM, ROM or ROM device. Default: sparse memory of its size, full of zeros. */
  readonly backing?: (region: MapRegion, length: number) => Backing;
  /** Device of an `io` region. Default, and for undefined: a reservation, which answers by refusing. */
  readonly device?: (region: MapRegion) => MemoryRegionOps | undefined;
}

/** A core made from a map. */
export interface BuiltMap {
  readonly core: MemoryCore;
  /** By index in `MemoryMap.regions`. */
  readonly regions: readonly MemoryRegion[];
  /** By index in `MemoryMap.spaces`. */
  readonly spaces: readonly AddressSpace[];
}

/**
 * Makes the regions and address spaces of `map` in a new core. Views in the map are not used: the core renders its own.
 *
 * @throws {MtreeError} `bad-map` where the value is not a map that can be built.
 */
export function buildMap(map: MemoryMap, options: BuildMapOptions = {}): BuiltMap {
  checkMap(map);
  const core = new MemoryCore(options);
  return new Builder(core, map, options).build();
}

const KINDS: Record<MapRegionKind, RegionKind> = {
  container: RegionKind.CONTAINER,
  io: RegionKind.IO,
  reservation: RegionKind.RESERVATION,
  ram: RegionKind.RAM,
  'rom-device': RegionKind.ROM_DEVICE,
  'ram-device': RegionKind.RAM_DEVICE,
  iommu: RegionKind.IOMMU,
  alias: RegionKind.ALIAS,
};

class Builder {
  readonly #core: MemoryCore;
  readonly #map: MemoryMap;
  readonly #options: BuildMapOptions;
  readonly #made: (MemoryRegion | undefined)[];
  readonly #owners = new Map<string, NamedOwner>();

  constructor(core: MemoryCore, map: MemoryMap, options: BuildMapOptions) {
    this.#core = core;
    this.#map = map;
    this.#options = options;
    this.#made = new Array(map.regions.length).fill(undefined);
  }

  build(): BuiltMap {
    const regions = this.#map.regions.map((_, id) => this.#region(id));
    for (const [id, region] of regions.entries()) this.#place(region, this.#map.regions[id]!);
    this.#hold(regions);
    const spaces = this.#spaces(regions);
    return { core: this.#core, regions, spaces };
  }

  #spaces(regions: readonly MemoryRegion[]): AddressSpace[] {
    try {
      return this.#core.transaction(() =>
        this.#map.spaces.map(({ name, root }) => this.#core.addressSpace(regions[root]!, name)),
      );
    } catch (cause) {
      if (!(cause instanceof MemoryRegionError)) throw cause;
      throw new MtreeError('bad-map', 0, `cannot be rendered: ${cause.message}`, { cause });
    }
  }

  /** Makes region `id`, the target of an alias first. checkMap has seen that the chain ends. */
  #region(id: number): MemoryRegion {
    const known = this.#made[id];
    if (known !== undefined) return known;
    const data = this.#map.regions[id]!;
    const size = BigInt(data.size);
    const ops = data.kind === 'io' || data.kind === 'rom-device' ? this.#options.device?.(data) : undefined;
    const region = new MemoryRegion(this.#core, {
      kind: data.kind === 'io' && ops === undefined ? RegionKind.RESERVATION : KINDS[data.kind],
      name: data.name,
      size,
      owner: data.hidden ? HIDDEN_OWNER : this.#owner(data.owner),
      ram: this.#ram(data, size),
      ops: ops ?? null,
      iommu: data.kind === 'iommu' ? this.#mapsNothing() : null,
      target: data.target === undefined ? null : this.#region(data.target),
      aliasOffset: BigInt(data.aliasOffset ?? 0),
      readonly: data.readonly ?? false,
    });
    this.#made[id] = region;
    return region;
  }

  /** An IOMMU without tables: every access is refused. */
  #mapsNothing(): IommuMemoryRegionOps {
    const targetAs = this.#core.pin(this.#core.emptyView);
    return { translate: (iova) => ({ targetAs, iova, translatedAddr: 0, addrMask: 0, perm: IommuAccess.NONE }) };
  }

  #ram(data: MapRegion, size: bigint): RamBlock | null {
    if (data.kind !== 'ram' && data.kind !== 'rom-device' && data.kind !== 'ram-device') return null;
    const { pageSize } = this.#core;
    if (size === 0n) return new RamBlock(data.name, sparseBacking(1), { pageSize }); // Should it be resized: no RAM is without memory.
    if (size > BigInt(Number.MAX_SAFE_INTEGER))
      throw new MtreeError(
        'bad-map',
        data.lines?.[0] ?? 0,
        `${data.kind} "${data.name}" of ${data.size} bytes is too large`,
      );
    const length = Number(size);
    const backing = this.#options.backing?.(data, length) ?? sparseBacking(length);
    return new RamBlock(data.name, backing, { pageSize });
  }

  /**
   * A region has its priority from its place in a container. Where the map has the priority and not the container, as
   * with sections of a dump whose containers no space reaches, an empty one stands in.
   */
  #hold(regions: readonly MemoryRegion[]): void {
    for (const [id, region] of regions.entries()) {
      const { priority = 0, addr = '0x0' } = this.#map.regions[id]!;
      if (priority === 0 || region.container !== null) continue;
      this.#core.container('', SPACE_SIZE).addSubregion(BigInt(addr), region, priority);
    }
  }

  #owner(label: string | undefined): NamedOwner | null {
    if (label === undefined) return null;
    const known = this.#owners.get(label);
    if (known !== undefined) return known;
    const owner = new NamedOwner(label);
    this.#owners.set(label, owner);
    return owner;
  }

  /** Flags, and the children from the lowest to the topmost: what is added last lies on top (T-42). */
  #place(region: MemoryRegion, data: MapRegion): void {
    if (data.enabled === false) region.setEnabled(false);
    if (data.nonvolatile) region.setNonvolatile(true);
    if (data.romdMode === false) region.romDeviceSetRomd(false);
    if (data.addr !== undefined) region.setAddress(BigInt(data.addr));
    const children = data.children ?? [];
    for (let i = children.length - 1; i >= 0; i--) {
      const child = this.#map.regions[children[i]!]!;
      region.addSubregion(BigInt(child.addr ?? 0), this.#made[children[i]!]!, child.priority ?? 0);
    }
  }
}
