/** Dirty pages: clients, marking, clearing, snapshots, global logging, trackers.. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { le16, le32, u8 } from '@guestmem/memtx';
import {
  copyBlock,
  DirtyClient,
  type DirtyTracker,
  IommuAccess,
  MemoryCore,
  type MemoryRegion,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
  memoryRegionSetDirty,
  memoryRegionSnapshotAndClearDirty,
  PageIommu,
  RamBlock,
  setDirtyLebitmap,
  trackDirty,
} from '@guestmem/qemu-memory';
import { bufferBacking, Ordering, Permissions } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { AcceleratorLog } from '../support/accelerator-log.ts';
import { bytesOf, TestMachine } from '../support/machine.ts';

const { VGA, CODE, MIGRATION } = DirtyClient;
const PAGE = 4096;

/** RAM of 16 pages that VGA logs, all clean. */
function logged(): { m: TestMachine; ram: MemoryRegion } {
  const m = new TestMachine();
  const ram = m.ram(0, 16 * PAGE);
  ram.setLog(true, VGA);
  for (const client of [VGA, CODE, MIGRATION]) memoryRegionResetDirty(ram, 0, 16 * PAGE, client);
  return { m, ram };
}

/** Numbers of the dirty pages. */
function pages(ram: MemoryRegion, client: DirtyClient = VGA): number[] {
  const out: number[] = [];
  for (let page = 0; page < 16; page++) if (memoryRegionGetDirty(ram, page * PAGE, PAGE, client)) out.push(page);
  return out;
}

it('A-180, A-181: new RAM is dirty for every client, page by page, the page size a choice', () => {
  const block = new RamBlock('ram', bufferBacking(0x2800), { pageSize: 1024 });
  expect([block.dirty.count, block.dirty.pageSize]).toEqual([10, 1024]);
  for (const client of [VGA, CODE, MIGRATION]) expect(block.dirty.all(0, 0x2800, client)).toBe(true);
  expect(() => new RamBlock('ram', bufferBacking(16), { pageSize: 3000 })).toThrow(RangeError);
});

it('A-182: setLog counts, and only the VGA client may ask', () => {
  const { m, ram } = logged();
  ram.setLog(true, VGA);
  ram.setLog(false, VGA);
  m.space.store(0, u8, 1);
  expect(pages(ram)).toEqual([0]);
  ram.setLog(false, VGA);
  m.space.store(PAGE, u8, 1);
  expect(pages(ram)).toEqual([0]);
  expect(() => ram.setLog(true, MIGRATION)).toThrow(/VGA/);
});

it('A-183, A-184: global logging adds MIGRATION for migratable RAM, from its start to its stop', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 16 * PAGE);
  const fixed = m.core.ram('fixed', bufferBacking(PAGE), { migratable: false });
  m.root.addSubregion(0x100000, fixed);
  memoryRegionResetDirty(ram, 0, 16 * PAGE, MIGRATION);
  memoryRegionResetDirty(fixed, 0, PAGE, MIGRATION);
  m.space.store(0, u8, 1);
  expect(pages(ram, MIGRATION)).toEqual([]);
  m.core.globalDirtyLogStart(1);
  m.space.store(PAGE, u8, 1);
  m.space.store(0x100000, u8, 1);
  expect(pages(ram, MIGRATION)).toEqual([1]);
  expect(memoryRegionGetDirty(fixed, 0, PAGE, MIGRATION)).toBe(false);
  m.core.globalDirtyLogStop(1);
  m.space.store(2 * PAGE, u8, 1);
  expect(pages(ram, MIGRATION)).toEqual([1]);
});

it('A-186: stores, bulk writes, fills, write_rom and mappings mark the pages they touch, rounded out; reads and refusals none', () => {
  const { m, ram } = logged();
  // The first time each is looked up, the second time it goes straight to RAM.
  for (let time = 0; time < 2; time++) {
    memoryRegionResetDirty(ram, 0, 16 * PAGE, VGA);
    m.space.store(PAGE - 2, le32, 1);
    expect(pages(ram)).toEqual([0, 1]);
    m.write(3 * PAGE - 1, '0102');
    expect(pages(ram)).toEqual([0, 1, 2, 3]);
    m.space.writeRom(5 * PAGE, bytesOf('01'));
    m.space.mapRange(7 * PAGE, 2 * PAGE, 'write')?.unmap(PAGE + 1);
    m.space.writeObj(10 * PAGE, le16, 5);
    m.space.with({}).stl(12 * PAGE, 5);
    m.space.set(14 * PAGE - 1, 7, 1 + PAGE);
    m.space.load(15 * PAGE, u8);
    m.space.read(new Uint8Array(8), 15 * PAGE);
    expect(pages(ram)).toEqual([0, 1, 2, 3, 5, 7, 8, 10, 12, 13, 14]);
    expect(pages(ram, MIGRATION)).toEqual([]);
  }
  memoryRegionSetDirty(ram, 15 * PAGE, 1);
  expect(pages(ram).at(-1)).toBe(15);
});

