// Made from README.md, section "A device that does DMA", by test/readme.test.ts. Do not edit.
import { expect } from 'vitest';
import { attributed, le16, le32, le64a, memTxView } from '@guestmem/memtx';
import { guestMemory } from '@guestmem/vm-memory';

// 64 KiB of RAM. In a whole machine this is an AddressSpace of @guestmem/qemu-memory, whose `with` makes views.
const memory = attributed(guestMemory([{ startAddr: 0x4000_0000, memory: 0x1_0000 }]));

// Said once, where the device is built: who it is, and that failures are results.
const dma = memTxView(memory, { requesterId: 0x20, onError: 'continue' });

// A driver has left a descriptor: where the data is, how long it is, and a status word to be filled in.
dma.store(0x4000_0100, le64a, 0x4000_8000);
dma.store(0x4000_0108, le32, 4);

// The device follows it.
const data = dma.load(0x4000_0100, le64a); // a number, or a bigint from 2^53 on: a driver may leave anything
const length = dma.load(0x4000_0108, le32);
dma.write(Uint8Array.of(1, 2, 3, 4).subarray(0, length), data);
dma.store(0x4000_010c, le16, dma.tx.result === 0 ? 1 : 0xffff);

expect(dma.load(0x4000_8000, le32)).toEqual(0x04030201);
expect(dma.load(0x4000_010c, le16)).toEqual(1);
