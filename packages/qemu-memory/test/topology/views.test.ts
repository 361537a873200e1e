import { le16, le32, u8 } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { type FlatView, MemoryCore, type MemoryRegion } from '../../src/index.ts';
import { Bench, drain, lines, recorder, SPACE } from '../support/topology.ts';

describe('canonical roots and sharing', () => {
  it('T-85: spaces with the same canonical root share one view object', () => {
    const bench = new Bench();
    const root = bench.io('root', 4);
    const alias = bench.alias('a', root, 0, 4);
    const [one, two, three] = [bench.space(root), bench.space(root), bench.space(alias)];
    expect([two.view, three.view, three.canonicalRoot]).toEqual([one.view, one.view, root]);
  });
  it('T-86: aliases are followed at offset 0 and full size only; single children at 0 that fit only', () => {
    const bench = new Bench();
    const io = bench.io('io', 0x100);
    const canonical = (root: MemoryRegion): string | null => bench.space(root).canonicalRoot?.name ?? null;
    expect(canonical(bench.alias('larger', io, 0, 0x200))).toBe('io');
    expect(canonical(bench.alias('smaller', io, 0, 0x80))).toBe('smaller');
    expect(canonical(bench.alias('shifted', io, 1, 0x100))).toBe('shifted');
    const over = (name: string, addr: number, size: number): MemoryRegion => {
      const container = bench.container(name, size);
      container.addSubregion(addr, bench.io('child', 0x10));
      return container;
    };
    expect(canonical(over('fits', 0, 0x10))).toBe('child');
    expect(canonical(over('not at 0', 1, 0x20))).toBe('not at 0');
    expect(canonical(over('too small', 0, 8))).toBe('too small');
    io.setEnabled(false);
    expect(canonical(io)).toBe(null);
    const terminating = bench.io('terminating', 0x10);
    terminating.addSubregion(0, bench.io('child', 0x10));
    expect(canonical(terminating)).toBe('terminating');
  });
  it('T-87: priority does not matter; enabled children that are empty or out of the window count', () => {
    const bench = new Bench();
    const root = bench.container('root', 0x100);
    root.addSubregion(0, bench.io('child', 0x10), -5);
    const space = bench.space(root);
    expect(space.canonicalRoot!.name).toBe('child');
    const empty = bench.io('empty', 0);
    root.addSubregion(0x500, empty);
    expect(space.canonicalRoot).toBe(root);
    empty.setEnabled(false);
    expect(space.canonicalRoot!.name).toBe('child');
  });
  it('T-88: what shows nothing has the one empty view, which is never reclaimed', () => {
    const bench = new Bench();
    const { core } = bench;
    const one = bench.space(bench.container('a'));
    const two = bench.space(bench.container('b'));
    expect([one.view, two.view, core.emptyView.length, core.emptyView.root]).toEqual([
      core.emptyView,
      core.emptyView,
      0,
      null,
    ]);
    one.dispose();
    two.dispose();
    core.rcu.drain();
    expect(core.emptyView.references).toBeGreaterThan(0);
  });
  it('T-89: sharing never changes what is shown: flags and addresses on the way to the canonical root count', () => {
    const bench = new Bench();
    const ram = bench.ram('ram', 0x100);
    const plain = bench.space(ram);
    const readonly = bench.alias('ro', ram, 0, 0x100);
    readonly.setReadonly(true);
    const ro = bench.space(readonly);
    expect([ro.canonicalRoot, lines(ro), ro.view === plain.view]).toEqual([ram, ['0-ff ram ro'], false]);
    const mounted = bench.io('mounted', 0x10);
    bench.container('home').addSubregion(0x100, mounted);
    const root = bench.container('root');
    root.addSubregion(0, bench.alias('whole', mounted, 0, 0x10));
    const shown = bench.space(root);
    expect([shown.canonicalRoot, lines(shown)]).toEqual([mounted, ['0-f mounted']]);
    expect(lines(bench.space(mounted))).toEqual(['100-10f mounted']);
  });
  it('T-90: equal content is shared under different roots too, and no longer when it differs', () => {
    const bench = new Bench();
    const ram = bench.ram('ram', 0x100);
    const makeRoot = (): MemoryRegion => {
      const root = bench.container('cpu');
      root.addSubregion(0, bench.alias('mem', ram, 0, 0x100));
      root.addSubregion(0, bench.alias('smram', bench.io('smram', 0), 0, 0x10), 1);
      return root;
    };
    const roots = [makeRoot(), makeRoot(), makeRoot()];
    const spaces = roots.map((root) => bench.space(root));
    expect(new Set(spaces.map(({ view }) => view)).size).toBe(1);
    const extra = bench.io('extra', 0x10);
    roots[1]!.addSubregion(0x40, extra, 5);
    expect(lines(spaces[1]!)).toEqual(['0-3f ram', '40-4f extra', '50-ff ram @50']);
    expect(spaces[0]!.view).toBe(spaces[2]!.view);
    extra.setEnabled(false);
    expect(spaces[1]!.view).toBe(spaces[0]!.view);
  });
});

