import { le32, u8 } from '@guestmem/memtx';
import { bufferBacking, GuestMemoryRegion, Permissions } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import {
  addressSpaceLookupSection,
  MemoryCore,
  type PinnedView,
  type SectionRegion,
  sectionGetHostAddr,
} from '../../src/index.ts';
import { TestMachine } from '../support/machine.ts';

/** RAM [0, 0x2000) with a device over [0x800, 0x900), ROM at 0x4000, RAM again at the very end of the space. */
function machine(): { pinned: PinnedView; ram: Uint8Array; written: number[] } {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  const ram = new Uint8Array(0x2000);
  const written: number[] = [];
  const device = core.io('device', 0x100, {
    endianness: 'little',
    read: (offset, size) => offset * 16 + size,
    write: (offset, value) => written.push(offset, value),
  });
  const block = core.ram('ram', bufferBacking(ram));
  root.addSubregion(0, block);
  root.addSubregion(0x800, device, 1);
  root.addSubregion(0x4000, core.rom('rom', bufferBacking(Uint8Array.of(1, 2, 3, 4))));
  root.addSubregion((1n << 64n) - 0x1000n, core.alias('top', block, 0x1000, 0x1000));
  return { pinned: core.addressSpace(root, 'memory').memory(), ram, written };
}

const region = (pinned: PinnedView, addr: number | bigint): SectionRegion => {
  const found = pinned.findRegion(addr);
  if (found === undefined) throw new Error(`nothing at ${addr}`);
  return found;
};

describe('sections as regions', () => {
  it('A-137: a flat view is a guest memory whose regions are its sections, ascending, the last byte of the space included', () => {
    const { pinned } = machine();
    expect([...pinned].map((each) => [each.section.region.name, each.startAddr, each.length])).toEqual([
      ['ram', 0, 0x800],
      ['device', 0x800, 0x100],
      ['ram', 0x900, 0x1700],
      ['rom', 0x4000, 4],
      ['ram', 0xffff_ffff_ffff_f000n, 0x1000],
    ]);
    expect(pinned.numRegions).toBe(5);
    expect(pinned.lastAddr).toBe((1n << 64n) - 1n);
    expect(region(pinned, 0)).toBeInstanceOf(GuestMemoryRegion);
  });

  it('A-106: addresses in a section are section offsets, whatever the region offset', () => {
    const { pinned, ram } = machine();
    const rest = region(pinned, 0x1234);
    rest.store(4, le32, 0x1122_3344);
    expect([...ram.subarray(0x904, 0x908)]).toEqual([0x44, 0x33, 0x22, 0x11]);
    expect(rest.load(4, le32)).toBe(0x1122_3344);
    region(pinned, (1n << 64n) - 1n).store(0xfff, u8, 0x77);
    expect(ram[0x1fff]).toBe(0x77);
  });

  it('A-105: a device section is read and written through its callbacks', () => {
    const { pinned, written } = machine();
    const device = region(pinned, 0x800);
    expect(device.load(8, le32)).toBe(8 * 16 + 4);
    device.store(0x10, le32, 5);
    expect(written).toEqual([0x10, 5]);
    expect(() => device.getSlice(0, 4)).toThrow(expect.objectContaining({ code: 'invalid-guest-address' }));
    expect(() => device.getHostAddress(0)).toThrow(expect.objectContaining({ code: 'host-address-not-available' }));
  });

  it('V-1.2: transfers end with the section, short or exact; a scalar never leaves it', () => {
    const { pinned } = machine();
    const low = region(pinned, 0);
    expect(low.read(new Uint8Array(16), 0x7f8)).toBe(8);
    expect(low.write(new Uint8Array(16), 0x7f8)).toBe(8);
    expect(() => low.readSlice(new Uint8Array(16), 0x7f8)).toThrow(
      expect.objectContaining({ code: 'partial-buffer', expected: 16, completed: 8 }),
    );
    expect(() => low.load(0x7fd, le32)).toThrow(expect.objectContaining({ code: 'invalid-backend-address' }));
    expect(() => low.read(new Uint8Array(1), 0x800)).toThrow(
      expect.objectContaining({ code: 'invalid-backend-address' }),
    );
    expect(low.read(new Uint8Array(0), 0x9999)).toBe(0);
  });

  it('V-1.8: permissions, slices and host addresses of RAM and ROM', () => {
    const { pinned, ram } = machine();
    const rest = region(pinned, 0x900);
    expect(rest.getSlice(0, 0x1700).length).toBe(0x1700);
    expect(rest.getHostAddress(2)).toEqual({ buffer: ram.buffer, byteOffset: 0x902 });
    expect(pinned.getHostAddress((1n << 64n) - 1n)).toEqual({ buffer: ram.buffer, byteOffset: 0x1fff });
    const rom = region(pinned, 0x4002);
    expect(rom.permits(Permissions.READ)).toBe(true);
    expect(rom.permits(Permissions.WRITE)).toBe(false);
    expect(pinned.toRegionAddr(0x4002, Permissions.WRITE)).toBeUndefined();
    expect(() => pinned.getSlice(0x3000, 1)).toThrow(expect.objectContaining({ code: 'invalid-guest-address' }));
  });

  it('V-1.8: a slice of no bytes is one wherever there is memory, its end included', () => {
    const { pinned } = machine();
    const rest = region(pinned, 0x900);
    for (const offset of [0, 5, rest.length]) expect(rest.getSlice(offset, 0).length).toBe(0);
    expect([pinned.getSlice(0x900, 0).length, pinned.getSlice((1n << 64n) - 1n, 0).length]).toEqual([0, 0]);
    expect(region(pinned, (1n << 64n) - 1n).checkRange(1, 0)).toBe(true);
    expect(() => rest.getSlice(BigInt(rest.length) + 1n, 0)).toThrow(/past the end/);
    expect(() => pinned.getSlice(0x3000, 0)).toThrow(expect.objectContaining({ code: 'invalid-guest-address' }));
  });

  it('T-46, A-117: what a region shows beyond its block has no host address', () => {
    const m = new TestMachine();
    m.root.addSubregion(0x1000, m.core.ram('short', bufferBacking(0x100), { size: 0x200 }));
    const pinned = m.space.memory();
    const none = expect.objectContaining({ code: 'host-address-not-available' });
    const section = addressSpaceLookupSection(m.space, 0x1000);
    expect([pinned.getHostAddress(0x10ff).byteOffset, sectionGetHostAddr(section, 0xff).length]).toEqual([0xff, 1]);
    for (const offset of [0x100, 0x180, 0x1ff]) {
      expect(() => pinned.getHostAddress(0x1000 + offset)).toThrow(none);
      expect(() => sectionGetHostAddr(section, offset)).toThrow(none);
    }
  });

  it('A-130: an address gives section, offset and what remains', () => {
    const { pinned } = machine();
    const found = pinned.toRegionAddr(0x910);
    expect([found?.region.section.region.name, found?.offset, found?.remaining]).toEqual(['ram', 0x10, 0x16f0]);
    expect(pinned.checkedOffset(0x100, 0x4000)).toBeUndefined();
    expect(pinned.checkedOffset(0x100, 0x1000)).toBe(0x1100);
    expect(pinned.addressInRange(0x3000)).toBe(false);
  });
});
