/** What is direct, the bulk transfer, loads and stores, and the functions beside them.. */
import {
  be32,
  le16,
  le32,
  le64,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  type MemTxAttrs,
  MemTxError,
  MemTxResult,
  memTxAttrs,
  u8,
} from '@guestmem/memtx';
import {
  DeviceError,
  DirtyClient,
  type MemoryRegion,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
} from '@guestmem/qemu-memory';
import { bufferBacking, byteArray, Ordering, sparseBacking } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { bytesOf, TestMachine, toHex } from '../support/machine.ts';

const { OK, ERROR, DECODE_ERROR, ACCESS_ERROR } = MemTxResult;
const ANY = MEMTXATTRS_UNSPECIFIED;

function machine(): TestMachine {
  const m = new TestMachine();
  m.logRefusals();
  return m;
}

it('A-52: RAM is direct both ways, ROM and a ROM device in ROMD mode for reads; a debugger writes ROM too', () => {
  const m = machine();
  m.rom(0, bytesOf('01020304'));
  expect(m.space.load(0, le32)).toBe(0x04030201);
  expect(m.write(0, 'aa')).toBe(DECODE_ERROR);
  const debug = memTxAttrs({ debug: true });
  expect(m.write(0, 'aa', debug)).toBe(OK);
  const tx = new MemTx();
  m.space.txStore(1, u8, 0xbb, debug, tx);
  expect(tx.result).toBe(OK);
  expect(m.read(0, 4).hex).toBe('aabb0304');
});

it('A-52: out of ROMD mode a debugger writes a ROM device as anybody does, by its callbacks', () => {
  const m = machine();
  const ops = m.logging({ endianness: 'little' });
  const flash = m.core.romDevice('flash', bufferBacking(bytesOf('00112233')), ops);
  m.root.addSubregion(0, flash);
  const debug = memTxAttrs({ debug: true });
  flash.romDeviceSetRomd(false);
  expect(m.write(0, '70', debug)).toBe(OK);
  m.space.txStore(1, u8, 0x71, debug, new MemTx());
  m.space.mapRange(2, 1, 'write', debug)!.unmap();
  expect(m.took()).toEqual(['W1@0=0x70', 'W1@1=0x71', 'W1@2=0x0']);
  expect([...m.space.chunks(0, 4, 'write', debug)].map((chunk) => chunk.bytes)).toEqual([null]);
  flash.romDeviceSetRomd(true);
  expect(m.read(0, 4).hex).toBe('00112233');
  expect(m.write(0, '70', debug)).toBe(OK);
  expect(m.read(0, 4).hex).toBe('70112233');
  expect(m.took()).toEqual([]);
});

it('A-53, T-160: setReadonly on the region itself stops writes at the next commit, one on an alias does not', () => {
  const m = machine();
  const ram = m.ram(0, 0x100);
  expect(m.write(0, '11')).toBe(OK);
  ram.setReadonly(true);
  expect(m.write(0, '22')).toBe(DECODE_ERROR);
  expect(() => m.space.store(0, u8, 0x33)).toThrow(MemTxError);
  ram.setReadonly(false);
  m.space.store(0, u8, 0x44);
  expect(m.read(0, 1).hex).toBe('44');
});

it('A-54: out of ROMD mode loads and stores of a ROM device are callbacks', () => {
  const m = machine();
  const flash = m.core.romDevice(
    'flash',
    bufferBacking(bytesOf('a5a5a5a5')),
    m.logging({ endianness: 'little' }, 0x80),
  );
  m.root.addSubregion(0, flash);
  expect(m.space.load(0, u8)).toBe(0xa5);
  m.space.store(0, u8, 0x70);
  flash.romDeviceSetRomd(false);
  expect(m.space.load(0, u8)).toBe(0x80);
  expect(m.took()).toEqual(['W1@0=0x70', 'R1@0=0x80']);
});

