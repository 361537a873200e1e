/** memtx's DataView look-alike over an address space: each method, both orders, over RAM, devices of both orders, a hole. */
import { GuestDataView, MemTx, MemTxError, MemTxResult } from '@guestmem/memtx';
import { MemoryCore, type MemoryRegionOps } from '@guestmem/qemu-memory';
import { bufferBacking, type GuestAddress } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { caught } from '../../../memtx/test/support/caught.ts';
import { bytesOf, toHex } from '../support/machine.ts';

/** Kind; the bytes of the value in big order; the value. Floats: IEEE 754 by hand. */
const VALUES = [
  ['Int8', '80', -0x80],
  ['Uint8', '80', 0x80],
  ['Int16', '8001', 0x8001 - 2 ** 16],
  ['Uint16', '8001', 0x8001],
  ['Int32', '800142c8', 0x8001_42c8 - 2 ** 32],
  ['Uint32', '800142c8', 0x8001_42c8],
  ['BigInt64', '800142c8000001ff', 0x8001_42c8_0000_01ffn - (1n << 64n)],
  ['BigUint64', '800142c8000001ff', 0x8001_42c8_0000_01ffn],
  ['Float16', '4248', 3.140625], // 2^1 * (1 + 0x248/0x400)
  ['Float32', '42c80000', 100], // 2^6 * (1 + 0x48/0x80)
  ['Float64', 'c059000000000000', -100],
] as const;
type Kind = (typeof VALUES)[number][0];

/** Each value in both orders: what lies in memory from the first byte on, and the argument that says so. */
const CASES = VALUES.flatMap(([kind, big, value]) => [
  { kind, little: false, bytes: big, value },
  { kind, little: true, bytes: toHex(bytesOf(big).reverse()), value },
]);

const get = (data: DataView, kind: Kind, at: number, little?: boolean): number | bigint =>
  (data as unknown as Record<string, (at: number, little?: boolean) => number | bigint>)[`get${kind}`]!(at, little);
const set = (data: DataView, kind: Kind, at: number, value: number | bigint, little?: boolean): void =>
  (data as unknown as Record<string, (at: number, value: number | bigint, little?: boolean) => void>)[`set${kind}`]!(
    at,
    value,
    little,
  );

const RAM = 0x1000;
const LITTLE = 0x2000;
const BIG = 0x3000;
const NARROW = 0x4000;
const HOLE = 0x5000;

/** A device of 16 bytes that keeps what is written and takes up to `max` bytes at once, at any offset. */
class Cells {
  readonly bytes: Uint8Array = new Uint8Array(16);
  /** `W4@8=11223344`: the access, and the value that the callback saw or gave. */
  readonly calls: string[] = [];
  readonly ops: MemoryRegionOps;

  constructor(endianness: 'little' | 'big', max: 4 | 8) {
    const sizes = { minAccessSize: 1, maxAccessSize: max, unaligned: true };
    const inOrder = (bytes: Uint8Array): Uint8Array => (endianness === 'little' ? bytes.reverse() : bytes);
    const read = (offset: number, size: number): bigint => {
      const value = toHex(inOrder(this.bytes.slice(offset, offset + size)));
      this.calls.push(`R${size}@${offset}=${value}`);
      return BigInt(`0x${value}`);
    };
    const write = (offset: number, value: number | bigint, size: number): void => {
      const digits = value.toString(16).padStart(size * 2, '0');
      this.calls.push(`W${size}@${offset}=${digits}`);
      this.bytes.set(inOrder(bytesOf(digits)), offset);
    };
    this.ops = {
      endianness,
      valid: sizes,
      impl: sizes,
      read: (offset, size) => Number(read(offset, size)),
      write,
      read64: (offset) => read(offset, 8),
      write64: (offset, value) => write(offset, value, 8),
    };
  }
}

/** RAM, devices that keep bytes (little, big, and one that takes no more than 4 at once), a hole: 16 bytes each. */
function rig() {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  const ram = new Uint8Array(16);
  const little = new Cells('little', 8);
  const big = new Cells('big', 8);
  const narrow = new Cells('little', 4);
  root.addSubregion(RAM, core.ram('ram', bufferBacking(ram)));
  root.addSubregion(LITTLE, core.io('little', 16, little.ops));
  root.addSubregion(BIG, core.io('big', 16, big.ops));
  root.addSubregion(NARROW, core.io('narrow', 16, narrow.ops));
  const space = core.addressSpace(root, 'memory');
  const at = (addr: GuestAddress): GuestDataView => new GuestDataView(space.with({}), addr, 16);
  return { core, root, space, ram, little, big, narrow, at };
}