it.each([
  ['nothing said', undefined],
  ['for reading', Permissions.READ],
  ['for writing', Permissions.WRITE],
])('A-142, A-187: a slice marks what is written through it, whatever it was asked for: %s', (_, access) => {
  const m = new TestMachine();
  const ram = m.ram(0, 16 * PAGE);
  ram.setLog(true, VGA);
  const pinned = m.space.memory();
  memoryRegionResetDirty(ram, 0, 16 * PAGE, VGA);
  for (const slice of m.space.getSlices(PAGE, 4, access)) slice.store(0, le32, 1);
  pinned
    .getSlice(3 * PAGE, 4, access)
    .getAtomicRef(0, le32)
    .update((value) => value + 1);
  pinned
    .findRegion(0)!
    .getSlice(5 * PAGE, 4, access)
    .store(0, le32, 1);
  expect(pages(ram, VGA)).toEqual([1, 3, 5]);
});

it('A-186, T-24: what was taken before logging starts marks for the clients in force when it writes', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 16 * PAGE);
  const mapping = m.space.mapRange(PAGE, PAGE, 'write')!;
  const slice = m.space.getSlices(2 * PAGE, PAGE, Permissions.WRITE).next().value!;
  const cache = m.space.cache(3 * PAGE, PAGE, 'write');
  const pinned = m.space.memory();
  const tapped = m.space.memory();
  tapped.tap(0, 4, () => undefined);
  // Open the windows, and make the tables.
  for (let i = 0; i < 2000; i++) for (const view of [pinned, tapped]) view.store(4 * PAGE, le32, i);
  m.core.globalDirtyLogStart(1);
  memoryRegionResetDirty(ram, 0, 16 * PAGE, MIGRATION);
  mapping.bytes[0] = 7;
  mapping.unmap();
  slice.store(0, le32, 7, Ordering.RELAXED);
  cache.store(0, le32, 7);
  cache.invalidate(0, 4);
  pinned.store(4 * PAGE, le32, 7);
  pinned.writeSlice(Uint8Array.of(1, 2, 3), 5 * PAGE);
  tapped.store(6 * PAGE, le32, 7);
  expect(pages(ram, MIGRATION)).toEqual([1, 2, 3, 4, 5, 6]);
  m.core.globalDirtyLogStop(1);
  memoryRegionResetDirty(ram, 0, 16 * PAGE, MIGRATION);
  for (let i = 0; i < 10; i++) for (const view of [pinned, tapped]) view.store(4 * PAGE, le32, i);
  expect(pages(ram, MIGRATION)).toEqual([]);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 16 * PAGE, VGA);
  pinned.store(7 * PAGE, le32, 7);
  tapped.store(8 * PAGE, le32, 7);
  expect(pages(ram, VGA)).toEqual([7, 8]);
});

it('A-186: a transfer marks what it writes after a callback of its own has started logging', () => {
  const m = new TestMachine();
  const ram = m.ram(PAGE, PAGE);
  m.root.addSubregion(
    PAGE - 4,
    m.core.io('device', 4, {
      read: () => 0,
      write: () => {
        m.core.globalDirtyLogStart(1);
        memoryRegionResetDirty(ram, 0, PAGE, MIGRATION);
      },
    }),
  );
  for (let i = 0; i < 100; i++) m.space.store(PAGE, le32, i);
  m.space.writeSlice(new Uint8Array(8), PAGE - 4);
  expect(memoryRegionGetDirty(ram, 0, PAGE, MIGRATION)).toBe(true);
});

it('A-186: a write through any alias marks the block’s page, and one tap of the map leaves marking as it is', () => {
  const { m, ram } = logged();
  m.root.addSubregion(0x100000, m.core.alias('window', ram, 5 * PAGE + 0x800, PAGE));
  m.space.store(0x100000, u8, 1);
  m.space.store(0x100000 + 0x7ff, le16, 1);
  expect(pages(ram)).toEqual([5, 6]);
});