it('A-55: a RAM device is reached by single accesses of 1 to 8 bytes at any offset, and never directly', () => {
  const m = machine();
  const dev = m.core.ramDevice('vfio', bufferBacking(0x20));
  m.root.addSubregion(0, dev);
  m.space.store(1, le64, 0x1122334455667788n);
  m.space.store(9, be32, 0x0a0b0c0d);
  expect(m.read(0, 16).hex).toBe('0088776655443322110a0b0c0d000000');
  expect(m.space.load(2, le16)).toBe(0x6677);
  expect([...m.space.chunks(0, 8, 'read')].map((chunk) => chunk.bytes)).toEqual([null]);
  expect(m.space.isIo(0)).toBe(false);
});

it('A-56: nothing reads as 0 with DECODE_ERROR', () => {
  const m = machine();
  const tx = new MemTx();
  expect(m.space.txLoad(0x5000, le32, ANY, tx)).toBe(0);
  expect(tx.result).toBe(DECODE_ERROR);
  m.space.txStore(0x5000, le32, 1, ANY, tx);
  expect(tx.result).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@5000 (null) rejected', '-4@5000 (null) rejected']);
});

it('A-57: an observer sees a write before its callback and a read after it', () => {
  const m = new TestMachine();
  m.device(0, 0x100, { endianness: 'little' }, 7);
  m.core.access.observer = {
    called: (_region, offset, size, isWrite, value) =>
      void m.log.push(`${isWrite ? 'w' : 'r'}${size}@${offset}=${value}`),
  };
  m.space.load(0, u8);
  m.space.store(4, u8, 1);
  expect(m.took()).toEqual(['R1@0=0x7', 'r1@0=7', 'w1@4=1', 'W1@4=0x1']);
});

it('A-60: a transfer keeps the view it began with though a callback changes the map', () => {
  const m = machine();
  const late = m.core.ram('late', bufferBacking(0x100));
  let mapped = false;
  m.root.addSubregion(
    0,
    m.core.io('dev', 1, {
      valid: { maxAccessSize: 1 },
      read: () => {
        if (!mapped) m.root.addSubregion(1, late);
        mapped = true;
        return 0x77;
      },
    }),
  );
  expect(m.read(0, 2)).toEqual({ hex: '7700', result: DECODE_ERROR, done: 1 });
  expect(m.read(0, 2)).toEqual({ hex: '7700', result: OK, done: 2 });
});

it('A-60: a length of 0 is OK anywhere and calls nothing', () => {
  const m = machine();
  expect(m.read(0x1000, 0)).toEqual({ hex: '', result: OK, done: 0 });
  expect(m.write(0xffff_ffff_ffff_ffffn, '')).toBe(OK);
  expect(m.took()).toEqual([]);
});

it('A-61, A-62, A-63: RAM steps end at the section, device steps at the size the region takes there', () => {
  const m = machine();
  m.ram(0, 0x10);
  m.device(0x10, 6, { endianness: 'little', valid: { maxAccessSize: 8 }, impl: { maxAccessSize: 8 } });
  m.ram(0x16, 0x10, 'ram2');
  expect(m.write(0xe, 'aabb112233445566ccdd')).toBe(OK);
  // 8 bytes at offset 0 are one access though the region has 6: MMIO is not cut at its section.
  expect(m.took()).toEqual(['W8@0=0xddcc665544332211']);
  expect(m.read(0xe, 2).hex).toBe('aabb');
  expect(m.read(0x16, 2).hex).toBe('0000');
});

it('A-63: a read of a ROM device is not cut at its section: it goes on in the block', () => {
  const m = machine();
  const flash = m.core.romDevice('flash', bufferBacking(bytesOf('0011223344556677')), {});
  m.root.addSubregion(0, flash);
  m.root.addSubregion(4, m.core.reservation('cover', 4), 1);
  expect(m.read(2, 4)).toEqual({ hex: '22334455', result: OK, done: 4 });
  expect(m.read(4, 1).result).toBe(DECODE_ERROR);
});