describe('the life of a view', () => {
  it('T-91: references of its users; the last one lets the regions go', () => {
    const bench = new Bench();
    const root = bench.io('root', 4);
    const space = bench.space(root);
    const { view } = space;
    const before = view.references;
    const again = space.getFlatView();
    expect([again, view.references]).toEqual([view, before + 1]);
    again.unref();
    root.setSize(8);
    bench.core.rcu.drain();
    expect(view.references).toBe(0);
    expect(() => view.unref()).toThrow(/no references/);
  });
  it('T-92: a listener finds the new view of its space complete, and published before commit', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const space = bench.space(root);
    const seen: string[] = [];
    space.registerListener({
      regionAdd: () => seen.push(`add: ${lines(space)}`),
      commit: () => seen.push(`commit: ${lines(space)}`),
    });
    seen.length = 0;
    root.addSubregion(0, bench.io('io', 4));
    expect(seen).toEqual(['add: ', 'commit: 0-3 io']);
  });
  it('T-93: regions are let go after a grace period, never inside a read section', () => {
    const bench = new Bench();
    const owner = {};
    const root = bench.container('root');
    const io = bench.io('io', 4, owner);
    root.addSubregion(0, io);
    bench.space(root);
    bench.core.rcu.readLock();
    root.delSubregion(io);
    expect(bench.core.ownerReferences(owner)).toBe(1);
    bench.core.rcu.readUnlock();
    bench.core.rcu.drain();
    expect(bench.core.ownerReferences(owner)).toBe(0);
  });
  it('T-94: a reference to a view that is on its way out fails', () => {
    const bench = new Bench();
    const root = bench.io('root', 4);
    const { view } = bench.space(root);
    bench.core.rcu.readLock();
    root.setSize(8);
    expect([view.references, view.ref()]).toEqual([0, false]);
    bench.core.rcu.readUnlock();
  });
  it('T-95: a held view never changes, whatever the regions do', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const io = bench.io('io', 0x10);
    root.addSubregion(0, io);
    const view = bench.space(root).getFlatView();
    io.setReadonly(true);
    io.setSize(4);
    root.delSubregion(io);
    expect([lines(view), view.lookup(8)!.size, view.find(15)]).toEqual([['0-f io'], 0x10n, 0]);
  });
  it('T-96: during a commit one space may have its new view and the next one still its old', () => {
    const bench = new Bench();
    const io = bench.io('io', 4);
    const roots = [bench.container('a'), bench.container('b')];
    for (const root of roots) root.addSubregion(0, bench.alias('w', io, 0, 4));
    roots[1]!.addSubregion(8, bench.io('other', 4));
    const [a, b] = roots.map((root) => bench.space(root)) as [ReturnType<Bench['space']>, ReturnType<Bench['space']>];
    const seen: string[] = [];
    b.registerListener({ regionDel: () => seen.push(`${lines(a)} | ${lines(b)}`) });
    io.setReadonly(true);
    expect(seen).toEqual(['0-3 io ro | 0-3 io,8-b other']);
  });
  it('T-97: reclaiming does not happen inside of the commit that dropped the view', () => {
    const bench = new Bench();
    const owner = {};
    const root = bench.container('root');
    const io = bench.io('io', 4, owner);
    root.addSubregion(0, io);
    const space = bench.space(root);
    const counts: number[] = [];
    space.registerListener({ commit: () => counts.push(bench.core.ownerReferences(owner)) });
    counts.length = 0;
    root.delSubregion(io);
    expect([counts, bench.core.ownerReferences(owner)]).toEqual([[1], 0]);
  });
});

