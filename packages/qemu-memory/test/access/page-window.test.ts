/**
 * The windows and the table of cached IOMMU pages must be invisible: whatever changes while they are open, the next access
 * answers as a translation would. Each test first makes enough accesses to open them.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { le32, le64n, MEMTXATTRS_UNSPECIFIED, MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { bufferBacking, GuestMemoryError } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import {
  IommuAccess,
  LogClient,
  MemoryCore,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
  PageIommu,
  type PageWalk,
} from '../../src/index.ts';

const PAGE = 0x1000;
const PAGES = 64;
const MANY = 2000;

/** RAM of 64 pages, each word its own address + 1, behind an IOMMU at `base` of a space; page n goes to `table[n]`. */
function machine(base: number, options: { readonly numIndexes?: number; readonly entries?: number } = {}) {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const ram = core.ram('ram', bufferBacking(PAGES * PAGE));
  system.addSubregion(0, ram);
  const target = core.addressSpace(system, 'memory');
  for (let at = 0; at < PAGES * PAGE; at += 4) target.store(at, le32, at + 1);
  const table = new Map<number, { to: number; perm: IommuAccess }>();
  for (let page = 0; page < PAGES; page++) table.set(page, { to: page * PAGE, perm: IommuAccess.RW });
  let walks = 0;
  const walk: PageWalk = (offset) => {
    walks++;
    const found = table.get(Math.floor(Number(offset) / PAGE));
    return found === undefined ? null : { translatedAddr: found.to, perm: found.perm };
  };
  const byRequester = { attrsToIndex: (attrs: MemTxAttrs) => (attrs.requesterId === 7 ? 1 : 0) };
  const model = new PageIommu(target, walk, { ...options, ...(options.numIndexes === undefined ? {} : byRequester) });
  const root = core.container('bus', 1n << 64n);
  const iommu = core.iommu('iommu', 1n << 32n, model);
  root.addSubregion(base, iommu);
  const dma = core.addressSpace(root, 'dma');
  const read = (iova: number): number => dma.load(base + iova, le32);
  return { core, system, ram, target, table, model, root, iommu, dma, read, walks: () => walks };
}
type Machine = ReturnType<typeof machine>;

/** Opens the window on the page of `iova`. */
function open(m: Machine, base: number, iova: number): void {
  for (let i = 0; i < MANY; i++) m.read(iova);
  const { map } = m.dma;
  const { first, len } = map.home;
  expect(base + iova >= first && base + iova < first + len).toBe(true);
}

/** Opens the table, without a window, with every page in it. */
function openTable(m: Machine, pages = PAGES): void {
  for (let i = 0; i < MANY; i++) m.read(((i * 29 + (i >>> 6) * 21) % pages) * PAGE);
  expect(m.dma.map.pagesSpan).not.toBe(0);
}