it('A-64: attrs.memory refuses devices, ROM devices and holes at the start with the buffer untouched; ROM and RAM devices pass', () => {
  const m = machine();
  const memory = memTxAttrs({ memory: true });
  m.device(0, 0x10, {}, 1);
  m.root.addSubregion(0x10, m.core.romDevice('flash', bufferBacking(0x10), {}));
  m.rom(0x20, new Uint8Array(0x10).fill(5));
  m.root.addSubregion(0x30, m.core.ramDevice('vfio', bufferBacking(0x10)));
  expect(m.read(0, 2, memory)).toEqual({ hex: 'cccc', result: ACCESS_ERROR, done: 0 });
  expect(m.read(0x10, 2, memory).result).toBe(ACCESS_ERROR);
  expect(m.read(0x100, 2, memory)).toEqual({ hex: 'cccc', result: ACCESS_ERROR, done: 0 });
  expect(m.read(0x20, 2, memory)).toEqual({ hex: '0505', result: OK, done: 2 });
  expect(m.write(0x20, '01', memory)).toBe(DECODE_ERROR);
  expect(m.write(0x30, '0102', memory)).toBe(OK);
});

it('A-64: a ROM device in ROMD mode is no memory, on the first transfer and when it is hot, whole or as an object', () => {
  const m = machine();
  m.ram(0x4000, 0x1000);
  m.root.addSubregion(0x1000, m.core.romDevice('flash', bufferBacking(bytesOf('0102030405060708')), m.logging({})));
  const tx = new MemTx();
  const dma = m.space.with({ memory: true, tx });
  const all = byteArray(8);
  for (let i = 0; i < 40; i++) {
    const buf = new Uint8Array(8).fill(0xcc);
    expect([dma.read(buf, 0x1000), tx.result, toHex(buf)]).toEqual([0, ACCESS_ERROR, 'cccccccccccccccc']);
    expect([toHex(dma.readObj(0x1000, all)), tx.result]).toEqual(['0000000000000000', ACCESS_ERROR]);
    expect([toHex(m.space.readObj(0x1000, all)), dma.load(0x1000, u8)]).toEqual(['0102030405060708', 1]); // E-58: not tested in loads.
    expect([dma.read(buf, 0x4000), tx.result]).toEqual([8, OK]);
  }
});

it('A-65: the step is the largest power of two within the length, valid.max and the alignment of the offset', () => {
  const m = machine();
  m.device(0, 0x1000, { endianness: 'little', valid: { maxAccessSize: 8 }, impl: { maxAccessSize: 8 } });
  m.read(4, 21);
  expect(m.took()).toEqual(['R4@4=0x0', 'R8@8=0x0', 'R8@10=0x0', 'R1@18=0x0']);
  m.read(0, 7);
  expect(m.took()).toEqual(['R4@0=0x0', 'R2@4=0x0', 'R1@6=0x0']);
});

it('A-66: accessValid cuts by the bus address, a transfer by the offset in the region', () => {
  const m = machine();
  m.device(0x1001, 0x100, { valid: { minAccessSize: 4, maxAccessSize: 4 } }, 0);
  expect(m.read(0x1001, 4).result).toBe(OK);
  expect(m.space.accessValid(0x1001, 4, 'read')).toBe(false);
});

it('A-67: unassigned memory is cut as a device of valid.max 4', () => {
  const m = machine();
  m.read(0x1003, 8);
  expect(m.took()).toEqual([
    '-1@1003 (null) rejected',
    '-4@1004 (null) rejected',
    '-2@1008 (null) rejected',
    '-1@100a (null) rejected',
  ]);
});

it('A-67: with nobody watching a hole is passed over in one step, with the same bytes, result and neighbours', () => {
  const quiet = new TestMachine();
  const watched = machine();
  for (const m of [quiet, watched]) {
    m.ram(0, 0x10);
    m.device(0x102e, 0x10, { endianness: 'little' }, 0x42);
    m.log.length = 0;
    for (const [at, len] of [
      [8, 0x1040],
      [0x10, 5],
      [0x1029, 9],
      [0x102d, 4],
    ] as const) {
      const read = m.read(at, len);
      m.log.push(`${read.result} ${read.done} ${read.hex.replaceAll('00', '')}`);
    }
  }
  expect(quiet.took()).toEqual(watched.took().filter((line) => !line.startsWith('-')));
});

