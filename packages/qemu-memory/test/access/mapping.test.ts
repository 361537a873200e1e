/** Host memory of ranges, the memory region cache, the chunk iterator and the section helpers.. */
import {
  be32,
  le16,
  le32,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  MemTxResult,
  memTxAttrs,
  pinnedView,
  u8,
} from '@guestmem/memtx';
import {
  addressSpaceGetFlatview,
  addressSpaceLookupSection,
  addressSpaceMemory,
  addressSpaceToFlatview,
  DirtyClient,
  flatviewRef,
  flatviewTranslateSection,
  flatviewUnref,
  MemoryRegionCache,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
  sectionAccessAllowed,
  sectionCoversRegionAddr,
  sectionFuzzDmaRead,
  sectionGetHostAddr,
  sectionLoad,
  sectionReadContinueStep,
  sectionStore,
  sectionWriteContinueStep,
  targetIsBigEndian,
} from '@guestmem/qemu-memory';
import { bufferBacking, GuestMemoryError } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { bytesOf, TestMachine, toHex } from '../support/machine.ts';

const { OK, DECODE_ERROR, ACCESS_ERROR } = MemTxResult;
const ANY = MEMTXATTRS_UNSPECIFIED;
const VGA = DirtyClient.VGA;

function machine(): TestMachine {
  const m = new TestMachine();
  m.logRefusals();
  return m;
}

it('A-85, A-86: RAM maps directly, on through contiguous sections of one region, and no further', () => {
  const m = machine();
  const ram = m.core.ram('ram', bufferBacking(0x3000));
  m.root.addSubregion(0, m.core.alias('a', ram, 0, 0x1000));
  m.root.addSubregion(0x1000, m.core.alias('b', ram, 0x1000, 0x1000, { readonly: true }));
  m.root.addSubregion(0x2000, m.core.alias('c', ram, 0, 0x1000));
  const mapping = m.space.mapRange(0x800, 0x3000, 'write')!;
  expect([mapping.length, mapping.direct]).toEqual([0x1800, true]);
  mapping.bytes[0x800] = 0x5a;
  expect(m.space.load(0x1000, u8)).toBe(0x5a);
  mapping.unmap();
  expect(m.space.mapRange(0x800, 0, 'read')).toBeNull();
});

it('A-87, A-88, A-89: a bounce buffer is filled when mapped for reading and written back when unmapped', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little', impl: { maxAccessSize: 1 } }, (offset) => offset);
  const read = m.space.mapRange(4, 4, 'read')!;
  expect([toHex(read.bytes), read.direct]).toEqual(['04050607', false]);
  read.unmap();
  m.took();
  const write = m.space.mapRange(4, 4, 'write')!;
  expect(toHex(write.bytes)).toBe('00000000');
  write.bytes.set([1, 2, 3, 4]);
  expect(m.took()).toEqual([]);
  write.unmap(2);
  expect(m.took()).toEqual(['W1@4=0x1', 'W1@5=0x2']);
});

it('A-89, A-186: unmapping a write mapping marks what was used dirty, and nothing else', () => {
  const m = machine();
  const ram = m.ram(0, 0x4000);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 0x4000, VGA);
  m.space.mapRange(0x1000, 0x3000, 'read')?.unmap();
  expect(memoryRegionGetDirty(ram, 0, 0x4000, VGA)).toBe(false);
  m.space.mapRange(0x1000, 0x3000, 'write')?.unmap(0x1001);
  const dirty = [0, 0x1000, 0x2000, 0x3000].map((page) => memoryRegionGetDirty(ram, page, 0x1000, VGA));
  expect(dirty).toEqual([false, true, true, false]);
});