describe.each([
  ['at 0', 0],
  ['at 1 GiB', 0x4000_0000],
])('a window %s', (_, base) => {
  it('A-150: reads and writes what its page leads to, and every other page what that leads to', () => {
    const m = machine(base);
    m.table.set(3, { to: 9 * PAGE, perm: IommuAccess.RW });
    for (let page = 0; page < 8; page++) m.read(page * PAGE);
    open(m, base, 2 * PAGE);
    for (const page of [0, 1, 2, 4, 5, 6, 7]) expect(m.read(page * PAGE + 8)).toBe(page * PAGE + 9);
    expect(m.read(3 * PAGE + 8)).toBe(9 * PAGE + 9);
    m.dma.store(base + 2 * PAGE + 4, le32, 0xf000_0001);
    expect(m.target.load(2 * PAGE + 4, le32)).toBe(0xf000_0001);
    expect(m.dma.load(base + 3 * PAGE - 8, le64n)).toBe(3 * PAGE - 7 + 2 ** 32 * (3 * PAGE - 3));
  });

  it('A-152: a transfer over the edge of a page goes to two places, and a load over it is refused as ever', () => {
    const m = machine(base);
    expect(() => m.read(2 * PAGE - 2)).toThrow(GuestMemoryError);
    open(m, base, 2 * PAGE - 16);
    m.read(2 * PAGE);
    expect(() => m.read(2 * PAGE - 2)).toThrow(GuestMemoryError);
    expect(() => m.dma.load(base + 2 * PAGE - 6, le64n)).toThrow(GuestMemoryError);
    expect(() => m.dma.store(base + 2 * PAGE - 2, le32, 0)).toThrow(GuestMemoryError);
    m.model.flush();
    m.table.set(1, { to: 9 * PAGE, perm: IommuAccess.RW });
    m.read(PAGE);
    open(m, base, PAGE - 16);
    m.dma.writeSlice(Uint8Array.of(1, 2, 3, 4), base + PAGE - 2);
    expect(m.target.load(PAGE - 4, le32)).toBe(0x0201_0ffd);
    expect(m.target.load(9 * PAGE, le32)).toBe(0x0000_0403);
  });

  it('A-159: invalidating the page, or flushing, makes the next access translate again', () => {
    for (const forget of ['invalidate', 'flush'] as const) {
      const m = machine(base);
      open(m, base, PAGE);
      m.table.set(1, { to: 5 * PAGE, perm: IommuAccess.RW });
      expect(m.read(PAGE)).toBe(PAGE + 1);
      if (forget === 'flush') m.model.flush();
      else m.model.invalidate(null, PAGE, PAGE);
      expect(m.read(PAGE)).toBe(5 * PAGE + 1);
      m.dma.store(base + PAGE, le32, 1);
      expect(m.target.load(5 * PAGE, le32)).toBe(1);
      expect(m.target.load(PAGE, le32)).toBe(PAGE + 1);
    }
  });

  it('A-151: a page that goes away is refused', () => {
    const m = machine(base);
    open(m, base, PAGE);
    m.table.delete(1);
    m.model.invalidate(null, PAGE, 4);
    expect(() => m.read(PAGE)).toThrow(GuestMemoryError);
    expect(() => m.dma.store(base + PAGE, le32, 1)).toThrow(GuestMemoryError);
  });

  it('A-155: a page that may only be read takes no store, and one that becomes writable does', () => {
    const m = machine(base);
    m.table.set(1, { to: PAGE, perm: IommuAccess.RO });
    open(m, base, PAGE);
    expect(() => m.dma.store(base + PAGE, le32, 1)).toThrow(GuestMemoryError);
    // The table is walked again for the write, and says something else now: reads follow.
    m.table.set(1, { to: 6 * PAGE, perm: IommuAccess.RW });
    m.dma.store(base + PAGE, le32, 77);
    expect(m.target.load(6 * PAGE, le32)).toBe(77);
    expect(m.read(PAGE)).toBe(77);
  });

  it('T-92: a change of the target space is seen by the next access', () => {
    const m = machine(base);
    open(m, base, PAGE);
    const over = m.core.ram('over', bufferBacking(PAGE));
    m.system.addSubregionOverlap(PAGE, over, 1);
    expect(m.read(PAGE)).toBe(0);
    open(m, base, PAGE);
    m.dma.store(base + PAGE, le32, 5);
    m.system.delSubregion(over);
    expect(m.read(PAGE)).toBe(PAGE + 1);
  });

  it('T-63: a device over a part of a hot page answers there, and no window covers it', () => {
    const m = machine(base);
    const device = m.core.io('device', 0x100, { read: () => 0xdead, write: () => undefined });
    m.root.addSubregionOverlap(base + PAGE + 0x800, device, 1);
    for (const at of [PAGE, PAGE + 0x900])
      for (let i = 0; i < MANY; i++) expect(m.read(at + 4 * (i % 16))).toBe(at + 4 * (i % 16) + 1);
    expect(m.read(PAGE + 0x800)).toBe(0xdead);
    m.dma.store(base + PAGE + 0x804, le32, 5);
    expect(m.target.load(PAGE + 0x804, le32)).toBe(PAGE + 0x805);
  });

  it('A-151: a hot page that reaches over the end of its IOMMU ends there', () => {
    const m = machine(base);
    const short = m.core.iommu('short', 0x1800, m.model);
    const root = m.core.container('root', 1n << 64n);
    root.addSubregion(base, short);
    const space = m.core.addressSpace(root, 'short');
    for (let i = 0; i < MANY; i++) expect(space.load(base + PAGE, le32)).toBe(PAGE + 1);
    const tx = new MemTx();
    space.txLoad(base + 0x1800, le32, MEMTXATTRS_UNSPECIFIED, tx);
    expect(tx.result).toBe(MemTxResult.DECODE_ERROR);
    expect(() => space.store(base + 0x1800, le32, 1)).toThrow(GuestMemoryError);
  });

  it('T-92: a change of its own space is seen by the next access', () => {
    const m = machine(base);
    open(m, base, PAGE);
    m.iommu.setEnabled(false);
    expect(() => m.read(PAGE)).toThrow(GuestMemoryError);
    m.iommu.setEnabled(true);
    expect(m.read(PAGE)).toBe(PAGE + 1);
  });

  it('D15: a tap on either space sees every access from then on', () => {
    for (const where of ['target', 'dma'] as const) {
      const m = machine(base);
      open(m, base, PAGE);
      const seen: number[] = [];
      const at = where === 'dma' ? base + PAGE : PAGE;
      const tap = m[where].tap(at, PAGE, (event) => seen.push(Number(event.addr)));
      m.read(PAGE + 16);
      m.dma.store(base + PAGE + 20, le32, 3);
      expect(seen).toEqual(where === 'dma' ? [at + 16, at + 20] : []);
      tap[Symbol.dispose]();
      expect(m.read(PAGE + 20)).toBe(3);
    }
  });

  it('A-187: a store marks the page behind it dirty, also when logging begins later', () => {
    const m = machine(base);
    open(m, base, PAGE);
    m.ram.setLog(true, LogClient.VGA);
    memoryRegionResetDirty(m.ram, 0, PAGES * PAGE, LogClient.VGA);
    open(m, base, PAGE);
    m.dma.store(base + PAGE, le32, 9);
    expect(memoryRegionGetDirty(m.ram, PAGE, PAGE, LogClient.VGA)).toBe(true);
    expect(memoryRegionGetDirty(m.ram, 2 * PAGE, PAGE, LogClient.VGA)).toBe(false);
  });

  it('A-153: two indexes answer by attributes, also when one page is hot', () => {
    const m = machine(base, { numIndexes: 2 });
    const other = m.dma.with({ requesterId: 7 });
    for (let i = 0; i < MANY; i++) m.read(PAGE);
    m.table.set(1, { to: 4 * PAGE, perm: IommuAccess.RW });
    expect(other.load(base + PAGE, le32)).toBe(4 * PAGE + 1);
    expect(m.read(PAGE)).toBe(PAGE + 1);
  });

  it('A-142: an observer of loads sees them from the moment it is set', () => {
    const m = machine(base);
    open(m, base, PAGE);
    let seen = 0;
    m.core.access.observer = { dmaRead: () => void seen++ };
    m.read(PAGE);
    m.core.access.observer = null;
    expect(seen > 0).toBe(true);
  });
});