it('A-70: loads and stores of 1, 2, 4 and 8 bytes, in both orders and the target order', () => {
  const m = new TestMachine({ targetOrder: 'big' });
  m.ram(0, 0x100);
  m.write(0, '0102030405060708');
  const v = m.space.with({});
  expect([v.ldub(0), v.lduw(0), v.ldl(0), v.ldq(0)]).toEqual([1, 0x0102, 0x01020304, 0x0102030405060708n]);
  expect([m.space.load(0, le16), m.space.load(0, le32), m.space.load(0, le64)]).toEqual([
    0x0201,
    0x04030201,
    0x0807060504030201n,
  ]);
  v.stq(8, 0x1122334455667788n);
  expect(m.read(8, 8).hex).toBe('1122334455667788');
});

it('A-71: an access wider than valid.max is refused as a whole, and RAM is never written in part', () => {
  const m = machine();
  m.ram(0, 0x10);
  m.ram(0x10, 0x10, 'next');
  m.device(0x20, 0x10, { valid: { maxAccessSize: 2 } });
  const tx = new MemTx();
  m.space.txStore(0x20, le32, 1, ANY, tx);
  expect(tx.result).toBe(DECODE_ERROR);
  m.space.txStore(0xe, le32, 0x11223344, ANY, tx);
  expect(tx.result).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@0 dev invalid size', '-4@e ram rejected']);
  expect(m.read(0xe, 4).hex).toBe('00000000');
});

it('A-71: a scalar over two host buffers of one section is whole: sections count, not buffers', () => {
  const m = machine();
  m.ram(0, 0x40, 'sparse', sparseBacking(0x40, { segmentSize: 8 }));
  m.space.store(5, le64, 0x1122334455667788n);
  expect(m.space.load(5, le64)).toBe(0x1122334455667788n);
  expect(m.read(4, 10).hex).toBe('00887766554433221100');
  expect(() => m.space.store(0x3c, le64, 1n)).toThrow(/DECODE_ERROR/);
});

it('A-72: unaligned RAM works in loads and stores; an atomic one is misaligned', () => {
  const m = machine();
  m.ram(0, 0x100);
  m.space.store(3, le32, 0xcafe);
  expect(m.space.load(3, le32)).toBe(0xcafe);
  m.space.store(8, be32, 0x01020304, Ordering.RELEASE);
  expect(m.space.load(8, be32, Ordering.ACQUIRE)).toBe(0x01020304);
  expect(m.read(8, 4).hex).toBe('01020304');
  expect(() => m.space.load(3, le32, Ordering.SEQ_CST)).toThrow(/not aligned/);
  expect(() => m.space.load(8, le32, Ordering.RELEASE)).toThrow(TypeError);
});

it('A-74, A-80: without a MemTx and attributes a failure is an error with result, address and progress', () => {
  const m = machine();
  m.ram(0, 0x10);
  const error = (() => {
    try {
      m.space.readSlice(new Uint8Array(8), 0xc);
    } catch (thrown) {
      return thrown as MemTxError;
    }
    return undefined;
  })();
  expect(error).toBeInstanceOf(MemTxError);
  expect([error?.code, error?.result, error?.addr, error?.expected, error?.completed]).toEqual([
    'partial-buffer',
    DECODE_ERROR,
    0x10,
    8,
    4,
  ]);
  expect(m.space.read(new Uint8Array(8), 0xc)).toBe(4);
  expect(() => m.space.read(new Uint8Array(8), 0x10)).toThrow(MemTxError);
});

