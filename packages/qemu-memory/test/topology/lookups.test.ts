import { MEMTXATTRS_UNSPECIFIED } from '@guestmem/memtx';
import { describe, expect, it } from 'vitest';
import {
  type AddressSpace,
  addressSpaceLookupSection,
  flatviewTranslateSection,
  type MemoryRegion,
  memoryRegionFind,
  memoryRegionPresent,
  type TranslatedSection,
} from '../../src/index.ts';
import { Bench, lines, SPACE, sectionLine } from '../support/topology.ts';

const find = (region: MemoryRegion, addr: number | bigint, size: number | bigint): string | null => {
  const found = memoryRegionFind(region, addr, size);
  found?.dispose();
  return found === null ? null : sectionLine(found.section);
};

describe('sections', () => {
  it('T-140: region, both offsets, size and flags, equal where all of them are', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x200);
    const alias = bench.alias('a', ram, 0x80, 0x100);
    alias.setReadonly(true);
    root.addSubregion(0x1000, alias);
    const section = bench.space(root).view.section(0);
    expect([
      section.region,
      section.offsetWithinRegion,
      section.offsetWithinAddressSpace,
      section.size,
      section.readonly,
      section.nonvolatile,
    ]).toEqual([ram, 0x80n, 0x1000n, 0x100n, true, false]);
    expect([section.equals(section.part(0n, 0x100n)), section.equals(section.part(0n, 0xffn))]).toEqual([true, false]);
  });
  it('T-142: a part moves both offsets', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0x1000, bench.alias('a', bench.ram('ram', 0x200), 0x80, 0x100));
    const part = bench.space(root).view.section(0).part(0x10n, 0x20n);
    expect([part.offsetWithinRegion, part.offsetWithinAddressSpace, part.size, part.last]).toEqual([
      0x90n,
      0x1010n,
      0x20n,
      0x102fn,
    ]);
  });
});

describe('memoryRegionFind', () => {
  it('T-143: positions add up through containers, never through aliases, and wrap at 2^64', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const bus = bench.container('bus', 0x1000);
    const io = bench.io('io', 0x100);
    bus.addSubregion(0x20, io);
    root.addSubregion(0x1000, bus);
    bench.space(root);
    expect(find(io, 8, 4)).toBe('1028-102b io @8');
    expect(find(bus, SPACE - 0x1000n + 0x1020n - 0x1000n, 4)).toBe(null);
    expect(find(bus, SPACE - 0x1000n, 0x2000)).toBe('1020-111f io');
    const high = bench.io('high', 0x10);
    root.addSubregion(SPACE - 0x10n, high);
    expect([find(high, 8, 8), find(bus, SPACE - 0x1008n, 8)]).toEqual([
      'fffffffffffffff8-ffffffffffffffff high @8',
      'fffffffffffffff8-ffffffffffffffff high @8',
    ]);
    const aliased = bench.io('aliased', 4);
    root.addSubregion(0x9000, bench.alias('a', aliased, 0, 4));
    expect(find(aliased, 0, 4)).toBe(null);
  });
  it('T-143: the topmost must be a root; of several spaces the first made counts', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0, bench.io('io', 4));
    expect(memoryRegionFind(root, 0, 4)).toBe(null);
    const first = bench.space(root, 'first');
    bench.space(root, 'second');
    expect(memoryRegionFind(root, 0, 4)!.view).toBe(first.view);
    first.dispose();
    expect(find(root, 0, 4)).toBe('0-3 io');
  });
  it('T-144: the lowest range that meets the window, any region, with a gap before it or not', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const low = bench.io('low', 0x10);
    root.addSubregion(0x100, low);
    root.addSubregion(0x108, bench.io('top', 4), 1);
    root.addSubregion(0x200, bench.io('far', 0x10));
    bench.space(root);
    expect(find(low, 8, 4)).toBe('108-10b top');
    expect(find(low, 0x10, 0x1000)).toBe('200-20f far');
    expect([find(root, 0, 0x100), find(root, 0, 0x101), find(root, 0, 0)]).toEqual([null, '100-100 low', null]);
    expect(find(root, 0, SPACE)).toBe('100-107 low');
  });
  it('T-145: a result keeps the owner alive until it is disposed of', () => {
    const bench = new Bench();
    const owner = {};
    const io = bench.io('io', 4, owner);
    bench.space(io);
    const before = bench.core.ownerReferences(owner);
    const found = memoryRegionFind(io, 0, 1)!;
    expect(bench.core.ownerReferences(owner)).toBe(before + 1);
    found.dispose();
    found.dispose();
    expect(bench.core.ownerReferences(owner)).toBe(before);
  });
  it('T-146: present means that another region answers', () => {
    const bench = new Bench();
    const root = bench.io('root', 0x10);
    root.addSubregion(4, bench.io('child', 4));
    bench.space(root);
    expect([0, 4, 7, 8, 0x20].map((at) => memoryRegionPresent(root, at))).toEqual([false, true, true, false, false]);
  });
  it('T-147: inside a transaction it sees the map before', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const io = bench.io('io', 4);
    root.addSubregion(0, io);
    bench.space(root);
    bench.core.transaction(() => {
      io.setAddress(8);
      expect([find(root, 0, 4), find(root, 8, 4)]).toEqual(['0-3 io', null]);
    });
    expect([find(root, 0, 4), find(root, 8, 4)]).toEqual([null, '8-b io']);
  });
  it('T-141: what is found stays usable after the map has changed', () => {
    const bench = new Bench();
    const io = bench.io('io', 4);
    bench.space(io);
    const found = memoryRegionFind(io, 0, 4)!;
    io.setSize(8);
    expect([sectionLine(found.section), lines(found.view)]).toEqual(['0-3 io', ['0-3 io']]);
    found.dispose();
  });
});

