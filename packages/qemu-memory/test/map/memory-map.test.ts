import { le32, MemTx, MemTxResult, u8 } from '@guestmem/memtx';
import { sparseBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { PageIommu } from '../../src/iommu/page-iommu.ts';
import { buildMap } from '../../src/map/build.ts';
import { captureMap, renderMap } from '../../src/map/capture.ts';
import { diffMaps } from '../../src/map/diff-maps.ts';
import { parseMap, printMap } from '../../src/map/map-text.ts';
import type { MapRegion, MemoryMap } from '../../src/map/memory-map.ts';
import { MtreeError } from '../../src/mtree/error.ts';
import { printFlatDump } from '../../src/mtree/flat-dump.ts';
import { flatDump } from '../../src/mtree/flat-text.ts';
import { RegionKind } from '../../src/region/kind.ts';
import { MemoryCore } from '../../src/space/memory-core.ts';

const ROOT: MapRegion = { name: 'root', kind: 'container', size: '0x10000000000000000' };
const mapOf = (regions: MapRegion[], rest: Partial<MemoryMap> = {}): MemoryMap => ({
  format: 'guestmem-map',
  version: 1,
  regions,
  spaces: [{ name: 'memory', root: 0 }],
  ...rest,
});

describe('the map as data', () => {
  it('D14: a core with every kind of region becomes plain data, 64 bits as hexadecimal text', () => {
    const core = new MemoryCore();
    const root = core.container('root', 1n << 64n);
    const ram = core.ram('ram', sparseBacking(0x1000));
    const flash = core.romDevice('flash', sparseBacking(0x1000), {});
    flash.romDeviceSetRomd(false);
    root.addSubregion((1n << 64n) - 0x1000n, ram);
    root.addSubregion(0x1000, core.alias('low', ram, 0x800, 0x100), 1);
    root.addSubregion(0x2000, flash);
    core.addressSpace(root, 'memory');
    expect(captureMap(core)).toEqual({
      format: 'guestmem-map',
      version: 1,
      regions: [
        { name: 'root', kind: 'container', size: '0x10000000000000000', children: [1, 3, 2] },
        { name: 'low', kind: 'alias', size: '0x100', addr: '0x1000', priority: 1, target: 2, aliasOffset: '0x800' },
        { name: 'ram', kind: 'ram', size: '0x1000', addr: '0xfffffffffffff000' },
        { name: 'flash', kind: 'rom-device', size: '0x1000', addr: '0x2000', romdMode: false },
      ],
      spaces: [{ name: 'memory', root: 0, view: 0 }],
      views: [
        {
          root: 0,
          ranges: [
            { first: '0x1000', last: '0x10ff', region: 2, offset: '0x800' },
            { first: '0x2000', last: '0x2fff', region: 3 },
            { first: '0xfffffffffffff000', last: '0xffffffffffffffff', region: 2 },
          ],
        },
      ],
    });
  });

  it('D14: an IOMMU is rebuilt as one that translates nothing, and RAM of no bytes can grow', () => {
    const core = new MemoryCore();
    const root = core.container('root', 0x1_0000);
    const below = core.addressSpace(core.ram('below', 0x1000));
    root.addSubregion(0x1000, core.iommu('iommu', 0x1000, new PageIommu(below, () => null)));
    const ram = core.ram('ram', 0x1000);
    ram.setSize(0);
    root.addSubregion(0x4000, ram);
    core.addressSpace(root, 'memory');
    const map = captureMap(core);
    const { core: again, spaces, regions } = buildMap(structuredClone(map));
    expect(captureMap(again)).toEqual(map);
    expect(diffMaps(map, captureMap(again))).toEqual({ spaces: [] });
    const memory = spaces.find(({ name }) => name === 'memory')!;
    const tx = new MemTx();
    expect(memory.with({ tx, onError: 'continue' }).load(0x1010, le32)).toBe(0);
    expect(tx.result).toBe(MemTxResult.DECODE_ERROR);
    regions.find(({ name }) => name === 'ram')!.setSize(1);
    memory.store(0x4000, u8, 7);
    expect(memory.load(0x4000, u8)).toBe(7);
  });

  it('D14, T-147: amid a transaction the map has the tree as edited and the view as it was, whole', () => {
    const core = new MemoryCore();
    const root = core.container('root', 0x1000);
    const box = core.container('box', 0x1000);
    root.addSubregion(0, box);
    box.addSubregion(0x100, core.ram('ram', 0x100), 3);
    core.addressSpace(root, 'memory');
    const map = core.transaction(() => {
      root.delSubregion(box);
      return captureMap(core);
    });
    expect(map.regions).toEqual([
      { name: 'root', kind: 'container', size: '0x1000' },
      { name: 'ram', kind: 'ram', size: '0x100', addr: '0x100', priority: 3 },
    ]);
    expect(map.views).toEqual([{ ranges: [{ first: '0x100', last: '0x1ff', region: 1 }] }]);
    expect(parseMap(printMap(map))).toEqual(map);
    expect(renderMap(map).views).toEqual([{ ranges: [] }]);
  });

  it('T-89: spaces of one canonical root that show different things have views of their own, in the map and in dumps', () => {
    const core = new MemoryCore();
    const system = core.container('system', 0x1000);
    system.addSubregion(0, core.ram('ram', 0x1000));
    system.addSubregion(0, core.alias('off', core.reservation('dev', 0x10), 0, 0x10));
    const guarded = core.container('guarded', 0x1000);
    guarded.addSubregion(0, core.alias('all', system, 0, 0x1000, { readonly: true }));
    for (const root of [system, guarded, system]) core.addressSpace(root, root.name);
    const map = captureMap(core);
    expect(map.spaces.map(({ view }) => view)).toEqual([0, 1, 0]);
    expect(map.views!.map(({ root, ranges }) => [root, ranges.map((range) => range.readonly ?? false)])).toEqual([
      [0, [false, false]],
      [0, [true, true]],
    ]);
    expect(renderMap(map).views).toEqual(map.views);
    expect(printFlatDump(flatDump(core)).split('\n')).toEqual([
      'FlatView #0',
      ' AS "system", root: system',
      ' AS "system", root: system',
      ' Root memory region: system',
      '  0000000000000000-000000000000000f (prio 0, i/o): dev',
      '  0000000000000010-0000000000000fff (prio 0, ram): ram @0000000000000010',
      '',
      'FlatView #1',
      ' AS "guarded", root: guarded',
      ' Root memory region: system',
      '  0000000000000000-000000000000000f (prio 0, rom): dev',
      '  0000000000000010-0000000000000fff (prio 0, rom): ram @0000000000000010',
      '',
      '',
    ]);
  });

  it('D14: a built map has the regions, the given memory and the given devices', () => {
    const backing = sparseBacking(0x1000);
    const ops = { read: () => 7 };
    const { core, regions, spaces } = buildMap(
      mapOf([
        { ...ROOT, children: [1, 2, 3] },
        { name: 'hpet', kind: 'io', size: '0x400', addr: '0xfed00000' },
        { name: 'other', kind: 'io', size: '0x10', addr: '0x5000' },
        { name: 'ram', kind: 'ram', size: '0x1000', readonly: true, nonvolatile: true },
      ]),
      { backing: () => backing, device: ({ name }) => (name === 'hpet' ? ops : undefined), targetOrder: 'big' },
    );
    expect(core.targetOrder).toBe('big');
    expect(regions.map(({ kind }) => kind)).toEqual([
      RegionKind.CONTAINER,
      RegionKind.IO,
      RegionKind.RESERVATION,
      RegionKind.RAM,
    ]);
    expect([regions[1]!.ops, regions[3]!.ram!.backing]).toEqual([ops, backing]);
    expect([regions[3]!.readonly, regions[3]!.nonvolatile]).toEqual([true, true]);
    expect(spaces[0]!.view.ranges.map(({ first, region }) => [first, region.name])).toEqual([
      [0n, 'ram'],
      [0x5000n, 'other'],
      [0xfed0_0000n, 'hpet'],
    ]);
  });

  it('D14, A-180: memory that it makes is tracked in pages of the core', () => {
    const map = mapOf([
      { ...ROOT, children: [1, 2] },
      { name: 'ram', kind: 'ram', size: '0x10000' },
      { name: 'later', kind: 'ram', size: '0x0' },
    ]);
    const { core, regions } = buildMap(map, { pageSize: 0x4000 });
    expect([core.pageSize, ...regions.slice(1).map(({ ram }) => ram!.dirty.pageSize)]).toEqual([
      0x4000, 0x4000, 0x4000,
    ]);
    expect(regions[1]!.ram!.dirty.count).toBe(4);
  });

  it('T-42: the first of the children is on top', () => {
    const regions: MapRegion[] = [
      { ...ROOT, children: [2, 1] },
      { name: 'below', kind: 'io', size: '0x10' },
      { name: 'above', kind: 'io', size: '0x10' },
    ];
    expect(renderMap(mapOf(regions)).views).toEqual([{ root: 0, ranges: [{ first: '0x0', last: '0xf', region: 2 }] }]);
  });

  it('T-85, T-88: spaces with one canonical root share a view, and the empty view has no root', () => {
    const regions: MapRegion[] = [
      { ...ROOT, name: 'system', children: [2] },
      { ...ROOT, name: 'master', children: [3] },
      { name: 'dev', kind: 'io', size: '0x10' },
      { ...ROOT, name: 'window', kind: 'alias', target: 0 },
      ROOT,
    ];
    const spaces = [0, 1, 4].map((root) => ({ name: `as${root}`, root }));
    const map = renderMap(mapOf(regions, { spaces }));
    expect(map.spaces.map(({ view }) => view)).toEqual([0, 0, 1]);
    expect(map.views?.[1]).toEqual({ ranges: [] });
  });

  it('T-64: a section whose container no space reaches keeps its priority', () => {
    const regions: MapRegion[] = [{ ...ROOT, priority: -1, addr: '0x10', size: '0x10' }];
    const map = captureMap(buildMap(mapOf(regions)).core);
    expect(map.regions).toEqual(regions);
  });

  it('D14: text has one region a line, and reads back as the same value', () => {
    const map = renderMap(
      mapOf([
        { ...ROOT, children: [1] },
        { name: 'a\n"b"', kind: 'io', size: '0x10' },
      ]),
    );
    const text = printMap(map);
    expect(text.split('\n').filter((line) => line.includes('"kind"'))).toHaveLength(2);
    expect(parseMap(text)).toEqual(map);
  });
});

describe('values that are no map are refused with the place and the reason', () => {
  const dev: MapRegion = { name: 'dev', kind: 'io', size: '0x10' };
  const alias = (target: number): MapRegion => ({ name: 'a', kind: 'alias', size: '0x10', target });
  const cases: [string, unknown, RegExp][] = [
    ['not an object', 7, /the map must be an object/],
    ['another format', {}, /no format/],
    ['another version', { ...mapOf([ROOT]), version: 2 }, /has version 2; this program reads version 1/],
    ['no regions', { format: 'guestmem-map', version: 1, spaces: [] }, /regions must be a list/],
    ['an unknown kind', mapOf([{ ...ROOT, kind: 'bus' as 'io' }]), /regions\[0\] has no known kind/],
    ['a number for a size', mapOf([{ ...ROOT, size: 16 as unknown as '0x10' }]), /regions\[0\].size must be text/],
    ['a size beyond 2^64', mapOf([{ ...ROOT, size: '0x10000000000000001' }]), /is beyond 0x10000000000000000/],
    ['an address of 2^64', mapOf([{ ...ROOT, addr: '0x10000000000000000' }]), /regions\[0\].addr is beyond/],
    ['a priority beyond 32 bits', mapOf([{ ...ROOT, priority: 2 ** 31 }]), /priority beyond 32 bits/],
    ['a flag of another value', mapOf([{ ...ROOT, enabled: true as unknown as false }]), /enabled other than false/],
    ['an alias without a target', mapOf([{ name: 'a', kind: 'alias', size: '0x1' }]), /alias without a target/],
    ['a target that is no alias', mapOf([{ ...ROOT, target: 0 }]), /has a target and is no alias/],
    ['an index that is none', mapOf([{ ...ROOT, children: [1] }]), /children\[0\] must be an index below 1/],
    [
      'two containers',
      mapOf([{ ...ROOT, children: [2] }, { ...ROOT, children: [2] }, dev]),
      /is in regions\[0\] and in/,
    ],
    ['rising priorities', mapOf([{ ...ROOT, children: [1, 2] }, dev, { ...dev, priority: 1 }]), /falling priority/],
    [
      'a container in itself',
      mapOf([
        { ...ROOT, children: [1] },
        { ...ROOT, children: [0] },
      ]),
      /contains itself/,
    ],
    ['an alias of itself', mapOf([alias(1), alias(0)]), /is an alias of itself/],
    ['an alias with children', mapOf([{ ...alias(1), children: [1] }, dev]), /an alias with children/],
    ['no root', mapOf([ROOT], { spaces: [{ name: 'as', root: 3 }] }), /spaces\[0\].root must be an index/],
    ['RAM too large to back', mapOf([{ ...ROOT, kind: 'ram' }]), /too large/],
    ['an alias without end', mapOf([{ ...ROOT, children: [1] }, { ...alias(0) }]), /cannot be rendered/],
  ];
  it.each(cases)('D14: %s', (_, value, reason) => {
    const error = refused(() => buildMap(value as MemoryMap));
    expect(error.code).toBe('bad-map');
    expect(error.message).toMatch(reason);
  });

  it('D14: text that is not JSON', () => {
    expect(refused(() => parseMap('{"a":')).message).toMatch(/not JSON/);
  });
});

function refused(act: () => unknown): MtreeError {
  try {
    act();
  } catch (error) {
    if (error instanceof MtreeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