it('A-76, A-95: an observer of DMA reads sees bulk reads once and every direct load', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 0x100);
  m.device(0x100, 0x10, { endianness: 'little' });
  const seen: unknown[] = [];
  m.space.load(0, u8);
  m.core.access.observer = {
    dmaRead: (addr: number | bigint, len: number, region: MemoryRegion) => void seen.push([addr, len, region === ram]),
  };
  m.space.load(4, le32);
  m.space.load(4, le32);
  m.space.load(0x100, u8);
  m.read(0xfe, 8);
  m.space.mapRange(8, 8, 'read')?.unmap();
  expect(seen).toEqual([
    [4, 4, true],
    [4, 4, true],
    [0xfe, 8, true],
    [8, 8, true],
  ]);
});

it('A-77: set restarts its steps every 512 bytes and ORs the results', () => {
  const m = machine();
  m.ram(0, 0x100);
  const tx = new MemTx();
  m.space.set(0xfe, 0x5a, 4, ANY, tx);
  expect([tx.result, tx.done]).toEqual([DECODE_ERROR, 2]);
  expect(m.read(0xfc, 4).hex).toBe('00005a5a');
  expect(() => m.space.set(0xff, 0, 2)).toThrow(MemTxError);
  expect(() => m.space.set(0, 256, 1)).toThrow(RangeError);
  m.device(0x1001, 0x1000, { endianness: 'little', valid: { unaligned: true } });
  m.took();
  m.space.set(0x1003, 1, 1024);
  const sizes = m.took().map((line) => line[1]);
  expect(sizes.slice(126, 132)).toEqual(['4', '4', '2', '2', '4', '4']);
});

it('A-77: a device that throws in a set leaves the outcome as far as it came', () => {
  const m = machine();
  m.ram(0, 0x400);
  const ops = {
    write: () => {
      throw new Error('broken');
    },
  };
  m.root.addSubregion(0x400, m.core.io('dev', 0x100, ops));
  const tx = new MemTx();
  expect(() => m.space.set(0x10, 1, 0x400, ANY, tx)).toThrow(DeviceError);
  expect(tx).toEqual({ result: ERROR, done: 0x3f0 });
});

it('V-1.3: an ordering that a load or a store cannot have is refused, whatever answers', () => {
  const m = machine();
  m.ram(0, 0x100);
  m.device(0x1000, 0x100);
  const view = m.space.with({ tx: new MemTx() });
  for (const addr of [0, 0x1000, 0x2000, 2n ** 60n]) {
    for (const ordering of [Ordering.RELEASE, Ordering.ACQ_REL, 0, 77] as Ordering[]) {
      expect(() => m.space.load(addr, le32, ordering)).toThrow(TypeError);
      expect(() => view.load(addr, le32, ordering)).toThrow(TypeError);
    }
    for (const ordering of [Ordering.ACQUIRE, Ordering.ACQ_REL, 0, 77] as Ordering[]) {
      expect(() => m.space.store(addr, le32, 1, ordering)).toThrow(TypeError);
      expect(() => view.store(addr, le32, 1, ordering)).toThrow(TypeError);
    }
  }
  expect(m.log).toEqual([]);
  expect(m.space.load(0x1000, le32, Ordering.ACQUIRE)).toBe(0);
});

it('A-78: write_rom reaches RAM, ROM and ROM devices in ROMD mode; a RAM device and devices are passed over', () => {
  const m = machine();
  m.ram(0, 4);
  m.rom(4, new Uint8Array(4));
  m.root.addSubregion(8, m.core.romDevice('flash', bufferBacking(4), {}));
  m.root.addSubregion(12, m.core.ramDevice('vfio', bufferBacking(4)));
  m.device(16, 4);
  m.space.writeRom(0, bytesOf('0102030405060708090a0b0c0d0e0f1011121314ffff'));
  expect(m.read(0, 16).hex).toBe('0102030405060708090a0b0c00000000');
  expect(m.took()).toEqual([]);
});

