import { le32 } from '@guestmem/memtx';
import { copyBlock, MemoryCore, trackDirty } from '@guestmem/qemu-memory';

const core = new MemoryCore();
const root = core.container('system', 1n << 32n);
root.addSubregion(0, core.ram('ram', 0x10000));
const space = core.addressSpace(root, 'memory');

const tracker = trackDirty(core);
const saved = new Map(tracker.blocks().map((block) => [block, copyBlock(block)])); // the base

space.store(0x1ffe, le32, 0xaabb_ccdd); // lies over the end of a page
for (const { block, offset, bytes } of tracker.since()) {
  console.log(`${block.name}: ${bytes.length} bytes from 0x${offset.toString(16)}`); // -> ram: 8192 bytes from 0x1000
  saved.get(block)!.set(bytes, offset);
}
console.log([...tracker.since()].length); // -> 0
tracker.dispose();
