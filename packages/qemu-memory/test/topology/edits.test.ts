import { describe, expect, it } from 'vitest';
import { LogClient, MemoryCore, type MemoryRegion } from '../../src/index.ts';
import { Bench, codeOf, drain, lines, recorder, SPACE } from '../support/topology.ts';

/** A root with a listener: `commits()` tells how many commits were acted on since the last call. */
function watched(): { bench: Bench; root: MemoryRegion; commits: () => number; show: () => string[] } {
  const bench = new Bench();
  const root = bench.container('root');
  const space = bench.space(root);
  const log: string[] = [];
  space.registerListener(recorder('', log, { nop: false }));
  drain(log);
  return {
    bench,
    root,
    commits: () => drain(log).filter((line) => line === 'begin').length,
    show: () => lines(space),
  };
}

describe('edits', () => {
  it('T-40: adding sets container, address and priority, and is visible at once', () => {
    const { bench, root, commits, show } = watched();
    const io = bench.io('io', 4);
    root.addSubregion(0x10, io, 3);
    expect([io.container, io.addr, io.priority, commits(), show()]).toEqual([root, 0x10n, 3, 1, ['10-13 io']]);
  });
  it('T-40: no rebuild is asked for where container or child is disabled', () => {
    const { bench, root, commits } = watched();
    const off = bench.io('off', 4);
    off.setEnabled(false);
    const bus = bench.container('bus');
    bus.setEnabled(false);
    root.addSubregion(0, bus);
    commits();
    root.addSubregion(0x10, off);
    bus.addSubregion(0, bench.io('in-off', 4));
    expect(commits()).toBe(0);
  });
  it('T-41: what lies outside of the container is clipped away', () => {
    const { bench, root, show } = watched();
    const bus = bench.container('bus', 0x100);
    root.addSubregion(0x1000, bus);
    bus.addSubregion(0xf0, bench.io('partly', 0x20));
    bus.addSubregion(0x200, bench.io('wholly', 0x20));
    expect(show()).toEqual(['10f0-10ff partly']);
  });
  it('T-42: siblings in falling priority; among equals the most recently added is first and wins', () => {
    const { bench, root, show } = watched();
    for (const [name, priority] of [
      ['a', 0],
      ['b', 1],
      ['c', 0],
      ['d', 1],
    ] as const)
      root.addSubregion(0, bench.io(name, 4), priority);
    expect(root.children.map((each) => each.name)).toEqual(['d', 'b', 'c', 'a']);
    expect(show()).toEqual(['0-3 d']);
  });
  it('T-42: the same with more siblings than are looked at one by one', () => {
    const { bench, root, show } = watched();
    for (let i = 0; i < 300; i++) root.addSubregion((i % 100) * 4, bench.io(`r${i}`, 4), i < 100 ? 1 : 0);
    expect(root.children[0]!.name).toBe('r99');
    expect(root.children[100]!.name).toBe('r299');
    expect(show().slice(0, 2)).toEqual(['0-3 r0', '4-7 r1']);
    root.delSubregion(root.children.find((each) => each.name === 'r0')!);
    expect(show().slice(0, 2)).toEqual(['0-3 r200', '4-7 r1']);
  });
  it('T-43: removing keeps address and priority, and refuses a region that is not a child', () => {
    const { bench, root, commits, show } = watched();
    const io = bench.io('io', 4);
    const bus = bench.container('bus');
    root.addSubregion(0x10, io, 3);
    commits();
    expect(() => bus.delSubregion(io)).toThrow(/"io" cannot be removed from "bus": it is mapped in "root"/);
    root.delSubregion(io);
    expect([io.container, io.addr, io.priority, commits(), show()]).toEqual([null, 0x10n, 3, 1, []]);
    expect(() => root.delSubregion(io)).toThrow(/not mapped anywhere/);
  });
  it('T-44: setEnabled asks for a rebuild whatever it does, but not where nothing changes; the order stays', () => {
    const { bench, root, commits, show } = watched();
    const a = bench.io('a', 4);
    root.addSubregion(0, a);
    root.addSubregion(0, bench.io('b', 4));
    commits();
    a.setEnabled(true);
    expect(commits()).toBe(0);
    a.setEnabled(false);
    a.setEnabled(true);
    expect([commits(), show()]).toEqual([2, ['0-3 b']]);
    bench.io('detached', 4).setEnabled(false);
    expect(commits()).toBe(1);
  });
  it('T-45: setAddress moves a region in front of its equals, in one commit', () => {
    const { bench, root, commits, show } = watched();
    const a = bench.io('a', 8);
    root.addSubregion(0, a);
    root.addSubregion(8, bench.io('b', 8));
    commits();
    a.setAddress(0);
    expect(commits()).toBe(0);
    a.setAddress(4);
    expect([commits(), show()]).toEqual([1, ['4-b a', 'c-f b @4']]);
    expect(root.children.map((each) => each.name)).toEqual(['a', 'b']);
  });
  it('T-45: without a container the address is only stored, even of a root; the space follows at the next commit', () => {
    const bench = new Bench();
    const root = bench.io('root', 0x10);
    const space = bench.space(root);
    root.setAddress(0x100);
    expect(lines(space)).toEqual(['0-f root']);
    bench.container('x').setEnabled(false);
    expect(lines(space)).toEqual(['100-10f root']);
  });
  it('T-45: no rebuild where the region is disabled', () => {
    const { bench, root, commits } = watched();
    const a = bench.io('a', 8);
    root.addSubregion(0, a);
    a.setEnabled(false);
    commits();
    a.setAddress(0x40);
    expect([a.addr, commits()]).toEqual([0x40n, 0]);
  });
  it('T-46: setSize keeps the RAM block and the order', () => {
    const { bench, root, commits, show } = watched();
    const ram = bench.ram('ram', 0x1000);
    root.addSubregion(0, ram);
    root.addSubregion(0x800, bench.io('io', 0x100));
    commits();
    ram.setSize(0x1000);
    expect(commits()).toBe(0);
    ram.setSize(0x900);
    expect([ram.ram!.length, commits(), show()]).toEqual([0x1000, 1, ['0-7ff ram', '800-8ff io']]);
    ram.setSize(0);
    expect(show()).toEqual(['800-8ff io']);
  });
  it('T-47: setAliasOffset moves the window of an alias, and is refused on anything else', () => {
    const { bench, root, commits, show } = watched();
    const ram = bench.ram('ram', 0x1000);
    const alias = bench.alias('window', ram, 0, 0x100);
    root.addSubregion(0, alias);
    commits();
    alias.setAliasOffset(0x200);
    expect([commits(), show()]).toEqual([1, ['0-ff ram @200']]);
    alias.setEnabled(false);
    commits();
    alias.setAliasOffset(0x300);
    expect(commits()).toBe(0);
    expect(() => ram.setAliasOffset(1)).toThrow(/"ram" is not an alias/);
  });
  it('T-48: readonly and nonvolatile are legal on every kind; a rebuild is asked for where the region is enabled', () => {
    const { bench, root, commits, show } = watched();
    const bus = bench.container('bus', 0x100);
    root.addSubregion(0, bus);
    bus.addSubregion(0, bench.ram('ram', 0x100));
    commits();
    bus.setReadonly(true);
    bus.setNonvolatile(true);
    bus.setNonvolatile(true);
    expect([commits(), show()]).toEqual([2, ['0-ff ram ro nv']]);
    bus.setEnabled(false);
    commits();
    bus.setReadonly(false);
    expect(commits()).toBe(0);
  });
  it('T-48: ROMD mode of a region that is no ROM device only makes another range of it', () => {
    const { bench, root, commits, show } = watched();
    const io = bench.io('io', 4);
    root.addSubregion(0, io);
    commits();
    io.romDeviceSetRomd(false);
    expect([commits(), show()]).toEqual([1, ['0-3 io io']]);
  });
  it('T-49: an edit of a detached tree still gives listeners begin and commit', () => {
    const { bench, commits } = watched();
    bench.container('detached').addSubregion(0, bench.io('io', 4));
    expect(commits()).toBe(1);
  });
  it('T-49: yet no view is rendered for it', () => {
    const bench = new Bench();
    const root = bench.io('root', 4);
    const { view } = bench.space(root);
    bench.container('detached').addSubregion(0, bench.io('io', 4));
    expect(bench.core.addressSpaces[0]!.view).toBe(view);
  });
  it('T-50: equal values cause nothing; a move as removal and addition causes two commits', () => {
    const { bench, root, commits } = watched();
    const bar = bench.io('bar', 4);
    root.addSubregion(0, bar);
    commits();
    bar.setAddress(0);
    bar.setSize(4);
    bar.setEnabled(true);
    bar.setReadonly(false);
    bar.setNonvolatile(false);
    bar.romDeviceSetRomd(true);
    expect(commits()).toBe(0);
    root.delSubregion(bar);
    root.addSubregion(8, bar);
    expect(commits()).toBe(2);
  });
});

