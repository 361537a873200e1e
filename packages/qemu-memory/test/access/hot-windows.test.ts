/**
 * The windows that scalar accesses try first must be invisible: whatever is near their edges, comes or goes while they
 * are open, is answered as through the slow path. Each test first makes enough accesses to open them.
 */
import {
  be32,
  le16,
  le32,
  le64,
  le64n,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  MemTxResult,
  memTxAttrs,
  u8,
} from '@guestmem/memtx';
import { bufferBacking, GuestMemoryError, Ordering, type ScalarCodec, u32 } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import {
  type AddressSpace,
  LogClient,
  MemoryCore,
  type MemoryRegion,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
} from '../../src/index.ts';

const PAGE = 0x1000;
const HIGH = 0x4000_0000;

/** RAM at 0 (two pages) and at HIGH (two pages), with the windows for the one at `at` open. */
function machine(at: number): { core: MemoryCore; system: MemoryRegion; space: AddressSpace; low: MemoryRegion } {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const low = core.ram('low', bufferBacking(2 * PAGE));
  system.addSubregion(0, low);
  system.addSubregion(HIGH, core.ram('high', bufferBacking(2 * PAGE)));
  if (at > HIGH) system.addSubregion(at, core.ram('there', bufferBacking(2 * PAGE)));
  const space = core.addressSpace(system, 'memory');
  open(space, at);
  return { core, system, space, low };
}

function open(space: AddressSpace, at: number): void {
  for (let i = 0; i < 2000; i++) {
    space.load(at, le32);
    space.store(at, le32, 0);
  }
  if (at < 2 ** 32)
    expect([space.map.homeBits, space.map.homeLoads]).toEqual([at | 0, Math.min(2 * PAGE, 2 ** 32 - at) - 7]);
  if (at + 2 * PAGE > 2 ** 32) expect(space.map.high.first).toBe(at);
}