describe.each(CASES)('$kind, little endian: $little', ({ kind, little, bytes, value }) => {
  const size = bytes.length / 2;

  it('D5: get and set move the bytes that a DataView moves, in RAM', () => {
    const { ram, at } = rig();
    ram.set(bytesOf(bytes), 3);
    expect(get(at(RAM), kind, 3, little)).toBe(value);
    if (!little) expect(get(at(RAM), kind, 3)).toBe(value); // what is not said is big
    ram.fill(0xee);
    set(at(RAM), kind, 7, value, little);
    expect(toHex(ram)).toBe('ee'.repeat(7) + bytes.padEnd(18, 'e'));
  });

  it.each(['little', 'big'] as const)('A-70: a %s-endian device sees one access, and keeps the same bytes', (name) => {
    const machine = rig();
    const device = machine[name];
    const data = machine.at(name === 'little' ? LITTLE : BIG);
    set(data, kind, 8, value, little);
    expect(toHex(device.bytes)).toBe('00'.repeat(8) + bytes.padEnd(16, '0'));
    expect(get(data, kind, 8, little)).toBe(value);
    const seen = name === 'big' ? bytes : toHex(bytesOf(bytes).reverse());
    expect(device.calls).toEqual([`W${size}@8=${seen}`, `R${size}@8=${seen}`]);
  });

  it('A-276: in a hole it is a MemTxError; with a MemTx the result tells, a get gives 0 and a set does nothing', () => {
    const { space, at } = rig();
    const expected = { result: MemTxResult.DECODE_ERROR, addr: HOLE + 8, expected: size, completed: 0 };
    for (const access of [() => get(at(HOLE), kind, 8, little), () => set(at(HOLE), kind, 8, value, little)]) {
      const error = caught(access);
      expect(error).toBeInstanceOf(MemTxError);
      expect(error).toMatchObject(expected);
    }
    const tx = new MemTx();
    const told = space.with({ onError: 'continue', tx });
    const data = new GuestDataView(told, HOLE, 16);
    expect(get(data, kind, 8, little)).toBe(typeof value === 'bigint' ? 0n : 0);
    expect(tx.result).toBe(MemTxResult.DECODE_ERROR);
    tx.result = MemTxResult.OK;
    set(data, kind, 8, value, little);
    expect(tx.result).toBe(MemTxResult.DECODE_ERROR);
  });

  it('D5: an index past the window is a RangeError, whatever memory holds there', () => {
    const { space } = rig();
    const short = new GuestDataView(space.with({}), RAM, size);
    expect(get(short, kind, 0, little)).toBe(typeof value === 'bigint' ? 0n : 0);
    for (const index of [1, 16, -1, 2 ** 53]) {
      expect(() => get(short, kind, index, little)).toThrow(RangeError);
      expect(() => set(short, kind, index, value, little)).toThrow(RangeError);
    }
  });
});

describe('over ends', () => {
  it('A-65: 64 bits to a device that takes 32 go as two accesses, in the order of addresses', () => {
    const { narrow, at } = rig();
    at(NARROW).setBigUint64(0, 0x1122_3344_5566_7788n);
    expect(narrow.calls.splice(0)).toEqual(['W4@0=44332211', 'W4@4=88776655']);
    expect(at(NARROW).getBigUint64(0)).toBe(0x1122_3344_5566_7788n);
    expect(narrow.calls).toEqual(['R4@0=44332211', 'R4@4=88776655']);
  });

  it('D5: a value over the end of RAM into a device, and over two pieces of RAM, is moved as bytes', () => {
    const { core, root, space, ram, little } = rig();
    root.addSubregion(RAM + 16, core.io('next', 16, little.ops));
    const data = new GuestDataView(space.with({}), RAM, 32);
    data.setUint32(14, 0x0102_0304);
    expect([...ram.subarray(14)]).toEqual([1, 2]);
    expect(little.calls.splice(0)).toEqual(['W2@0=0403']);
    expect(data.getInt16(15)).toBe(0x0203);
    expect(data.getUint32(14, true)).toBe(0x0403_0201);
    const second = new Uint8Array(16);
    root.addSubregion(RAM - 16, core.ram('before', bufferBacking(second)));
    const low = new GuestDataView(space.with({}), RAM - 16, 32);
    low.setFloat64(12, -100);
    expect(toHex(second.subarray(12)) + toHex(ram.subarray(0, 4))).toBe('c059000000000000');
  });

  it('A-276: a value that runs into a hole is a MemTxError with what was moved; the rest of it is lost', () => {
    const { ram, at } = rig();
    const data = at(RAM + 8);
    expect(caught(() => data.setUint32(6, 0xa1a2_a3a4))).toMatchObject({
      result: MemTxResult.DECODE_ERROR,
      expected: 4,
      completed: 2,
    });
    expect([...ram.subarray(14)]).toEqual([0xa1, 0xa2]);
    expect(caught(() => data.getBigInt64(2))).toMatchObject({ expected: 8, completed: 6 });
  });

  it('A-105: what a BAR hides and shows is seen at the next access, as through the space', () => {
    const { core, root, ram, at } = rig();
    const data = at(RAM);
    ram[0] = 1;
    const cover = core.ram('cover', bufferBacking(Uint8Array.of(2)));
    root.addSubregion(RAM, cover, 1);
    expect(data.getUint8(0)).toBe(2);
    cover.setEnabled(false);
    expect(data.getUint8(0)).toBe(1);
  });

  it('D1: a window that ends at 2^64 - 1', () => {
    const { core, root, at } = rig();
    const top = new Uint8Array(16);
    root.addSubregion((1n << 64n) - 16n, core.ram('top', bufferBacking(top)));
    const data = at((1n << 64n) - 16n);
    data.setBigInt64(8, -2n, true);
    expect(toHex(top.subarray(8))).toBe('feffffffffffffff');
    expect(data.getInt8(15)).toBe(-1);
    expect(data.getFloat32(12)).toBeNaN();
  });
});