it('A-186: with translated code a write tells of pages that are clean for CODE and never sets CODE itself', () => {
  const m = new TestMachine({ translatesCode: true });
  const ram = m.ram(0, 16 * PAGE);
  const told: unknown[] = [];
  m.core.access.invalidateCode = (block, offset, len) => void told.push([block === ram.ram, offset, len]);
  m.space.store(0, le32, 1);
  expect(told).toEqual([]);
  memoryRegionResetDirty(ram, PAGE, PAGE, CODE);
  m.space.store(PAGE + 4, le32, 1);
  m.space.store(2 * PAGE, le32, 1);
  expect(told).toEqual([[true, PAGE + 4, 4]]);
  expect(memoryRegionGetDirty(ram, PAGE, PAGE, CODE)).toBe(false);
});

it('A-187: the bytes are in place when a page turns dirty', () => {
  const { m, ram } = logged();
  const seen: number[] = [];
  const { states } = ram.ram!.dirty;
  m.space.store(8, u8, 0x5a);
  seen.push(states[0]! & 1, ram.ram!.backing.segmentAt(8).bytes[8]!);
  expect(seen).toEqual([1, 0x5a]);
});

it('A-188: any, all, and the clients with a clean page', () => {
  const { m, ram } = logged();
  m.space.store(0, u8, 1);
  const { dirty } = ram.ram!;
  expect([dirty.get(0, 2 * PAGE, VGA), dirty.all(0, 2 * PAGE, VGA), dirty.all(0, PAGE, VGA)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(dirty.includesClean(0, PAGE, 0b111)).toBe(0b110);
  expect(dirty.includesClean(0, 0, 0b111)).toBe(0);
});

it('A-189, A-190: clearing counts the pages that were dirty and tells listeners the range', () => {
  const { m, ram } = logged();
  const told: unknown[] = [];
  m.space.registerListener({ logClear: (section) => void told.push([section.offsetWithinRegion, section.size]) });
  m.write(PAGE, '00'.repeat(3 * PAGE));
  expect(memoryRegionResetDirty(ram, 2 * PAGE, 8 * PAGE, VGA)).toBe(2);
  expect(pages(ram)).toEqual([1]);
  expect(memoryRegionResetDirty(ram, 0, 0, VGA)).toBe(0);
  expect(told).toEqual([[BigInt(2 * PAGE), BigInt(8 * PAGE)]]);
  expect(() => memoryRegionResetDirty(ram, 0, 17 * PAGE, VGA)).toThrow(RangeError);
  expect(() => memoryRegionResetDirty(m.device(0x100000, 16), 0, 1, VGA)).toThrow(/no RAM block/);
});

it('A-191: a snapshot holds what was dirty, clears whole words of 64 pages, and answers only inside itself', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 200 * PAGE);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 200 * PAGE, VGA);
  for (const page of [0, 65, 70, 130]) m.space.store(page * PAGE, u8, 1);
  const order: string[] = [];
  m.space.registerListener({
    logSync: () => void order.push('sync'),
    logClear: () => void order.push('clear'),
    logGlobalAfterSync: () => void order.push('after'),
  });
  const snapshot = memoryRegionSnapshotAndClearDirty(ram, 66 * PAGE, 10 * PAGE, VGA);
  expect(order).toEqual(['sync', 'clear', 'after']);
  expect([snapshot.getDirty(66 * PAGE, 4 * PAGE), snapshot.getDirty(70 * PAGE, 1)]).toEqual([false, true]);
  expect(() => snapshot.getDirty(65 * PAGE, PAGE)).toThrow(RangeError);
  const left = [0, 65, 70, 130].filter((page) => memoryRegionGetDirty(ram, page * PAGE, PAGE, VGA));
  expect(left).toEqual([0, 130]);
});

it('A-191: a snapshot of no bytes clears nothing', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 200 * PAGE);
  for (const offset of [0, 1, 70 * PAGE + 5, 200 * PAGE]) {
    const snapshot = memoryRegionSnapshotAndClearDirty(ram, offset, 0, VGA);
    expect(snapshot.getDirty(offset, 0)).toBe(false);
  }
  expect(ram.ram!.dirty.all(0, 200 * PAGE, VGA)).toBe(true);
});

it('A-192: an accelerator’s bitmap is ORed in: VGA always, MIGRATION with global logging, CODE with translated code', () => {
  const { ram } = logged();
  expect(setDirtyLebitmap(ram, PAGE, new Uint8Array([0b101]), false)).toBe(2);
  expect([pages(ram), pages(ram, MIGRATION)]).toEqual([[1, 3], []]);
  expect(setDirtyLebitmap(ram, 0, new Uint8Array([0, 1]), true)).toBe(1);
  expect([pages(ram), pages(ram, MIGRATION), pages(ram, CODE)]).toEqual([[1, 3, 8], [8], []]);
});

