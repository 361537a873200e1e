import { le16 } from '@guestmem/memtx';
import { MemoryCore, memoryRegionSetDirty } from '@guestmem/qemu-memory';

const core = new MemoryCore();
const root = core.container('system', 1n << 32n);
const space = core.addressSpace(root, 'memory');

// The chip's cells are the region's memory: what the chip programs it writes there, and says so.
const cells = new Uint8Array(0x1_0000).fill(0xff);
let command = 0xff;
const flash = core.romDevice('flash', cells, {
  endianness: 'little',
  valid: { minAccessSize: 2, maxAccessSize: 2 },
  read: () => 0x80, // while it takes commands: the status, ready
  write: (offset, value) => {
    if (command === 0x40) {
      cells[offset]! &= value; // programming only clears bits
      cells[offset + 1]! &= value >> 8;
      memoryRegionSetDirty(flash, offset, 2);
      command = 0x70;
    } else command = value & 0xff;
    flash.romDeviceSetRomd(command === 0xff);
  },
});
root.addSubregion(0x2000_0000, flash);

console.log(space.load(0x2000_0100, le16).toString(16)); // -> ffff
space.store(0x2000_0100, le16, 0x40); // program ...
space.store(0x2000_0100, le16, 0x1234); // ... this
console.log(space.load(0x2000_0100, le16).toString(16)); // -> 80
space.store(0x2000_0100, le16, 0xff); // read the array
console.log(space.load(0x2000_0100, le16).toString(16)); // -> 1234
