import { bufferBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import {
  type AddressSpace,
  LogClient,
  MemoryCore,
  type MemoryListener,
  type MemoryRegion,
  memoryRegionResetDirty,
  trackDirty,
} from '../../src/index.ts';
import { Bench, codeOf, drain, lines, recorder } from '../support/topology.ts';

interface Heard {
  readonly bench: Bench;
  readonly root: MemoryRegion;
  readonly space: AddressSpace;
  readonly log: string[];
}

/** A root with RAM [0, 0xff] and a silent start; `log` is what is heard from then on. */
function heard(options: { nop?: boolean } = { nop: false }): Heard {
  const bench = new Bench();
  const root = bench.container('root');
  root.addSubregion(0, bench.ram('ram', 0x100));
  const space = bench.space(root);
  const log: string[] = [];
  space.registerListener(recorder('', log, options));
  drain(log);
  return { bench, root, space, log };
}

/** The list that `act` throws. */
function thrownBy(act: () => void): string[] {
  try {
    act();
  } catch (error) {
    const { errors } = error as AggregateError;
    expect(String(error)).toBe(`AggregateError: ${errors.length} callbacks failed`);
    return errors.map(String);
  }
  return [];
}

describe('transactions', () => {
  it('T-101: they nest, only the outermost end acts, and a commit without begin is refused', () => {
    const { bench, root, space, log } = heard();
    const { core } = bench;
    core.begin();
    core.begin();
    root.addSubregion(0x200, bench.io('io', 4));
    core.commit();
    expect([lines(space), drain(log)]).toEqual([['0-ff ram'], []]);
    core.commit();
    expect(drain(log)).toEqual(['begin', 'add 200-203 io', 'commit']);
    expect(codeOf(() => core.commit())).toBe('transaction');
  });
  it('T-101: each begin delivers coalesced writes that wait', () => {
    const { bench } = heard();
    let flushed = 0;
    bench.core.access.flushCoalescedMmio = () => flushed++;
    bench.core.begin();
    bench.core.begin();
    bench.core.commit();
    bench.core.commit();
    expect(flushed).toBe(2);
  });
  it('T-102, T-103: nothing asked for, nothing done: no callback at all', () => {
    const { bench, log } = heard({ nop: true });
    bench.core.transaction(() => {});
    bench.core.edit().dispose();
    expect(drain(log)).toEqual([]);
  });
  it('T-104: any number of edits in one transaction cost one rebuild', () => {
    const { bench, root, log } = heard();
    const tx = bench.core.edit();
    for (let i = 0; i < 20; i++) root.addSubregion(0x200 + i * 8, bench.io(`r${i}`, 8));
    for (const child of root.children.slice(0, 20)) root.delSubregion(child);
    tx.dispose();
    tx.dispose();
    expect(drain(log)).toEqual(['begin', 'commit']);
  });
  it('T-105: rendering, begin, then each space completely in the order of making, then commit', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const io = bench.io('io', 8);
    root.addSubregion(0, io);
    const window = bench.container('window');
    window.addSubregion(0, bench.alias('w', io, 0, 4));
    const log: string[] = [];
    const a = bench.space(root, 'a');
    const b = bench.space(window, 'b');
    b.registerListener(recorder('b', log));
    a.registerListener(recorder('a', log));
    drain(log);
    io.setReadonly(true);
    expect(drain(log)).toEqual([
      'b begin',
      'a begin',
      'a del 0-7 io',
      'a add 0-7 io ro',
      'b del 0-3 io',
      'b add 0-3 io ro',
      'b commit',
      'a commit',
    ]);
  });
  it('T-106: eventfds alone: no begin, no commit', () => {
    const { root, log } = heard();
    root.children[0]!.addEventFd(4, 4, false, 0, { notify() {} });
    expect(drain(log)).toEqual(['fdAdd 4 4']);
  });
  it('T-107: a space whose view stays hears of every range, where it has regionNop; one with no ranges hears none', () => {
    const { bench, log } = heard({ nop: true });
    bench.space(bench.container('empty')).registerListener(recorder('empty', log));
    drain(log);
    bench.container('elsewhere').setEnabled(false);
    expect(drain(log)).toEqual(['begin', 'empty begin', 'nop 0-ff ram', 'commit', 'empty commit']);
  });
  it('T-107: also where no other callback asks for anything', () => {
    const { bench, space, log } = heard();
    const nops: string[] = [];
    space.registerListener({ regionNop: ({ region }) => void nops.push(region.name) });
    space.removeListeners();
    bench.container('elsewhere').setEnabled(false);
    expect(nops).toEqual([]);
    space.registerListener({ regionNop: ({ region }) => void nops.push(region.name) });
    bench.container('elsewhere').setEnabled(false);
    expect([nops, drain(log).slice(-1)]).toEqual([['ram'], ['commit']]);
  });
  it('T-108: edits from begin, region and log callbacks are refused, and nothing is harmed', () => {
    const { bench, root, space } = heard();
    const ram = root.children[0]!;
    const codes: string[] = [];
    const edit = (): void => {
      codes.push(codeOf(() => root.delSubregion(ram)));
      codes.push(codeOf(() => bench.space(root)));
      codes.push(codeOf(() => space.registerListener({})));
    };
    space.registerListener({ begin: edit, regionAdd: edit, regionDel: edit, logStart: edit });
    const replayed = codes.length;
    ram.setSize(0x80);
    ram.setLog(true, LogClient.VGA);
    expect(replayed).toBe(6);
    expect([codes.length, new Set(codes)]).toEqual([replayed + 3 * 5, new Set(['in-callback'])]);
    expect(lines(space)).toEqual(['0-7f ram']);
  });
  it('T-108: no callback but commit may start or stop what is told, or end who is told; what is refused can be done later', () => {
    const { bench, root, space } = heard();
    const { core } = bench;
    const ram = root.children[0]!;
    const other = bench.space(bench.container('other'));
    let commits = 0;
    const handle = space.registerListener({ commit: () => commits++ });
    const tracker = trackDirty(core);
    const tracks = (): boolean => core.effectiveLogMask(ram) !== 0;
    const untracked = new MemoryCore();
    const acts = [
      () => handle.dispose(),
      () => other.dispose(),
      () => tracker.dispose(),
      () => core.globalDirtyLogStart(1),
      () => core.globalDirtyLogStop(1),
    ];
    const codes: string[] = [];
    const act = (): void => void codes.push(...acts.map(codeOf));
    const listener: MemoryListener = { begin: act, regionAdd: act, regionNop: act, logClear: act };
    const registered = space.registerListener(listener);
    root.addSubregion(0x200, bench.io('io', 4));
    memoryRegionResetDirty(ram, 0, 4, 0);
    // Replay: begin, RAM; commit: begin, RAM stays, the device comes; a clear.
    expect([codes.length, new Set(codes)]).toEqual([6 * acts.length, new Set(['in-callback'])]);
    registered.dispose();
    expect([tracks(), other.disposed]).toEqual([true, false]);
    for (const one of acts) one();
    expect([tracks(), other.disposed]).toEqual([false, true]);
    expect(() => [...tracker.since()]).toThrow(/disposed/);
    const before = commits;
    ram.setReadonly(true);
    expect(commits).toBe(before);
    // Nor can the first tracker be made.
    const empty = untracked.addressSpace(untracked.ram('ram', bufferBacking(16)), 'memory');
    empty.registerListener({ begin: () => void codes.push(codeOf(() => trackDirty(untracked).dispose())) });
    expect([codes.at(-1), untracked.globalDirtyFlags]).toEqual(['in-callback', 0]);
  });
  it('T-108: what commit edits is committed right after, in a round of its own', () => {
    const { bench, root, space, log } = heard();
    let left = 0;
    space.registerListener({
      commit: () => {
        if (left-- > 0) root.addSubregion(0x200, bench.io('late', 4));
      },
    });
    left = 1;
    root.children[0]!.setSize(0x80);
    expect(drain(log)).toEqual([
      'begin',
      'del 0-ff ram',
      'add 0-7f ram',
      'commit',
      'begin',
      'add 200-203 late',
      'commit',
    ]);
    expect(lines(space)).toEqual(['0-7f ram', '200-203 late']);
  });
  it('T-108: a listener that never stops editing is stopped', () => {
    const { root, space } = heard();
    const ram = root.children[0]!;
    const loop = space.registerListener({ commit: () => {} });
    loop.dispose();
    const endless: MemoryListener = { commit: () => ram.setReadonly(!ram.readonly) };
    expect(codeOf(() => space.registerListener(endless))).toBe('transaction');
  });
  it('T-104: a function that ends later is refused: unbegun where it shows, committed as far as it came where it does not', async () => {
    const core = new MemoryCore();
    const root = core.container('root', 0x1000);
    const space = core.addressSpace(root, 'cpu');
    const [one, two] = [core.reservation('one', 0x100), core.reservation('two', 0x100)];
    const slowly = async () => root.addSubregion(0, one);
    expect(() => core.transaction(slowly)).toThrow(/not one of kind AsyncFunction, and was not begun; await first/);
    expect(() =>
      core.transaction(function* () {
        yield root.addSubregion(0, one);
      }),
    ).toThrow(/of kind GeneratorFunction/);
    expect(() => core.transaction(undefined as never)).toThrow(
      new TypeError('a transaction runs a function, not undefined'),
    );
    expect([root.children.length, space.view.ranges.length]).toEqual([0, 0]);

    let later: Promise<void> | undefined;
    const hidden = () => {
      root.addSubregion(0, one);
      later = Promise.resolve().then(() => root.addSubregion(0x200, two));
      return later;
    };
    expect(() => core.transaction(hidden)).toThrow(
      /does not wait for a promise: it ended when its function returned one/,
    );
    expect(space.view.ranges.map((range) => range.region)).toEqual([one]);
    expect(() => core.commit()).toThrow(/no transaction is open/);
    await later;
    expect(space.view.ranges.map((range) => range.region)).toEqual([one, two]);
  });
  it('T-104: an exception inside leaves what was edited so far, visible, and no transaction open', () => {
    const { bench, root, space } = heard();
    expect(() =>
      bench.core.transaction(() => {
        root.addSubregion(0x200, bench.io('io', 4));
        throw new Error('device failed');
      }),
    ).toThrow('device failed');
    expect(lines(space)).toEqual(['0-ff ram', '200-203 io']);
    expect(codeOf(() => bench.core.commit())).toBe('transaction');
  });
  it('T-104: an exception inside does not hide what the commit throws', () => {
    const { bench, root, space } = heard();
    space.registerListener({
      commit: () => {
        if (root.children.length > 1) throw new Error('listener failed');
      },
    });
    const failing = (): void =>
      bench.core.transaction(() => {
        root.addSubregion(0x200, bench.io('io', 4));
        throw new Error('device failed');
      });
    expect(failing).toThrow(
      expect.objectContaining({
        errors: [
          expect.objectContaining({ message: 'device failed' }),
          expect.objectContaining({ message: 'listener failed' }),
        ],
      }),
    );
  });
  it('T-115: what listeners throw surfaces after all have been told; several together', () => {
    const { bench, root, space, log } = heard();
    const bad = (text: string): MemoryListener => ({
      regionAdd: ({ region }) => {
        if (region.name === 'io') throw new Error(text);
      },
    });
    space.registerListener(bad('one'));
    const io = bench.io('io', 4);
    expect(() => root.addSubregion(0x200, io)).toThrow('one');
    root.delSubregion(io);
    space.registerListener({ priority: 5, regionAdd: () => undefined });
    space.registerListener(bad('two'));
    expect(() => root.addSubregion(0x200, io)).toThrow(AggregateError);
    drain(log);
    let thrown: unknown;
    try {
      io.setSize(8);
    } catch (error) {
      thrown = error;
    }
    expect((thrown as AggregateError).errors.map((error: Error) => error.message)).toEqual(['one', 'two']);
    expect([drain(log), lines(space)]).toEqual([
      ['begin', 'del 200-203 io', 'add 200-207 io', 'commit'],
      ['0-ff ram', '200-207 io'],
    ]);
  });
  it('T-109: what changes no range makes no view: a BAR moved with decode off, a value written again', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const bar = bench.io('bar', 0x1000);
    root.addSubregion(0, bench.io('other', 4));
    root.addSubregion(0x1000, bar);
    const space = bench.space(root);
    bar.setEnabled(false);
    const { view } = space;
    bar.setAddress(0x4000);
    bar.setAddress(0x4000);
    expect(space.view).toBe(view);
  });
});