it('A-90: a map client is called once when budget is free, or as soon as some is given back', async () => {
  const m = machine();
  m.device(0, 0x2000, { endianness: 'little' });
  const woken: string[] = [];
  m.space.registerMapClient(() => void woken.push('at once'));
  await Promise.resolve();
  expect(woken).toEqual(['at once']);
  const all = m.space.mapRange(0, 4096, 'write')!;
  m.space.registerMapClient(() => void woken.push('later'));
  m.space.registerMapClient(() => void woken.push('never')).dispose();
  await Promise.resolve();
  expect(woken).toHaveLength(1);
  all.unmap(0);
  expect(woken).toHaveLength(1);
  await Promise.resolve();
  expect(woken).toEqual(['at once', 'later']);
});

it('A-90: a map client is called when a raised limit leaves budget free, and not before', async () => {
  const m = machine();
  m.device(0, 0x2000, { endianness: 'little' });
  m.space.maxBounceBufferSize = 0;
  let woken = 0;
  m.space.registerMapClient(() => void woken++);
  m.space.maxBounceBufferSize = 0;
  await Promise.resolve();
  expect(woken).toBe(0);
  m.space.maxBounceBufferSize = 16;
  expect(woken).toBe(0);
  await Promise.resolve();
  expect([woken, m.space.mapRange(0, 16, 'write')!.length]).toEqual([1, 16]);
  m.space.registerMapClient(() => void woken++);
  m.space.maxBounceBufferSize = 8;
  await Promise.resolve();
  expect(woken).toBe(1);
  m.space.maxBounceBufferSize = 17;
  await Promise.resolve();
  expect(woken).toBe(2);
});

it('A-91: unmapping twice and using more than was mapped are errors', () => {
  const m = machine();
  m.ram(0, 0x1000);
  const mapping = m.space.mapRange(0, 16, 'write')!;
  expect(() => mapping.unmap(17)).toThrow(RangeError);
  mapping.unmap(16);
  expect(() => mapping.unmap()).toThrow(/unmapped before/);
  mapping.dispose();
});

it('A-85, T-31: a mapping of several pieces that fails in an IOMMU gives back those it had', () => {
  const m = new TestMachine();
  const owner = {};
  const target = m.core.addressSpace(m.core.ram('ram', bufferBacking(0x4000), { owner }), 'target');
  const iommu = m.core.iommu('iommu', 0x4000, {
    translate: (offset) => {
      if (offset >= 0x2000) throw new TypeError('broken walk');
      const page = offset >= 0x1000 ? 0x1000 : 0;
      return { targetAs: target, iova: page, translatedAddr: 0x1000 - page, addrMask: 0xfff, perm: 3 };
    },
  });
  const space = m.core.addressSpace(iommu, 'space');
  const before = m.core.ownerReferences(owner);
  expect(() => space.mapRam(0, 0x3000, 'write')).toThrow(/broken walk/);
  expect(m.core.ownerReferences(owner)).toBe(before);
});

it('A-86, D5: mapRam gives the whole range as windows, or nothing', () => {
  const m = machine();
  m.ram(0, 0x1000);
  m.ram(0x1000, 0x1000, 'next');
  const windows = m.space.mapRam(0xff0, 0x20, 'write');
  expect(windows.map((each) => [each.addr, each.length])).toEqual([
    [0xff0, 16],
    [0x1000, 16],
  ]);
  for (const each of windows) each.unmap();
  expect(() => m.space.mapRam(0x1ff0, 0x20, 'read')).toThrow(GuestMemoryError);
});

it('A-92, A-94: a cache keeps the map of the moment it was made, until it is made again', () => {
  const m = machine();
  const ram = m.ram(0x1000, 0x1000);
  const cache = new MemoryRegionCache();
  expect(cache.init(m.space, 0x1800, 0x2000, 'write')).toBe(0x800);
  cache.store(0, le32, 0x11223344);
  expect(m.read(0x1800, 4).hex).toBe('44332211');
  ram.setAddress(0x5000);
  expect(cache.load(0, le32)).toBe(0x11223344);
  cache.init(m.space, 0x1800, 4, 'read');
  expect(cache.direct).toBe(false);
  const tx = new MemTx();
  expect(cache.load(0, le32, tx)).toBe(0);
  expect(tx.result).toBe(DECODE_ERROR);
  cache.dispose();
  cache.dispose();
  expect(() => cache.load(0, u8)).toThrow(RangeError);
});

