import { describe, expect, it } from 'vitest';
import { describeDiff } from '../../src/map/diff.ts';
import { diffMaps } from '../../src/map/diff-maps.ts';
import type { MapRegion, MemoryMap } from '../../src/map/memory-map.ts';

const io = (name: string, addr: `0x${string}`, size: `0x${string}`, rest: Partial<MapRegion> = {}): MapRegion => ({
  name,
  kind: 'io',
  size,
  ...(addr !== '0x0' && { addr }),
  ...rest,
});
const machine = (children: MapRegion[], spaces = ['memory']): MemoryMap => ({
  format: 'guestmem-map',
  version: 1,
  regions: [
    { name: 'root', kind: 'container', size: '0x10000000000000000', children: children.map((_, i) => i + 1) },
    ...children,
  ],
  spaces: spaces.map((name) => ({ name, root: 0 })),
});

describe('comparing maps', () => {
  it('D14: equal maps have no difference, whatever the order of their regions', () => {
    const diff = diffMaps(
      machine([io('a', '0x0', '0x10'), io('b', '0x10', '0x10')]),
      machine([io('b', '0x10', '0x10'), io('a', '0x0', '0x10')]),
    );
    expect(diff).toEqual({ spaces: [] });
    expect(describeDiff(diff)).toEqual([]);
  });

  it('D14: a region that moved left one range and appears in another; the rest does not count', () => {
    const diff = diffMaps(
      machine([io('ram', '0x0', '0x1000'), io('bar', '0x2000', '0x100')]),
      machine([io('ram', '0x0', '0x1000'), io('bar', '0x2080', '0x100')]),
    );
    expect(describeDiff(diff)).toEqual([
      'address space "memory" (root root):',
      '  [0x2000, 0x207f] now nothing, was bar (i/o)',
      '  [0x2080, 0x20ff] now bar (i/o), was bar + 0x80 (i/o)',
      '  [0x2100, 0x217f] now bar + 0x80 (i/o), was nothing',
    ]);
    expect(diff.spaces[0]?.ranges[1]).toEqual({
      first: '0x2080',
      last: '0x20ff',
      before: { name: 'bar', type: 'i/o', priority: 0, offset: '0x80' },
      after: { name: 'bar', type: 'i/o', priority: 0, offset: '0x0' },
    });
  });

  it('D14: what lies on top splits what it covers, and the part behind it goes on where it was', () => {
    const rom: MapRegion = { name: 'rom', kind: 'ram', size: '0x10', addr: '0x40', readonly: true, priority: 1 };
    const low = io('low', '0x0', '0x100');
    expect(describeDiff(diffMaps(machine([low]), machine([rom, low])))).toEqual([
      'address space "memory" (root root):',
      '  [0x40, 0x4f] now rom (rom, priority 1), was low + 0x40 (i/o)',
    ]);
  });

  it('D14: the last byte of the space counts', () => {
    const top = io('top', '0xffffffffffffffff', '0x1');
    expect(diffMaps(machine([]), machine([top])).spaces[0]?.ranges).toMatchObject([
      { first: '0xffffffffffffffff', last: '0xffffffffffffffff', before: null },
    ]);
  });

  it('D14: spaces that come and go are named, those that changed alike are told together', () => {
    const before = machine([io('a', '0x0', '0x10')], ['memory', 'cpu-0', 'dma']);
    const after = machine([io('b', '0x0', '0x10')], ['memory', 'cpu-0', 'cpu-1']);
    expect(describeDiff(diffMaps(before, after))).toEqual([
      'address spaces "memory", "cpu-0" (root root):',
      '  [0x0, 0xf] now b (i/o), was a (i/o)',
      'address space "dma" (root root) is gone:',
      '  [0x0, 0xf] now nothing, was a (i/o)',
      'address space "cpu-1" (root root) is new:',
      '  [0x0, 0xf] now b (i/o), was nothing',
    ]);
  });

  it('D14: several spaces of one name are matched where they are equal', () => {
    const one = machine([io('a', '0x0', '0x10')], ['x', 'x']);
    const regions = [...one.regions, { name: 'root', kind: 'container', size: '0x10' } as MapRegion];
    const other: MemoryMap = {
      ...one,
      regions,
      spaces: [
        { name: 'x', root: 2 },
        { name: 'x', root: 0 },
      ],
    };
    expect(diffMaps(one, other).spaces).toMatchObject([{ name: 'x', change: 'changed', ranges: [{ after: null }] }]);
  });

  it('T-26: names may hold line ends: spaces are told apart all the same', () => {
    const named = (name: string, root: string): MemoryMap => ({
      format: 'guestmem-map',
      version: 1,
      regions: [{ name: root, kind: 'io', size: '0x10' }],
      spaces: [{ name, root: 0 }],
    });
    const { spaces } = diffMaps(named('a\nb', 'c'), named('a', 'b\nc'));
    expect(spaces).toMatchObject([
      { name: 'a\nb', root: 'c', change: 'removed' },
      { name: 'a', root: 'b\nc', change: 'added' },
    ]);
  });

  it('D14: a difference is plain data', () => {
    const diff = diffMaps(machine([]), machine([io('a', '0x0', '0x10')]));
    expect(JSON.parse(JSON.stringify(structuredClone(diff)))).toEqual(diff);
  });
});
