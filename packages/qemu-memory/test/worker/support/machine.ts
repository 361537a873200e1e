/** A small machine for the tests: RAM at 0, a device at 0x1_0000, a ROM at 0x2_0000, a hole from 0x5_0000 on. */
import type { MemTx, MemTxAttrs } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import type { MemoryRegion } from '../../../src/region/memory-region.ts';
import type { AddressSpace } from '../../../src/space/address-space.ts';
import { MemoryCore } from '../../../src/space/memory-core.ts';

export interface Machine {
  readonly core: MemoryCore;
  readonly root: MemoryRegion;
  readonly space: AddressSpace;
  readonly ram: MemoryRegion;
  /** What the device was told: offset, value, size, attributes. */
  readonly writes: { offset: number; value: number; size: number; attrs: MemTxAttrs }[];
  readonly reads: { offset: number; attrs: MemTxAttrs }[];
  /** Called in each write callback. */
  onWrite: (offset: number, value: number) => void;
}

export function machine(): Machine {
  const core = new MemoryCore();
  const root = core.container('root', 1n << 64n);
  const ram = core.ram('ram', bufferBacking(0x1_0000, { shared: true }));
  const made: Machine = {
    core,
    root,
    ram,
    writes: [],
    reads: [],
    onWrite: () => undefined,
    space: core.addressSpace(root, 'memory'),
  };
  const device = core.io('device', 0x1000, {
    endianness: 'little',
    readWithAttrs(offset: number, _size: number, attrs: MemTxAttrs, tx: MemTx): number {
      made.reads.push({ offset, attrs });
      if (offset === 8) throw new Error('the model is broken');
      if (offset === 12) tx.result |= 1;
      return offset === 0 ? 0x0100_00ed : 0;
    },
    writeWithAttrs(offset: number, value: number, size: number, attrs: MemTxAttrs): void {
      made.writes.push({ offset, value, size, attrs });
      made.onWrite(offset, value);
    },
  });
  const romBytes = bufferBacking(0x1000, { shared: true });
  romBytes.segmentAt(0).view.setUint32(0, 0x5a5a, true);
  const rom = core.rom('rom', romBytes);
  core.transaction(() => {
    root.addSubregion(0, ram);
    root.addSubregion(0x1_0000, device);
    root.addSubregion(0x2_0000, rom);
  });
  return made;
}
