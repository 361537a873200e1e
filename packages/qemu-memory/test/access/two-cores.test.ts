/** Accesses that an IOMMU leads from one core into another: both are busy, and neither reclaims what the access may still use. T-97, A-157. */
import { le32 } from '@guestmem/memtx';
import { type AddressSpace, IommuAccess, MemoryCore, type MemoryRegion } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';

interface Placed {
  readonly space: AddressSpace;
  readonly takeOut: () => void;
}

/** A core with one region at 0, whose owner says when nothing holds it any more. */
function core(name: string, log: string[], make: (core: MemoryCore, owner: object) => MemoryRegion): Placed {
  const made = new MemoryCore();
  const owner = {};
  const root = made.container('root', 0x1_0000);
  const region = make(made, owner);
  root.addSubregion(0, region);
  made.whenUnreferenced(owner, () => log.push(`${name} unreferenced`));
  return { space: made.addressSpace(root, name), takeOut: () => root.delSubregion(region) };
}

const iommu = (target: () => AddressSpace) => (made: MemoryCore, owner: object) =>
  made.iommu(
    'iommu',
    0x1000,
    {
      translate: (iova) => ({ targetAs: target(), iova, translatedAddr: iova, addrMask: 0xfff, perm: IommuAccess.RW }),
    },
    { owner },
  );

it('T-97, V-1.5: RAM of another core is not reclaimed before the end of a stream that took it out of the map has written', () => {
  const log: string[] = [];
  const bytes = new Uint8Array(0x1000);
  const far = core('far', log, (made, owner) => made.ram('ram', bufferBacking(bytes), { owner }));
  const near = core(
    'near',
    log,
    iommu(() => far.space),
  );
  const source = {
    readVolatile(into: Uint8Array): number {
      far.takeOut();
      into.fill(7);
      log.push('written');
      return into.length;
    },
  };
  expect(near.space.readVolatileFrom(0, source, 16)).toBe(16);
  expect([log, bytes[15]]).toEqual([['written'], 7]);
  far.space.core.rcu.drain();
  expect(log).toEqual(['written', 'far unreferenced']);
});

it('T-97, A-157: an IOMMU of another core, further down a chain, is not reclaimed while its model translates', () => {
  const log: string[] = [];
  const last = core('last', [], (made) => made.ram('ram', bufferBacking(0x1000)));
  const far = core(
    'far',
    log,
    iommu(() => {
      far.takeOut();
      log.push('translated');
      return last.space;
    }),
  );
  const near = core(
    'near',
    log,
    iommu(() => far.space),
  );
  expect(near.space.load(0, le32)).toBe(0);
  far.space.core.rcu.drain();
  expect(log).toEqual(['translated', 'far unreferenced']);
});