describe('bad edits', () => {
  it('T-51: each is an error with a code of its own, and leaves the tree untouched', () => {
    const { bench, root, show } = watched();
    const bus = bench.container('bus');
    const io = bench.io('io', 4);
    root.addSubregion(0, bus);
    bus.addSubregion(0, io);
    const before = show();
    const other = new Bench(new MemoryCore());
    expect(codeOf(() => root.addSubregion(8, io))).toBe('already-mapped');
    expect(codeOf(() => root.delSubregion(io))).toBe('not-a-subregion');
    expect(codeOf(() => io.setAliasOffset(0))).toBe('not-an-alias');
    expect(codeOf(() => bench.core.commit())).toBe('transaction');
    expect(codeOf(() => bench.alias('a', bus, 0, 4).addSubregion(0, bench.io('x', 4)))).toBe('subregion-of-alias');
    expect(codeOf(() => root.addSubregion(0, root))).toBe('container-cycle');
    expect(codeOf(() => io.addSubregion(0, root))).toBe('container-cycle');
    expect(codeOf(() => root.addSubregion(0, other.io('x', 4)))).toBe('foreign-region');
    expect(codeOf(() => bench.alias('a', other.ram('x', 4), 0, 4))).toBe('foreign-region');
    expect(codeOf(() => bench.space(other.io('x', 4)))).toBe('foreign-region');
    expect(show()).toEqual(before);
    expect([root.children, bus.children, root.container]).toEqual([[bus], [io], null]);
  });
  it('T-51: the messages name both parties and the way out', () => {
    const { bench, root } = watched();
    const bus = bench.container('bus', 0x1000);
    const io = bench.io('hpet', 0x400);
    root.addSubregion(0xfed0_0000, io);
    expect(() => bus.addSubregion(0, io)).toThrow(
      'region "hpet" is already mapped in "root" at [0xfed00000, 0xfed003ff]; remove it first, or map an alias of it in "bus"',
    );
    root.addSubregion(0, bus);
    expect(() => bus.addSubregion(0, root)).toThrow('region "root" contains "bus" and cannot be mapped in it');
  });
  it('T-51: a refused edit inside a transaction does not close it', () => {
    const { bench, root, show } = watched();
    const io = bench.io('io', 4);
    bench.core.transaction(() => {
      root.addSubregion(0, io);
      expect(codeOf(() => root.addSubregion(8, io))).toBe('already-mapped');
      expect(show()).toEqual([]);
    });
    expect(show()).toEqual(['0-3 io']);
  });
});