describe('listeners', () => {
  it('T-110: a listener hears of one space; absent callbacks are skipped', () => {
    const { bench, log } = heard();
    const other = bench.io('other', 4);
    bench.space(other).registerListener({});
    drain(log);
    other.setReadonly(true);
    expect(drain(log)).toEqual(['begin', 'commit']);
  });
  it('T-110: the priority is unsigned', () => {
    const { space } = heard();
    for (const priority of [-1, 0.5, 2 ** 32]) expect(() => space.registerListener({ priority })).toThrow(RangeError);
  });
  it('T-111, T-112: rising priority, then as registered; the reverse is the exact opposite, for each callback', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x100);
    root.addSubregion(0, ram);
    const space = bench.space(root);
    const other = bench.space(bench.container('other'));
    const log: string[] = [];
    space.registerListener(recorder('B', log, { priority: 1 }));
    space.registerListener(recorder('C', log, { priority: 1 }));
    other.registerListener(recorder('X', log, { priority: 1 }));
    space.registerListener(recorder('A', log));
    drain(log);
    const order = (act: () => void): string[] => {
      act();
      const said = new Map<string, string>();
      for (const line of drain(log)) {
        const [name, verb] = line.split(' ') as [string, string];
        said.set(verb, (said.get(verb) ?? '') + name);
      }
      return [...said].map(([verb, names]) => `${verb} ${names}`);
    };
    expect(order(() => ram.addCoalescing(0, 4))).toEqual(['coalAdd ABC']);
    expect(order(() => ram.setSize(0x80))).toEqual([
      'begin ABCX',
      'coalDel CBA',
      'del CBA',
      'add ABC',
      'coalAdd ABC',
      'commit ABCX',
    ]);
    expect(order(() => ram.setLog(true, LogClient.VGA))).toEqual([
      'begin ABCX',
      'nop ABC',
      'logStart ABC',
      'commit ABCX',
    ]);
    expect(order(() => bench.core.dirtyLogSync(null))).toEqual(['sync ABC']);
    expect(order(() => bench.core.dirtyLogClear(ram, 0, 8))).toEqual(['clear ABC']);
    expect(order(() => bench.core.dirtyLogAfterSync())).toEqual(['afterSync ABCX']);
    expect(order(() => ram.setLog(false, LogClient.VGA))).toEqual([
      'begin ABCX',
      'nop ABC',
      'logStop CBA',
      'commit ABCX',
    ]);
    const notifier = { notify() {} };
    expect(order(() => ram.addEventFd(0, 4, false, 0, notifier))).toEqual(['fdAdd CBA']);
    expect(order(() => ram.delEventFd(0, 4, false, 0, notifier))).toEqual(['fdDel ABC']);
    expect(order(() => ram.clearCoalescing())).toEqual(['coalDel CBA']);
    expect(order(() => bench.core.globalDirtyLogStart(1))[0]).toBe('globalStart ABCX');
    expect(order(() => bench.core.globalDirtyLogStop(1)).at(-1)).toBe('globalStop XCBA');
  });
  it('T-113, T-114: removals ascending, then additions and what stays, ascending', () => {
    const { bench, root, log } = heard({ nop: true });
    const middle = bench.io('middle', 0x10);
    root.addSubregion(0x40, middle, 1);
    root.addSubregion(0x200, bench.io('high', 4));
    drain(log);
    middle.setAddress(0x80);
    expect(drain(log)).toEqual([
      'begin',
      'del 0-3f ram',
      'del 40-4f middle',
      'del 50-ff ram @50',
      'add 0-7f ram',
      'add 80-8f middle',
      'add 90-ff ram @90',
      'nop 200-203 high',
      'commit',
    ]);
  });
  it('T-116: a grown range is removed and added', () => {
    const { root, log } = heard();
    root.children[0]!.setSize(0x180);
    expect(drain(log)).toEqual(['begin', 'del 0-ff ram', 'add 0-17f ram', 'commit']);
  });
  it('T-117: no log start goes with an addition', () => {
    const { root, log } = heard();
    const ram = root.children[0]!;
    ram.setLog(true, LogClient.VGA);
    drain(log);
    ram.setSize(0x80);
    expect(drain(log)).toEqual(['begin', 'del 0-ff ram', 'add 0-7f ram', 'commit']);
  });
  it('T-118: region callbacks get the old view in both passes and find the old map; commit finds the new one', () => {
    const { root, space } = heard();
    const before = space.view;
    const views: unknown[] = [];
    space.registerListener({
      regionAdd: (_, view) => views.push(view === space.view && view),
      regionDel: (_, view) => views.push(view === space.view && view),
      eventfdAdd: (_, view) => views.push(view === space.view && view),
      commit: () => views.push(space.view),
    });
    views.length = 0;
    const ram = root.children[0]!;
    ram.setSize(0x80);
    expect(views).toEqual([before, before, space.view]);
    expect(space.view).not.toBe(before);
  });
  it('T-119: during both passes the regions of both views are kept alive', () => {
    const bench = new Bench();
    const owner = {};
    const root = bench.container('root');
    const io = bench.io('io', 4, owner);
    root.addSubregion(0, io);
    const space = bench.space(root);
    let kept = -1;
    space.registerListener({
      regionDel: ({ region }) => {
        kept = bench.core.ownerReferences(region.owner!);
      },
    });
    root.delSubregion(io);
    expect([kept, bench.core.ownerReferences(owner)]).toEqual([1, 0]);
  });
  it('T-120, T-302: ranges that stay are told only where a listener asks for them', () => {
    for (const nop of [true, false]) {
      const { bench, root, log } = heard({ nop });
      for (let i = 0; i < 300; i++) root.addSubregion(0x1000 + i * 0x10, bench.io(`r${i}`, 8));
      drain(log);
      root.children.find((each) => each.name === 'r150')!.setEnabled(false);
      expect(drain(log).length).toBe(nop ? 303 : 3);
    }
  });
  it('T-121: a late listener alone hears begin, each range with its mask, commit', () => {
    const { bench, root, space, log } = heard();
    const ram = root.children[0]!;
    ram.setLog(true, LogClient.VGA);
    root.addSubregion(0x200, bench.io('io', 4));
    bench.core.globalDirtyLogStart(1);
    drain(log);
    space.registerListener(recorder('late', log));
    expect(drain(log)).toEqual([
      'late begin',
      'late globalStart',
      'late add 0-ff ram',
      'late logStart 0-ff ram 0->5',
      'late add 200-203 io',
      'late commit',
    ]);
  });
  it('T-121: logSync and logSyncGlobal together are refused', () => {
    const { space } = heard();
    const both = { name: 'vhost', logSync() {}, logSyncGlobal() {} };
    expect(codeOf(() => space.registerListener(both))).toBe('bad-listener');
    expect(() => space.registerListener(both)).toThrow(/listener "vhost" has both/);
    expect(space.listeners.size).toBe(1);
  });
  it('T-122: unlike 7.2, coalesced ranges and eventfds are told to a late listener too', () => {
    const { root, space, log } = heard();
    const ram = root.children[0]!;
    ram.addCoalescing(0x10, 0x10);
    ram.addEventFd(8, 4, false, 0, { notify() {} });
    drain(log);
    space.registerListener(recorder('late', log));
    expect(drain(log)).toEqual([
      'late begin',
      'late add 0-ff ram',
      'late coalAdd ram 10 10',
      'late fdAdd 8 4',
      'late commit',
    ]);
  });
  it('T-121: a listener that fails while it is registered is not kept, and hears nothing more', () => {
    const { bench, root, space, log } = heard();
    const failing = {
      ...recorder('late', log),
      regionAdd: () => {
        throw new Error('no slot');
      },
    };
    expect(() => space.registerListener(failing)).toThrow('no slot');
    expect(drain(log)).toEqual(['late begin']);
    expect(() =>
      space.registerListener({
        commit: () => {
          throw new Error('no commit');
        },
      }),
    ).toThrow('no commit');
    root.addSubregion(0x100, bench.io('more', 4));
    expect(drain(log)).toEqual(['begin', 'add 100-103 more', 'commit']);
    space.removeListeners();
    space.dispose();
    expect(space.disposed).toBe(true);
  });
  it('T-123: unregistering tells that all is gone, once', () => {
    const { root, space, log } = heard();
    const ram = root.children[0]!;
    ram.setLog(true, LogClient.VGA);
    ram.addCoalescing(0, 4);
    ram.addEventFd(8, 4, false, 0, { notify() {} });
    const late = space.registerListener(recorder('late', log));
    drain(log);
    late.dispose();
    late.dispose();
    expect(drain(log)).toEqual([
      'late begin',
      'late logStop 0-ff ram 1->0',
      'late coalDel ram 0 4',
      'late del 0-ff ram',
      'late fdDel 8 4',
      'late commit',
    ]);
    ram.setReadonly(true);
    expect(drain(log).filter((line) => line.startsWith('late'))).toEqual([]);
  });
  it('T-123: who is unregistered by the commit callback of another is told nothing more', () => {
    const { root, space, log } = heard();
    let late: { dispose(): void } | undefined;
    space.registerListener({ commit: () => late?.dispose() });
    const gone = space.registerListener(recorder('late', log));
    space.registerListener(recorder('last', log));
    drain(log);
    late = gone;
    root.children[0]!.setReadonly(true);
    const all = drain(log);
    expect(all.filter((line) => line === 'last commit')).toHaveLength(1);
    const seen = all.filter((line) => line.startsWith('late'));
    expect(seen.filter((line) => line === 'late commit')).toHaveLength(1);
    expect(seen.at(-1)).toBe('late commit');
  });
  it('T-123: who unregisters itself in commit, one way or another, hears one more commit, of its own end', () => {
    const { root, space, log } = heard();
    const ram = root.children[0]!;
    let end: () => void = () => undefined;
    const listener: MemoryListener = {
      commit: () => {
        log.push('own commit');
        end();
      },
    };
    const own = space.registerListener(listener);
    end = () => own.dispose();
    drain(log);
    ram.setReadonly(true);
    expect(drain(log).filter((line) => line === 'own commit')).toHaveLength(2);
    end = () => space.removeListeners();
    own.dispose();
    space.registerListener(listener);
    expect([drain(log).filter((line) => line === 'own commit').length, space.listeners.size]).toEqual([2, 0]);
    ram.setReadonly(false);
    expect(drain(log)).toEqual([]);
  });
  it('T-123: who edits in the commit of its own end hears no more of it, as the others do', () => {
    const { bench, root, space, log } = heard();
    const late = recorder('late', log);
    let ends = false;
    const own = space.registerListener({
      ...late,
      commit: () => {
        late.commit!();
        if (!ends) return;
        root.addSubregion(0x200, bench.io('more', 4));
        root.children.find(({ name }) => name === 'ram')!.addCoalescing(0, 8);
      },
    });
    drain(log);
    ends = true;
    own.dispose();
    expect(drain(log)).toEqual([
      'late begin',
      'late del 0-ff ram',
      'late commit',
      'coalAdd ram 0 8',
      'begin',
      'add 200-203 more',
      'commit',
    ]);
    expect(space.listeners.size).toBe(1);
  });
  it('T-123: who throws when told that all is gone hears the rest, commit included, and is unregistered', () => {
    const { root, space, log } = heard();
    root.addSubregion(0x400, root.core.alias('again', root.children[0]!, 0, 0x80));
    const own = space.registerListener({
      ...recorder('late', log),
      regionDel: ({ offsetWithinAddressSpace: at }) => {
        throw new Error(`kept ${at.toString(16)}`);
      },
    });
    drain(log);
    expect(() => own.dispose()).toThrow(AggregateError);
    expect([drain(log), space.listeners.size]).toEqual([['late begin', 'late commit'], 1]);
  });
  it('T-121, T-123: what the commit of a replay throws is not lost where its edits make others throw', () => {
    const { bench, root, space } = heard();
    const add = (name: string): void => root.addSubregion(0x200 + 0x10 * root.children.length, bench.io(name, 4));
    space.registerListener({
      regionAdd: ({ region }) => {
        if (region.ram === null) throw new Error(`add ${region.name}`);
      },
    });
    let ends = false;
    const own = space.registerListener({
      regionDel: ({ region }) => {
        if (ends) throw new Error(`del ${region.name}`);
      },
      commit: () => {
        if (!ends) return;
        add('last');
        throw new Error('end');
      },
    });
    ends = true;
    expect(thrownBy(() => own.dispose())).toEqual(['Error: del ram', 'Error: end', 'Error: add last']);
    const starts: MemoryListener = {
      commit: () => {
        if (!ends) return; // The commit that tells of the edit.
        ends = false;
        add('first');
        throw new Error('start');
      },
    };
    expect(thrownBy(() => space.registerListener(starts))).toEqual(['Error: start', 'Error: add first']);
  });
  it('T-115: what was thrown is in one list, however deep; an AggregateError of a program is one of them', () => {
    const { space } = heard();
    const fails = (error: unknown) => (): never => {
      throw error;
    };
    const own = new AggregateError([new Error('a'), new Error('b')], 'own');
    space.registerListener({ regionDel: fails(own) });
    let ends = false;
    space.registerListener({
      begin: () => ends && fails('begin')(),
      regionDel: fails('del'),
      commit: () => ends && fails('commit')(),
    });
    ends = true;
    expect(thrownBy(() => space.removeListeners())).toEqual(['AggregateError: own', 'begin', 'del', 'commit']);
  });
  it('T-100, T-115: removing all listeners removes those behind one that throws, too', () => {
    const { space, log } = heard();
    space.registerListener({
      regionDel: () => {
        throw new Error('kept');
      },
    });
    space.registerListener(recorder('last', log));
    drain(log);
    expect(() => space.removeListeners()).toThrow('kept');
    expect(drain(log)).toEqual(['begin', 'del 0-ff ram', 'commit', 'last begin', 'last del 0-ff ram', 'last commit']);
    expect(space.listeners.size).toBe(0);
  });
  it('T-124: a coalesced range that misses the flat range does not end the replay', () => {
    const { root, space, log } = heard();
    const ram = root.children[0]!;
    ram.setSize(0x20);
    ram.addCoalescing(0x80, 8);
    ram.addCoalescing(0x10, 8);
    drain(log);
    space.registerListener(recorder('late', log));
    expect(drain(log)).toEqual(['late begin', 'late add 0-1f ram', 'late coalAdd ram 10 8', 'late commit']);
  });
});
