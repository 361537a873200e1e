// Made from README.md, section "Attributes: every form of the discussion", by test/readme.test.ts. Do not edit.
import { expect } from 'vitest';
import { attributed, le32, MemTx, type MemTxAttrs, memTxAttrs, memTxView } from '@guestmem/memtx';
import { type GuestAddress, guestMemory, Permissions, type ScalarCodec, type VolatileSlice } from '@guestmem/vm-memory';

const ram = guestMemory([{ startAddr: 0x1000, memory: 0x1000 }]);
const memory = attributed(ram);
const attrs = memTxAttrs({ requesterId: 0x20 });
ram.store(0x1000, le32, 0x11223344);

const anyone = memTxView(memory);
expect(anyone.load(0x1000, le32)).toEqual(0x11223344);

const outcome = new MemTx();
expect(memory.txLoad(0x1000, le32, attrs, outcome)).toEqual(0x11223344);
expect(outcome.result).toEqual(0);

const withMode = {
  load<T>([addr, mode, attrs]: readonly [GuestAddress, Permissions, MemTxAttrs], codec: ScalarCodec<T>): T {
    if (mode !== Permissions.READ) throw new TypeError('a load reads');
    return memory.txLoad(addr, codec, attrs, null);
  },
};
expect(withMode.load([0x1000, Permissions.READ, attrs], le32)).toEqual(0x11223344);

const tuples = {
  load: <T>([addr, attrs]: readonly [GuestAddress, MemTxAttrs], codec: ScalarCodec<T>): T =>
    memory.txLoad(addr, codec, attrs, null),
};
expect(tuples.load([0x1000, attrs], le32)).toEqual(0x11223344);

let fromSlice = 0;
for (const slice of ram.getSlices(0x1000, 4, Permissions.READ)) {
  fromSlice = slice.load(0, le32);
}
expect(fromSlice).toEqual(0x11223344);

function tryAccess(
  count: number,
  addr: GuestAddress,
  access: Permissions,
  attrs: MemTxAttrs,
  f: (done: number, slice: VolatileSlice, attrs: MemTxAttrs) => number,
): number {
  let done = 0;
  for (const slice of ram.getSlices(addr, count, access)) done += f(done, slice, attrs);
  return done;
}
const found: number[] = [];
const moved = tryAccess(4, 0x1000, Permissions.READ, attrs, (_done, slice) => {
  found.push(slice.load(0, le32));
  return slice.length;
});
expect(moved).toEqual(4);
expect(found).toEqual([0x11223344]);

function* chunks(addr: GuestAddress, len: number, access: Permissions, attrs: MemTxAttrs) {
  for (const slice of ram.getSlices(addr, len, access)) yield { slice, attrs };
}
const requesters: number[] = [];
for (const chunk of chunks(0x1000, 4, Permissions.READ, attrs)) requesters.push(chunk.attrs.requesterId);
expect(requesters).toEqual([0x20]);

const dma = memTxView(memory, { requesterId: 0x20 });
expect(dma.load(0x1000, le32)).toEqual(0x11223344);
expect(dma.load(0x1000, le32, { pid: 7 })).toEqual(0x11223344);
