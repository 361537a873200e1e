import { le32, MemTx } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';

const core = new MemoryCore();

// The tree: RAM from 0, and a PCI bus that shows wherever nothing lies above it.
const system = core.container('system', 1n << 64n);
const pci = core.container('pci', 1n << 64n);
system.addSubregion(0, core.ram('ram', 0x10000));
system.addSubregion(0, pci, -1);

// A device with one register that counts its reads. As the owner of its region it cannot re-enter itself.
const counter = { reads: 0 };
const bar = core.io(
  'counter',
  0x1000,
  {
    endianness: 'little',
    read: () => ++counter.reads,
    write: (_offset, value) => {
      counter.reads = value;
    },
  },
  { owner: counter },
);
pci.addSubregion(0xfe00_0000, bar);

// What a CPU sees of it.
const cpu = core.addressSpace(system, 'cpu');
for (const range of cpu.view)
  console.log(`${range.first.toString(16)}-${range.last.toString(16)} ${range.region.name}`);

cpu.store(0x100, le32, 0x1234_5678);
console.log(cpu.load(0x100, le32).toString(16)); // -> 12345678
cpu.store(0xfe00_0000, le32, 41);
console.log(cpu.load(0xfe00_0000, le32)); // -> 42

// Where nothing is mapped an access is refused: as a result here, without `tx` as an error.
const tx = new MemTx();
cpu.with({ tx, onError: 'continue' }).load(0x8000_0000, le32);
console.log(tx.result !== 0); // -> true

// Who listens hears what is different, once per transaction.
const listening = cpu.registerListener({
  regionAdd: (section) => console.log(`+ ${section.region.name} at ${section.offsetWithinAddressSpace.toString(16)}`),
  regionDel: (section) => console.log(`- ${section.region.name} at ${section.offsetWithinAddressSpace.toString(16)}`),
});
core.transaction(() => {
  bar.setAddress(0xfd00_0000);
  bar.setEnabled(true);
});
listening.dispose();