it('A-93: stores through a cache mark nothing until invalidate; bounds and direction are checked', () => {
  const m = machine();
  const ram = m.ram(0, 0x4000);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 0x4000, VGA);
  const cache = m.space.cache(0x1000, 0x1000, 'write');
  cache.store(0x10, le16, 7);
  cache.write(0x20, bytesOf('0102'));
  expect(memoryRegionGetDirty(ram, 0, 0x4000, VGA)).toBe(false);
  cache.invalidate(0x10, 2);
  expect(memoryRegionGetDirty(ram, 0x1000, 0x1000, VGA)).toBe(true);
  expect(() => cache.load(0xffd, le32)).toThrow(RangeError);
  expect(() => cache.store(-1, u8, 0)).toThrow(RangeError);
  const reader = m.space.cache(0x1000, 0x1000, 'read');
  expect(() => reader.store(0, u8, 1)).toThrow(/opened for reading/);
  expect(() => reader.invalidate(0, 1)).toThrow(/opened for reading/);
  const buf = new Uint8Array(2);
  reader.read(0x20, buf);
  expect(toHex(buf)).toBe('0102');
});

it('A-93: a cache over a device takes the full path with relative addresses, step after step', () => {
  const m = machine();
  m.device(0x100, 0x100, { endianness: 'little' }, (offset) => offset);
  const cache = m.space.cache(0x140, 0x20, 'write');
  const buf = new Uint8Array(6);
  cache.read(4, buf);
  cache.store(8, u8, 1);
  expect(toHex(buf)).toBe('440000004800');
  expect(m.took()).toEqual(['R4@44=0x44', 'R2@48=0x48', 'W1@48=0x1']);
});

it('A-143, D5: chunks name section, offset and length of RAM, devices and holes alike, found one by one', () => {
  const m = machine();
  m.ram(0, 0x10);
  m.device(0x10, 4, { endianness: 'little', valid: { maxAccessSize: 2 } });
  m.ram(0x20, 0x10, 'next');
  const pieces = [...m.space.chunks(0xc, 0x18, 'read')];
  expect(pieces.map((c) => [c.addr, c.length, c.section.region.name, c.offset, c.bytes?.length])).toEqual([
    [0xc, 4, 'ram', 0xc, 4],
    [0x10, 2, 'dev', 0, undefined],
    [0x12, 2, 'dev', 2, undefined],
    [0x14, 12, '', 0x14, undefined],
    [0x20, 4, 'next', 0, 4],
  ]);
  expect([...m.space.chunks(0, 0, 'read')]).toEqual([]);
  const lazy = m.space.chunks(0, 0x40, 'read');
  lazy.next();
  m.root.addSubregion(0x10, m.core.ram('over', bufferBacking(4)), 1);
  expect(m.space.view.length).toBe(3);
  expect([...lazy].length).toBeGreaterThan(2);
});

it('A-105, A-106: a section names region, place, offset and flags; region offset = section offset + its start', () => {
  const m = machine();
  const ram = m.core.ram('ram', bufferBacking(0x1000));
  m.root.addSubregion(0x100, m.core.alias('part', ram, 0x200, 0x100, { readonly: true }));
  const section = addressSpaceLookupSection(m.space, 0x150);
  expect([
    section.region,
    section.offsetWithinRegion,
    section.offsetWithinAddressSpace,
    section.size,
    section.readonly,
  ]).toEqual([ram, 0x200n, 0x100n, 0x100n, true]);
  expect(section.equals(addressSpaceLookupSection(m.space, 0x1ff))).toBe(true);
});