describe('looking into a view', () => {
  it('T-148: each range ascending, until the visitor answers true', () => {
    const bench = new Bench();
    const root = bench.container('root');
    for (const at of [0x20, 0, 0x10]) root.addSubregion(at, bench.io(`r${at}`, 8));
    const { view } = bench.space(root);
    const seen: string[] = [];
    const stopped = view.forEachRange((first, size, region, offset) => {
      seen.push(`${first} ${size} ${region.name} ${offset}`);
      return first === 0x10n;
    });
    expect([stopped, seen]).toEqual([true, ['0 8 r0 0', '16 8 r16 0']]);
    expect(view.forEachRange(() => undefined)).toBe(false);
  });
  it('T-152: what was found last is only a hint: each look-up answers the same after any other, by borders and in holes', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0x1000, bench.io('a', 0x10));
    root.addSubregion(0x1010, bench.io('b', 8));
    root.addSubregion(0x4000, bench.ram('c', 0x2000));
    const space = bench.space(root);
    const expected: readonly [addr: number, name: string][] = [
      [0xfff, ''],
      [0x1000, 'a'],
      [0x100f, 'a'],
      [0x1010, 'b'],
      [0x1017, 'b'],
      [0x1018, ''],
      [0x3fff, ''],
      [0x4000, 'c'],
      [0x5fff, 'c'],
      [0x6000, ''],
    ];
    for (const [first] of expected)
      for (const [addr, name] of expected) {
        addressSpaceLookupSection(space, first);
        expect([first, addr, addressSpaceLookupSection(space, addr).region.name]).toEqual([first, addr, name]);
      }
  });
  it('T-176: no limit of sections', () => {
    const bench = new Bench();
    const root = bench.container('root');
    bench.core.transaction(() => {
      for (let i = 0; i < 5000; i++) root.addSubregion(i * 8, bench.io('r', 4));
    });
    const { view } = bench.space(root);
    expect([view.length, view.find(4999 * 8 + 3)]).toEqual([5000, 4999]);
  });
  it('T-157: a section is as long as its range, however pages lie', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0x800, bench.ram('ram', 0x2000));
    expect(sectionLine(bench.space(root).view.lookup(0x1000)!)).toBe('800-27ff ram');
  });
});

describe('translation', () => {
  /** RAM [0, 0xfff], a device [0x1000, 0x10ff], an IOMMU at 0x10000 that maps its first page to 0x200000 of `behind`. */
  const machine = (): { bench: Bench; space: AddressSpace; ram: MemoryRegion; behind: AddressSpace } => {
    const bench = new Bench();
    const inner = bench.container('inner');
    const ram = bench.ram('ram', 0x1000);
    inner.addSubregion(0x20_0000, ram);
    const behind = bench.space(inner, 'behind');
    const root = bench.container('root');
    root.addSubregion(0, bench.ram('low', 0x1000));
    root.addSubregion(0x1000, bench.io('io', 0x100));
    const iommu = bench.core.iommu('iommu', 0x2000, {
      translate: (iova) => ({
        targetAs: behind,
        iova,
        translatedAddr: 0x20_0000,
        addrMask: 0xfff,
        perm: Number(iova) < 0x1000 ? 3 : 0,
      }),
    });
    root.addSubregion(0x1_0000, iommu);
    return { bench, space: bench.space(root), ram, behind };
  };
  const translate = (space: AddressSpace, addr: number, len: number): TranslatedSection =>
    flatviewTranslateSection(space, addr, len, 'read', MEMTXATTRS_UNSPECIFIED);
  it('T-153: the length is cut at the end of RAM, and left as it is on a device', () => {
    const { space } = machine();
    expect(translate(space, 0xff0, 0x100).length).toBe(0x10);
    expect(translate(space, 0x10f0, 0x100).length).toBe(0x100);
  });
  it('T-154, T-150: in a hole the unassigned region answers, and the offset is the address', () => {
    const { bench, space } = machine();
    const { section, offset } = translate(space, 0x8000, 4);
    expect([section.region, Number(offset)]).toEqual([bench.core.unassigned, 0x8000]);
  });
  it('T-155, T-156: the region and the offset in it; neighbouring sections are not merged', () => {
    const { space } = machine();
    const { section, offset, length } = translate(space, 0xffe, 4);
    expect([section.region.name, Number(offset), length]).toEqual(['low', 0xffe, 2]);
  });
  it('T-158: an IOMMU is asked, the walk goes on in its target, and a missing permission ends at the unassigned region', () => {
    const { bench, space, ram } = machine();
    const { section, offset, length } = translate(space, 0x1_0ff0, 0x100);
    expect([section.region, Number(offset), length]).toEqual([ram, 0xff0, 0x10]);
    expect(translate(space, 0x1_1000, 4).section.region).toBe(bench.core.unassigned);
  });
  it('T-159: an IOTLB entry reports the page mask: that of the IOMMUs crossed', () => {
    const { space } = machine();
    expect(Number(space.getIotlbEntry(0x1_0000, 'read').addrMask)).toBe(0xfff);
  });
});
