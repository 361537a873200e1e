import { le32 } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';
import { type AtomicRef, type GuestMemory, GuestMemoryError, Permissions, type ScalarCodec } from '@guestmem/vm-memory';

const core = new MemoryCore();
const root = core.container('system', 1n << 32n);
root.addSubregion(0, core.ram('ram', new SharedArrayBuffer(0x10000)));
const space = core.addressSpace(root, 'memory');

/** The cell that an atomic instruction works on; null where no RAM is that can be read and written, or `addr` is not aligned. */
function cellAt<T>(memory: GuestMemory, addr: number, codec: ScalarCodec<T>): AtomicRef<T> | null {
  try {
    for (const slice of memory.getSlices(addr, codec.size, Permissions.READ_WRITE)) return slice.getAtomicRef(0, codec);
  } catch (error) {
    if (!(error instanceof GuestMemoryError)) throw error;
  }
  return null;
}

const cell = cellAt(space, 0x1000, le32)!;
console.log(cell.update((value) => (value + 5) >>> 0)); // -> 0
console.log(cell.exchange(7)); // -> 5
console.log(cell.compareExchange(7, 8)); // -> 7
console.log(space.load(0x1000, le32)); // -> 8
console.log(cellAt(space, 0x2_0000, le32) === null); // -> true