describe.each([
  ['at 0', 0],
  ['at 1 GiB', 0x4000_0000],
])('the table of pages %s', (_, base) => {
  it('A-150: every page answers as a walk would, and no page is walked twice', () => {
    const m = machine(base);
    for (let page = 0; page < PAGES; page++)
      m.table.set(page, { to: ((page * 37) % PAGES) * PAGE, perm: IommuAccess.RW });
    openTable(m);
    const walks = m.walks();
    for (let i = 0; i < 3; i++)
      for (let page = 0; page < PAGES; page++)
        for (const at of [0, 4, 0x7fc, PAGE - 4])
          expect(m.read(page * PAGE + at)).toBe(((page * 37) % PAGES) * PAGE + at + 1);
    expect(walks).toBe(PAGES);
    expect(m.walks()).toBe(PAGES);
  });

  it('A-159: more pages hot in turn than windows are kept for, and each load is still of its own page', () => {
    const m = machine(base);
    for (let page = 0; page < PAGES; page++) m.table.set(PAGES + page, { to: page * PAGE, perm: IommuAccess.RW });
    for (let page = 0; page < 2 * PAGES; page++)
      for (let i = 0; i < MANY; i++) {
        const at = 4 * (i % 7);
        expect(m.read(page * PAGE + at)).toBe((page % PAGES) * PAGE + at + 1);
      }
  });

  it('A-152: an unaligned load is answered within a page, and refused over its edge', () => {
    const m = machine(base);
    openTable(m);
    expect(m.read(2 * PAGE - 6)).toBe(((2 * PAGE - 3) & 0xffff) * 0x1_0000 + ((2 * PAGE - 7) >>> 16));
    expect(() => m.read(2 * PAGE - 2)).toThrow(GuestMemoryError);
  });

  it('A-159: what is invalidated or flushed, or falls out of the cache, is translated again', () => {
    const m = machine(base, { entries: 32 });
    openTable(m, 32);
    m.table.set(1, { to: 5 * PAGE, perm: IommuAccess.RW });
    m.read(33 * PAGE); // Takes the entry of page 1.
    expect(m.read(PAGE)).toBe(5 * PAGE + 1);
    openTable(m, 32);
    const far = 0x8000_0000 + PAGE; // Too far for the table, but not for the cache.
    m.table.set(far / PAGE, { to: 9 * PAGE, perm: IommuAccess.RW });
    m.table.set(1, { to: 8 * PAGE, perm: IommuAccess.RW });
    expect(m.read(far)).toBe(9 * PAGE + 1);
    expect(m.read(PAGE)).toBe(8 * PAGE + 1);
    m.table.set(1, { to: 6 * PAGE, perm: IommuAccess.RW });
    m.model.invalidate(null, PAGE, 1);
    expect(m.read(PAGE)).toBe(6 * PAGE + 1);
    openTable(m, 32);
    m.table.set(1, { to: 7 * PAGE, perm: IommuAccess.RW });
    m.model.flush();
    expect(m.read(PAGE)).toBe(7 * PAGE + 1);
  });

  it('T-92: a device that is laid over the RAM is called', () => {
    const m = machine(base);
    openTable(m);
    const device = m.core.io('device', PAGE, { endianness: 'little', read: (offset) => 0xabc0 + offset, write() {} });
    m.system.addSubregionOverlap(3 * PAGE, device, 1);
    expect(m.read(3 * PAGE + 4)).toBe(0xabc4);
    openTable(m);
    expect(m.read(3 * PAGE + 4)).toBe(0xabc4);
    expect(m.read(4 * PAGE + 4)).toBe(4 * PAGE + 5);
  });

  it('A-20: what a load answers with a place for the outcome is the same', () => {
    const m = machine(base);
    openTable(m);
    const tx = new MemTx();
    const view = m.dma.with({ tx });
    expect(view.load(base + 3 * PAGE, le32)).toBe(3 * PAGE + 1);
    expect(tx.result).toBe(MemTxResult.OK);
  });
});