it('A-78, D10: write_rom of what is no Uint8Array is refused, and nothing is written', () => {
  const m = machine();
  m.rom(0, new Uint8Array(8));
  for (const wrong of [new ArrayBuffer(4), [1, 2, 3, 4], 'text', Uint16Array.of(0x1234), {}, null, 5])
    expect(() => m.space.writeRom(0, wrong as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('Uint8Array') }),
    );
  expect(m.read(0, 8).hex).toBe('0000000000000000');
});

it('A-81: a debugger reads a device by peek and never by read; without peek it is opaque', () => {
  const m = machine();
  const debug = memTxAttrs({ debug: true });
  m.root.addSubregion(
    0,
    m.core.io('dev', 0x10, { ...m.logging({ endianness: 'little' }), peek: (offset) => 0x40 + offset }),
  );
  m.device(0x10, 0x10);
  expect(m.read(0, 4, debug)).toEqual({ hex: '40000000', result: OK, done: 4 });
  expect(m.read(0x10, 4, debug)).toEqual({ hex: '00000000', result: ACCESS_ERROR, done: 0 });
  expect(m.space.with({ debug: true }).load(8, u8)).toBe(0x48);
  expect(m.took()).toEqual(['-4@0 dev opaque']);
});

it('A-82: everything but RAM and ROM devices in ROMD mode is I/O', () => {
  const m = machine();
  m.ram(0, 4);
  m.rom(4, new Uint8Array(4));
  const flash = m.core.romDevice('flash', bufferBacking(4), {});
  m.root.addSubregion(8, flash);
  m.device(12, 4);
  expect([0, 4, 8, 12, 16].map((addr) => m.space.isIo(addr))).toEqual([false, false, false, true, true]);
  flash.romDeviceSetRomd(false);
  expect(m.space.isIo(8)).toBe(true);
});

it('A-83: dispatching straight to a region checks and splits, without a look-up', () => {
  const m = machine();
  const dev = m.core.io('loose', 0x10, m.logging({ endianness: 'little', impl: { maxAccessSize: 2 } }, 0x1234));
  expect(dev.dispatch.read(0, 4, ANY)).toBe(0x12341234);
  expect(m.core.access.result).toBe(OK);
  const ram = m.core.ram('ram', bufferBacking(8));
  expect(ram.dispatch.read(0, 4, ANY)).toBe(0);
  expect(m.core.access.result).toBe(DECODE_ERROR);
});

it('A-63, A-78: write_rom of a ROM device is not cut at its section, as no transfer of it is', () => {
  const m = machine();
  const flash = m.core.romDevice('flash', bufferBacking(8), {});
  m.root.addSubregion(0, flash);
  m.root.addSubregionOverlap(4, m.core.ram('over', bufferBacking(4)), 1);
  m.space.writeRom(2, bytesOf('aabbccdd'));
  expect(m.read(4, 4).hex).toBe('00000000');
  expect(m.read(0, 8).hex).toBe('0000aabbccdd0000');
});

it('A-84, D1: a region of more than 2^53 bytes, wherever it lies, is valid where callbacks can be told the offset', () => {
  const m = machine();
  m.device(1n << 60n, 1n << 55n, { endianness: 'little' }, 7);
  for (const offset of [0n, 0x1000n, (1n << 53n) - 4n]) {
    expect(m.space.load((1n << 60n) + offset, le32)).toBe(7);
    expect(m.space.accessValid((1n << 60n) + offset, 4, 'read')).toBe(true);
  }
  expect(m.space.accessValid((1n << 60n) + (1n << 53n), 4, 'read')).toBe(false);
});

it('A-84: accessValid asks accepts, sizes and translations of the whole range, and no data callback', () => {
  const m = machine();
  m.ram(0, 0x10);
  m.rom(0x10, new Uint8Array(0x10));
  m.device(0x20, 0x10, { valid: { accepts: (offset) => offset < 8 } });
  expect(m.space.accessValid(0, 0x20, 'read')).toBe(true);
  expect(m.space.accessValid(0, 0x20, 'write')).toBe(false);
  expect(m.space.accessValid(0x1c, 12, 'read')).toBe(true);
  expect(m.space.accessValid(0x1c, 16, 'read')).toBe(false);
  expect(m.space.accessValid(0x100, 0, 'read')).toBe(true);
  expect(m.space.accessValid(0x100, 1, 'read')).toBe(false);
  expect(m.took()).toEqual([]);
});