describe.each([
  ['RAM at 0', 0],
  ['RAM at 1 GiB', HIGH],
  ['RAM at 2 GiB', 0x8000_0000],
  ['RAM that ends at 4 GiB', 0x1_0000_0000 - 2 * PAGE],
  ['RAM across 4 GiB', 0x1_0000_0000 - PAGE],
  ['RAM at 4 GiB', 0x1_0000_0000],
  ['RAM at 2 PiB', 0x8_0000_0000_0000],
])('%s', (_, base) => {
  it('A-70: loads and stores of every codec agree up to the last byte', () => {
    const { space } = machine(base);
    for (let at = 2 * PAGE - 20; at <= 2 * PAGE - 4; at++) {
      space.store(base + at, le32, 0xf1e2_d3c4);
      expect(space.load(base + at, le32)).toBe(0xf1e2_d3c4);
      expect(space.load(base + at, be32)).toBe(0xc4d3_e2f1);
      expect(space.load(base + at, u32)).toBe(0xf1e2_d3c4);
      expect(space.load(base + at, le16)).toBe(0xd3c4);
      expect(space.load(base + at + 3, u8)).toBe(0xf1);
      expect(space.readObj(base + at, le32)).toBe(0xf1e2_d3c4);
      space.writeObj(base + at, le32, 0x0102_0304);
      expect(space.load(BigInt(base + at), le32)).toBe(0x0102_0304);
    }
    for (let at = 2 * PAGE - 20; at <= 2 * PAGE - 8; at++) {
      space.store(base + at, le64n, 0x0012_3456_89ab_cdef);
      expect(space.load(base + at, le64n)).toBe(0x0012_3456_89ab_cdef);
      expect(space.load(base + at, le64)).toBe(0x0012_3456_89ab_cdefn);
      space.writeObj(base + at, le64n, 2 ** 53 - 1);
      expect(space.readObj(base + at, le64n)).toBe(2 ** 53 - 1);
      space.store(base + at, le64, 0xffff_ffff_ffff_fffen);
      expect(() => space.load(base + at, le64n)).toThrow(RangeError);
      expect(() => space.readObj(base + at, le64n)).toThrow(RangeError);
    }
  });

  it('A-70: loads and stores of every codec agree in the middle, whatever lies there', () => {
    const { space } = machine(base);
    for (let at = PAGE - 12; at <= PAGE + 4; at++) {
      space.store(base + at, le64n, 0x0012_3456_89ab_cdef);
      for (const [codec, offset, value] of [
        [le64n, 0, 0x0012_3456_89ab_cdef],
        [le32, 0, 0x89ab_cdef],
        [be32, 4, 0x5634_1200],
        [le16, 3, 0x5689],
        [u8, 7, 0],
        [u8, 6, 0x12],
      ] as const) {
        expect(space.load(base + at + offset, codec)).toBe(value);
        expect(space.readObj(base + at + offset, codec)).toBe(value);
        space.store(base + at + offset, codec, value);
        space.writeObj(base + at + offset, codec, value);
        expect(space.load(base + at, le64n)).toBe(0x0012_3456_89ab_cdef);
      }
    }
  });

  it('A-272: an access that runs over the end is refused, and the next address is a hole', () => {
    const { space } = machine(base);
    for (let at = 2 * PAGE - 3; at < 2 * PAGE + 4; at++) {
      expect(() => space.load(base + at, le32)).toThrow(GuestMemoryError);
      expect(() => space.store(base + at, le32, 1)).toThrow(GuestMemoryError);
    }
    expect(() => space.load(base + 2 * PAGE - 7, le64n)).toThrow(GuestMemoryError);
    expect(() => space.store(base + 2 * PAGE - 7, le64n, 1)).toThrow(GuestMemoryError);
  });

  it('A-61, A-62, A-77: a transfer or a fill that runs over the end moves what is there and nothing of the buffer around it', () => {
    // Home and the table: the hotter one of two alike.
    for (const piece of [0, 1]) {
      const core = new MemoryCore();
      const system = core.container('system', 1n << 64n);
      const around = new Uint8Array(4 * PAGE).fill(0xee);
      const bytes = around.subarray(PAGE, 3 * PAGE);
      system.addSubregion(base, core.ram('ram', bufferBacking(bytes)));
      system.addSubregion(base === HIGH ? 0 : HIGH, core.ram('other', bufferBacking(2 * PAGE)));
      const space = core.addressSpace(system, 'memory');
      const hot = piece === 0 ? base : base === HIGH ? 0 : HIGH;
      for (let i = 0; i < 2000; i++) space.load(hot, le32);
      bytes.forEach((_, i) => {
        bytes[i] = i & 0x7f;
      });
      for (const length of [1, 4, 7, 8, 9, 16, 17, 40])
        for (let over = -2; over <= Math.min(9, length); over++) {
          const at = 2 * PAGE - length + over;
          const there = Math.min(length, length - over);
          const out = new Uint8Array(length).fill(0xaa);
          const tx = new MemTx();
          space.txRead(base + at, out, MEMTXATTRS_UNSPECIFIED, 'continue', tx);
          expect([tx.result, tx.done]).toEqual(over > 0 ? [MemTxResult.DECODE_ERROR, there] : [MemTxResult.OK, length]);
          expect([...out]).toEqual(Array.from(out, (_, i) => (i < there ? (at + i) & 0x7f : 0)));
          space.txWrite(base + at, new Uint8Array(length).fill(0xdd), MEMTXATTRS_UNSPECIFIED, 'continue', tx);
          expect([tx.result, tx.done]).toEqual(over > 0 ? [MemTxResult.DECODE_ERROR, there] : [MemTxResult.OK, length]);
          expect([...bytes.subarray(at, at + there)]).toEqual(new Array(there).fill(0xdd));
          space.set(base + at, 0xcc, length, MEMTXATTRS_UNSPECIFIED, tx);
          expect([tx.result, tx.done]).toEqual(over > 0 ? [MemTxResult.DECODE_ERROR, there] : [MemTxResult.OK, length]);
          expect([...bytes.subarray(at, at + there)]).toEqual(new Array(there).fill(0xcc));
          expect(bytes[at - 1]).toBe((at - 1) & 0x7f);
          expect(around[PAGE - 1]).toBe(0xee);
          expect([...around.subarray(3 * PAGE, 3 * PAGE + 16)]).toEqual(new Array(16).fill(0xee));
          for (let i = at; i < 2 * PAGE; i++) bytes[i] = i & 0x7f;
        }
    }
  });

  it('D1: what is no address is refused, and a bigint is one', () => {
    const { space } = machine(base);
    for (const addr of [
      base + 0.5,
      -1,
      -4,
      (base % 2 ** 32) - 2 ** 32 - 1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
    ]) {
      expect(() => space.load(addr, le32), String(addr)).toThrow(RangeError);
      expect(() => space.store(addr, le32, 1), String(addr)).toThrow(RangeError);
      expect(() => space.load(addr, le64n), String(addr)).toThrow(RangeError);
      expect(() => space.readObj(addr, le32), String(addr)).toThrow(RangeError);
      expect(() => space.writeObj(addr, le64n, 1), String(addr)).toThrow(RangeError);
    }
    for (const addr of [`${base}`, null, undefined, {}] as unknown as number[])
      expect(() => space.load(addr, le32)).toThrow(TypeError);
    space.store(BigInt(base), le32, 77);
    expect(space.load(base, le32)).toBe(77);
    expect(() => space.load(base + 2 ** 32, le32)).toThrow(GuestMemoryError);
    expect(() => space.load(BigInt(base) + (1n << 32n), le32)).toThrow(GuestMemoryError);
  });

  it('D2: a value that the codec does not take is refused and nothing is stored', () => {
    const { space } = machine(base);
    space.store(base, le64, 0x1122_3344_5566_7788n);
    for (const value of [-1, 2 ** 32, 0.5, Number.NaN]) {
      expect(() => space.store(base, le32, value), String(value)).toThrow(RangeError);
      expect(() => space.writeObj(base, le32, value), String(value)).toThrow(RangeError);
    }
    for (const value of [-1, 2 ** 53, 0.5, Number.NaN]) {
      expect(() => space.store(base, le64n, value), String(value)).toThrow(RangeError);
      expect(() => space.writeObj(base, le64n, value), String(value)).toThrow(RangeError);
    }
    expect(() => space.store(base, le32, 1n as unknown as number)).toThrow(TypeError);
    expect(() => space.store(base, le64n, '1' as unknown as number)).toThrow(TypeError);
    expect(space.load(base, le64)).toBe(0x1122_3344_5566_7788n);
  });

  it('T-92: a published view closes them', () => {
    const { core, system, space } = machine(base);
    const cover = core.io('cover', 0x10, { read: () => 0x55, write: () => {} });
    system.addSubregion(base, cover, 1);
    expect(space.load(base, le32)).toBe(0x55);
    expect(space.readObj(base, le32)).toBe(0x55);
    system.delSubregion(cover);
    expect(space.load(base, le32)).toBe(0);
  });

  it('D15, A-95: a tap and an observer see accesses in them, and none after they are gone', () => {
    const { core, space } = machine(base);
    const seen: unknown[] = [];
    const tap = space.tap(base, 4, (event) => seen.push([event.addr, event.value]));
    space.store(base, le32, 3);
    space.load(base, le32);
    expect(seen).toEqual([
      [base, 3],
      [base, 3],
    ]);
    tap.dispose();
    open(space, base);
    core.access.observer = { dmaRead: (addr, len) => seen.push([addr, len]) };
    for (let i = 0; i < 1000; i++) space.load(base, le32);
    expect(seen.length).toBe(1002);
    core.access.observer = null;
    open(space, base);
    expect(seen.length).toBe(1002);
  });

  it('A-8: with a MemTx the outcome is told', () => {
    const { space } = machine(base);
    const tx = new MemTx();
    tx.result = MemTxResult.ERROR;
    space.txStore(base, le32, 0xffff_ffff, MEMTXATTRS_UNSPECIFIED, tx);
    expect([tx.result, tx.done]).toEqual([MemTxResult.OK, 4]);
    tx.result = MemTxResult.ERROR;
    expect(space.txLoad(base, le32, MEMTXATTRS_UNSPECIFIED, tx)).toBe(0xffff_ffff);
    expect([tx.result, tx.done]).toEqual([MemTxResult.OK, 4]);
  });
});