it('A-110, A-111, A-112: the current view, and a reference that fails only for a view on its way out', () => {
  const m = machine();
  m.ram(0, 0x1000);
  const view = addressSpaceGetFlatview(m.space);
  expect(view).toBe(addressSpaceToFlatview(m.space));
  expect(flatviewRef(view)).toBe(true);
  flatviewUnref(view);
  flatviewUnref(view);
  m.ram(0x1000, 0x1000, 'next');
  expect(addressSpaceToFlatview(m.space)).not.toBe(view);
  expect(flatviewRef(view)).toBe(false);
});

it('A-112, T-100: a space that was disposed of lets nobody hold its view, before and after the grace period', () => {
  const m = machine();
  const root = m.core.ram('own', bufferBacking(0x1000));
  const space = m.core.addressSpace(root, 'gone');
  const pinned = space.memory();
  const kept = space.view;
  space.dispose();
  const disposed = expect.objectContaining({ name: 'MemoryRegionError', code: 'disposed' });
  const refused = (): void => {
    expect(() => addressSpaceGetFlatview(space)).toThrow(disposed);
    expect(() => space.getFlatView()).toThrow(disposed);
    expect(() => space.cache(0, 4, 'read')).toThrow(disposed);
    expect(() => space.memory()).toThrow(disposed);
  };
  refused();
  pinned.memory().dispose(); // Whoever held it before still may.
  pinned.dispose();
  refused();
  expect(() => pinned.memory()).toThrow(disposed);
  m.core.rcu.drain();
  refused();
  expect([kept.references, flatviewRef(kept)]).toEqual([0, false]);
  refused();
  expect(() => m.core.pin(kept)).toThrow(disposed);
});

it('A-92: a cache that is refused is empty, and gives nothing back', () => {
  const m = machine();
  m.ram(0, 0x1000);
  const cache = new MemoryRegionCache();
  expect(cache.init(m.space, 0, 16, 'read')).toBe(16);
  const before = m.space.view.references;
  const other = m.core.addressSpace(m.root, 'gone');
  other.dispose();
  expect(() => cache.init(other, 0, 16, 'read')).toThrow(/address space "gone" has been disposed of/);
  expect([cache.length, m.space.view.references]).toEqual([0, before - 1]);
  cache.dispose();
  m.core.rcu.drain();
  expect(m.space.view.references).toBe(before - 1);
});

it('A-113, A-114: a look-up never answers with nothing; a translation names the offset and what belongs together', () => {
  const m = machine();
  m.ram(0x1000, 0x100);
  m.device(0x2000, 0x10);
  expect(addressSpaceLookupSection(m.space, 0x500).region).toBe(m.core.unassigned);
  expect(addressSpaceLookupSection(m.space, 0xffff_ffff_ffff_ffffn).size).toBe(1n << 64n);
  const at = (addr: number) => flatviewTranslateSection(m.space, addr, 0x1000, 'read', ANY);
  expect([at(0x1080).offset, at(0x1080).length]).toEqual([0x80, 0x80]);
  expect([at(0x2004).offset, at(0x2004).length]).toEqual([4, 0x1000]);
  expect([at(0x500).offset, at(0x500).section.region]).toEqual([0x500, m.core.unassigned]);
});

it('A-115, A-116, A-117, A-144: what a section allows, covers and shows of host memory', () => {
  const m = machine();
  m.ram(0x1000, 0x100);
  m.device(0x2000, 0x10);
  const ram = addressSpaceLookupSection(m.space, 0x1000);
  const dev = addressSpaceLookupSection(m.space, 0x2000);
  const memory = memTxAttrs({ memory: true });
  expect([
    sectionAccessAllowed(ram, memory),
    sectionAccessAllowed(dev, memory),
    sectionAccessAllowed(dev, ANY),
  ]).toEqual([true, false, true]);
  expect([0, 0xff, 0x100].map((offset) => sectionCoversRegionAddr(ram, offset))).toEqual([true, true, false]);
  const host = sectionGetHostAddr(ram, 0x10);
  host[0] = 0x77;
  expect([host.length, m.space.load(0x1010, u8)]).toEqual([0xf0, 0x77]);
  expect(() => sectionGetHostAddr(dev, 0)).toThrow(GuestMemoryError);
  expect(() => sectionGetHostAddr(ram, 0x100)).toThrow(GuestMemoryError);
});

