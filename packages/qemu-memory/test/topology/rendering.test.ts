import { describe, expect, it } from 'vitest';
import type { MemoryRegion } from '../../src/index.ts';
import { LogClient } from '../../src/index.ts';
import { Bench, drain, lines, recorder, SPACE } from '../support/topology.ts';

describe('the walk', () => {
  it('T-60: what is there is never changed by a lower region, which only fills gaps', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0x10, bench.io('a', 0x10), 2);
    root.addSubregion(0x30, bench.io('b', 0x10), 2);
    root.addSubregion(0, bench.io('low', 0x50), 1);
    expect(lines(bench.space(root))).toEqual(['0-f low', '10-1f a', '20-2f low @20', '30-3f b', '40-4f low @40']);
  });
  it('T-61: the region itself comes after all its children, whatever their priority', () => {
    const bench = new Bench();
    const root = bench.io('root', 0x20);
    root.addSubregion(8, bench.io('child', 8), -100);
    expect(lines(bench.space(root))).toEqual(['0-7 root', '8-f child', '10-1f root @10']);
  });
  it('T-62: every kind but container and alias answers by itself', () => {
    const bench = new Bench();
    const { core } = bench;
    const regions = [
      bench.io('io', 4),
      core.reservation('reservation', 4),
      bench.ram('ram', 4),
      bench.rom('rom', 4),
      bench.romDevice('romd', 4),
      bench.iommu('iommu', 4),
    ];
    expect(regions.map((each) => each.terminates)).toEqual(regions.map(() => true));
    expect([bench.container('c'), bench.alias('a', regions[0]!, 0, 4)].map((each) => each.terminates)).toEqual([
      false,
      false,
    ]);
  });
  it("T-63: readonly and nonvolatile of all regions on the path count, those of a target's parents do not", () => {
    const bench = new Bench();
    const home = bench.container('home', 0x100);
    home.setReadonly(true);
    const bus = bench.container('bus', 0x100);
    home.addSubregion(0, bus);
    const ram = bench.ram('ram', 0x100);
    bus.addSubregion(0, ram);
    const root = bench.container('root');
    const alias = bench.alias('a', bus, 0, 0x100);
    alias.setNonvolatile(true);
    root.addSubregion(0, alias);
    const space = bench.space(root);
    expect(lines(space)).toEqual(['0-ff ram nv']);
    bus.setReadonly(true);
    expect(lines(space)).toEqual(['0-ff ram ro nv']);
  });
  it('T-64: priority, ROMD mode and mask come from the terminating region', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const bus = bench.container('bus', 0x100);
    bus.romDeviceSetRomd(false);
    const ram = bench.ram('ram', 0x100);
    ram.setLog(true, LogClient.VGA);
    bus.addSubregion(0, ram, 7);
    root.addSubregion(0, bus, 3);
    const [range] = bench.space(root).view.ranges;
    expect([range!.region.priority, range!.romdMode, range!.dirtyMask]).toEqual([7, true, 1]);
  });
  it('T-65: a child of priority -1000 in a container of priority 1 beats a sibling of that container', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const bus = bench.container('bus', 0x100);
    bus.addSubregion(0, bench.io('deep', 0x10), -1000);
    root.addSubregion(0, bus, 1);
    root.addSubregion(0, bench.io('flat', 0x20));
    expect(lines(bench.space(root))).toEqual(['0-f deep', '10-1f flat @10']);
  });
  it('T-66: containers and aliases hide nothing where nothing below them answers', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const empty = bench.container('empty', 0x100);
    root.addSubregion(0, bench.ram('ram', 0x100));
    root.addSubregion(0, empty, 5);
    root.addSubregion(0, bench.alias('window', empty, 0, 0x100), 6);
    expect(lines(bench.space(root))).toEqual(['0-ff ram']);
  });
  it('T-67: a piece that straddles a boundary is cut, and its offset is that of the first byte kept', () => {
    const bench = new Bench();
    const bus = bench.container('bus', 0x100);
    bus.addSubregion(0x40, bench.io('io', 0x80));
    const root = bench.container('root');
    root.addSubregion(0x1000, bench.alias('window', bus, 0x60, 0x40));
    expect(lines(bench.space(root))).toEqual(['1000-103f io @20']);
  });
  it("T-68: the root's own address is added", () => {
    const bench = new Bench();
    const root = bench.io('root', 0x10);
    bench.container('home').addSubregion(0x100, root);
    expect(lines(bench.space(root))).toEqual(['100-10f root']);
  });
  it('T-69: disabled is absent: as child, alias, target or root', () => {
    const bench = new Bench();
    const io = bench.io('io', 0x10);
    const alias = bench.alias('a', io, 0, 0x10);
    const root = bench.container('root');
    root.addSubregion(0, alias);
    const space = bench.space(root);
    for (const each of [io, alias, root]) {
      each.setEnabled(false);
      expect(lines(space)).toEqual([]);
      each.setEnabled(true);
      expect(lines(space)).toEqual(['0-f io']);
    }
  });
  it('T-70: a zero-size region contributes nothing, nor does anything below it', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const bus = bench.container('bus', 0);
    bus.addSubregion(0, bench.io('io', 4));
    root.addSubregion(0, bus);
    const space = bench.space(root);
    expect(lines(space)).toEqual([]);
    bus.setSize(2);
    expect(lines(space)).toEqual(['0-1 io']);
  });
  it('T-71: a 2^64 region at 0 is one range of size 2^64', () => {
    const bench = new Bench();
    const { view } = bench.space(bench.io('all', SPACE));
    expect([lines(view), view.section(0).size]).toEqual([['0-ffffffffffffffff all'], SPACE]);
  });
  it('T-72: one region in many ranges, at different offsets or the same', () => {
    const bench = new Bench();
    const ram = bench.ram('ram', 0x100);
    const root = bench.container('root');
    for (const [at, offset] of [
      [0, 0],
      [0x200, 0],
      [0x400, 0x80],
    ] as const)
      root.addSubregion(at, bench.alias('a', ram, offset, 0x80));
    expect(lines(bench.space(root))).toEqual(['0-7f ram', '200-27f ram', '400-47f ram @80']);
  });
});

