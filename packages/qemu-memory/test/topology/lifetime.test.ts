import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MemoryCore, type MemoryRegion, memoryRegionFind } from '../../src/index.ts';
import { Bench, lines } from '../support/topology.ts';

const owned = (): { owner: object; bench: Bench; root: MemoryRegion; bar: MemoryRegion } => {
  const bench = new Bench();
  const owner = { name: 'nic' };
  return { owner, bench, root: bench.container('root'), bar: bench.io('bar', 0x1000, owner) };
};

describe('owners', () => {
  it('T-30: ref and unref count on the owner; without one they do nothing', () => {
    const { owner, bench, bar } = owned();
    bar.ref();
    bench.io('other', 4, owner).ref();
    expect(bench.core.ownerReferences(owner)).toBe(2);
    bar.unref();
    bar.unref();
    expect(bench.core.ownerReferences(owner)).toBe(0);
    expect(() => bar.unref()).toThrow(/no references/);
    bench.io('orphan', 4).ref();
    bench.io('orphan', 4).unref();
  });
  it('T-31: container, live view, root and look-up result hold the owner; each lets go by itself', () => {
    const { owner, bench, root, bar } = owned();
    const refs = (): number => bench.core.ownerReferences(owner);
    root.addSubregion(0, bar);
    expect(refs()).toBe(1);
    const space = bench.space(root);
    expect(refs()).toBe(2);
    const found = memoryRegionFind(root, 0, 1)!;
    expect(refs()).toBe(3);
    const held = space.getFlatView();
    root.delSubregion(bar);
    expect(refs()).toBe(2); // The held view and the result.
    held.unref();
    bench.core.rcu.drain();
    expect(refs()).toBe(1);
    found.dispose();
    found.dispose();
    expect(refs()).toBe(0);
    const own = bench.space(bar);
    expect(refs()).toBe(2);
    own.dispose();
    bench.core.rcu.drain();
    expect(refs()).toBe(0);
  });
  it('T-32: an alias does not hold its target; the view that resolved it does', () => {
    const { owner, bench, root, bar } = owned();
    const alias = bench.alias('a', bar, 0, 0x1000);
    root.addSubregion(0, alias);
    expect(bench.core.ownerReferences(owner)).toBe(0);
    const space = bench.space(root);
    expect(bench.core.ownerReferences(owner)).toBe(1);
    root.delSubregion(alias);
    expect([bench.core.ownerReferences(owner), lines(space)]).toEqual([0, []]);
  });
  it('T-31: whoever waits for an owner is called once, after the grace period, when no transaction is open', () => {
    const { owner, bench, root, bar } = owned();
    const { core } = bench;
    root.addSubregion(0, bar);
    bench.space(root);
    const heard: string[] = [];
    core.whenUnreferenced(owner, () => heard.push('gone'));
    const cancelled = core.whenUnreferenced(owner, () => heard.push('cancelled'));
    cancelled.dispose();
    core.rcu.readLock();
    core.transaction(() => root.delSubregion(bar));
    expect(heard).toEqual([]); // A reader might still use the old view.
    core.rcu.readUnlock();
    core.rcu.drain();
    expect(heard).toEqual(['gone']);
    core.transaction(() => {
      core.whenUnreferenced(owner, () => heard.push('at once'));
      expect(heard).toEqual(['gone']);
    });
    expect(heard).toEqual(['gone', 'at once']);
  });
  it('T-31: a function that waits twice is called twice, and each wait is taken back by itself', () => {
    const { owner, bench, bar } = owned();
    bar.ref();
    let heard = 0;
    const count = (): void => void heard++;
    const first = bench.core.whenUnreferenced(owner, count);
    bench.core.whenUnreferenced(owner, count);
    bench.core.whenUnreferenced(owner, count);
    first.dispose();
    bar.unref();
    expect(heard).toBe(2);
  });
  it('T-31: what a function that waited throws surfaces when all who wait have been called', () => {
    const { owner, bench, root, bar } = owned();
    root.addSubregion(0, bar);
    const heard: string[] = [];
    const wait = (name: string, fails: boolean): void => {
      bench.core.whenUnreferenced(owner, () => {
        heard.push(name);
        if (fails) throw new Error(name);
      });
    };
    wait('a', true);
    wait('b', false);
    expect(() => root.delSubregion(bar)).toThrow('a');
    expect(heard).toEqual(['a', 'b']);
    root.addSubregion(0, bar);
    wait('c', true);
    wait('d', true);
    wait('e', false);
    let errors: unknown;
    try {
      root.delSubregion(bar);
    } catch (error) {
      errors = error;
    }
    expect((errors as AggregateError).errors.map(String)).toEqual(['Error: c', 'Error: d']);
    expect(heard).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
  it('T-31: a callback that waits for an owner may edit and dispose', () => {
    const { owner, bench, root, bar } = owned();
    root.addSubregion(0, bar);
    const space = bench.space(root);
    bench.core.whenUnreferenced(owner, () => {
      bar.dispose();
      root.addSubregion(0, bench.io('next', 4));
    });
    root.delSubregion(bar);
    expect([bar.disposed, lines(space)]).toEqual([true, ['0-3 next']]);
  });
});

describe('the end of a region', () => {
  it('T-33: a mapped region or a root cannot be disposed of; both parties are named', () => {
    const { bench, root, bar } = owned();
    root.addSubregion(0, bar);
    const space = bench.space(root, 'cpu');
    expect(() => bar.dispose()).toThrow(/"bar" cannot be disposed of: it is mapped in "root"/);
    expect(() => root.dispose()).toThrow(/"root" cannot be disposed of: it is the root of address space "cpu"/);
    expect([bar.disposed, root.disposed, lines(space)]).toEqual([false, false, ['0-fff bar']]);
  });
  it('T-33: disposing disables, removes all children, drops coalesced ranges and eventfds; edits are refused then', () => {
    const { bench, bar } = owned();
    const child = bench.io('child', 4);
    bar.addSubregion(0, child);
    bar.addCoalescing(0, 8);
    bar.addEventFd(0, 4, false, 0, { notify() {} });
    bar.dispose();
    bar.dispose();
    expect([bar.enabled, bar.children, child.container, bar.coalescedRanges, bar.eventFds]).toEqual([
      false,
      [],
      null,
      [],
      [],
    ]);
    expect(() => bar.setEnabled(true)).toThrow(/region "bar" has been disposed of/);
    expect(() => bench.container('x').addSubregion(0, bar)).toThrow(/"bar" has been disposed of.*"x"/);
    expect(() => bench.space(bar)).toThrow(/disposed/);
  });
  it('T-33: the enabled flag that disposing clears asks for no rebuild: an alias of it empties at the next commit', () => {
    const bench = new Bench();
    const bus = bench.container('bus');
    bus.addSubregion(0, bench.io('io', 4));
    const root = bench.container('root');
    root.addSubregion(0, bench.alias('a', bus, 0, 8));
    const space = bench.space(root);
    bus.dispose();
    expect(lines(space)).toEqual(['0-3 io']);
    root.addSubregion(0x10, bench.io('other', 4));
    expect(lines(space)).toEqual(['10-13 other']);
  });
  it('T-34: isMapped: a container, or an alias of it that has one, along the whole chain; a root is not mapped', () => {
    const bench = new Bench();
    const ram = bench.ram('ram', 0x1000);
    const inner = bench.alias('inner', ram, 0, 0x1000);
    const outer = bench.alias('outer', inner, 0, 0x1000);
    const root = bench.container('root');
    bench.space(root);
    expect([ram, inner, outer, root].map((each) => each.isMapped)).toEqual([false, false, false, false]);
    root.addSubregion(0, outer);
    expect([ram, inner, outer].map((each) => each.isMapped)).toEqual([true, true, true]);
    root.delSubregion(outer);
    expect([ram, inner, outer].map((each) => each.isMapped)).toEqual([false, false, false]);
  });
  it('T-34: it does not reach children of the target', () => {
    const bench = new Bench();
    const bus = bench.container('bus');
    const child = bench.io('child', 4);
    bus.addSubregion(0, child);
    bench.container('root').addSubregion(0, bench.alias('a', bus, 0, 4));
    bus.delSubregion(child);
    expect([bus.isMapped, child.isMapped]).toEqual([true, false]);
  });
  it('T-35: a region in a view that is in use, or waits for its grace period, cannot be disposed of', () => {
    const { bench, root, bar } = owned();
    const { core } = bench;
    root.addSubregion(0, bar);
    const space = bench.space(root);
    const held = space.getFlatView();
    root.delSubregion(bar);
    expect(() => bar.dispose()).toThrow(/"bar" cannot be disposed of: it is in a flat view/);
    core.rcu.readLock();
    held.unref();
    core.rcu.poll();
    expect(() => bar.dispose()).toThrow(/flat view/);
    core.rcu.readUnlock();
    core.rcu.drain();
    bar.dispose();
    expect(bar.disposed).toBe(true);
  });
  it('T-35: containers and aliases end at any time', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const bus = bench.container('bus');
    const alias = bench.alias('a', bench.ram('ram', 0x1000), 0, 0x1000);
    bus.addSubregion(0, alias);
    root.addSubregion(0, bus);
    const held = bench.space(root).getFlatView();
    root.delSubregion(bus);
    bus.dispose();
    alias.dispose();
    expect([bus.disposed, alias.disposed, held.length]).toEqual([true, true, 1]);
  });
  it('T-36: nothing that is kept grows with the regions that ever existed', () => {
    const { owner, bench, root } = owned();
    bench.space(root);
    const target = bench.ram('ram', 0x1000);
    for (let i = 0; i < 2000; i++) {
      const bus = bench.container('bus', 0x1000);
      const alias = bench.alias('window', target, 0, 0x1000);
      bus.addSubregion(0, alias);
      root.addSubregion(0, bus);
      root.delSubregion(bus);
      bench.io('bar', 4, owner);
    }
    expect([target.links.climbers?.size ?? 0, target.links.views, root.children.length]).toEqual([0, 0, 0]);
  });
});

it('T-100: the list of address spaces is one of its moment: who ends them all on the way misses none', () => {
  const core = new MemoryCore();
  const root = core.container('root', 0x1000);
  for (let i = 0; i < 4; i++) core.addressSpace(root, `cpu ${i}`);
  for (const space of core.addressSpaces) space.dispose();
  expect(core.addressSpaces).toEqual([]);
});

it('T-93: a view that was pinned and given back keeps nothing, so that RAM that was taken out can be collected', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const core = new MemoryCore();
  const root = core.container('root', 0x1_0000);
  const space = core.addressSpace(root, 'memory');
  const blocks = Array.from({ length: 3 }, () => {
    const ram = core.ram('dimm', 0x1000);
    root.addSubregion(0, ram);
    const pin = space.memory();
    root.delSubregion(ram);
    pin.dispose();
    return new WeakRef(ram.ram!);
  });
  core.rcu.drain();
  await new Promise((resolve) => setTimeout(resolve, 0)); // A WeakRef holds until its job ends.
  collectGarbage();
  expect(blocks.filter((block) => block.deref() !== undefined)).toEqual([]);
});
