import {
  be16,
  be16s,
  be32,
  be32f,
  be64,
  be64n,
  DeviceEndian,
  fromDevice,
  halvesCodec,
  i8,
  le16,
  le16f,
  le32,
  le32f,
  le32s,
  le64,
  le64f,
  le64n,
  reorder,
  reorderHalves,
  resolveDeviceEndian,
  toDevice,
  U64Halves,
  u8,
} from '@guestmem/memtx';
import { describe, expect, it } from 'vitest';

describe('DeviceEndian', () => {
  it('A-15: NATIVE is the order of the target, the others are themselves on any target', () => {
    expect(resolveDeviceEndian(DeviceEndian.NATIVE, 'big')).toBe('big');
    expect(resolveDeviceEndian(DeviceEndian.NATIVE, 'little')).toBe('little');
    expect(resolveDeviceEndian(DeviceEndian.BIG, 'little')).toBe('big');
    expect(resolveDeviceEndian(DeviceEndian.LITTLE, 'big')).toBe('little');
    expect(resolveDeviceEndian('big', undefined)).toBe('big');
  });

  it('A-75: NATIVE is refused where no target order is configured, and so is any other word', () => {
    expect(() => resolveDeviceEndian('native', undefined)).toThrow(TypeError);
    expect(() => resolveDeviceEndian('host' as never, 'little')).toThrow(TypeError);
  });
});

describe('reorder', () => {
  it('A-16: the number is the same iff the orders agree, else its bytes are reversed', () => {
    expect(reorder(0x11223344, 4, 'little', 'big')).toBe(0x44332211);
    expect(reorder(0xf1223344, 4, 'big', 'big')).toBe(0xf1223344);
    expect(reorder(0x1122, 2, 'big', 'little')).toBe(0x2211);
    expect(reorder(0x11223344n, 4, 'little', 'big')).toBe(0x44332211n);
    expect(reorder(0x1122n, 2, 'little', 'big')).toBe(0x2211n);
    expect(reorder(0x0102030405060708n, 8, 'little', 'big')).toBe(0x0807060504030201n);
    expect(reorder(0xf102030405060708n, 8, 'big', 'big')).toBe(0xf102030405060708n);
  });

  it('A-16: one byte never changes', () => {
    expect(reorder(0xfe, 1, 'little', 'big')).toBe(0xfe);
    expect(reorder(0xfen, 1, 'big', 'little')).toBe(0xfen);
  });

  it('A-41: what is wider than the access is cut off, and the answer is unsigned', () => {
    expect(reorder(0xaabbccdd, 2, 'little', 'little')).toBe(0xccdd);
    expect(reorder(0xaabbccdd, 2, 'little', 'big')).toBe(0xddcc);
    expect(reorder(-1, 4, 'little', 'big')).toBe(0xffff_ffff);
    expect(reorder(0x1ffn, 1, 'little', 'big')).toBe(0xffn);
    expect(reorder(-1n, 8, 'little', 'little')).toBe(0xffff_ffff_ffff_ffffn);
  });

  it('D2: a number of 8 bytes is refused', () => {
    expect(() => reorder(1, 8 as never, 'little', 'big')).toThrow(TypeError);
  });

  it('A-16: halves are swapped across and reversed in place', () => {
    const pair = new U64Halves().set(0x0102030405060708n);
    reorderHalves(pair, 'little', 'big');
    expect([pair.lo, pair.hi]).toEqual([0x04030201, 0x08070605]);
    reorderHalves(pair, 'big', 'little');
    expect(pair.toBigInt()).toBe(0x0102030405060708n);
    pair.set(0xf1f2f3f4f5f6f7f8n);
    reorderHalves(pair, 'big', 'big');
    expect(pair.toBigInt()).toBe(0xf1f2f3f4f5f6f7f8n);
  });
});