it('A-118: the fuzz hook is told the bus address', () => {
  const m = machine();
  m.ram(0x1000, 0x100);
  const seen: unknown[] = [];
  m.core.access.observer = { dmaRead: (addr, len) => void seen.push([addr, len]) };
  sectionFuzzDmaRead(addressSpaceLookupSection(m.space, 0x1000), 0x1010, 4);
  expect(seen).toEqual([[0x1010, 4]]);
});

it('A-119, A-120: one step reads or writes as far as the region takes it, and tells how far', () => {
  const m = machine();
  m.ram(0x1000, 0x100);
  m.device(0x2000, 0x10, { endianness: 'little', valid: { minAccessSize: 4, maxAccessSize: 4 } }, 0x01020304);
  const ram = addressSpaceLookupSection(m.space, 0x1000);
  const dev = addressSpaceLookupSection(m.space, 0x2000);
  const tx = new MemTx();
  const buf = new Uint8Array(8).fill(0xcc);
  expect(sectionWriteContinueStep(ram, ANY, bytesOf('0102030405060708'), 8, 0xfc, tx)).toBe(4);
  expect(sectionReadContinueStep(ram, ANY, buf, 8, 0xfc, tx)).toBe(4);
  expect([toHex(buf), tx.result, tx.done]).toEqual(['01020304cccccccc', OK, 4]);
  expect(sectionReadContinueStep(dev, ANY, buf, 8, 0, tx)).toBe(4);
  expect([toHex(buf), tx.result]).toEqual(['04030201cccccccc', OK]);
  expect(sectionReadContinueStep(dev, ANY, buf, 2, 4, tx)).toBe(2);
  expect([toHex(buf), tx.result, tx.done]).toEqual(['00000201cccccccc', DECODE_ERROR, 0]);
  expect(sectionReadContinueStep(dev, memTxAttrs({ memory: true }), buf, 4, 0, tx)).toBe(0);
  expect([toHex(buf), tx.result]).toEqual(['00000201cccccccc', ACCESS_ERROR]);
  expect(() => sectionReadContinueStep(dev, ANY, buf, 0, 0, tx)).toThrow(RangeError);
});

it('A-121, A-122, A-124: a section load or store is one access in the order its codec names', () => {
  const m = machine();
  const ram = m.ram(0x1000, 0x100);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 0x100, VGA);
  m.device(0x2000, 0x10, { endianness: 'little' }, 0x01020304);
  const section = addressSpaceLookupSection(m.space, 0x1000);
  const tx = new MemTx();
  sectionStore(section, 4, be32, 5, ANY, tx);
  expect([m.read(0x1004, 4).hex, tx.result]).toEqual(['00000005', OK]);
  expect(memoryRegionGetDirty(ram, 0, 0x100, VGA)).toBe(true);
  expect(sectionLoad(section, 4, be32, ANY, tx)).toBe(5);
  expect(sectionLoad(addressSpaceLookupSection(m.space, 0x2000), 0, be32, ANY, tx)).toBe(0x04030201);
  sectionStore(addressSpaceLookupSection(m.space, 0), 0, le32, 5, ANY, tx);
  expect(tx.result).toBe(DECODE_ERROR);
});

it('A-125: the system memory of a machine is its own', () => {
  const { core } = new TestMachine();
  expect(addressSpaceMemory(core).root.name).toBe('system');
  const memory = addressSpaceMemory(core);
  expect([memory === addressSpaceMemory(core), memory === addressSpaceMemory(new TestMachine().core)]).toEqual([
    true,
    false,
  ]);
});

it('A-125: the target order of the machine', () => {
  expect(targetIsBigEndian(new TestMachine().core)).toBe(false);
  expect(targetIsBigEndian(new TestMachine({ targetOrder: 'big' }).core)).toBe(true);
});