describe('merging', () => {
  /** Two windows on one RAM, side by side in RAM and space. */
  const halves = (): { bench: Bench; root: MemoryRegion; low: MemoryRegion; high: MemoryRegion } => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x100);
    const low = bench.alias('low', ram, 0, 0x80);
    const high = bench.alias('high', ram, 0x80, 0x80);
    root.addSubregion(0, low);
    root.addSubregion(0x80, high);
    return { bench, root, low, high };
  };
  it('T-75: neighbours of one region whose offsets go on are one range; runs of any length', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x1000);
    for (let i = 15; i >= 0; i--) root.addSubregion(i * 0x100, bench.alias('a', ram, i * 0x100, 0x100));
    expect(lines(bench.space(root))).toEqual(['0-fff ram']);
  });
  it('T-75: not where they do not touch, nor where the offsets do not go on', () => {
    const { bench, root, high } = halves();
    const space = bench.space(root);
    expect(lines(space)).toEqual(['0-ff ram']);
    high.setAliasOffset(0x81);
    expect(lines(space)).toEqual(['0-7f ram', '80-fe ram @81'].map((line) => line)); // Cut at the end of RAM.
    high.setAliasOffset(0x80);
    high.setAddress(0x81);
    expect(lines(space)).toEqual(['0-7f ram', '81-100 ram @80']);
  });
  it('T-76: priorities, aliases and containers on the way do not matter', () => {
    const { bench, root, low } = halves();
    root.delSubregion(low);
    const bus = bench.container('bus', 0x80);
    bus.addSubregion(0, low, -3);
    root.addSubregion(0, bus, 9);
    expect(lines(bench.space(root))).toEqual(['0-ff ram']);
  });
  it('T-77: a read-only alias over part of a RAM splits it in three', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x300);
    const alias = bench.alias('ro', ram, 0x100, 0x100);
    alias.setReadonly(true);
    root.addSubregion(0, ram);
    root.addSubregion(0x100, alias, 1);
    const space = bench.space(root);
    expect(lines(space)).toEqual(['0-ff ram', '100-1ff ram @100 ro', '200-2ff ram @200']);
    alias.setNonvolatile(true);
    alias.setReadonly(false);
    expect(lines(space)).toEqual(['0-ff ram', '100-1ff ram @100 nv', '200-2ff ram @200']);
    alias.setNonvolatile(false);
    expect(lines(space)).toEqual(['0-2ff ram']);
  });
  it('T-78: thousands of pieces that merge into one', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x4000);
    bench.core.transaction(() => {
      for (let i = 0; i < 0x4000; i++) root.addSubregion(i, bench.alias('a', ram, i, 1));
    });
    const space = bench.space(root);
    expect(lines(space)).toEqual(['0-3fff ram']);
    root.children[0x1000]!.setEnabled(false);
    expect(lines(space)).toEqual(['0-2ffe ram', '3000-3fff ram @3000']);
  });
});

describe('equality of ranges', () => {
  it('T-80: the mask is no part of it, every other field is', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x100);
    const alias = bench.alias('a', ram, 0, 0x80);
    root.addSubregion(0, alias);
    const log: string[] = [];
    bench.space(root).registerListener(recorder('', log));
    const kinds = (edit: () => void): string => {
      drain(log);
      edit();
      return drain(log)
        .map((line) => line.split(' ')[0])
        .slice(1, -1)
        .join(' ');
    };
    expect(kinds(() => ram.setLog(true, LogClient.VGA))).toBe('nop logStart');
    expect(kinds(() => alias.setAddress(0x100))).toBe('del add');
    expect(kinds(() => alias.setSize(0x40))).toBe('del add');
    expect(kinds(() => alias.setAliasOffset(0x40))).toBe('del add');
    expect(kinds(() => alias.setReadonly(true))).toBe('del add');
    expect(kinds(() => ram.setReadonly(true))).toBe('nop');
    expect(kinds(() => alias.setNonvolatile(true))).toBe('del add');
    expect(kinds(() => ram.romDeviceSetRomd(false))).toBe('del add');
  });
});