describe('what a device is given and what it answers', () => {
  it('A-16: E-18, E-22: a store arrives in the device order', () => {
    // E-18: the bytes 11 22 33 44 at a little device; E-22: outl 0x11223344 on a little target at a big device.
    expect(toDevice(be32, 0x11223344, 'little')).toBe(0x44332211);
    expect(toDevice(le32, 0x11223344, 'big')).toBe(0x44332211);
    expect(toDevice(le32, 0xf1223344, 'little')).toBe(0xf1223344);
    expect(toDevice(le16, 0x1122, 'big')).toBe(0x2211);
    expect(toDevice(be16, 0x1122, 'big')).toBe(0x1122);
    expect(toDevice(u8, 0x12, 'big')).toBe(0x12);
    expect(toDevice(le64, 0x0102030405060708n, 'big')).toBe(0x0807060504030201n);
    expect(toDevice(le64n, 0x0102030405, 'little')).toBe(0x0102030405n);
    expect(toDevice(be64n, 1, 'little')).toBe(0x0100000000000000n);
  });

  it('A-16: signed values and floats arrive as their bytes read', () => {
    expect(toDevice(i8, -1, 'little')).toBe(0xff);
    expect(toDevice(be16s, -2, 'big')).toBe(0xfffe);
    expect(toDevice(be16s, -2, 'little')).toBe(0xfeff);
    expect(toDevice(le32s, -1, 'big')).toBe(0xffff_ffff);
    expect(toDevice(be32f, 1, 'big')).toBe(0x3f80_0000);
    expect(toDevice(le32f, 1, 'big')).toBe(0x0000_803f);
    expect(toDevice(le64f, 1, 'little')).toBe(0x3ff0_0000_0000_0000n);
    expect(toDevice(le16f, 1, 'little')).toBe(0x3c00);
    expect(toDevice(halvesCodec('big'), new U64Halves().set(0x0102030405060708n), 'little')).toBe(0x0807060504030201n);
  });

  it('D2: a value that is not the codec’s never reaches the device', () => {
    expect(() => toDevice(le32, 2 ** 32, 'little')).toThrow(RangeError);
    expect(() => toDevice(le32, -1, 'little')).toThrow(RangeError);
    expect(() => toDevice(le16, 0x1_0000, 'big')).toThrow(RangeError);
    expect(() => toDevice(le32, 1n as never, 'little')).toThrow(TypeError);
    expect(() => toDevice(le64, 1 as never, 'little')).toThrow(TypeError);
  });

  it('A-16: E-15: an answer is turned from the device order to the caller’s', () => {
    // E-15: virtio-mmio is little, the target big: the device answers 0x74726976.
    expect(fromDevice(be32, 0x74726976, 'little')).toBe(0x76697274);
    expect(fromDevice(le32, 0x74726976, 'little')).toBe(0x74726976);
    expect(fromDevice(be32, 0xf4726976n, 'big')).toBe(0xf4726976);
    expect(fromDevice(le64, 0x0102030405060708n, 'big')).toBe(0x0807060504030201n);
    expect(fromDevice(be64, 1, 'big')).toBe(1n);
    expect(fromDevice(be64n, 0x0001_0203_0405_0607n, 'big')).toBe(0x0001_0203_0405_0607);
    expect({ ...fromDevice(halvesCodec('little'), 0x0102030405060708n, 'big') }).toEqual({
      lo: 0x04030201,
      hi: 0x08070605,
    });
  });

  it('A-36: E-5, E-16: bits above the access size are dropped', () => {
    // E-5: HPET answers 0x009896808086a201 to a 4-byte read; E-16: 0x74726976 to a 2-byte read.
    expect(fromDevice(le32, 0x009896808086a201n, 'little')).toBe(0x8086a201);
    expect(fromDevice(be16, 0x74726976, 'little')).toBe(0x7669);
    expect(fromDevice(u8, 0x1ff, 'big')).toBe(0xff);
    expect(fromDevice(le16, 0xffff_ffff_ffff_1234n, 'little')).toBe(0x1234);
    expect(fromDevice(le32, -1, 'little')).toBe(0xffff_ffff);
  });

  it('A-16: signed values and floats come back', () => {
    expect(fromDevice(i8, 0xff, 'big')).toBe(-1);
    expect(fromDevice(be16s, 0xfeff, 'little')).toBe(-2);
    expect(fromDevice(le32f, 0x803f, 'big')).toBe(1);
    expect(Object.is(fromDevice(be32f, 0x8000_0000, 'big'), -0)).toBe(true);
  });
});