describe('a window on offsets of 2 GiB and more', () => {
  const HIGH = [0x8000_5000, 0xc000_6000, 0xffff_f000];
  /** Each of HIGH goes to a page of RAM of its own, whose words are as in `machine`. */
  function high() {
    const m = machine(0);
    for (const [i, iova] of HIGH.entries()) m.table.set(iova / PAGE, { to: (i + 10) * PAGE, perm: IommuAccess.RW });
    return m;
  }

  it('A-150: opens as below, and what is invalidated is translated again', () => {
    for (const [i, iova] of HIGH.entries()) {
      const m = high();
      open(m, 0, iova);
      expect(m.read(iova + PAGE - 4)).toBe((i + 11) * PAGE - 3);
      m.dma.store(iova + 8, le32, 0xf000_0001);
      expect(m.target.load((i + 10) * PAGE + 8, le32)).toBe(0xf000_0001);
      m.table.set(iova / PAGE, { to: 5 * PAGE, perm: IommuAccess.RO });
      expect(m.read(iova)).toBe((i + 10) * PAGE + 1);
      m.model.invalidate(null, iova, PAGE);
      expect(m.read(iova)).toBe(5 * PAGE + 1);
      expect(() => m.dma.store(iova, le32, 1)).toThrow(GuestMemoryError);
    }
  });

  it('A-150: the table holds pages below and above, each walked once', () => {
    const m = high();
    const all = [0, PAGE, 0x3f * PAGE, ...HIGH];
    const from = [0, PAGE, 0x3f * PAGE, 10 * PAGE, 11 * PAGE, 12 * PAGE];
    for (let i = 0; i < MANY; i++) {
      const n = (i * 7 + (i >>> 3)) % all.length;
      expect(m.read(all[n]! + 4 * (i % 100))).toBe(from[n]! + 4 * (i % 100) + 1);
    }
    expect(m.dma.map.pagesSpan).not.toBe(0);
    expect(m.walks()).toBe(all.length);
    expect(() => m.read(0x9000_0000)).toThrow(GuestMemoryError);
    expect(() => m.read(2 ** 32)).toThrow(GuestMemoryError);
  });

  it('V-1.2: reads of objects open it, too', () => {
    const m = high();
    for (let i = 0; i < MANY; i++)
      expect(m.dma.readObj(0x8000_5000 + 4 * (i % 100), le32)).toBe(10 * PAGE + 4 * (i % 100) + 1);
    expect([m.dma.map.home.first, m.dma.map.home.len]).toEqual([0x8000_5000, PAGE]);
  });
});

it('A-150: the space behind an IOMMU no longer holds a model whose region no view shows', () => {
  const m = machine(0);
  let following = 0;
  const { follow } = m.target;
  m.target.follow = (follower) => {
    const end = follow.call(m.target, follower);
    following++;
    return () => {
      following--;
      end();
    };
  };
  open(m, 0, PAGE);
  expect(following).toBe(1);
  m.dma.dispose();
  m.core.rcu.drain();
  expect(following).toBe(0);
});

it('A-150: the space behind an IOMMU does not hold a machine that was dropped with its model', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { target, ram } = machine(0);
  const dropped = Array.from({ length: 4 }, () => {
    const core = new MemoryCore();
    const model = new PageIommu(target, () => ({ translatedAddr: 0, perm: IommuAccess.RW }), { entries: 16 });
    const dma = core.addressSpace(core.iommu('iommu', PAGE, model), 'dma');
    for (let i = 0; i < MANY; i++) dma.load(0, le32);
    expect(dma.map.home.len).toBe(PAGE);
    return new WeakRef(core);
  });
  await new Promise((resolve) => setTimeout(resolve, 0)); // A WeakRef holds until its job ends.
  collectGarbage();
  expect(dropped.filter((core) => core.deref() !== undefined)).toEqual([]);
  ram.setReadonly(true); // What followed is told, and ends.
  expect(target.load(0, le32)).toBe(1);
});
