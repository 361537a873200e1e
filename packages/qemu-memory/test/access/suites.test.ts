/** The suites of the layers below, over address spaces: vm-memory's contract and memtx's order grid. A-275, V-1. */
import { MemoryCore } from '@guestmem/qemu-memory';
import { bufferBacking, type GuestAddress, segmentedBacking } from '@guestmem/vm-memory';
import { type GridCall, orderGrid } from '../../../memtx/test/support/order-grid.ts';
import { conformance, type Range } from '../../../vm-memory/test/support/conformance.ts';

function space(
  ranges: readonly Range[],
  backing: (length: number) => ReturnType<typeof bufferBacking>,
  through: boolean,
) {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  core.transaction(() => {
    for (const { start, length } of ranges) root.addSubregion(start, core.ram('ram', backing(length)));
  });
  const made = core.addressSpace(root, 'system');
  if (!through) return made;
  const behind = core.iommu('iommu', 1n << 64n, {
    translate: (offset: GuestAddress) => ({
      targetAs: made,
      iova: offset,
      translatedAddr: offset,
      addrMask: 0xfff,
      perm: 3,
    }),
  });
  return core.addressSpace(behind, 'behind');
}

conformance({
  name: 'AddressSpace',
  make: (ranges) => space(ranges, (length) => bufferBacking(length), false),
  regions: false,
});
conformance({
  name: 'PinnedView',
  make: (ranges) => space(ranges, (length) => bufferBacking(length, { shared: true }), false).memory(),
  regions: false,
});
conformance({
  name: 'AddressSpace over RAM of several buffers',
  make: (ranges) => space(ranges, pieces, false),
  regions: false,
  contiguous: false,
});

function pieces(length: number): ReturnType<typeof bufferBacking> {
  const half = Math.floor(length / 16) * 8;
  return half === 0 ? bufferBacking(length) : segmentedBacking([new ArrayBuffer(half), new ArrayBuffer(length - half)]);
}

orderGrid('AddressSpace', (targetOrder) => {
  const core = new MemoryCore({ targetOrder });
  const root = core.container('system', 0x10000);
  const calls: GridCall[] = [];
  const device = (endianness: 'little' | 'big' | 'native') => {
    const bytes = new Map<number, bigint>();
    const sizes = { minAccessSize: 1, maxAccessSize: 8 };
    const order = endianness === 'native' ? targetOrder : endianness;
    const get = (offset: number, size: number): bigint => {
      let value = 0n;
      for (let i = 0; i < size; i++) {
        const byte = bytes.get(offset + i) ?? 0n;
        value |= byte << BigInt(8 * (order === 'little' ? i : size - 1 - i));
      }
      calls.push({ op: 'read', offset, size, value });
      return value;
    };
    const set = (offset: number, value: bigint, size: number): void => {
      calls.push({ op: 'write', offset, size, value });
      for (let i = 0; i < size; i++)
        bytes.set(offset + i, (value >> BigInt(8 * (order === 'little' ? i : size - 1 - i))) & 0xffn);
    };
    return core.io(endianness, 64, {
      endianness,
      valid: sizes,
      impl: sizes,
      read: (offset, size) => Number(get(offset, size)),
      write: (offset, value, size) => set(offset, BigInt(value), size),
      read64: (offset) => get(offset, 8),
      write64: (offset, value) => set(offset, value, 8),
    });
  };
  root.addSubregion(0, core.ram('ram', bufferBacking(64)));
  root.addSubregion(0x1000, device('little'));
  root.addSubregion(0x2000, device('big'));
  root.addSubregion(0x3000, device('native'));
  return {
    memory: core.addressSpace(root, 'grid'),
    at: { ram: 0, little: 0x1000, big: 0x2000, native: 0x3000 },
    takeCalls: () => calls.splice(0),
  };
});
