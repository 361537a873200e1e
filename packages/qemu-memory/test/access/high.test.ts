/** Devices and RAM that no 32-bit window holds: above 4 GiB, and 64-bit accesses anywhere. Values by hand. */
import { be16, be32, be64, le16, le32, le32f, le64, le64n, MemTx, MemTxResult, memTxAttrs, u8 } from '@guestmem/memtx';
import { describe, expect, it } from 'vitest';
import { DeviceError, MemoryCore, type MemoryRegionOps } from '../../src/index.ts';

const HIGH = 64 * 2 ** 30;
const DEBUG = memTxAttrs({ debug: true });

/** A device of 4 KiB and a page of RAM after it. */
function machine(base: number, ops: MemoryRegionOps) {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  system.addSubregion(base, core.io('device', 0x1000, ops));
  system.addSubregion(base + 0x1000, core.ram('ram', 0x1000));
  return core.addressSpace(system, 'memory');
}

describe('a device at 64 GiB', () => {
  it.each(['little', 'big'] as const)('A-16: %s endian, answers in its own order, whatever the codec', (endianness) => {
    const written: number[][] = [];
    const read = (offset: number, size: number) => (offset === 0x10 ? (size === 4 ? 0x11223344 : 0x1122) : 0x91);
    const space = machine(HIGH, {
      endianness,
      read,
      write: (offset, value, size) => written.push([offset, value, size]),
    });
    const [own4, other4] = endianness === 'little' ? [le32, be32] : [be32, le32];
    const [own2, other2] = endianness === 'little' ? [le16, be16] : [be16, le16];
    expect(space.load(HIGH + 0x10, own4)).toBe(0x11223344);
    expect(space.load(HIGH + 0x10, other4)).toBe(0x44332211);
    expect(space.load(HIGH + 0x10, own2)).toBe(0x1122);
    expect(space.load(HIGH + 0x10, other2)).toBe(0x2211);
    expect(space.load(HIGH + 0x11, u8)).toBe(0x91);
    space.store(HIGH + 0x10, own4, 0xa1b2c3d4);
    space.store(HIGH + 0x10, other4, 0xa1b2c3d4);
    space.store(HIGH + 0x12, own2, 0xa1b2);
    space.store(HIGH + 0x12, other2, 0xa1b2);
    space.store(HIGH + 0xfff, u8, 0xfe);
    expect(written).toEqual([
      [0x10, 0xa1b2c3d4, 4],
      [0x10, 0xd4c3b2a1, 4],
      [0x12, 0xa1b2, 2],
      [0x12, 0xb2a1, 2],
      [0xfff, 0xfe, 1],
    ]);
  });

  it('A-16: gives a float the bits of its number, and tells a MemTx what was done', () => {
    const tx = new MemTx();
    const space = machine(HIGH, { endianness: 'little', read: () => 0x3fc00000 });
    expect(space.txLoad(HIGH, le32f, memTxAttrs({}), tx)).toBe(1.5);
    expect([tx.result, tx.done]).toEqual([MemTxResult.OK, 4]);
  });

  it('D13: shows a debugger what peek says and is not read', () => {
    let reads = 0;
    const space = machine(HIGH, { endianness: 'little', read: () => ++reads, peek: () => 0x77 });
    expect(space.with({ debug: true }).load(HIGH, le32)).toBe(0x77);
    expect(space.txLoad(HIGH, le32, DEBUG, null)).toBe(0x77);
    expect(reads).toBe(0);
  });

  it('D15: is seen by a tap', () => {
    const space = machine(HIGH, { endianness: 'little', read: () => 5, write() {} });
    const seen: unknown[] = [];
    space.tap(HIGH + 8, 4, ({ addr, size, isWrite, value }) => seen.push([addr, size, isWrite, value]));
    expect(space.load(HIGH + 8, le32)).toBe(5);
    space.store(HIGH + 8, le32, 6);
    space.store(HIGH, le32, 7);
    expect(seen).toEqual([
      [HIGH + 8, 4, false, 5],
      [HIGH + 8, 4, true, 6],
    ]);
  });

  it('A-46: refuses a second access of its owner while it serves one', () => {
    const core = new MemoryCore();
    const system = core.container('system', 1n << 64n);
    const space = core.addressSpace(system, 'memory');
    const results: number[] = [];
    const tx = new MemTx();
    const read = () => {
      space.txLoad(HIGH, le32, memTxAttrs({}), tx);
      results.push(tx.result);
      return 1;
    };
    system.addSubregion(HIGH, core.io('device', 0x1000, { endianness: 'little', read }, { owner: {} }));
    expect(space.load(HIGH, le32)).toBe(1);
    expect(results).toEqual([MemTxResult.ACCESS_ERROR]);
  });
});

