import { describe, expect, it } from 'vitest';
import { GlobalDirty, LogClient, MemoryCore, type MemoryRegion } from '../../src/index.ts';
import { Bench, drain, recorder } from '../support/topology.ts';

const fd = { notify() {} };

/** A device [0, 0xff] at 0x1000, heard without the ranges that stay. */
function device(): { bench: Bench; root: MemoryRegion; io: MemoryRegion; log: string[] } {
  const bench = new Bench();
  const root = bench.container('root');
  const io = bench.io('io', 0x100);
  root.addSubregion(0x1000, io);
  const log: string[] = [];
  bench.space(root).registerListener(recorder('', log, { nop: false }));
  drain(log);
  return { bench, root, io, log };
}

describe('eventfds', () => {
  it('T-125: kept sorted by offset, size, match flag, data and identity', () => {
    const { io } = device();
    const second = { notify() {} };
    io.addEventFd(8, 4, true, 2, fd);
    io.addEventFd(8, 4, true, 1, second);
    io.addEventFd(8, 4, true, 1, fd);
    io.addEventFd(8, 4, false, 0, fd);
    io.addEventFd(8, 2, false, 0, fd);
    io.addEventFd(0, 8, false, 0, fd);
    expect(io.eventFds.map((each) => `${each.offset} ${each.size} ${each.matchData} ${each.data}`)).toEqual([
      '0 8 false 0',
      '8 2 false 0',
      '8 4 false 0',
      '8 4 true 1',
      '8 4 true 1',
      '8 4 true 2',
    ]);
    expect(io.eventFds.slice(3, 5).map((each) => each.notifier === fd)).toEqual([true, false]);
  });
  it('T-125: an update is asked for where the region is enabled; one that is not there cannot be removed', () => {
    const { io, log } = device();
    io.setEnabled(false);
    drain(log);
    io.addEventFd(0, 4, false, 0, fd);
    expect(drain(log)).toEqual([]);
    io.setEnabled(true);
    expect(drain(log)).toEqual(['begin', 'add 1000-10ff io', 'fdAdd 1000 4', 'commit']);
    expect(() => io.delEventFd(4, 4, false, 0, fd)).toThrow(/"io" has no such eventfd at offset 0x4, size 4/);
    expect(() => io.addEventFd(0, 3, false, 0, fd)).toThrow(/size must be 0, 1, 2, 4 or 8/);
  });
  it('T-125: data is stored in the order of the region', () => {
    const data = (target: 'little' | 'big', endianness: 'native' | 'little' | 'big'): bigint => {
      const core = new MemoryCore({ targetOrder: target });
      const io = core.io('io', 8, { endianness, read: () => 0, write() {} });
      io.addEventFd(0, 4, true, 0x1234_5678, fd);
      return io.eventFds[0]!.data;
    };
    expect(data('little', 'little')).toBe(0x1234_5678n);
    expect(data('little', 'big')).toBe(0x7856_3412n);
    expect(data('big', 'native')).toBe(0x1234_5678n);
    expect(data('big', 'little')).toBe(0x7856_3412n);
  });
  it('T-126: kept where it meets a range, not clipped; twice where it straddles two, once per mirror', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const io = bench.io('io', 0x100);
    root.addSubregion(0x1000, io);
    root.addSubregion(0x1010, bench.io('hole', 2), 1);
    root.addSubregion(0x3000, bench.alias('mirror', io, 0x80, 0x80));
    io.addEventFd(0xe, 8, false, 0, fd);
    io.addEventFd(0x90, 4, false, 0, fd);
    io.addEventFd(0x200, 4, false, 0, fd);
    const log: string[] = [];
    bench.space(root).registerListener(recorder('', log));
    expect(drain(log).filter((line) => line.startsWith('fd'))).toEqual([
      'fdAdd 100e 8',
      'fdAdd 100e 8',
      'fdAdd 1090 4',
      'fdAdd 3010 4',
    ]);
  });
  it('T-127: deletions and additions in merged order, on the new view', () => {
    const { io, log } = device();
    for (const at of [0, 8, 16]) io.addEventFd(at, 4, false, 0, fd);
    drain(log);
    io.setAddress(0x1004);
    expect(drain(log).filter((line) => line.startsWith('fd'))).toEqual([
      'fdDel 1000 4',
      'fdAdd 1004 4',
      'fdDel 1008 4',
      'fdAdd 100c 4',
      'fdDel 1010 4',
      'fdAdd 1014 4',
    ]);
  });
  it('T-127: what stays is not told, where an eventfd reaches past another range and into the next of its own', () => {
    const { bench, root, io, log } = device();
    const hole = bench.io('hole', 2);
    root.addSubregion(0x1008, hole, 1);
    io.addEventFd(6, 8, false, 0, fd); // Meets [1000, 1007] and [100a, 10ff].
    hole.addEventFd(0, 2, false, 0, fd);
    drain(log);
    hole.delEventFd(0, 2, false, 0, fd);
    expect(drain(log).filter((line) => line.startsWith('fd'))).toEqual(['fdDel 1008 2']);
    hole.addEventFd(0, 2, false, 0, fd);
    expect(drain(log).filter((line) => line.startsWith('fd'))).toEqual(['fdAdd 1008 2']);
  });
  it('T-128: a listener that comes first hears what is there in its replay, and not again', () => {
    const bench = new Bench();
    const io = bench.io('io', 0x100);
    io.addEventFd(0, 4, false, 0, fd);
    const space = bench.space(io);
    const log: string[] = [];
    space.registerListener(recorder('', log, { nop: false }));
    expect(drain(log)).toEqual(['begin', 'add 0-ff io', 'fdAdd 0 4', 'commit']);
    bench.container('elsewhere').setEnabled(false);
    expect(drain(log)).toEqual(['begin', 'commit']);
  });
  it('T-129: a size of 0 on either side is equal by offset alone', () => {
    const { io } = device();
    io.addEventFd(4, 4, true, 7, fd);
    io.delEventFd(4, 0, false, 0, { notify() {} });
    io.addEventFd(8, 0, false, 0, fd);
    io.delEventFd(8, 2, true, 9, { notify() {} });
    expect(io.eventFds).toEqual([]);
    io.addEventFd(4, 4, true, 7, fd);
    for (const [size, match, data, notifier] of [
      [2, true, 7, fd],
      [4, false, 0, fd],
      [4, true, 8, fd],
      [4, true, 7, { notify() {} }],
    ] as const)
      expect(() => io.delEventFd(4, size, match, data, notifier)).toThrow(/no such eventfd/);
  });
});