describe('alias cycles', () => {
  it('T-52: aliases of a container inside itself are legal where each window ends', () => {
    const { bench, root, show } = watched();
    root.addSubregion(0, bench.io('mpc', 0x400), -2);
    root.addSubregion(0x1000, bench.alias('mirror', root, 0, 0x1000), -1500);
    expect(show()).toEqual(['0-3ff mpc', '1000-13ff mpc']);
    root.addSubregion(0x800, bench.io('late', 0x10));
    expect(show()).toEqual(['0-3ff mpc', '800-80f late', '1000-13ff mpc', '1800-180f late']);
  });
  it('T-52: an alias that shifts at each round trip ends when its window runs empty', () => {
    const { bench, root, show } = watched();
    root.addSubregion(0, bench.io('io', 0x10));
    root.addSubregion(0x100, bench.alias('shift', root, 0, 0x300), -1);
    expect(show()).toEqual(['0-f io', '100-10f io', '200-20f io', '300-30f io']);
  });
  it('T-52: a true infinite descent is refused; all views stay as they were and the next commit tries again', () => {
    const { bench, root, show } = watched();
    const io = bench.io('io', 0x10);
    root.addSubregion(0, io);
    const alias = bench.alias('loop', root, 0, SPACE);
    expect(() => root.addSubregion(0, alias, 1)).toThrow(/alias "loop" leads back to "root" at the same place/);
    expect([show(), alias.container]).toEqual([['0-f io'], root]);
    expect(codeOf(() => io.setEnabled(false))).toBe('endless-alias');
    expect(show()).toEqual(['0-f io']);
    alias.setEnabled(false);
    expect(show()).toEqual([]);
    io.setEnabled(true);
    expect(show()).toEqual(['0-f io']);
  });
  it('T-52: an address space over an endless tree is not made', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0, bench.alias('loop', root, 0, SPACE));
    expect(codeOf(() => bench.space(root))).toBe('endless-alias');
    expect(bench.core.addressSpaces).toEqual([]);
    expect(root.links.roots).toEqual([]);
  });
  it('T-52: a tree that multiplies beyond all bounds is refused, not rendered for ever', () => {
    const bench = new Bench(new MemoryCore({ maxVisits: 10_000 }));
    let inner: MemoryRegion = bench.io('io', 1);
    for (let i = 0; i < 40; i++) {
      const outer = bench.container(`level${i}`);
      outer.addSubregion(0, bench.alias('a', inner, 0, SPACE));
      outer.addSubregion(1, bench.alias('b', inner, 0, SPACE));
      inner = outer;
    }
    expect(codeOf(() => bench.space(inner))).toBe('too-complex');
  });
  it('T-52: nesting may be deep, but not endlessly', () => {
    const bench = new Bench();
    let at = bench.container('top');
    const top = at;
    for (let i = 0; i < 3000; i++) {
      const next = bench.container('c');
      at.addSubregion(1, next);
      at = next;
    }
    at.addSubregion(0, bench.io('io', 1));
    expect(lines(bench.space(top))).toEqual(['bb8-bb8 io']);
    const deeper = (): void => {
      for (let i = 0; i < 2000; i++) {
        const next = bench.container('c');
        at.addSubregion(1, next);
        at = next;
      }
      at.addSubregion(0, bench.io('deep', 1));
    };
    expect(codeOf(() => bench.core.transaction(deeper))).toBe('too-complex');
    expect(lines(bench.core.addressSpaces[0]!)).toEqual(['bb8-bb8 io']);
  });

  describe('T-101: edits of devices that get the writes that wait, when an edit begins', () => {
    const setUp = () => {
      const core = new MemoryCore();
      const owner = {};
      const [root, other] = [core.container('root', 0x1000), core.container('other', 0x100)];
      const dev = core.reservation('dev', 0x10, { owner });
      root.addSubregion(0x800, other);
      const space = core.addressSpace(root);
      const deliver = (edit: () => void): void => {
        core.access.flushCoalescedMmio = () => {
          core.access.flushCoalescedMmio = null;
          edit();
        };
      };
      const shown = () => space.view.ranges.map(({ first, region }) => `${region.name} ${first.toString(16)}`);
      return { core, owner, root, other, dev, deliver, shown };
    };

    it('mapped meanwhile: the edit is refused, and the region has one container', () => {
      const { root, other, dev, deliver, shown } = setUp();
      deliver(() => other.addSubregion(0x10, dev));
      expect(codeOf(() => root.addSubregion(0, dev))).toBe('already-mapped');
      expect([dev.container, root.children, other.children, shown()]).toEqual([other, [other], [dev], ['dev 810']]);
    });

    it('unmapped or moved meanwhile: as if that had come before', () => {
      const { core, owner, root, other, dev, deliver, shown } = setUp();
      root.addSubregion(0, dev);
      deliver(() => root.delSubregion(dev));
      expect(codeOf(() => root.delSubregion(dev))).toBe('not-a-subregion');
      expect([dev.isMapped, shown()]).toEqual([false, []]);
      core.rcu.drain();
      expect(core.ownerReferences(owner)).toBe(0);
      root.addSubregion(0, dev);
      deliver(() => {
        root.delSubregion(dev);
        other.addSubregion(0, dev);
      });
      dev.setAddress(0x20);
      expect([dev.container, root.children, shown()]).toEqual([other, [other], ['dev 820']]);
      deliver(() => other.delSubregion(dev));
      dev.setAddress(0x30);
      expect([dev.container, dev.addr, shown()]).toEqual([null, 0x30n, []]);
    });

    it('mapped or disposed of meanwhile: a disposal is refused, or done once', () => {
      const { core, root, dev, deliver } = setUp();
      deliver(() => root.addSubregion(0, dev));
      expect(codeOf(() => dev.dispose())).toBe('still-used');
      expect([dev.disposed, dev.enabled]).toEqual([false, true]);
      const alias = core.alias('alias', dev, 0, 0x10);
      deliver(() => alias.dispose());
      alias.dispose();
      root.delSubregion(dev);
      const last = core.alias('last', dev, 0, 0x10);
      root.addSubregion(0, last);
      expect([alias.disposed, dev.isMapped]).toEqual([true, true]);
    });

    it('T-33: a disposal delivers them once, before it begins', () => {
      const { core, root, dev } = setUp();
      dev.addCoalescing(0, 8);
      let deliveries = 0;
      core.access.flushCoalescedMmio = () => {
        deliveries++;
        if (deliveries === 2) core.access.flushCoalescedMmio = null;
        if (deliveries === 2) root.addSubregion(0, dev);
      };
      dev.dispose();
      expect([deliveries, dev.container, dev.disposed, dev.coalescedRanges]).toEqual([1, null, true, []]);
    });

    it('T-33: a disposal ends the region though its commit cannot publish', () => {
      const { core, root } = setUp();
      const [bus, child] = [core.container('bus', 0x10), core.reservation('child', 4)];
      bus.addSubregion(0, child);
      expect(codeOf(() => root.addSubregion(0, core.alias('loop', root, 0, 0x1000)))).toBe('endless-alias');
      expect(codeOf(() => bus.dispose())).toBe('endless-alias');
      expect([bus.disposed, bus.children, child.container]).toEqual([true, [], null]);
    });

    it('T-33: nobody whom the commit of a disposal calls can map the region again, or have an alias show it', () => {
      const { core, root, dev, shown } = setUp();
      const codes: string[] = [];
      core.rcu.callRcu(() => {
        codes.push(codeOf(() => root.addSubregion(0, dev)));
        codes.push(codeOf(() => dev.setEnabled(true)));
        root.addSubregion(0, core.alias('again', dev, 0, 0x10));
        dev.dispose();
      });
      dev.dispose();
      expect([codes, shown()]).toEqual([['disposed', 'disposed'], []]);
    });

    it('eventfds added or taken away meanwhile are kept so', () => {
      const { dev, deliver } = setUp();
      const [one, two] = [{ notify() {} }, { notify() {} }];
      const offsets = () => dev.eventFds.map(({ offset }) => offset);
      deliver(() => dev.addEventFd(8, 4, false, 0, two));
      dev.addEventFd(0, 4, false, 0, one);
      expect(offsets()).toEqual([0n, 8n]);
      deliver(() => dev.delEventFd(8, 4, false, 0, two));
      expect(codeOf(() => dev.delEventFd(8, 4, false, 0, two))).toBe('no-such-eventfd');
      deliver(() => dev.addEventFd(8, 4, false, 0, two));
      dev.delEventFd(0, 4, false, 0, one);
      expect(offsets()).toEqual([8n]);
    });

    it('T-25: logged or not meanwhile: as often as was said', () => {
      const { core, root, deliver } = setUp();
      const ram = core.ram('ram', 0x1000);
      root.addSubregion(0, ram);
      deliver(() => ram.setLog(true, LogClient.VGA));
      ram.setLog(true, LogClient.VGA);
      ram.setLog(false, LogClient.VGA);
      expect(ram.dirtyLogMask).toBe(1 << LogClient.VGA);
      deliver(() => ram.setLog(false, LogClient.VGA));
      expect(codeOf(() => ram.setLog(false, LogClient.VGA))).toBe('bad-log-client');
      expect(ram.dirtyLogMask).toBe(0);
    });
  });
});
