/** Gives a machine another amount of RAM: its largest RAM region and the aliases that show all of it change their size. */
import type { MapRegion, MemoryMap } from '@guestmem/qemu-memory';
import { UserError } from '../files.ts';

/**
 * `map` with `size` bytes in its largest RAM region.
 *
 * @throws {UserError} no RAM; or RAM of this size would lie over something that its container shows beside it.
 */
export function resizeRam(map: MemoryMap, size: number): MemoryMap {
  const ram = largestRam(map);
  const old = map.regions[ram]!;
  const grown = new Set([ram]);
  map.regions.forEach((region, index) => {
    if (
      region.kind === 'alias' &&
      region.target === ram &&
      (region.aliasOffset ?? '0x0') === '0x0' &&
      region.size === old.size
    )
      grown.add(index);
  });
  for (const region of map.regions) {
    for (const child of region.children ?? []) if (grown.has(child)) refuseOverlap(map, region, child, BigInt(size));
  }
  const to = `0x${size.toString(16)}` as const;
  const { views: _, ...rest } = map;
  return {
    ...rest,
    spaces: map.spaces.map(({ view: __, ...space }) => space),
    regions: map.regions.map((region, index) => (grown.has(index) ? { ...region, size: to } : region)),
  };
}

function largestRam(map: MemoryMap): number {
  let found = -1;
  map.regions.forEach((region, index) => {
    if (region.kind !== 'ram' || region.readonly === true) return;
    if (found < 0 || BigInt(region.size) > BigInt(map.regions[found]!.size)) found = index;
  });
  if (found < 0) throw new UserError('this machine has no RAM whose size could be changed');
  return found;
}

/** Growing must not cover a sibling that the old size left alone. */
function refuseOverlap(map: MemoryMap, container: MapRegion, child: number, size: bigint): void {
  const region = map.regions[child]!;
  const start = BigInt(region.addr ?? 0);
  const before = start + BigInt(region.size);
  const hit = (container.children ?? [])
    .map((index) => map.regions[index]!)
    .filter((other) => other.enabled !== false && other.kind !== 'container')
    .map((other) => ({ name: other.name, at: BigInt(other.addr ?? 0) }))
    .filter(({ at }) => at >= before && at < start + size)
    .sort((a, b) => (a.at < b.at ? -1 : 1))[0];
  if (hit !== undefined)
    throw new UserError(
      `${size} bytes of RAM would reach "${hit.name}" at 0x${hit.at.toString(16)}; at most ${hit.at - start} fit this machine`,
    );
}
