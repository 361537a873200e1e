import { le32 } from '@guestmem/memtx';
import { DirtyClient, MemoryCore, memoryRegionSnapshotAndClearDirty } from '@guestmem/qemu-memory';

const core = new MemoryCore();
const root = core.container('system', 1n << 32n);
const vram = core.ram('vram', 640 * 480 * 4);
root.addSubregion(0x5000_0000, vram);
const space = core.addressSpace(root, 'memory');

vram.setLog(true, DirtyClient.VGA);
const bytesPerLine = 640 * 4;
const linesToDraw = (): number[] => {
  const dirty = memoryRegionSnapshotAndClearDirty(vram, 0, vram.ram!.length, DirtyClient.VGA);
  return Array.from({ length: 480 }, (_, y) => y).filter((y) => dirty.getDirty(y * bytesPerLine, bytesPerLine));
};
console.log(linesToDraw().length); // -> 480
// Line 100 begins in the middle of a page, which line 99 ends in.
space.store(0x5000_0000 + 100 * bytesPerLine, le32, 0xff00ff);
console.log(linesToDraw().join()); // -> 99,100
console.log(linesToDraw().length); // -> 0