describe.each([
  ['above 4 GiB, 32 bits', HIGH, le32],
  ['above 4 GiB, 64 bits', HIGH, le64n],
  ['below 4 GiB, 64 bits', 0xe000_0000, le64n],
])('%s', (_, base, codec) => {
  it('D10: a device that throws leaves ERROR in the MemTx', () => {
    const fail = () => {
      throw new Error('broken');
    };
    const space = machine(base, { endianness: 'little', read: fail, write: fail });
    for (const access of [
      (tx: MemTx) => space.txLoad(base, codec, memTxAttrs({}), tx),
      (tx: MemTx) => space.txStore(base, codec, 1, memTxAttrs({}), tx),
    ]) {
      const tx = new MemTx();
      tx.result = MemTxResult.OK;
      tx.done = codec.size;
      expect(() => access(tx)).toThrow(DeviceError);
      expect([tx.result, tx.done]).toEqual([MemTxResult.ERROR, 0]);
    }
  });

  it('A-33: what a device does not take is a result, or an error that names it', () => {
    const valid = { minAccessSize: 1, maxAccessSize: 1 } as const;
    const space = machine(base, { endianness: 'little', read: () => 1, write() {}, valid });
    const tx = new MemTx();
    expect(space.txLoad(base, codec, memTxAttrs({}), tx)).toBe(0);
    expect([tx.result, tx.done]).toEqual([MemTxResult.DECODE_ERROR, 0]);
    space.txStore(base, codec, 1, memTxAttrs({}), tx);
    expect([tx.result, tx.done]).toEqual([MemTxResult.DECODE_ERROR, 0]);
    expect(() => space.load(base, codec)).toThrow(expect.objectContaining({ addr: base, expected: codec.size }));
    expect(() => space.store(base, codec, 1)).toThrow(expect.objectContaining({ addr: base, completed: 0 }));
  });
});

describe.each([
  ['above 4 GiB', HIGH],
  ['below', 0xe000_0000],
])('%s', (_, base) => {
  it('A-38: 64 bits of a device are two callbacks of 32, the first the lower half where it is little-endian', () => {
    const written: number[][] = [];
    const space = machine(base, {
      endianness: 'little',
      read: (offset) => (offset === 8 ? 0x55667788 : 0x11223344),
      write: (offset, value) => written.push([offset, value]),
    });
    space.store(base + 0x1008, le64, 7n);
    expect(space.load(base + 0x1008, le64)).toBe(7n);
    expect(space.load(base + 8, le64)).toBe(0x1122334455667788n);
    expect(space.load(base + 8, be64)).toBe(0x8877665544332211n);
    space.store(base + 8, le64, 0x1122334455667788n);
    expect(written).toEqual([
      [8, 0x55667788],
      [12, 0x11223344],
    ]);
  });

  it('D2: a load that its codec refuses does not tell OK, from RAM and from a device', () => {
    const space = machine(base, { endianness: 'little', read: () => 0xffff_ffff });
    space.store(base + 0x1008, le64, (1n << 64n) - 1n);
    for (const at of [base, base + 0x1008]) {
      const tx = new MemTx();
      tx.result = MemTxResult.ERROR;
      expect(() => space.txLoad(at, le64n, memTxAttrs({}), tx)).toThrow(RangeError);
      expect(tx.result).toBe(MemTxResult.ERROR);
    }
  });
});
