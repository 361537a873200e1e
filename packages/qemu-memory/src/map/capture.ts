/** From a live core to the map as data: every region that an address space reaches, and the views. D14. */
import { ownerText } from '../mtree/region-text.ts';
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { viewGroups } from '../space/view-groups.ts';
import type { FlatRange } from '../view/flat-range.ts';
import { buildMap } from './build.ts';
import {
  type MapRange,
  type MapRegion,
  type MapRegionKind,
  type MapSpace,
  type MapView,
  type MemoryMap,
  mapAddress,
} from './memory-map.ts';
import { HIDDEN_OWNER } from './owner.ts';

/**
 * The memory of `core` as data: its trees and its current views. Plain objects, strings and numbers, so it can be sent
 * between threads, written as JSON, and compared. RAM contents and device callbacks are not in it. Amid a transaction the
 * trees are as edited so far, the views as before.
 */
export function captureMap(core: MemoryCore): MemoryMap {
  const ids = new Map<MemoryRegion, number>();
  const order: MemoryRegion[] = [];
  const add = (region: MemoryRegion): void => {
    // Iterative: alias chains and trees may be deep.
    const pending = [region];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (ids.has(next)) continue;
      ids.set(next, order.length);
      order.push(next);
      if (next.target !== null) pending.push(next.target);
      for (const child of [...next.children].reverse()) pending.push(child);
    }
  };
  for (const { root } of core.addressSpaces) add(root);
  // Amid a transaction, in a listener, and after a commit that was refused, a view shows what no tree holds any more.
  for (const { view } of viewGroups(core)) for (const { region } of view.ranges) add(region);
  const regions = order.map((region) => regionData(region, ids));
  return { format: 'guestmem-map', version: 1, regions, ...viewsOf(core, ids) };
}

/**
 * `map` with its views: rendered anew from its tree.
 *
 * @throws {MtreeError} `bad-map` where the value is not a map that can be built.
 */
export function renderMap(map: MemoryMap): MemoryMap {
  const { core, regions } = buildMap(map);
  return { ...map, ...viewsOf(core, new Map(regions.map((region, id) => [region, id]))) };
}

/** Spaces in creation order, views as QEMU groups them (T-85) where those show the same (T-89). */
function viewsOf(core: MemoryCore, ids: ReadonlyMap<MemoryRegion, number>): { spaces: MapSpace[]; views: MapView[] } {
  const groups = viewGroups(core);
  const indices = new Map(groups.flatMap(({ spaces }, view) => spaces.map((space) => [space, view])));
  const spaces = core.addressSpaces.map(
    (space): MapSpace => ({ name: space.name, root: ids.get(space.root)!, view: indices.get(space)! }),
  );
  const views = groups.map(
    ({ root, view }): MapView => ({
      ...(root !== null && { root: ids.get(root)! }),
      ranges: view.ranges.map((range) => rangeData(range, ids)),
    }),
  );
  return { spaces, views };
}

const KINDS: Record<RegionKind, MapRegionKind> = {
  [RegionKind.CONTAINER]: 'container',
  [RegionKind.IO]: 'io',
  [RegionKind.RESERVATION]: 'reservation',
  [RegionKind.RAM]: 'ram',
  [RegionKind.ROM_DEVICE]: 'rom-device',
  [RegionKind.RAM_DEVICE]: 'ram-device',
  [RegionKind.IOMMU]: 'iommu',
  [RegionKind.ALIAS]: 'alias',
};

function regionData(region: MemoryRegion, ids: ReadonlyMap<MemoryRegion, number>): MapRegion {
  const children = [...region.children].map((child) => ids.get(child)!);
  return {
    name: region.name,
    kind: KINDS[region.kind],
    size: mapAddress(region.size),
    ...(region.addr !== 0n && { addr: mapAddress(region.addr) }),
    ...(region.priority !== 0 && { priority: region.priority }),
    ...(!region.enabled && { enabled: false as const }),
    ...(region.readonly && { readonly: true as const }),
    ...(region.nonvolatile && { nonvolatile: true as const }),
    ...(!region.romdMode && { romdMode: false as const }),
    ...(region.target !== null && { target: ids.get(region.target)! }),
    ...(region.aliasOffset !== 0n && { aliasOffset: mapAddress(region.aliasOffset) }),
    ...(children.length > 0 && { children }),
    ...(region.owner === HIDDEN_OWNER && { hidden: true as const }),
    ...(region.owner !== null && region.owner !== HIDDEN_OWNER && { owner: ownerText(region).slice(1) }),
  };
}

function rangeData(range: FlatRange, ids: ReadonlyMap<MemoryRegion, number>): MapRange {
  return {
    first: mapAddress(range.first),
    last: mapAddress(range.last),
    region: ids.get(range.region)!,
    ...(range.offset !== 0n && { offset: mapAddress(range.offset) }),
    ...(range.readonly && { readonly: true as const }),
    ...(range.nonvolatile && { nonvolatile: true as const }),
  };
}
