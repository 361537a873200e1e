/** Structs in guest memory: what a refused value leaves behind, what lies between fields, and the pages that are marked. */
import { be16, le16, le32, le64, u8 } from '@guestmem/memtx';
import { DirtyClient, memoryRegionGetDirty, memoryRegionResetDirty } from '@guestmem/qemu-memory';
import { array, byteArray, type Codec, Permissions, struct } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { TestMachine } from '../support/machine.ts';

/** Bytes 1 and 2..3 of 8 are gaps. */
const GAPPED = struct({ kind: u8, id: le32 });
const DESCRIPTOR = struct({ addr: le64, len: le32, flags: le16, next: le16 });

function machine() {
  const m = new TestMachine();
  m.ram(0x1000, 0x2000);
  m.ram(0x3000, 0x1000);
  m.space.set(0x1000, 0xcc, 0x3000);
  return m;
}

describe('writeObj of a struct', () => {
  it('V-1.2: lies as its fields say, in one region and across two', () => {
    const m = machine();
    const value = { addr: 0x1122_3344_5566_7788n, len: 0x99aa_bbcc, flags: 0xddee, next: 0xff00 };
    const hex = '8877665544332211ccbbaa99eedd00ff';
    for (const addr of [0x1000, 0x1ff1, 0x2ff8]) {
      m.space.writeObj(addr, DESCRIPTOR, value);
      expect(m.read(addr, 16).hex, addr.toString(16)).toBe(hex);
      expect(m.space.readObj(addr, DESCRIPTOR)).toEqual(value);
    }
  });

  it('V-1.2: gaps of a struct in RAM keep what they hold; across regions they are zeros', () => {
    const m = machine();
    m.space.writeObj(0x1010, GAPPED, { kind: 1, id: 0x0203_0405 });
    m.space.with({}).writeObj(0x1018, GAPPED, { kind: 1, id: 0x0203_0405 });
    m.space.writeObj(0x2ffe, GAPPED, { kind: 1, id: 0x0203_0405 });
    expect(m.read(0x1010, 16).hex).toBe('01cccccc0504030201cccccc05040302');
    expect(m.read(0x2ffe, 8).hex).toBe('0100000005040302');
  });

  it('D10: a value that a part refuses changes nothing, also where the part is a codec of the program', () => {
    const m = machine();
    /** Refuses its value when it has written the first half. */
    const careless: Codec<number> = {
      size: 2,
      get: (view, offset) => view.getUint8(offset),
      set(view, offset, value) {
        view.setUint8(offset, value);
        if (value > 9) throw new RangeError('too much');
        view.setUint8(offset + 1, value);
      },
    };
    const parts = struct({ a: be16, b: array(le16, 2), c: byteArray(2) });
    expect(() => m.space.writeObj(0x1000, parts, { a: 1, b: [2, 0x1_0000], c: new Uint8Array(2) })).toThrow('.b[1]:');
    expect(() => m.space.writeObj(0x1000, parts, { a: 1, b: [2, 3], c: new Uint8Array(3) })).toThrow('.c:');
    expect(() => m.space.writeObj(0x1000, careless, 10)).toThrow('too much');
    expect(() => m.space.writeObj(0x1000, struct({ a: u8, b: careless }), { a: 1, b: 10 })).toThrow('too much');
    expect(() => m.space.writeObj(0x1000, array(careless, 2), [1, 10])).toThrow('too much');
    expect(m.read(0x1000, 16).hex).toBe('cc'.repeat(16));
  });

  it('A-197: marks every page that it touches', () => {
    const m = new TestMachine();
    const ram = m.ram(0x1000, 0x4000);
    const dirty = () => [0, 1, 2, 3].map((p) => memoryRegionGetDirty(ram, p * 0x1000, 0x1000, DirtyClient.VGA));
    ram.setLog(true, DirtyClient.VGA);
    memoryRegionResetDirty(ram, 0, 0x4000, DirtyClient.VGA);
    const before = dirty();
    m.space.writeObj(0x2ff8, DESCRIPTOR, { addr: 1n, len: 2, flags: 3, next: 4 });
    expect([before, dirty()]).toEqual([
      [false, false, false, false],
      [false, true, true, false],
    ]);
  });
});