it('A-99: queued coalesced writes are drained before each access to a region that has coalescing', () => {
  const m = machine();
  const dev = m.device(0, 0x100, { endianness: 'little' });
  m.core.access.flushCoalescedMmio = () => void m.log.push('drain');
  m.space.load(0, u8);
  dev.addCoalescing(0, 0x10);
  m.took();
  m.space.load(0, u8);
  m.space.store(0x20, u8, 1);
  expect(m.took()).toEqual(['drain', 'R1@0=0x0', 'drain', 'W1@20=0x1']);
  dev.clearCoalescing();
  m.took();
  m.space.load(0, u8);
  expect(m.took()).toEqual(['R1@0=0x0']);
});

it('A-100, A-186: a commit that changes logging is seen by accesses from then on', () => {
  const m = machine();
  const ram = m.ram(0, 0x4000);
  memoryRegionResetDirty(ram, 0, 0x4000, DirtyClient.VGA);
  m.space.store(0, u8, 1);
  expect(memoryRegionGetDirty(ram, 0, 0x4000, DirtyClient.VGA)).toBe(false);
  ram.setLog(true, DirtyClient.VGA);
  m.space.store(0x1000, u8, 1);
  expect(memoryRegionGetDirty(ram, 0, 0x1000, DirtyClient.VGA)).toBe(false);
  expect(memoryRegionGetDirty(ram, 0x1000, 1, DirtyClient.VGA)).toBe(true);
});

it('A-16, D1: addresses as numbers and bigints mean the same, and what is no address is refused', () => {
  const m = machine();
  m.ram(0xffff_ffff_ffff_f000n, 0x1000, 'top');
  m.ram(0x1000, 0x1000);
  m.space.store(0xffff_ffff_ffff_fffcn, le32, 0x11223344);
  expect(m.space.load(0xffff_ffff_ffff_fffen, le16)).toBe(0x1122);
  m.space.store(0x1000n, le32, 5);
  expect(m.space.load(0x1000, le32)).toBe(5);
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, -1n, 1n << 64n])
    expect(() => m.space.load(bad, u8)).toThrow(RangeError);
  expect(() => m.space.load('0' as never, u8)).toThrow(TypeError);
  expect(toHex(new Uint8Array([1, 2]))).toBe('0102');
});

it('A-60, T-97: what a callback unmaps is not reclaimed before the transfer that may still use it has ended', () => {
  const m = machine();
  const owner = {};
  const events: string[] = [];
  const dev = m.core.io(
    'dev',
    8,
    {
      valid: { maxAccessSize: 1 },
      read: (offset) => {
        events.push(`read ${offset}`);
        if (offset === 1) {
          m.root.delSubregion(dev);
          m.core.whenUnreferenced(owner, () => void events.push('reclaimed'));
        }
        return offset;
      },
    },
    { owner },
  );
  m.root.addSubregion(0, dev);
  expect(m.read(0, 4)).toEqual({ hex: '00010203', result: OK, done: 4 });
  expect(events).toEqual(['read 0', 'read 1', 'read 2', 'read 3']);
  m.ram(0x1000, 0x1000);
  expect(events.at(-1)).toBe('reclaimed');
});

