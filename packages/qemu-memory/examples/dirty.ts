import { le32 } from '@guestmem/memtx';
import { copyBlock, MemoryCore, memoryRegionSetDirty, trackDirty } from '@guestmem/qemu-memory';
import { GuestRegionBuffer } from '@guestmem/vm-memory';

const core = new MemoryCore();
const root = core.container('system', 1n << 32n);
const ram = core.ram('ram', 0x10000);
root.addSubregion(0, ram);
const space = core.addressSpace(root, 'memory');

const tracker = trackDirty(core);
const saved = new Map(tracker.blocks().map((block) => [block, copyBlock(block)])); // the base

space.store(0x1ffe, le32, 0xaabb_ccdd); // lies over the end of a page
for (const { block, offset, bytes } of tracker.since()) {
  console.log(`${block.name}: ${bytes.length} bytes from 0x${offset.toString(16)}`); // -> ram: 8192 bytes from 0x1000
  saved.get(block)!.set(bytes, offset);
}
console.log([...tracker.since()].length); // -> 0

// Back to it later: by block and offset, wherever that is mapped. Displays, trackers and translated code are told.
space.store(0x1ffe, le32, 0);
for (const [block, bytes] of saved) new GuestRegionBuffer(0, block.backing).writeSlice(bytes, 0);
memoryRegionSetDirty(ram, 0, 0x10000);
console.log(space.load(0x1ffe, le32).toString(16)); // -> aabbccdd
tracker.dispose();
