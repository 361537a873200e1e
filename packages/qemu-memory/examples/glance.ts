import { le32, u8 } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';

const core = new MemoryCore();
const system = core.container('system', 1n << 64n);
system.addSubregion(0, core.ram('ram', 64 << 20));

// A device: one register that counts its reads.
let reads = 0;
const counter = core.io('counter', 0x1000, {
  endianness: 'little',
  read: () => ++reads,
  write: (_offset, value) => {
    reads = value;
  },
});
system.addSubregion(0xfe00_0000, counter);

// What a CPU sees of it.
const cpu = core.addressSpace(system, 'cpu');
cpu.store(0x100, le32, 0x1234_5678);
console.log(cpu.load(0x100, u8).toString(16)); // -> 78
cpu.store(0xfe00_0000, le32, 41);
console.log(cpu.load(0xfe00_0000, le32)); // -> 42

// The guest moves the device over the RAM, which it hides while it is there.
counter.setAddress(0x200_0000);
console.log(cpu.load(0x200_0000, le32)); // -> 43
const ranges = [...cpu.view].map(({ first, region }) => `${first.toString(16)} ${region.name}`);
console.log(ranges.join(', ')); // -> 0 ram, 2000000 counter, 2001000 ram