it('A-255, A-6: the attributes of a call reach accepts, callbacks and indexes; caches and unmapping use UNSPECIFIED', () => {
  const m = machine();
  const seen: string[] = [];
  const name = (attrs: MemTxAttrs): string => (attrs === ANY ? 'any' : String(attrs.requesterId));
  m.root.addSubregion(
    0,
    m.core.io('dev', 0x100, {
      valid: {
        accepts: (_offset, _size, _isWrite, attrs) => {
          seen.push(`accepts ${name(attrs)}`);
          return true;
        },
      },
      readWithAttrs: (_offset, _size, attrs) => seen.push(`read ${name(attrs)}`),
      writeWithAttrs: (_offset, _value, _size, attrs) => void seen.push(`write ${name(attrs)}`),
    }),
  );
  const bus = m.core.iommu('bus', 0x100, {
    attrsToIndex: (attrs) => {
      seen.push(`index ${name(attrs)}`);
      return 0;
    },
    translate: (offset) => ({ targetAs: m.space, iova: offset, translatedAddr: offset, addrMask: 0xfff, perm: 3 }),
  });
  const dma = m.core.addressSpace(bus, 'dma');
  const by = (id: number) => memTxAttrs({ requesterId: id });
  const tx = new MemTx();
  const took = (): string[] => [...new Set(seen.splice(0))];
  dma.txLoad(0, u8, by(1), tx);
  expect(took()).toEqual(['index 1', 'accepts 1', 'read 1']);
  dma.txStore(0, u8, 1, by(2), tx);
  expect(took()).toEqual(['index 2', 'accepts 2', 'write 2']);
  dma.txRead(0, new Uint8Array(4), by(3), 'continue', tx);
  expect(took()).toEqual(['index 3', 'accepts 3', 'read 3']);
  dma.txWrite(0, new Uint8Array(4), by(4), 'continue', tx);
  expect(took()).toEqual(['index 4', 'accepts 4', 'write 4']);
  dma.set(0, 1, 4, by(5));
  expect(took()).toEqual(['index 5', 'accepts 5', 'write 5']);
  dma.accessValid(0, 4, 'read', by(6));
  expect(took()).toEqual(['index 6', 'accepts 6']);
  dma.with({ requesterId: 7 }).readObj(0, le32);
  expect(took()).toEqual(['index 7', 'accepts 7', 'read 7']);
  const mapped = dma.mapRange(0, 4, 'read', by(8));
  expect(took()).toEqual(['index 8', 'accepts 8', 'read 8']);
  mapped?.unmap();
  const written = dma.mapRange(0, 4, 'write', by(9));
  expect(took()).toEqual(['index 9']);
  written?.unmap();
  expect(took()).toEqual(['index any', 'accepts any', 'write any']);
  dma.cache(0, 4, 'read').load(0, u8);
  expect(took()).toEqual(['index any', 'accepts any', 'read any']);
});

it('A-84: a region without accepts is asked once for all steps of its largest size, with the answer of step by step', () => {
  let asked = 0;
  for (const [min, max, unaligned] of [
    [1, 8, false],
    [4, 4, false],
    [2, 8, false],
    [0, 0, false],
    [4, 4, true],
    [1, 2, true],
  ] as const)
    for (const skew of [0, 1, 2, 4]) {
      const spaces = [undefined, () => ++asked > 0].map((accepts) => {
        const { core } = machine();
        const root = core.container('root', 0x100);
        const valid = {
          minAccessSize: min,
          maxAccessSize: max,
          unaligned,
          ...(accepts === undefined ? {} : { accepts }),
        };
        root.addSubregion(8 + skew, core.io('device', 29, { valid, impl: { unaligned } }));
        root.addSubregion(8 + skew + 29, core.ram('ram', 16));
        return core.addressSpace(root);
      });
      for (let addr = 8 + skew; addr < 44; addr++)
        for (let len = 1; len < 50; len++) {
          const answers = spaces.map((space) => space.accessValid(addr, len, 'read'));
          expect(answers[0], `${min} to ${max}, ${unaligned}, ${skew}: ${addr} +${len}`).toBe(answers[1]);
        }
    }
  expect(asked).toBeGreaterThan(1000);
  const m = machine();
  m.root.addSubregion(0, m.core.io('wide', 1n << 64n, {}), -1);
  expect(m.space.checkRange(1, Number.MAX_SAFE_INTEGER - 1)).toBe(true);
});