it('A-187: stores through the windows mark their pages', () => {
  const { core, space, low } = machine(0);
  low.setLog(true, LogClient.VGA);
  open(space, 0);
  const { dirty } = low.ram!;
  const marks = (write: () => void): boolean[] => {
    dirty.testAndClear(0, 2 * PAGE, LogClient.VGA);
    write();
    return [0, 1].map((page) => dirty.get(page * PAGE, PAGE, LogClient.VGA));
  };
  expect(marks(() => space.store(8, le32, 1))).toEqual([true, false]);
  expect(marks(() => space.store(PAGE, le32, 1))).toEqual([false, true]);
  expect(marks(() => space.store(PAGE - 2, le32, 1))).toEqual([true, true]);
  expect(marks(() => space.store(PAGE - 4, le64n, 1))).toEqual([true, true]);
  expect(marks(() => space.writeObj(PAGE - 1, le32, 1))).toEqual([true, true]);
  expect(core.addressSpaces.length).toBe(1);
});

it.each([
  ['below 4 GiB', 8 * PAGE],
  ['above', 0x1_0000_0000],
])('A-187: stores to several pieces of RAM, none of them home, mark their pages: %s', (_, base) => {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const pieces = Array.from({ length: 4 }, (_, i) => {
    const piece = core.ram(`piece${i}`, bufferBacking(2 * PAGE));
    system.addSubregion(base + 2 * i * PAGE, piece);
    piece.setLog(true, LogClient.VGA);
    return piece;
  });
  const space = core.addressSpace(system, 'memory');
  for (let i = 0; i < 4000; i++) space.store(base + (i & 7) * PAGE, le32, i);
  for (let page = 0; page < 8; page++)
    for (const codec of [u8, be32, le64n]) {
      for (const piece of pieces) memoryRegionResetDirty(piece, 0, 2 * PAGE, LogClient.VGA);
      space.store(base + page * PAGE + 24, codec, 1);
      const dirty = pieces.flatMap((piece) =>
        [0, 1].map((at) => memoryRegionGetDirty(piece, at * PAGE, PAGE, LogClient.VGA)),
      );
      expect(dirty).toEqual(Array.from({ length: 8 }, (_, i) => i === page));
    }
});