it('A-193, A-194, A-195: sync, clear and after-sync reach listeners for the logged ranges of the region', () => {
  const { m, ram } = logged();
  m.ram(0x100000, PAGE, 'plain');
  const told: unknown[] = [];
  m.space.registerListener({
    logSync: (section) => void told.push(['sync', section.region.name]),
    logClear: (section) => void told.push(['clear', section.size]),
    logGlobalAfterSync: () => void told.push(['after']),
  });
  m.core.dirtyLogSync(null);
  m.core.dirtyLogClear(ram, PAGE, PAGE);
  m.core.dirtyLogAfterSync();
  expect(told).toEqual([['sync', 'ram'], ['clear', BigInt(PAGE)], ['after']]);
});

it('A-196, A-197: in shared memory pages are set and cleared by Atomics, and another agent’s states can be adopted', () => {
  const shared = new RamBlock('shared', bufferBacking(16 * PAGE, { shared: true }));
  const other = new RamBlock('other', bufferBacking(16 * PAGE, { shared: true }));
  expect(shared.dirty.states.buffer).toBeInstanceOf(SharedArrayBuffer);
  other.dirty.adopt(shared.dirty.states);
  expect(shared.dirty.testAndClear(0, 16 * PAGE, VGA)).toBe(16);
  other.dirty.mark(3 * PAGE, 1, 1 << VGA);
  expect(shared.dirty.get(3 * PAGE, 1, VGA)).toBe(true);
});

it('A-184, A-189: what a tracker collects is clean for listeners, so that an accelerator sees the next write to a page', () => {
  const m = new TestMachine();
  const block = new RamBlock('ram', bufferBacking(16 * PAGE));
  m.ram(0, 16 * PAGE, 'ram', block);
  m.ram(0x100000, 16 * PAGE, 'again', block);
  // It has the first write to a page trap; the page takes writes from then on, until it is told that it is clean.
  const open = new Set<number>();
  const fresh = new Set<number>();
  m.space.registerListener({
    logStart: () => open.clear(),
    logSync: ({ region }) => {
      const bitmap = new Uint8Array(2);
      for (const page of fresh) bitmap[page >> 3]! |= 1 << (page & 7);
      setDirtyLebitmap(region, 0, bitmap, m.core.globalDirtyFlags !== 0);
      if (region.name === 'again') fresh.clear();
    },
    logClear: ({ offsetWithinRegion, size }) => {
      const first = Number(offsetWithinRegion) / PAGE;
      for (let page = first; page < first + Number(size) / PAGE; page++) open.delete(page);
    },
  });
  const guestWrites = (page: number, value: number): void => {
    block.backing.segmentAt(page * PAGE).bytes[page * PAGE] = value;
    if (!open.has(page)) fresh.add(page);
    open.add(page);
  };
  const tracker = trackDirty(m.core);
  for (const value of [1, 2, 3]) {
    for (const page of [3, 4, 9]) guestWrites(page, value);
    const runs = [...tracker.since()].map(({ offset, length, bytes }) => [offset / PAGE, length / PAGE, bytes[0]]);
    expect(runs).toEqual([
      [3, 2, value],
      [9, 1, value],
    ]);
  }
  expect([...tracker.since()]).toEqual([]);
  tracker.dispose();
});

it('A-184, D5: base and deltas of a tracker restore the memory, and two trackers do not rob each other', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 64 * PAGE);
  const other = m.ram(0x100000, 3 * PAGE + 100, 'odd');
  m.space.set(0, 0x11, 64 * PAGE);
  const tracker = trackDirty(m.core);
  const second = trackDirty(m.core);
  const base = new Map([ram, other].map((region) => [region.ram!, copyBlock(region.ram!)]));
  expect([...tracker.since()]).toEqual([]);
  let seed = 12345;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % n;
  };
  let copied = 0;
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 10; i++) m.space.store(random(64 * PAGE - 4), le32, random(2 ** 30));
    m.space.store(0x100000 + random(3 * PAGE + 96), le32, random(2 ** 30));
    for (const { block, offset, bytes } of tracker.since()) {
      base.get(block)!.set(bytes, offset);
      copied += bytes.length;
    }
  }
  for (const region of [ram, other]) expect(base.get(region.ram!)).toEqual(copyBlock(region.ram!));
  expect(copied).toBeLessThan(5 * 24 * PAGE);
  expect([...second.since()].length).toBeGreaterThan(3);
  expect([...second.since()]).toEqual([]);
  tracker.dispose();
  second.dispose();
  expect(m.core.globalDirtyFlags).toBe(0);
  expect(() => [...tracker.since()]).toThrow(TypeError);
});