describe('coalesced MMIO', () => {
  it('T-130: told at once, for each range that shows the region, clipped; sets the flush flag', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const io = bench.io('io', 0x100);
    root.addSubregion(0x1000, bench.alias('low', io, 0, 0x20));
    root.addSubregion(0x2000, bench.alias('high', io, 0x10, 0x80));
    const log: string[] = [];
    bench.space(root).registerListener(recorder('', log));
    drain(log);
    io.addCoalescing(0x18, 0x10);
    expect(drain(log)).toEqual(['coalAdd io 1018 8', 'coalAdd io 2008 10']);
    expect(io.flushCoalescedMmio).toBe(true);
  });
  it('T-130: setCoalescing replaces all by the whole region', () => {
    const { io, log } = device();
    io.addCoalescing(0, 4);
    io.addCoalescing(8, 4);
    drain(log);
    io.setCoalescing();
    expect(drain(log)).toEqual(['coalDel io 1000 4', 'coalDel io 1008 4', 'coalAdd io 1000 100']);
    expect(io.coalescedRanges).toEqual([{ offset: 0n, size: 0x100n }]);
  });
  it.each(['clearCoalescing', 'setCoalescing'] as const)(
    'T-130, T-131: %s is done whole where a listener throws',
    (edit) => {
      const { bench, io } = device();
      const space = bench.core.addressSpaces[0]!;
      io.addCoalescing(0, 4);
      io.addCoalescing(8, 4);
      const heard: string[] = [];
      space.registerListener({
        coalescedIoAdd: (_, addr) => void heard.push(`add ${addr.toString(16)}`),
        coalescedIoDel: (_, addr) => {
          heard.push(`del ${addr.toString(16)}`);
          if (addr === 0x1000n) throw new Error('refused');
        },
      });
      heard.length = 0;
      expect(() => io[edit]()).toThrow('refused');
      const isSet = edit === 'setCoalescing';
      expect(heard).toEqual(['del 1000', 'del 1008', ...(isSet ? ['add 1000'] : [])]);
      expect(io.coalescedRanges).toEqual(isSet ? [{ offset: 0n, size: 0x100n }] : []);
      expect(io.flushCoalescedMmio).toBe(isSet);
    },
  );
  it('T-131: clearing delivers what waits, clears the flag, and drops first in first out; with no ranges it does nothing', () => {
    const { bench, io, log } = device();
    let flushed = 0;
    bench.core.access.flushCoalescedMmio = () => flushed++;
    io.setFlushCoalesced();
    io.clearCoalescing();
    expect([flushed, io.flushCoalescedMmio]).toEqual([0, true]);
    io.addCoalescing(8, 4);
    io.addCoalescing(0, 4);
    drain(log);
    io.clearCoalescing();
    expect(drain(log)).toEqual(['coalDel io 1008 4', 'coalDel io 1000 4']);
    expect([flushed, io.flushCoalescedMmio, io.coalescedRanges]).toEqual([1, false, []]);
  });
  it('T-132: clearFlushCoalesced delivers, and clears only where there are no ranges', () => {
    const { bench, io } = device();
    let flushed = 0;
    bench.core.access.flushCoalescedMmio = () => flushed++;
    io.addCoalescing(0, 4);
    io.clearFlushCoalesced();
    expect([flushed, io.flushCoalescedMmio]).toEqual([1, true]);
    io.clearCoalescing();
    io.setFlushCoalesced();
    io.clearFlushCoalesced();
    expect(io.flushCoalescedMmio).toBe(false);
  });
  it('T-133: inside a transaction the notice describes the map before it', () => {
    const { bench, io, log } = device();
    bench.core.transaction(() => {
      io.setAddress(0x8000);
      io.addCoalescing(0, 4);
      expect(drain(log)).toEqual(['coalAdd io 1000 4']);
    });
    expect(drain(log)).toEqual([
      'begin',
      'coalDel io 1000 4',
      'del 1000-10ff io',
      'add 8000-80ff io',
      'coalAdd io 8000 4',
      'commit',
    ]);
  });
});

