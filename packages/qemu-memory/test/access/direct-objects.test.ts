/** Objects and struct fields through cached pages of an IOMMU are what transfers would make of them, without their cost. */
import { le32, MemTx, MemTxResult } from '@guestmem/memtx';
import { bufferBacking, struct, u16, u32 } from '@guestmem/vm-memory';
import { describe, expect, it, vi } from 'vitest';
import {
  IommuAccess,
  LogClient,
  MemoryCore,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
  PageIommu,
} from '../../src/index.ts';

const PAGE = 0x1000;
const Entry = struct({ addr: u32, len: u16, flags: u16 }, { order: 'little' });

/** RAM of 8 pages, a ROM and a ROM device of one, behind an IOMMU at `base` whose page n leads to `table[n]`, nowhere at first. */
function machine(base: number, numIndexes = 1) {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 32n);
  const ram = core.ram('ram', bufferBacking(8 * PAGE));
  system.addSubregion(0, ram);
  system.addSubregion(8 * PAGE, core.rom('rom', bufferBacking(PAGE)));
  const device = { read: () => 0, write: () => undefined };
  system.addSubregion(9 * PAGE, core.romDevice('flash', bufferBacking(new Uint8Array(PAGE).fill(7)), device));
  const memory = core.addressSpace(system, 'memory');
  const table = new Map<number, { translatedAddr: number; perm: IommuAccess }>();
  const indexes =
    numIndexes === 1 ? {} : { numIndexes, attrsToIndex: ({ secure }: { secure: boolean }) => (secure ? 1 : 0) };
  const model = new PageIommu(
    memory,
    (iova, _, index) => table.get(Math.floor(Number(iova) / PAGE) + 16 * index) ?? null,
    indexes,
  );
  const bus = core.container('bus', 1n << 32n);
  bus.addSubregion(base, core.iommu('iommu', 16n * BigInt(PAGE), model));
  const dma = core.addressSpace(bus, 'dma');
  const map = (page: number, to: number, perm: IommuAccess = IommuAccess.RW): void => {
    table.set(page, { translatedAddr: to * PAGE, perm });
    model.invalidate(null, (page & 15) * PAGE, PAGE, page >> 4);
  };
  return { core, ram, memory, model, table, dma, map };
}

describe.each([
  ['at 0', 0],
  ['at 1 GiB', 0x4000_0000],
])('an IOMMU %s', (_, base) => {
  it('A-152: a field in a cached page is read and written without a transfer, through views too', () => {
    const { dma, memory, map } = machine(base);
    map(1, 5);
    const entry = Entry.accessor(dma.with({ requesterId: 8 }), base + PAGE + 0x10);
    entry.addr = 0x1234_5678; // Enters the page.
    const transfers = [vi.spyOn(dma, 'txRead'), vi.spyOn(dma, 'txWrite')];
    entry.len = 7;
    expect([entry.addr, entry.len, entry.flags]).toEqual([0x1234_5678, 7, 0]);
    expect(dma.readObj(base + PAGE + 0x10, Entry)).toEqual({ addr: 0x1234_5678, len: 7, flags: 0 });
    for (const transfer of transfers) expect(transfer).not.toHaveBeenCalled();
    expect(memory.readObj(5 * PAGE + 0x10, Entry)).toEqual({ addr: 0x1234_5678, len: 7, flags: 0 });
  });

  it('A-152, A-187: what goes, moves, narrows or lies over an edge is as by a transfer, and pages are marked', () => {
    const { dma, memory, map, ram } = machine(base);
    ram.setLog(true, LogClient.VGA);
    map(1, 5);
    map(2, 3);
    const at = base + 2 * PAGE - 4;
    dma.writeObj(at, Entry, { addr: 1, len: 2, flags: 3 });
    expect([memory.load(6 * PAGE - 4, le32), memory.load(3 * PAGE, le32)]).toEqual([1, 0x3_0002]);
    dma.readObj(base + PAGE, le32);
    memoryRegionResetDirty(ram, 0, 8 * PAGE, LogClient.VGA);
    dma.with({}).writeObj(base + PAGE + 8, le32, 9);
    const dirty = [3, 4, 5, 6].map((page) => memoryRegionGetDirty(ram, page * PAGE, PAGE, LogClient.VGA));
    expect([memory.load(5 * PAGE + 8, le32), dirty]).toEqual([9, [false, false, true, false]]);
    map(1, 6, IommuAccess.RO);
    const tx = new MemTx();
    const view = dma.with({ tx, onError: 'continue' });
    expect([view.readObj(base + PAGE + 8, le32), tx.result]).toEqual([0, MemTxResult.OK]);
    view.writeObj(base + PAGE + 8, le32, 5);
    expect([tx.result, memory.load(6 * PAGE + 8, le32)]).toEqual([MemTxResult.DECODE_ERROR, 0]);
    map(1, 8);
    view.writeObj(base + PAGE + 8, le32, 5);
    expect([tx.result, memory.load(8 * PAGE + 8, le32)]).toEqual([MemTxResult.DECODE_ERROR, 0]);
  });

  it('V-1.2: a struct is written there as a whole, and its gaps keep what they hold', () => {
    const { dma, memory, map } = machine(base);
    const gapped = struct({ kind: u16, id: u32 }, { order: 'little' });
    map(1, 5);
    memory.set(5 * PAGE, 0xcc, 16);
    dma.readObj(base + PAGE, le32); // Enters the page.
    dma.writeObj(base + PAGE + 8, gapped, { kind: 1, id: 2 });
    expect(memory.readObj(5 * PAGE + 8, struct({ low: u32, high: u32 }, { order: 'little' }))).toEqual({
      low: 0xcccc_0001,
      high: 2,
    });
    expect(() => dma.writeObj(base + PAGE, gapped, { kind: 1, id: -1 })).toThrow('.id:');
    expect(memory.load(5 * PAGE, le32)).toBe(0xcccc_cccc);
  });

  it('A-64: a ROM device behind a cached page is no memory', () => {
    const { dma, map } = machine(base);
    map(1, 9);
    const tx = new MemTx();
    const memory = dma.with({ memory: true, tx });
    for (let i = 0; i < 3; i++) {
      expect(dma.readObj(base + PAGE, le32)).toBe(0x0707_0707);
      expect([memory.readObj(base + PAGE, le32), tx.result]).toEqual([0, MemTxResult.ACCESS_ERROR]);
    }
  });

  it('D15, A-153: taps see them, and attributes choose the table', () => {
    const { dma, memory, map } = machine(base, 2);
    map(1, 5);
    map(17, 6);
    memory.store(5 * PAGE, le32, 50);
    memory.store(6 * PAGE, le32, 60);
    const secure = dma.with({ secure: true });
    for (let i = 0; i < 3; i++)
      expect([dma.readObj(base + PAGE, le32), secure.readObj(base + PAGE, le32)]).toEqual([50, 60]);
    const seen: unknown[] = [];
    const tap = dma.tap(base + PAGE, 4, ({ isWrite }) => seen.push(isWrite));
    secure.readObj(base + PAGE, le32);
    secure.writeObj(base + PAGE, le32, 61);
    tap.dispose();
    expect([seen, memory.load(6 * PAGE, le32)]).toEqual([[false, true], 61]);
  });
});