it.each([
  ['at home', 0],
  ['elsewhere', HIGH],
  ['through a tap', PAGE],
])('D2: a load that its codec refuses does not tell OK: %s', (_, at) => {
  const { space } = machine(0);
  if (at === PAGE) space.tap(PAGE, 8, () => {});
  space.store(at, le64, 1n << 60n);
  const tx = new MemTx();
  tx.result = MemTxResult.ERROR;
  for (const ordering of [undefined, Ordering.SEQ_CST]) {
    expect(() => space.txLoad(at, le64n, MEMTXATTRS_UNSPECIFIED, tx, ordering)).toThrow(RangeError);
    expect(tx.result).toBe(MemTxResult.ERROR);
  }
});

it('D15: a tap that accesses memory itself changes nothing of what is loaded', () => {
  const { space } = machine(0);
  space.store(0, le32, 0x1234_5678);
  space.store(8, le32, 0x9abc_def0);
  space.tap(0, 4, (event) => {
    if (event.isWrite) return;
    space.load(8, le32, Ordering.SEQ_CST);
    space.store(0, le32, 5);
  });
  expect(space.load(0, le32)).toBe(0x1234_5678);
  expect(space.load(4, le32)).toBe(0);
});

it('A-53: read-only RAM is never stored to through a window', () => {
  const { space, low } = machine(0);
  low.setReadonly(true);
  for (let i = 0; i < 2000; i++) space.load(0, le32);
  expect(space.map.homeLoads).toBe(2 * PAGE - 7);
  const tx = new MemTx();
  space.txStore(0, le32, 5, MEMTXATTRS_UNSPECIFIED, tx);
  expect(space.load(0, le32)).toBe(0);
  try {
    space.store(0, le32, 5);
  } catch (error) {
    expect(error).toBeInstanceOf(GuestMemoryError);
  }
  expect(space.load(0, le32)).toBe(0);
});

