/** Puts devices on a rebuilt machine: a real HPET in the place of the region that the dump names so, and a probe in a hole. */
import { HPET_SIZE, Hpet, VirtualClock } from '@guestmem/devices';
import { type AddressSpace, type FlatRange, type MemoryCore, RegionKind } from '@guestmem/qemu-memory';

/** An HPET on the machine. */
export interface PlacedHpet {
  /** Where its first register answers. */
  readonly base: bigint;
  readonly clock: VirtualClock;
}

/** Replaces the region `hpet` of `space` by a real one. Undefined if the machine shows none. */
export function placeHpet(core: MemoryCore, space: AddressSpace): PlacedHpet | undefined {
  const range = space.view.ranges.find(isHpet);
  const container = range?.region.container;
  if (range === undefined || container == null) return undefined;
  const { region } = range;
  const clock = new VirtualClock();
  const hpet = new Hpet({ clock, memory: space, outputs: [], routeCapability: 0x00ff_0104 });
  core.transaction(() => {
    const { addr, priority, size } = region;
    container.delSubregion(region);
    container.addSubregion(addr, core.io('hpet', size, hpet.ops), priority);
  });
  return { base: range.first, clock };
}

/** Runs `job` while a device that answers with the attributes of each access lies at `at` of `space`. */
export function withProbe(core: MemoryCore, space: AddressSpace, at: bigint, job: () => void): void {
  const probe = core.io('attribute probe', 0x1000, {
    endianness: 'little',
    readWithAttrs: (_offset, _size, attrs) =>
      attrs.unspecified ? 0xffff_ffff : ((attrs.secure ? 0x8000_0000 : 0) | attrs.requesterId) >>> 0,
  });
  const { root } = space;
  root.addSubregion(at - root.addr, probe);
  try {
    job();
  } finally {
    root.delSubregion(probe);
  }
}

/** A whole register block of that name, and nothing that is memory. */
function isHpet({ region, offset, first, last }: FlatRange): boolean {
  const device = region.kind === RegionKind.IO || region.kind === RegionKind.RESERVATION;
  return region.name === 'hpet' && device && offset === 0n && last - first + 1n === BigInt(HPET_SIZE);
}