it('A-184, D5: a run counts as seen when it is given out, also when the loop is left early or meets another', () => {
  const { m } = logged();
  m.ram(0x100000, PAGE, 'second');
  const tracker = trackDirty(m.core);
  const other = trackDirty(m.core);
  const write = (...numbers: number[]): void => {
    for (const page of numbers) m.space.store(page * PAGE, u8, 1);
  };
  const rest = (): number[] =>
    [...tracker.since()].map((run) => run.offset / PAGE + (run.block.length === PAGE ? 256 : 0));
  write(0, 1, 4, 8, 256);
  for (const run of tracker.since()) {
    expect([run.offset, run.length]).toEqual([0, 2 * PAGE]);
    write(0, 6);
    break;
  }
  expect(rest()).toEqual([0, 4, 6, 8, 256]);
  expect(rest()).toEqual([]);
  write(2, 5, 9);
  const early = tracker.since();
  expect(early.next().value?.offset).toBe(2 * PAGE);
  write(1, 7);
  expect([...other.since()]).toHaveLength(3); // Collects for both: 1 is behind, 7 is ahead.
  expect([...early].map((run) => run.offset / PAGE)).toEqual([5, 7, 9]);
  expect(rest()).toEqual([1]);
  write(3, 256);
  const outer = tracker.since();
  outer.next();
  expect(rest()).toEqual([256]);
  expect(outer.next().done).toBe(true);
});

it('A-184, D5: what is dirty in one piece comes in runs that can be copied, and is dirty until it is', () => {
  const MiB = 2 ** 20;
  const view = new DataView(new ArrayBuffer(2 * MiB));
  const bytes = new Uint8Array(view.buffer);
  let failing = true;
  const m = new TestMachine();
  const tracker = trackDirty(m.core);
  const segmentAt = (offset: number) => {
    if (failing) throw new RangeError('Array buffer allocation failed');
    return { start: offset - (offset % bytes.length), bytes, view };
  };
  const block = new RamBlock('128 GiB', { length: 2 ** 37, shared: false, segmentAt }, { pageSize: 32 * MiB });
  m.root.addSubregion(0, m.core.ram('dimm', block));
  expect(() => tracker.since().next()).toThrow('allocation failed');
  failing = false;
  const runs = tracker.since();
  const next = () => {
    const { offset, length, bytes } = runs.next().value!;
    return [offset / MiB, length / MiB, bytes.length / MiB];
  };
  expect(next()).toEqual([0, 64, 64]);
  expect(next()).toEqual([64, 64, 64]);
  runs.return();
  expect(tracker.since().next().value?.offset).toBe(128 * MiB);
});

it('A-184, D5: a tracker logs for a reason of its own, which no program ends and which ends none of a program', () => {
  const { m, ram } = logged();
  const mask = (): number => m.core.effectiveLogMask(ram);
  m.core.globalDirtyLogStart(2);
  const tracker = trackDirty(m.core);
  expect(m.core.globalDirtyFlags).toBe(2);
  m.core.globalDirtyLogStop(7);
  expect([m.core.globalDirtyFlags, mask()]).toEqual([0, 5]);
  m.space.store(3 * PAGE, u8, 1);
  expect([...tracker.since()].map((run) => run.offset)).toEqual([3 * PAGE]);
  m.core.globalDirtyLogStart(2);
  tracker.dispose();
  expect([m.core.globalDirtyFlags, mask()]).toEqual([2, 5]);
  m.core.globalDirtyLogStop(2);
  expect(mask()).toBe(1);
});

it('A-184, D5: a tracker that cannot start leaves nothing on', () => {
  const { m, ram } = logged();
  const heard: string[] = [];
  let fails: 'logSync' | 'logStart' | null = 'logSync';
  const fail = (name: typeof fails) => (): void => {
    if (fails === name) throw new Error(`no ${name}`);
  };
  m.space.registerListener({
    logGlobalStart: () => heard.push('start'),
    logGlobalStop: () => heard.push('stop'),
    logSyncGlobal: fail('logSync'),
    logStart: fail('logStart'),
  });
  expect(() => trackDirty(m.core)).toThrow('no logSync');
  expect(m.core.effectiveLogMask(ram)).toBe(1);
  fails = 'logStart';
  expect(() => trackDirty(m.core)).toThrow('no logStart');
  expect(m.core.effectiveLogMask(ram)).toBe(1);
  fails = null;
  const tracker = trackDirty(m.core);
  m.space.store(0, u8, 1);
  expect([...tracker.since()].map((run) => run.offset)).toEqual([0]);
  tracker.dispose();
  expect(m.core.effectiveLogMask(ram)).toBe(1);
  expect(heard).toEqual(['start', 'stop', 'start', 'stop', 'start', 'stop']);
});