describe('address spaces', () => {
  it('T-98: the name defaults to anonymous, spaces come in the order of making, nobody is told', () => {
    const bench = new Bench();
    const { core } = bench;
    const root = bench.io('root', 4);
    const log: string[] = [];
    bench.space(root, 'one').registerListener(recorder('', log));
    drain(log);
    const two = core.addressSpace(root);
    const three = bench.space(bench.io('other', 4), 'one');
    expect([drain(log), core.addressSpaces.map((each) => each.name)]).toEqual([[], ['one', 'anonymous', 'one']]);
    expect([two.view === core.addressSpaces[0]!.view, lines(three)]).toEqual([true, ['0-3 other']]);
  });
  it('T-99: made inside a transaction it may have an outdated view, which the commit corrects', () => {
    const bench = new Bench();
    const root = bench.io('root', 4);
    bench.space(root);
    let inside: string[] = [];
    bench.core.transaction(() => {
      root.addSubregion(0, bench.io('new', 4));
      inside = lines(bench.space(root, 'late'));
    });
    expect(inside).toEqual(['0-3 root']);
    expect(bench.core.addressSpaces.map((each) => lines(each))).toEqual([['0-3 new'], ['0-3 new']]);
  });
  it('T-100: a disposed space leaves at once, and lets go after a grace period', () => {
    const bench = new Bench();
    const { core } = bench;
    const owner = {};
    const root = bench.io('root', 4, owner);
    const space = bench.space(root);
    core.rcu.readLock();
    space.dispose();
    space.dispose();
    expect([space.disposed, core.addressSpaces, core.ownerReferences(owner)]).toEqual([true, [], 2]);
    core.rcu.readUnlock();
    core.rcu.drain(); // The space, and then
    core.rcu.drain(); // its view.
    expect(core.ownerReferences(owner)).toBe(0);
    root.setSize(8); // Nothing renders it any more.
    expect(lines(space)).toEqual([]);
    expect(() => space.registerListener({})).toThrow(/disposed/);
  });
  it('T-100: a disposed space shows nothing: a device that is taken apart after it is not called', () => {
    const core = new MemoryCore();
    const root = core.container('root', 0x1000);
    const owner = {};
    let calls = 0;
    const device = core.io('device', 0x1000, { read: () => ++calls, write: () => void calls++ }, { owner });
    root.addSubregion(0, device);
    const space = core.addressSpace(root, 'space');
    for (let i = 0; i < 1000; i++) space.load(0, le32);
    calls = 0;
    let gone = false;
    core.whenUnreferenced(owner, () => {
      gone = true;
    });
    space.dispose();
    root.delSubregion(device);
    core.rcu.synchronize();
    core.rcu.drain();
    expect(gone).toBe(true);
    expect(() => space.load(0, le32)).toThrow(expect.objectContaining({ code: 'invalid-guest-address' }));
    expect(() => space.store(0, le32, 1)).toThrow(expect.objectContaining({ code: 'invalid-guest-address' }));
    expect([calls, space.view.length, space.isIo(0)]).toEqual([0, 0, true]);
    expect(() => space.share()).toThrow(expect.objectContaining({ code: 'disposed' }));
  });
  it('T-100: a space that has listeners is not disposed of; removeListeners unregisters all, in order', () => {
    const bench = new Bench();
    const space = bench.space(bench.io('root', 4));
    const log: string[] = [];
    space.registerListener(recorder('B', log, { priority: 2 }));
    space.registerListener(recorder('A', log));
    expect(() => space.dispose()).toThrow(/address space "memory" cannot be disposed of: it has 2 listeners/);
    drain(log);
    space.removeListeners();
    expect(drain(log)).toEqual(['A begin', 'A del 0-3 root', 'A commit', 'B begin', 'B del 0-3 root', 'B commit']);
    space.dispose();
  });
});

