/** The parts of Arm and m68k boards that answer without doing: PrimeCell identification and plain registers, empty virtio slots. */
import type { MemoryRegionOps } from '@guestmem/qemu-memory';
import type { DeviceModel } from './context.ts';

/**
 * A PrimeCell: eight identification words at 0xfe0 to 0xffc (options `id`, 16 hex digits) and plain 32-bit words at the
 * offsets of `words` (comma-separated). Registers are chosen by the offset's word, whatever byte of it is named. `wide`: the
 * implementation takes 4-byte accesses only. Everything else reads as 0.
 */
export const primeCell: DeviceModel = (_, placed): MemoryRegionOps => {
  const id = String(placed.options?.id ?? '');
  const words = new Map<number, number>();
  for (const offset of String(placed.options?.words ?? '').split(',')) if (offset !== '') words.set(Number(offset), 0);
  const read = (offset: number): number => {
    const at = offset & 0xffc;
    if (at < 0xfe0) return words.get(at) ?? 0;
    const digit = ((at - 0xfe0) >> 2) * 2;
    return Number.parseInt(id.slice(digit, digit + 2), 16) || 0;
  };
  return {
    endianness: 'native',
    ...(placed.options?.wide === true && { impl: { minAccessSize: 4, maxAccessSize: 4 } }),
    read,
    write: (offset, value) => {
      const at = offset & 0xffc;
      if (words.has(at)) words.set(at, value);
    },
    peek: read,
  };
};

/** A virtio-mmio transport with nothing plugged in: magic, version (option `version`) and vendor read, the rest is 0. VIRTIO 1.1, 4.2.2. */
export const virtioMmio: DeviceModel = (_, placed): MemoryRegionOps => {
  const version = Number(placed.options?.version ?? 2);
  const read = (offset: number): number => {
    switch (offset) {
      case 0x00:
        return VIRTIO_MAGIC;
      case 0x04:
        return version;
      case 0x0c:
        return QEMU_VENDOR;
      default:
        return 0;
    }
  };
  return { endianness: 'little', read, write: () => {}, peek: read };
};

/** `virt` and `QEMU` as little-endian words. */
const VIRTIO_MAGIC = 0x7472_6976;
const QEMU_VENDOR = 0x554d_4551;