it('A-130, A-131, A-132: reads and writes go section by section and are short where memory ends', () => {
  const m = machine();
  m.ram(0, 0x10);
  m.ram(0x10, 0x10, 'next');
  expect(m.space.write(bytesOf('0102030405060708'), 0xc)).toBe(8);
  expect(m.space.write(bytesOf('0102030405060708'), 0x1c)).toBe(4);
  expect(m.space.read(new Uint8Array(0), 0x500)).toBe(0);
});

it('A-133, A-134: the throwing vocabulary stops at the first failure, and names cause, bits and progress', () => {
  const m = machine();
  m.ram(0, 0x10);
  expect(() => m.space.store(0xe, le32, 1)).toThrow(
    expect.objectContaining({ code: 'invalid-backend-address', result: DECODE_ERROR, completed: 0 }),
  );
  expect(() => m.space.store(0x100, le32, 1)).toThrow(
    expect.objectContaining({ code: 'invalid-guest-address', addr: 0x100 }),
  );
  expect(() => m.space.writeSlice(new Uint8Array(8), 0xc)).toThrow(
    expect.objectContaining({ code: 'partial-buffer', completed: 4, expected: 8 }),
  );
});

it('A-135, A-136: accesses of a space meet the current view, those of a pinned one its own', () => {
  const m = machine();
  const ram = m.ram(0, 0x10);
  m.space.store(0, u8, 5);
  const pinned = m.space.memory();
  const view = pinnedView(m.space);
  ram.setAddress(0x100);
  expect([pinned.load(0, u8), view.load(0, u8), m.space.load(0x100, u8)]).toEqual([5, 5, 5]);
  expect(() => m.space.load(0, u8)).toThrow(/DECODE_ERROR/);
  pinned.dispose();
  pinned.dispose();
  view.dispose();
  expect(pinned.disposed).toBe(true);
});

it('A-137: a view tells its ranges, and whether an address is covered', () => {
  const m = machine();
  m.ram(0, 0x10);
  m.ram(0x20, 0x10, 'next');
  expect([m.space.view.length, m.space.view.find(0x28), m.space.view.find(0x18)]).toEqual([2, 1, -1]);
});

it('D15: a tap sees the whole access of the caller, before a write and after a read, until it is disposed of', () => {
  const m = machine();
  m.ram(0, 0x1000);
  m.device(0x1000, 0x100, { endianness: 'little', impl: { maxAccessSize: 1 } }, 3);
  const attrs = memTxAttrs({ requesterId: 7 });
  const seen: unknown[] = [];
  const tap = m.space.tap(0xffe, 4, (e) =>
    seen.push([e.addr, e.size, e.isWrite, e.value ?? e.bytes?.length, e.attrs === attrs, m.space.core.access.depth]),
  );
  const writes = m.space.tap(0x10, 1, (e) => seen.push(['only writes', e.value]), { on: 'write' });
  m.space.store(0xff0, le32, 1);
  m.space.txStore(0xffc, le32, 2, attrs, new MemTx());
  m.space.txLoad(0x1000, le32, attrs, new MemTx());
  m.write(0xff0, '00'.repeat(32), attrs);
  m.space.load(0x10, u8);
  m.space.store(0xe, le32, 9);
  expect(seen).toEqual([
    [0xffc, 4, true, 2, true, 0],
    [0x1000, 4, false, 0x03030303, true, 0],
    [0xff0, 32, true, 32, true, 0],
    ['only writes', 9],
  ]);
  expect(m.space.load(0xffc, le32)).toBe(0);
  tap.dispose();
  writes.dispose();
  const count = seen.length;
  m.space.store(0xffe, le16, 1);
  m.space.store(0x10, u8, 1);
  expect(seen).toHaveLength(count);
  expect(() => m.space.tap(0, 0, () => undefined)).toThrow(RangeError);
});
