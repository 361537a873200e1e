/** Regions that answer without doing anything: all ones, zero, and the voice of a device that is not modelled. */
import type { MapRegion, MemoryRegionOps } from '@guestmem/qemu-memory';
import type { DeviceEvents } from '../events.ts';
import type { DeviceModel } from './context.ts';

/** Takes every write, reads as ones: what an I/O port with nothing behind it does. */
export const ones: DeviceModel = () => ONES;

/** Takes every write, reads as 0. */
export const zero: DeviceModel = () => ZERO;

/** A board device that is there in the tree and has no model: reads as 0, and every access is counted by its name. */
export function notModelled(region: MapRegion, events: DeviceEvents): MemoryRegionOps {
  const event = `not modelled: ${region.name}`;
  return {
    endianness: 'little',
    valid: { minAccessSize: 1, maxAccessSize: 8, unaligned: true },
    impl: { minAccessSize: 1, maxAccessSize: 4 },
    read: () => {
      events.count(event);
      return 0;
    },
    write: () => events.count(event),
    peek: () => 0,
  };
}

const ONES: MemoryRegionOps = {
  endianness: 'little',
  valid: { minAccessSize: 1, maxAccessSize: 4 },
  read: (_, size) => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff),
  write: () => {},
  peek: (_, size) => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff),
};

const ZERO: MemoryRegionOps = {
  endianness: 'little',
  valid: { minAccessSize: 1, maxAccessSize: 8, unaligned: true },
  // Unaligned ones are cut: whole, one at the end of the region would take what lies behind it along.
  impl: { minAccessSize: 1, maxAccessSize: 4 },
  read: () => 0,
  write: () => {},
  peek: () => 0,
};