it('A-16, A-40: devices of either order, every size, straight and through the window table', () => {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  for (const [i, endianness] of (['little', 'big'] as const).entries()) {
    let last = 0;
    const ops = {
      endianness,
      read: (_: number, size: number) => last & (size === 4 ? -1 : (1 << (8 * size)) - 1),
      write: (_: number, value: number) => {
        last = value;
      },
    };
    system.addSubregion(0xfee0_0000 + i * 0x1000, core.io(endianness, 0x1000, ops));
  }
  const space = core.addressSpace(system, 'memory');
  for (let i = 0; i < 3; i++) {
    for (const at of [0xfee0_0000, 0xfee0_1000]) {
      const little = at === 0xfee0_0000;
      space.store(at, le32, 0x8001_02fe);
      expect(space.load(at, le32)).toBe(0x8001_02fe);
      expect(space.load(at, be32)).toBe(0xfe02_0180);
      expect(space.load(at, le16)).toBe(little ? 0x02fe : 0x8001);
      space.store(at + 8, le16, 0x1234);
      expect(space.load(at + 8, le16)).toBe(0x1234);
      space.store(at + 1, u8, 0x9a);
      expect(space.load(at, u8)).toBe(0x9a);
    }
  }
});

describe('a hole that is hot', () => {
  /** RAM of one page at 0 and at HIGH; nothing between. The hole was met, so that it has its window. */
  function hole() {
    const core = new MemoryCore();
    const system = core.container('system', 2n ** 32n);
    for (const at of [0, HIGH]) system.addSubregion(at, core.ram(`ram at ${at}`, bufferBacking(PAGE)));
    const space = core.addressSpace(system, 'memory');
    const tx = new MemTx();
    const load = (at: number, codec: ScalarCodec<number> = le32, attrs = MEMTXATTRS_UNSPECIFIED) => {
      tx.result = MemTxResult.OK;
      tx.done = 99;
      return [space.txLoad(at, codec, attrs, tx), tx.result, tx.done];
    };
    for (let i = 0; i < 100; i++) load(HIGH - PAGE);
    expect(space.map.holeBits + space.map.holeSpan).toBe(HIGH);
    return { core, system, space, load };
  }
  const NOTHING = [0, MemTxResult.DECODE_ERROR, 0];

  it('A-30, A-80: ends where the RAM begins, on either side, for every size', () => {
    const { space, load } = hole();
    space.store(HIGH, le32, 0x1234_5678);
    space.store(PAGE - 4, le32, 0x9abc_def0);
    for (const codec of [u8, le16, be32, le32] as ScalarCodec<number>[]) {
      expect(load(HIGH - codec.size, codec)).toEqual(NOTHING);
      expect(load(PAGE, codec)).toEqual(NOTHING);
      expect(load(HIGH, codec).slice(1)).toEqual([MemTxResult.OK, codec.size]);
      expect(load(PAGE - codec.size, codec).slice(1)).toEqual([MemTxResult.OK, codec.size]);
    }
    expect(load(HIGH)[0]).toBe(0x1234_5678);
    expect(load(PAGE - 4)[0]).toBe(0x9abc_def0);
    expect(() => space.load(HIGH - PAGE, le32)).toThrow(GuestMemoryError);
  });

  it('T-151: a device that begins where it ends is met there, and one that ends where it begins', () => {
    const { core, system, load } = hole();
    for (const [i, at] of [0x6000_0000, 0x7000_0000 - 0x100].entries())
      system.addSubregion(at, core.io(`device ${i}`, 0x100, { endianness: 'little', read: (offset) => offset + 0x40 }));
    for (let i = 0; i < 100; i++) expect(load(0x6000_0000 - 4)).toEqual(NOTHING);
    expect(load(0x6000_0000)).toEqual([0x40, MemTxResult.OK, 4]);
    for (let i = 0; i < 100; i++) expect(load(0x7000_0000)).toEqual(NOTHING);
    expect(load(0x7000_0000 - 4)).toEqual([0x13c, MemTxResult.OK, 4]);
  });

  it('T-92: what is put into it answers', () => {
    const { core, system, load } = hole();
    const ram = core.ram('new', bufferBacking(PAGE));
    system.addSubregion(HIGH - PAGE, ram);
    expect(load(HIGH - PAGE)).toEqual([0, MemTxResult.OK, 4]);
    system.delSubregion(ram);
    expect(load(HIGH - PAGE)).toEqual(NOTHING);
  });

  it('A-33, D15: an observer is told of refusals there, and a tap of loads', () => {
    const { core, space, load } = hole();
    const seen: string[] = [];
    core.access.observer = { refused: (_, offset, size) => void seen.push(`refused ${offset} ${size}`) };
    expect(load(HIGH - PAGE)).toEqual(NOTHING);
    core.access.observer = null;
    expect(load(HIGH - PAGE)).toEqual(NOTHING);
    const tap = space.tap(HIGH - PAGE, 4, () => seen.push('tap'));
    expect(load(HIGH - PAGE)).toEqual(NOTHING);
    tap[Symbol.dispose]();
    expect(load(HIGH - PAGE)).toEqual(NOTHING);
    expect(seen).toEqual([`refused ${HIGH - PAGE} 4`, 'tap']);
  });

  it('A-81: a debugger meets nothing there, too', () => {
    expect(hole().load(HIGH - PAGE, le32, memTxAttrs({ debug: true }))).toEqual(NOTHING);
  });
});