describe('the spaces of a machine', () => {
  it('T-98: memory and I/O are made when first asked for; unmapped ports read as ones', () => {
    const { core } = new Bench();
    expect(core.addressSpaces).toEqual([]);
    const { memory, io, memoryRegion, ioRegion } = core.system;
    expect(core.addressSpaces).toEqual([memory, io]);
    expect([memory.name, memoryRegion.name, memoryRegion.size, io.name, ioRegion.name]).toEqual([
      'memory',
      'system',
      SPACE,
      'I/O',
      'io',
    ]);
    io.store(0x80, le16, 1);
    expect([io.load(0x80, u8), io.load(0x80, le16), io.load(0xfffc, le32)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
  });
});

describe('finding', () => {
  const tall = (): FlatView => {
    const bench = new Bench();
    const root = bench.container('root');
    bench.core.transaction(() => {
      for (let i = 0; i < 1000; i++) root.addSubregion(i * 0x20, bench.io(`r${i}`, 0x10));
      for (let i = 0; i < 300; i++) root.addSubregion(SPACE - 0x20n * BigInt(i + 1) + 0x10n, bench.io(`t${i}`, 0x10));
    });
    return bench.space(root).view;
  };
  it('T-151, T-175: every first, last and hole address, as number and as bigint', () => {
    const view = tall();
    expect(view.length).toBe(1300);
    for (let i = 0; i < 1000; i++) {
      expect([view.find(i * 0x20), view.find(i * 0x20 + 15), view.find(i * 0x20 + 16)]).toEqual([i, i, -1]);
      expect(view.find(BigInt(i) * 0x20n + 15n)).toBe(i);
    }
    for (let i = 0; i < 300; i++) {
      const first = SPACE - 0x20n * BigInt(i + 1) + 0x10n;
      expect([view.find(first), view.find(first + 15n), view.find(first - 1n)]).toEqual([1299 - i, 1299 - i, -1]);
      expect(view.lookup(first)).toBe(view.section(1299 - i));
    }
    expect(view.find(Number.MAX_SAFE_INTEGER)).toBe(-1);
  });
  it('T-151: what is no address is refused', () => {
    const view = tall();
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, -1n, SPACE]) expect(() => view.find(bad)).toThrow(RangeError);
    expect(() => view.range(1300)).toThrow(/the index of a range must be 0 to 1299, not 1300/);
    expect(() => view.section(-1)).toThrow(RangeError);
  });
  it('T-150: a section is one object, also in later views that share the range', () => {
    const bench = new Bench();
    const root = bench.container('root');
    for (let i = 0; i < 600; i++) root.addSubregion(i * 0x20, bench.io(`r${i}`, 0x10));
    const space = bench.space(root);
    const section = space.view.section(0);
    expect(space.view.section(0)).toBe(section);
    root.children[0]!.setEnabled(false);
    expect([space.view.length, space.view.section(0)]).toEqual([599, section]);
  });
});

it('T-105: what somebody throws who follows one space surfaces after all spaces are published, and the old views are let go', () => {
  const core = new MemoryCore();
  const root = core.container('root', 0x10000);
  const other = core.container('other', 0x10000);
  root.addSubregion(0x4000, core.ram('first', bufferBacking(0x1000)));
  other.addSubregion(0, core.alias('alias', root, 0, 0x8000));
  other.addSubregion(0x8000, core.ram('other', bufferBacking(0x1000)));
  const a = core.addressSpace(root, 'a');
  const b = core.addressSpace(other, 'b');
  const before = [a.view, b.view];
  let told = 0;
  a.follow(() => {
    throw new TypeError('first');
  });
  a.follow(() => told++);
  expect(() => root.addSubregion(0, core.ram('ram', bufferBacking(0x1000)))).toThrow(new TypeError('first'));
  expect(told).toBe(1);
  for (const space of [a, b]) expect(space.load(0, le32)).toBe(0);
  expect(before.map((view) => view.references)).toEqual([0, 0]);
});
