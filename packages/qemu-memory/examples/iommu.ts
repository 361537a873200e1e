import { le32, le64 } from '@guestmem/memtx';
import { IommuAccess, MemoryCore, PageIommu } from '@guestmem/qemu-memory';

const core = new MemoryCore();
const root = core.container('system', 1n << 64n);
root.addSubregion(0, core.ram('ram', 0x10000));
const memory = core.addressSpace(root, 'memory');

// One level of page tables in guest memory, at 0x1000: bit 0 present, bit 1 writable, the address above.
const model = new PageIommu(memory, (iova) => {
  if (iova >= 512 * 4096) return null;
  const entry = memory.load(0x1000 + 8 * Math.floor(Number(iova) / 4096), le64); // a bigint: a guest may write any 64 bits
  if ((entry & 1n) === 0n) return null;
  return { translatedAddr: entry & ~0xfffn, perm: (entry & 2n) !== 0n ? IommuAccess.RW : IommuAccess.RO };
});
const region = core.iommu('iommu', 1n << 48n, model);
const dma = core.addressSpace(region, 'dma');

memory.store(0x1000 + 8 * 5, le64, 0x4000n + 3n); // page 5 is at 0x4000
dma.store(0x5010, le32, 7);
console.log(memory.load(0x4010, le32)); // -> 7

memory.store(0x1000 + 8 * 5, le64, 0x8000n + 1n);
model.invalidate(region.iommu!, 0x5000, 4096); // forgets, and tells notifiers
console.log(dma.load(0x5010, le32)); // -> 0