it('A-73: stlNotdirty marks VGA and MIGRATION, and leaves translated code alone', () => {
  const m = new TestMachine({ translatesCode: true, targetOrder: 'big' });
  const ram = m.ram(0, 16 * PAGE);
  ram.setLog(true, VGA);
  for (const client of [VGA, CODE]) memoryRegionResetDirty(ram, 0, 16 * PAGE, client);
  const told: number[] = [];
  m.core.access.invalidateCode = (_block, offset) => void told.push(offset);
  m.space.stlNotdirty(PAGE + 8, 0x11223344);
  expect([pages(ram), told, m.read(PAGE + 8, 4).hex]).toEqual([[1], [], '11223344']);
  m.space.with({}).stl(PAGE + 8, 1);
  expect(told).toEqual([PAGE + 8]);
  m.device(0x100000, 16);
  m.space.stlNotdirty(0x100000, 0x55);
  expect(m.took()).toEqual(['W4@0=0x55']);
});

it('A-73, D15: what a tap or a model of an IOMMU stores during a stlNotdirty invalidates code as ever', () => {
  const m = new TestMachine({ translatesCode: true });
  const ram = m.ram(0, 16 * PAGE);
  memoryRegionResetDirty(ram, 0, 16 * PAGE, CODE);
  const told: number[] = [];
  m.core.access.invalidateCode = (_block, offset) => void told.push(offset);
  const seen: unknown[] = [];
  const see = ({ addr, value }: { addr: unknown; value: unknown }) => {
    seen.push([addr, value]);
    m.space.store(3 * PAGE, le32, 1);
  };
  const tap = m.space.tap(8, 4, see, { on: 'write' });
  m.space.stlNotdirty(8, 0x11223344);
  expect([told, seen, m.space.load(8, le32)]).toEqual([[3 * PAGE], [[8, 0x11223344]], 0x11223344]);
  expect(() => m.space.stlNotdirty(8, -1)).toThrow(RangeError);
  expect(seen.length).toBe(1);
  tap.dispose();
  told.length = 0;
  let walks = 0;
  const translate = () => {
    m.space.store((4 + walks++) * PAGE, le32, 1);
    return { targetAs: m.space, iova: 0, translatedAddr: 2 * PAGE, addrMask: 0xfff, perm: 3 };
  };
  const dma = m.core.addressSpace(m.core.iommu('mmu', PAGE, { translate }), 'dma');
  dma.stlNotdirty(0, 5);
  expect([told, walks, m.space.load(2 * PAGE, le32)]).toEqual([[4 * PAGE], 1, 5]);
});

it('A-168, A-183: with global logging IOMMU regions count as logged, so that listeners hear of them', () => {
  const m = new TestMachine();
  const bus = m.core.iommu('iommu', 0x10000, {
    translate: () => ({ targetAs: m.space, iova: 0, translatedAddr: 0, addrMask: 0, perm: 0 }),
  });
  m.root.addSubregion(0, bus);
  const told: string[] = [];
  m.space.registerListener({ logSync: (section) => void told.push(section.region.name) });
  m.core.dirtyLogSync(null);
  m.core.globalDirtyLogStart(1);
  m.core.dirtyLogSync(null);
  expect(told).toEqual(['iommu']);
});

it('A-185: a change of the mask is region_nop with log_start or log_stop, never removal and addition', () => {
  const { m, ram } = logged();
  const told: string[] = [];
  m.space.registerListener({
    regionAdd: () => void told.push('add'),
    regionDel: () => void told.push('del'),
    regionNop: () => void told.push('nop'),
    logStart: (_section, before, after) => void told.push(`start ${before} ${after}`),
    logStop: (_section, before, after) => void told.push(`stop ${before} ${after}`),
  });
  told.length = 0;
  m.core.globalDirtyLogStart(1);
  ram.setLog(false, VGA);
  expect(told).toEqual(['nop', 'start 1 5', 'nop', 'stop 5 4']);
});

