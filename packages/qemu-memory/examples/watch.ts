import { le32, MemTx, MemTxResult } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';

const core = new MemoryCore();
const root = core.container('system', 1n << 32n);
root.addSubregion(0, core.ram('ram', 0x10000));
root.addSubregion(0x3000_0000, core.io('uart', 8, { valid: { maxAccessSize: 1 }, read: () => 0, write() {} }));
const space = core.addressSpace(root, 'memory');

// Accesses that meet [0x1000, 0x1004).
const watch = space.tap(0x1000, 4, ({ addr, value, isWrite }) => {
  console.log(`${isWrite ? 'write' : 'read'} at 0x${addr.toString(16)}: ${value}`);
});
space.store(0x1000, le32, 42); // -> write at 0x1000: 42
watch.dispose();

// What devices and holes refuse, and why (`read` and `write` are told of what was let through).
core.access.observer = {
  refused: (region, offset, size, isWrite, reason) => {
    console.log(`${region.name} + ${offset}, ${isWrite ? 'write' : 'read'} of ${size}: ${reason}`);
  },
};
const tx = new MemTx();
space.with({ tx, onError: 'continue' }).load(0x3000_0004, le32); // -> uart + 4, read of 4: invalid size
console.log(tx.result === MemTxResult.DECODE_ERROR); // -> true