describe('ranges', () => {
  it('A-84, V-1.8: checkRange tells the same for numbers and bigints, up to the last byte of the space', () => {
    const m = machine();
    m.ram(0xffff_ffff_ffff_f000n, 0x1000);
    const there = (addr: number | bigint, len: number | bigint) => m.space.checkRange(addr, len, Permissions.WRITE);
    expect([there(0x1000, 0x3000), there(0x1000n, 0x3000n), there(0x1000, 0x3001), there(0x1000n, 0x3001n)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([there(0x9000, 0), there(0x9000n, 0n)]).toEqual([true, true]);
    expect([there(0xffff_ffff_ffff_f000n, 0x1000), there(0xffff_ffff_ffff_f001n, 0x1000)]).toEqual([true, false]);
    expect([there(0, 2 ** 53 - 1), there(1, 2 ** 53 - 1), there(0, 1n << 64n)]).toEqual([false, false, false]);
    expect(() => there(0x1000, -1)).toThrow(/^length must be/);
    expect(() => there(0x1000, -1n)).toThrow(/^length must be/);
    expect(() => there(0x1000, 1.5)).toThrow(RangeError);
  });

  it('A-84, V-1.8: all 2^64 bytes are a length, as in vm-memory, and a string is none', () => {
    const m = machine();
    expect([m.space.checkRange(0, 1n << 64n), m.space.checkRange(1, 1n << 64n)]).toEqual([false, false]);
    expect(() => m.space.checkRange(0, (1n << 64n) + 1n)).toThrow(RangeError);
    expect(() => m.space.checkRange(0x1000, '16' as never)).toThrow(
      new TypeError('length must be a number or a bigint, not the string "16"'),
    );
    expect(() => m.space.checkRange(0x1000, 'all' as never)).toThrow(TypeError);
    const slices = m.space.getSlices(0x1000, 1n << 64n);
    expect([slices.next().value?.length, slices.next().value?.length]).toEqual([0x2000, 0x1000]);
    expect(() => slices.next()).toThrow('0x4000 is not RAM that can be read');
    expect(() => m.space.getSlices(0x1000, (1n << 64n) + 1n)).toThrow(RangeError);
  });

  it('V-1.8: slices are all of the view of the first, whatever is committed between two', () => {
    const m = new TestMachine();
    m.ram(0x2000, 0x1000);
    const high = m.ram(0x3000, 0x1000);
    const slices = m.space.getSlices(0x2ff0, 0x20, Permissions.WRITE);
    expect(slices.next().value?.length).toBe(0x10);
    m.root.delSubregion(high);
    expect(slices.next().value?.length).toBe(0x10);
    expect(() => [...m.space.getSlices(0x2ff0, 0x20)]).toThrow('0x3000 is not RAM');
  });

  it('V-1.8: slices are found one by one, and end after an error', () => {
    const m = machine();
    const slices = m.space.getSlices(0x2ff0, 0x2000n, Permissions.WRITE);
    const lengths = [slices.next().value?.length, slices.next().value?.length];
    expect(lengths).toEqual([0x10, 0x1000]);
    expect(() => slices.next()).toThrow('0x4000 is not RAM that can be written');
    expect(slices.next()).toEqual({ done: true, value: undefined });
    expect([...m.space.getSlices(0x5000, 0)]).toEqual([]);
    expect(() => m.space.getSlices(0x1000, -1)).toThrow(RangeError);
  });

  it('V-1.8: slices up to the last byte of the space do not go on at 0', () => {
    const m = new TestMachine();
    m.ram(0, 0x1000);
    m.ram(0xffff_ffff_ffff_f000n, 0x1000);
    const slices = m.space.getSlices(0xffff_ffff_ffff_f800n, 0x1000);
    expect(slices.next().value?.length).toBe(0x800);
    expect(() => slices.next()).toThrow('above 2^64 - 1');
  });
});