describe('dirty logging', () => {
  /** RAM [0, 0xff], ROM [0x100, 0x1ff] and a device. */
  const machine = (): { bench: Bench; ram: MemoryRegion; log: string[] } => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x100);
    root.addSubregion(0, ram);
    root.addSubregion(0x100, bench.rom('rom', 0x100));
    root.addSubregion(0x200, bench.io('io', 4));
    const log: string[] = [];
    bench.space(root).registerListener(recorder('', log));
    drain(log);
    return { bench, ram, log };
  };
  it('T-25: a setLog that fails does not count', () => {
    const { bench, ram } = machine();
    const { access } = bench.core;
    const failing = (): void => {
      access.flushCoalescedMmio = () => {
        throw new Error('no ring');
      };
    };
    failing();
    expect(() => ram.setLog(true, LogClient.VGA)).toThrow('no ring');
    access.flushCoalescedMmio = null;
    ram.setLog(true, LogClient.VGA);
    expect(ram.dirtyLogMask).toBe(1);
    failing();
    expect(() => ram.setLog(false, LogClient.VGA)).toThrow('no ring');
    access.flushCoalescedMmio = null;
    expect(ram.dirtyLogMask).toBe(1);
    ram.setLog(false, LogClient.VGA);
    expect(ram.dirtyLogMask).toBe(0);
  });
  it('T-135: on the first flag listeners first, then a rebuild; more flags do nothing', () => {
    const { bench, log } = machine();
    bench.core.globalDirtyLogStart(2);
    expect(drain(log)).toEqual([
      'globalStart',
      'begin',
      'nop 0-ff ram',
      'logStart 0-ff ram 0->4',
      'nop 100-1ff rom ro',
      'logStart 100-1ff rom ro 0->4',
      'nop 200-203 io',
      'commit',
    ]);
    bench.core.globalDirtyLogStart(1);
    expect([drain(log), bench.core.globalDirtyFlags]).toEqual([[], 3]);
    expect(() => bench.core.globalDirtyLogStart(8)).toThrow(RangeError);
  });
  it('T-136: on the last flag a rebuild first, then listeners', () => {
    const { bench, log } = machine();
    bench.core.globalDirtyLogStart(3);
    drain(log);
    bench.core.globalDirtyLogStop(1);
    expect(drain(log)).toEqual([]);
    bench.core.globalDirtyLogStop(2);
    const told = drain(log);
    expect([told[2], told.at(-2), told.at(-1)]).toEqual(['logStop 0-ff ram 4->0', 'commit', 'globalStop']);
  });
  it('T-136: who comes in the commit of that rebuild is told no end; where logging begins again in it, its end comes first', () => {
    const bench = new Bench();
    const { core } = bench;
    const space = bench.space(bench.ram('ram', 0x1000));
    const log: string[] = [];
    let then = (): void => {};
    space.registerListener({
      commit: () => {
        const now = then;
        then = () => {};
        now();
      },
    });
    const quiet = (name: string) => ({
      logGlobalStart: () => void log.push(`${name} on`),
      logGlobalStop: () => void log.push(`${name} off`),
    });
    space.registerListener(quiet('a'));
    core.globalDirtyLogStart(GlobalDirty.MIGRATION);
    then = () => void space.registerListener(quiet('b'));
    core.globalDirtyLogStop(GlobalDirty.MIGRATION);
    expect(drain(log)).toEqual(['a on', 'a off']);
    core.globalDirtyLogStart(GlobalDirty.MIGRATION);
    then = () => core.globalDirtyLogStart(GlobalDirty.DIRTY_RATE);
    core.globalDirtyLogStop(GlobalDirty.MIGRATION);
    expect(drain(log)).toEqual(['a on', 'b on', 'b off', 'a off', 'a on', 'b on']);
    expect([core.globalDirtyFlags, space.view.range(0).dirtyMask]).toEqual([GlobalDirty.DIRTY_RATE, 4]);
  });
  it('T-136: while the machine does not run stops are remembered; a start takes its bits out and does the rest', () => {
    const { bench, log } = machine();
    const { core } = bench;
    core.globalDirtyLogStart(3);
    core.running = false;
    core.globalDirtyLogStop(1);
    core.globalDirtyLogStop(2);
    expect(core.globalDirtyFlags).toBe(3);
    core.globalDirtyLogStart(1);
    expect(core.globalDirtyFlags).toBe(1);
    core.globalDirtyLogStop(1);
    drain(log);
    core.running = true;
    expect([core.globalDirtyFlags, drain(log).at(-1)]).toEqual([0, 'globalStop']);
  });
  it('T-137: a listener that cannot start stops those before it, in reverse, and nothing is logged', () => {
    const { bench, log } = machine();
    const space = bench.core.addressSpaces[0]!;
    space.registerListener({ ...recorder('second', log), priority: 1 });
    space.registerListener({
      priority: 2,
      logGlobalStart: () => {
        throw new Error('no bitmap');
      },
    });
    drain(log);
    expect(() => bench.core.globalDirtyLogStart(1)).toThrow('no bitmap');
    expect(drain(log)).toEqual(['globalStart', 'second globalStart', 'second globalStop', 'globalStop']);
    expect(bench.core.globalDirtyFlags).toBe(0);
  });
  it('T-138: sync per logged range, of one region or all; logSyncGlobal once', () => {
    const { bench, ram, log } = machine();
    let global = 0;
    bench.core.addressSpaces[0]!.registerListener({ logSyncGlobal: () => global++ });
    ram.setLog(true, LogClient.VGA);
    drain(log);
    bench.core.dirtyLogSync(null);
    expect(drain(log)).toEqual(['sync 0-ff ram']);
    bench.core.globalDirtyLogStart(1);
    drain(log);
    bench.core.dirtyLogSync(null);
    expect(drain(log)).toEqual(['sync 0-ff ram', 'sync 100-1ff rom ro']);
    bench.core.dirtyLogSync(ram);
    expect([drain(log), global]).toEqual([['sync 0-ff ram'], 3]);
  });
  it('T-139: clear is cut to the part of the region; empty parts are skipped', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x200);
    root.addSubregion(0x1000, bench.alias('high', ram, 0x100, 0x100));
    root.addSubregion(0x4000, bench.alias('low', ram, 0, 0x80));
    const log: string[] = [];
    bench.space(root).registerListener(recorder('', log));
    bench.core.globalDirtyLogStart(1);
    drain(log);
    bench.core.dirtyLogClear(ram, 0x70, 0x20);
    expect(drain(log)).toEqual(['clear 4070-407f ram @70']);
    bench.core.dirtyLogClear(ram, 0x40, 0x100);
    expect(drain(log)).toEqual(['clear 1000-103f ram @100', 'clear 4040-407f ram @40']);
    bench.core.dirtyLogClear(ram, 0x90, 0x10);
    expect(drain(log)).toEqual([]);
  });
});
