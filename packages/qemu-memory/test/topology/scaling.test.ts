/** What a change may cost, told by what is made anew and what is shared: no clocks. The clocks are in bench/topology. */
import { describe, expect, it } from 'vitest';
import type { AddressSpace, FlatView, MemoryRegion } from '../../src/index.ts';
import { Bench, drain, lines, recorder, SPACE } from '../support/topology.ts';

/** `count` devices of 16 bytes with gaps between them, in one container. */
function row(count: number): { bench: Bench; root: MemoryRegion; space: AddressSpace } {
  const bench = new Bench();
  const root = bench.container('system');
  bench.core.transaction(() => {
    for (let i = 0; i < count; i++) root.addSubregion(i * 0x20, bench.io(`r${i}`, 0x10));
  });
  return { bench, root, space: bench.space(root) };
}

/** Blocks of `after` that `before` does not have. */
const fresh = (before: FlatView, after: FlatView): number =>
  after.blocks.filter((block) => !before.blocks.includes(block)).length;

describe('scaling', () => {
  it('T-300, T-301: one change makes at most two of hundreds of blocks anew, and the rest is shared', () => {
    const { root, space } = row(20_000);
    const before = space.view;
    root.children[7000]!.setEnabled(false);
    expect([before.length, space.view.length, fresh(before, space.view) <= 2]).toEqual([20_000, 19_999, true]);
    expect(before.blocks.length).toBeGreaterThan(150);
  });
  it('T-300: many changes far apart in one transaction make as many blocks anew', () => {
    const { bench, root, space } = row(20_000);
    const before = space.view;
    bench.core.transaction(() => {
      for (let i = 0; i < 10; i++) root.children[i * 2000]!.setEnabled(false);
    });
    expect([space.view.length, fresh(before, space.view) <= 20]).toEqual([19_990, true]);
  });
  it('T-303: blocks stay between a quarter full and full while ranges come and go', () => {
    const { root, space } = row(3000);
    const children = [...root.children];
    for (let i = 0; i < 2900; i++) children[(i * 7919) % 3000]!.setEnabled(false);
    const { view } = space;
    expect(view.length).toBe(100);
    expect(view.blocks.length).toBeLessThan(8);
    for (const child of children) child.setEnabled(true);
    expect(space.view.length).toBe(3000);
    for (const block of space.view.blocks) expect(block.count).toBeLessThanOrEqual(128);
    expect(space.view.blocks.length).toBeLessThan(100);
  });
  it('T-304, T-307: equal per-vCPU views are one object, before and after each change, until one of them differs', () => {
    const { bench, root } = row(300);
    const smram = bench.container('smram');
    const opened = bench.alias('smram-low', bench.io('smm', 0x40), 0, 0x40);
    opened.setEnabled(false);
    smram.addSubregion(0x40, opened);
    const cpus = Array.from({ length: 64 }, (_, i) => {
      const own = bench.container('memory');
      own.addSubregion(0, bench.alias('memory', root, 0, SPACE));
      own.addSubregion(0, bench.alias('smram', smram, 0, SPACE), 1);
      return bench.space(own, `cpu${i}`);
    });
    const views = (): number => new Set(bench.core.addressSpaces.map(({ view }) => view)).size;
    expect(views()).toBe(1);
    root.children[5]!.setEnabled(false);
    expect([views(), cpus[9]!.view.length]).toEqual([1, 299]);
    opened.setEnabled(true);
    expect([views(), cpus[63]!.view.find(0x40), lines(cpus[0]!)[2]]).toEqual([2, 2, '40-7f smm']);
    opened.setEnabled(false);
    expect(views()).toBe(1);
    const before = cpus[0]!.rendering;
    expect(cpus.every(({ rendering }) => rendering === before)).toBe(true);
  });
  it('T-306: views that a change does not reach stay the objects that they are', () => {
    const { bench, root } = row(100);
    const behind = Array.from({ length: 200 }, (_, i) => {
      const own = bench.container('vtd-root');
      own.addSubregion(0, bench.iommu('vtd-dmar', SPACE));
      own.addSubregion(0xfee0_0000, bench.io(`vtd-ir${i}`, 0x1000), 1);
      return bench.space(own);
    });
    const before = behind.map(({ view }) => view);
    root.children[50]!.setEnabled(false);
    expect(behind.every(({ view }, i) => view === before[i])).toBe(true);
  });
  it('T-311: aliases that lie in a space of their own are not climbed, others are, however they were moved', () => {
    const { bench, root } = row(10);
    const window = bench.alias('window', root, 0, 0x40);
    const own = bench.container('own');
    own.addSubregion(0, window);
    const space = bench.space(own);
    expect(root.links.climbers?.size ?? 0).toBe(0);
    const home = bench.container('home');
    home.addSubregion(0x1000, own);
    expect(root.links.climbers!.size).toBe(1);
    const outer = bench.space(home, 'outer');
    root.children.at(-1)!.setEnabled(false);
    expect([lines(space), lines(outer)]).toEqual([['1020-102f r1'], ['1020-102f r1']]);
    home.delSubregion(own);
    expect(root.links.climbers!.size).toBe(0);
    const filler = Array.from({ length: 8 }, (_, i) => bench.io(`filler${i}`, 4));
    for (const each of filler) own.addSubregion(0x10000, each);
    expect(root.links.climbers!.size).toBe(1);
    root.children.at(-1)!.setEnabled(true);
    expect(lines(space).slice(0, 2)).toEqual(['1000-100f r0', '1020-102f r1']);
    own.delSubregion(filler[0]!);
    expect(root.links.climbers!.size).toBe(0);
    root.children.at(-1)!.setEnabled(false);
    expect(lines(space)[0]).toBe('1020-102f r1');
    bench.alias('of the container', own, 0, 4);
    expect(root.links.climbers!.size).toBe(1);
  });
  it('T-311: listeners hear of changed ranges only; a batch is one commit; keeping a view costs what differs', () => {
    const { bench, root, space } = row(5000);
    const log: string[] = [];
    space.registerListener(recorder('', log, { nop: false }));
    drain(log);
    const kept = [space.view];
    bench.core.transaction(() => {
      const bar = root.children[100]!;
      root.delSubregion(bar);
      root.addSubregion(SPACE - 0x10n, bar);
    });
    expect(drain(log).length).toBe(4);
    for (let i = 0; i < 20; i++) {
      kept.push(space.getFlatView());
      root.children[i * 50]!.setSize(8);
    }
    const blocks = new Set(kept.flatMap((view) => view.blocks));
    expect([kept[0]!.blocks.length > 38, blocks.size < 100]).toEqual([true, true]);
  });
  it('T-308: more than 4095 ranges, and a hundred thousand', () => {
    const { space } = row(100_000);
    expect([space.view.length, space.view.find(99_999 * 0x20)]).toEqual([100_000, 99_999]);
  });
});
