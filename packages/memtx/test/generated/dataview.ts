// Made from README.md, section "DataView", by test/readme.test.ts. Do not edit.
import { expect } from 'vitest';
import { attributed, GuestDataView, memTxView } from '@guestmem/memtx';
import { guestMemory } from '@guestmem/vm-memory';

/** From a file that knows nothing of guests. */
function entryPoint(elf: DataView): bigint {
  return elf.getUint8(4) === 2 ? elf.getBigUint64(24, true) : BigInt(elf.getUint32(24, true));
}

const memory = attributed(guestMemory([{ startAddr: 0x10_0000, memory: 0x1000 }]));
const elf = new GuestDataView(memTxView(memory), 0x10_0000, 0x1000);
elf.setUint8(4, 2);
elf.setBigUint64(24, 0xffff_ffff_8100_0000n, true);
expect(entryPoint(elf)).toEqual(0xffff_ffff_8100_0000n);