it('D15: RAM beside what a tap watches is home as without the tap, also of pieces that are met in turn', () => {
  const { core, system, space } = machine(0);
  system.addSubregion(4 * PAGE, core.ram('watched', bufferBacking(2 * PAGE)));
  const seen: unknown[] = [];
  space.tap(4 * PAGE + 8, 4, (event) => seen.push([event.addr, event.size, event.isWrite]));
  const parts = new Set<unknown>();
  for (let i = 0; i < 4000; i++) {
    const addr = (i & 1) * (4 * PAGE + 0x100);
    space.load(addr, le32);
    parts.add(space.map.slotAt(addr));
  }
  expect(parts.size).toBe(2); // One piece, and the watched one from behind the tap on: the same objects each time.
  expect(space.map.homeLoads).toBeGreaterThan(0);
  expect(seen).toEqual([]);
  for (const [addr, codec] of [
    [4 * PAGE + 4, le32],
    [4 * PAGE + 5, le32],
    [4 * PAGE + 4, le64],
    [4 * PAGE + 11, u8],
    [4 * PAGE + 12, u8],
  ] as const)
    space.load<number | bigint>(addr, codec as ScalarCodec<number | bigint>);
  expect(seen).toEqual([
    [4 * PAGE + 5, 4, false],
    [4 * PAGE + 4, 8, false],
    [4 * PAGE + 11, 1, false],
  ]);
});

it.each([
  ['at 2^53 - 1', 2n ** 53n - 1n],
  ['at 2^53', 2n ** 53n],
  ['at 2^53 + 3', 2n ** 53n + 3n],
  ['at 2^64 - 1', 2n ** 64n - 1n],
])('D15: a tap of one byte %s sees what meets it, and nothing beside it', (_, at) => {
  const core = new MemoryCore();
  const space = core.addressSpace(core.container('system', 1n << 64n), 'memory');
  const seen: unknown[] = [];
  space.tap(at, 1, (event) => seen.push(event.addr));
  const view = space.with({ tx: new MemTx(), onError: 'continue' });
  for (let addr = at - 8n; addr <= at; addr++) {
    const given = addr < 2n ** 53n ? Number(addr) : addr;
    view.load(given, le32);
    expect(seen.splice(0).length).toBe(addr + 3n >= at ? 1 : 0);
  }
  if (at < 2n ** 64n - 1n) view.load(at + 1n, le32);
  expect(seen).toEqual([]);
});
