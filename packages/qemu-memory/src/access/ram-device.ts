/** Host device memory: reached by single accesses of 1, 2, 4 or 8 bytes, never by a bulk copy, and never dirty. A-55. */
import type { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps } from '../region/ops.ts';

/**
 * The operations of a RAM device. Little-endian numbers on both sides keep the byte string as it is. An access that
 * reaches beyond the block reads zeros there and writes nothing there.
 */
export function ramDeviceOps(region: MemoryRegion): MemoryRegionOps {
  const backing = region.ram!.backing;
  const byteAt = (offset: number): number => {
    if (offset >= backing.length) return 0;
    const segment = backing.segmentAt(offset);
    return segment.bytes[offset - segment.start]!;
  };
  const setByte = (offset: number, value: number): void => {
    if (offset >= backing.length) return;
    const segment = backing.segmentAt(offset);
    segment.bytes[offset - segment.start] = value;
  };
  const read = (offset: number, size: number): number => {
    if (offset + size <= backing.length) {
      const segment = backing.segmentAt(offset);
      const at = offset - segment.start;
      if (at + size <= segment.bytes.length)
        return size === 4
          ? segment.view.getUint32(at, true)
          : size === 2
            ? segment.view.getUint16(at, true)
            : segment.view.getUint8(at);
    }
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + byteAt(offset + i);
    return value;
  };
  const write = (offset: number, value: number, size: number): void => {
    if (offset + size <= backing.length) {
      const segment = backing.segmentAt(offset);
      const at = offset - segment.start;
      if (at + size <= segment.bytes.length) {
        if (size === 4) segment.view.setUint32(at, value, true);
        else if (size === 2) segment.view.setUint16(at, value, true);
        else segment.view.setUint8(at, value);
        return;
      }
    }
    for (let i = 0; i < size; i++) setByte(offset + i, (value >>> (8 * i)) & 0xff);
  };
  return {
    endianness: 'little',
    read,
    write,
    readHalves: (offset, out) => {
      out.lo = read(offset, 4);
      out.hi = read(offset + 4, 4);
    },
    writeHalves: (offset, lo, hi) => {
      write(offset, lo, 4);
      write(offset + 4, hi, 4);
    },
    peek: (offset, size) =>
      size === 8 ? (BigInt(read(offset + 4, 4)) << 32n) | BigInt(read(offset, 4)) : read(offset, size),
  };
}