it('A-184: a loop over what changed, inside another one, loses nothing that is written meanwhile', () => {
  const m = new TestMachine();
  m.ram(0, 16 * PAGE);
  const [a, b] = [trackDirty(m.core), trackDirty(m.core)];
  m.space.store(0, u8, 1);
  for (const run of a.since()) {
    expect(run.offset).toBe(0);
    expect([...a.since()]).toEqual([]);
    m.space.store(3 * PAGE, u8, 1);
    expect([...b.since()].map(({ offset }) => offset)).toEqual([0, 3 * PAGE]);
  }
  expect([...a.since()].map(({ offset }) => offset)).toEqual([3 * PAGE]);
});

it('A-184, A-192: what an accelerator saw written reaches trackers, whatever a program says of global logging', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 16 * PAGE);
  const tracker = trackDirty(m.core);
  setDirtyLebitmap(ram, 0, Uint8Array.of(0b100), m.core.globalDirtyFlags !== 0);
  expect([...tracker.since()].map(({ offset }) => offset)).toEqual([2 * PAGE]);
  tracker.dispose();
  expect(pages(ram, MIGRATION)).toEqual(pages(new TestMachine().ram(0, 16 * PAGE), MIGRATION));
});

it('A-186, A-150: a hot page of an IOMMU in front of a pinned view marks when logging starts', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 16 * PAGE);
  const pinned = m.space.memory();
  const model = new PageIommu(pinned, (offset) => ({
    translatedAddr: Number(offset) - (Number(offset) % PAGE),
    perm: IommuAccess.RW,
  }));
  const dma = m.core.addressSpace(m.core.iommu('iommu', 16 * PAGE, model), 'dma');
  for (let i = 0; i < 5000; i++) dma.store(PAGE, le32, i);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 16 * PAGE, VGA);
  dma.store(PAGE, le32, 1);
  expect(pages(ram, VGA)).toEqual([1]);
});

it('A-184, D7: trackers of two machines that show one block each see what was written through either', () => {
  const block = new RamBlock('shared', bufferBacking(4 * PAGE));
  const [a, b] = [new TestMachine(), new TestMachine()];
  for (const m of [a, b]) m.ram(0, 4 * PAGE, 'ram', block);
  const first = trackDirty(a.core);
  a.space.store(0, le32, 1);
  const second = trackDirty(b.core); // Takes nothing from the first.
  expect(runsOf(first)).toEqual([[0, PAGE]]);
  expect(runsOf(second)).toEqual([]);
  a.space.store(PAGE, le32, 1);
  b.space.store(3 * PAGE, le32, 1);
  const both = [
    [PAGE, PAGE],
    [3 * PAGE, PAGE],
  ];
  expect(runsOf(second)).toEqual(both);
  expect(runsOf(first)).toEqual(both);
  second.dispose();
  b.space.store(0, le32, 2);
  expect(runsOf(first)).toEqual([]); // Only what the own machine's spaces write is followed.
});

it('A-184, A-189, D7: a tracker asks the listeners of another machine that tracks its memory too, and tells them what it collects', () => {
  const block = new RamBlock('shared', bufferBacking(8 * PAGE));
  const [a, b] = [new TestMachine(), new TestMachine()];
  a.ram(0, 8 * PAGE, 'ram', block);
  b.ram(0x10000, 8 * PAGE, 'ram', block);
  const log = new AcceleratorLog(b.space);
  const slot = log.slots[0]!;
  const first = trackDirty(a.core);
  const second = trackDirty(b.core);
  for (const value of [1, 2, 3]) {
    log.write(slot, 2, value);
    expect(runsOf(first)).toEqual([[2 * PAGE, PAGE]]);
    log.write(slot, 5, value);
    b.core.dirtyLogSync(null);
    expect(runsOf(first)).toEqual([[5 * PAGE, PAGE]]);
    const both = [
      [2 * PAGE, PAGE],
      [5 * PAGE, PAGE],
    ];
    expect(runsOf(second)).toEqual(both);
  }
  second.dispose();
  let told = 0;
  b.space.registerListener({ logSync: () => told++, logClear: () => told++, logGlobalAfterSync: () => told++ });
  a.space.store(0, le32, 1);
  expect([runsOf(first), told]).toEqual([[[0, PAGE]], 0]); // One that tracks no more is left alone.
});

