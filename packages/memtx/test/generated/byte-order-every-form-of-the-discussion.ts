// Made from README.md, section "Byte order: every form of the discussion", by test/readme.test.ts. Do not edit.
import { expect } from 'vitest';
import { attributed, be32, fromDevice, le32, memTxView, nativeCodecs, reverse32, toDevice } from '@guestmem/memtx';
import { type ByteOrder, type GuestAddress, guestMemory, HOST_BYTE_ORDER, u32 } from '@guestmem/vm-memory';

const ram = guestMemory([{ startAddr: 0x1000, memory: 0x1000 }]);
const memory = attributed(ram);
const dma = memTxView(memory, { requesterId: 0x20 });
const target: ByteOrder = 'big';

/** The bytes at an address, in ascending order. */
function bytesAt(addr: GuestAddress, length = 4): number[] {
  const bytes = new Uint8Array(length);
  ram.readSlice(bytes, addr);
  return [...bytes];
}

dma.store(0x1000, u32, HOST_BYTE_ORDER === target ? 0x11223344 : reverse32(0x11223344));
expect(bytesAt(0x1000)).toEqual([0x11, 0x22, 0x33, 0x44]);

function storeAt([addr, order]: readonly [GuestAddress, ByteOrder], size: 2 | 4, value: number): void {
  const { u16, u32 } = nativeCodecs(order);
  dma.store(addr, size === 2 ? u16 : u32, value);
}
storeAt([0x1000, 'little'], 4, 0x11223344);
expect(bytesAt(0x1000)).toEqual([0x44, 0x33, 0x22, 0x11]);

function orderOf(codec: { readonly littleEndian: boolean }): ByteOrder {
  return codec.littleEndian ? 'little' : 'big';
}
expect(orderOf(be32)).toEqual('big');

dma.store(0x1000, le32, 0x11223344);
expect(bytesAt(0x1000)).toEqual([0x44, 0x33, 0x22, 0x11]);

class Le32 {
  readonly codec = le32;
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}
const storeValue = (addr: GuestAddress, { codec, value }: Le32): void => dma.store(addr, codec, value);
storeValue(0x1004, new Le32(42));
expect(bytesAt(0x1004)).toEqual([42, 0, 0, 0]);

// @ts-expect-error and this is the point: it does not compile, so it is never called
const bare = () => dma.store(0x1000, 42);
void bare;

expect(toDevice(le32, 0x11223344, 'big')).toEqual(0x44332211);
expect(fromDevice(le32, 0x44332211, 'big')).toEqual(0x11223344);

dma.writeSlice(Uint8Array.of(0x11, 0x22, 0x33, 0x44), 0x1000);
expect(dma.load(0x1000, be32)).toEqual(0x11223344);

// @ts-expect-error 'little' or 'big'
const hostOrder = () => dma.with({ order: 'host' });
void hostOrder;

const cpu = dma.with({ order: target });
cpu.stl(0x1000, 0x11223344);
expect(bytesAt(0x1000)).toEqual([0x11, 0x22, 0x33, 0x44]);

const value = 0x11223344;

// As documented there, for a big-endian target (`to_be()` on a little-endian host is a reversal):
const converted = reverse32(value);
cpu.stl(0x1000, converted); // its store(): a number, stored in the target's order
expect(bytesAt(0x1000)).toEqual([0x44, 0x33, 0x22, 0x11]);

// Now. The field is big-endian because its specification says so:
dma.store(0x1000, be32, value);
expect(bytesAt(0x1000)).toEqual([0x11, 0x22, 0x33, 0x44]);

// or it is in the CPU's order, whatever that is, and nobody converts:
cpu.stl(0x1000, value);
expect(bytesAt(0x1000)).toEqual([0x11, 0x22, 0x33, 0x44]);
