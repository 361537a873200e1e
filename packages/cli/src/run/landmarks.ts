/** Finds, in any machine's map, the places that the tour of `guestmem run` visits: RAM and its end, ROM, a hole, the HPET. */
import {
  type AddressSpace,
  type FlatRange,
  type MemoryCore,
  type MemoryRegion,
  RegionKind,
} from '@guestmem/qemu-memory';

/** A stretch of addresses, both ends included. */
export interface Stretch {
  readonly first: bigint;
  readonly last: bigint;
}

/** What was found; a machine need not have everything. */
export interface Landmarks {
  /** Writable RAM of 16 KiB or more, the lowest. */
  readonly ram: Stretch | undefined;
  /** Writable RAM with nothing behind its last byte. */
  readonly ramEnd: Stretch | undefined;
  /** Memory that is read-only by itself. */
  readonly rom: Stretch | undefined;
  /** At least 64 KiB of the root that nothing answers in. */
  readonly hole: Stretch | undefined;
  /** Nothing answers at the last byte of the 64-bit space, and RAM does at 0. */
  readonly wraps: boolean;
}

const LAST = (1n << 64n) - 1n;
const MIN_RAM = 0x4000n;
const MIN_HOLE = 0x1_0000n;

/** The address space of the first CPU's bus: the one QEMU calls `memory`, else the first that shows RAM, else the first. */
export function systemMemory(core: MemoryCore): AddressSpace | undefined {
  const named = core.addressSpaces.find((space) => space.name === 'memory');
  return named ?? core.addressSpaces.find((space) => space.view.ranges.some(isRam)) ?? core.addressSpaces[0];
}

/** Looks through the current flat view of `space`. */
export function findLandmarks(space: AddressSpace): Landmarks {
  const ranges = space.view.ranges;
  const holes = holesBetween(ranges, space.root);
  const big = ({ first, last }: Stretch, size: bigint): boolean => last - first + 1n >= size;
  const ram = ranges.find((range) => isRam(range) && big(range, MIN_RAM));
  const ramEnd = ranges.find(
    (range) =>
      isRam(range) && big(range, MIN_RAM) && holes.some((hole) => hole.first === range.last + 1n && big(hole, 8n)),
  );
  const rom = ranges.find((range) => range.region.kind === RegionKind.RAM && range.region.readonly && big(range, 8n));
  const hole = holes.find((each) => big(each, MIN_HOLE));
  const lowest = ranges[0];
  const wraps = holes.some((each) => each.last === LAST) && lowest?.first === 0n && isRam(lowest) && big(lowest, 2n);
  return { ram, ramEnd, rom, hole, wraps };
}

function isRam(range: FlatRange): boolean {
  return range.region.kind === RegionKind.RAM && !range.readonly && !range.region.readonly;
}

/** What no range covers of the root's own extent. */
function holesBetween(ranges: readonly FlatRange[], root: MemoryRegion): Stretch[] {
  const end = root.addr + root.size - 1n;
  const holes: Stretch[] = [];
  let at = root.addr;
  for (const { first, last } of ranges) {
    if (first > at) holes.push({ first: at, last: first - 1n });
    at = last + 1n;
  }
  if (at <= end && at <= LAST) holes.push({ first: at, last: end < LAST ? end : LAST });
  return holes;
}