it('A-184, A-189, D7: what one tracker collects is clean for listeners of a machine whose own has not met the memory yet', () => {
  const block = new RamBlock('shared', bufferBacking(8 * PAGE));
  const [a, b] = [new TestMachine(), new TestMachine()];
  a.ram(0, 8 * PAGE, 'ram', block);
  const first = trackDirty(a.core);
  const second = trackDirty(b.core);
  b.ram(0, 8 * PAGE, 'ram', block);
  const log = new AcceleratorLog(b.space);
  for (const value of [1, 2, 3]) {
    log.write(log.slots[0]!, 2, value);
    if (value === 1) b.core.dirtyLogSync(null);
    expect(runsOf(first)).toEqual([[2 * PAGE, PAGE]]);
  }
  expect(runsOf(second)).toEqual([[0, 8 * PAGE]]);
  log.write(log.slots[0]!, 2, 4);
  expect(runsOf(second)).toEqual([[2 * PAGE, PAGE]]);
  expect(runsOf(first)).toEqual([[2 * PAGE, PAGE]]);
});

it('A-184, A-189: a page that was reported for a display alone is clean for listeners when a tracker begins', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 8 * PAGE);
  const log = new AcceleratorLog(m.space);
  trackDirty(m.core).dispose(); // Else all of the memory is dirty for trackers still, and told of because of that.
  ram.setLog(true, VGA);
  log.write(log.slots[0]!, 2, 1);
  m.core.dirtyLogSync(null);
  const tracker = trackDirty(m.core);
  log.write(log.slots[0]!, 2, 2);
  expect(runsOf(tracker)).toEqual([[2 * PAGE, PAGE]]);
});

it('A-189, A-191, D7: a display sees what a guest of another machine drew, each time, by whatever region shows the block', () => {
  const block = new RamBlock('vram', 8 * PAGE);
  const [a, b] = [new TestMachine(), new TestMachine()];
  const screen = a.ram(0, 8 * PAGE, 'screen', block);
  const others = [a.ram(0x10_0000, 8 * PAGE, 'again', block), b.ram(0x20_0000, 8 * PAGE, 'vram', block)];
  for (const region of [screen, ...others]) region.setLog(true, VGA);
  const logs = [new AcceleratorLog(a.space), new AcceleratorLog(b.space)];
  memoryRegionResetDirty(screen, 0, 8 * PAGE, VGA);
  for (const value of [1, 2, 3])
    for (const [page, log] of logs.entries()) {
      log.write(log.slots.at(-1)!, page, value);
      const seen = memoryRegionSnapshotAndClearDirty(screen, 0, 8 * PAGE, VGA);
      const drawn = [0, 1, 2].filter((each) => seen.getDirty(each * PAGE, PAGE));
      expect([value, drawn]).toEqual([value, [page]]);
    }
});

it('A-189, D7: all machines hear that pages are clean, also where a listener of one throws', () => {
  const block = new RamBlock('vram', 8 * PAGE);
  const machines = [new TestMachine(), new TestMachine()];
  const regions = machines.map((m) => m.ram(0, 8 * PAGE, 'vram', block));
  const told: number[] = [];
  for (const [n, m] of machines.entries()) {
    regions[n]!.setLog(true, VGA);
    m.space.registerListener({
      logClear: () => {
        told.push(n);
        throw new Error(`machine ${n}`);
      },
    });
  }
  expect(() => memoryRegionResetDirty(regions[1]!, 0, PAGE, VGA)).toThrow(AggregateError);
  expect(told).toEqual([0, 1]);
});

it('A-184: memory that was away when a tracker began is dirty for it as a whole when it is back', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 4 * PAGE);
  const first = trackDirty(m.core);
  m.space.store(0, le32, 1);
  expect(runsOf(first)).toEqual([[0, PAGE]]);
  m.root.delSubregion(ram);
  const second = trackDirty(m.core);
  m.root.addSubregion(0, ram);
  m.space.store(PAGE, le32, 1);
  expect(runsOf(first)).toEqual([[PAGE, PAGE]]);
  expect(runsOf(second)).toEqual([[0, 4 * PAGE]]);
  expect(runsOf(second)).toEqual([]);
});

function runsOf(tracker: DirtyTracker): number[][] {
  return [...tracker.since()].map(({ offset, length }) => [offset, length]);
}

it('A-184: a block that outlives a machine does not hold it, when its trackers were dropped with it', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const block = new RamBlock('ram', 0x1000);
  const machines = Array.from({ length: 4 }, () => {
    const core = new MemoryCore();
    core.addressSpace(core.ram('ram', block), 'memory');
    trackDirty(core);
    return new WeakRef(core);
  });
  await new Promise((resolve) => setTimeout(resolve, 0)); // A WeakRef holds until its job ends.
  collectGarbage();
  expect(machines.filter((core) => core.deref() !== undefined)).toEqual([]);
});
