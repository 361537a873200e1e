// Made from README.md, section "Views", by test/readme.test.ts. Do not edit.
import { expect } from 'vitest';
import { attributed, be32, le32, MemTx, memTxAttrs, memTxView } from '@guestmem/memtx';
import { guestMemory } from '@guestmem/vm-memory';

const memory = attributed(guestMemory([{ startAddr: 0x1000, memory: 0x100 }]));
const device = memTxView(memory, { requesterId: 0x20, order: 'little' });
const queue = device.with({ pid: 7 }); // derived: requesterId 0x20 and pid 7

device.store(0x1000, le32, 0x11223344);
expect(device.load(0x1000, be32)).toEqual(0x44332211);
expect(queue.attrs.requesterId).toEqual(0x20);

// The short names take the view's order; codecs name their own. The type goes before the call, the call before the view.
expect(device.ldl(0x1000)).toEqual(0x11223344);
expect(device.lduw(0x1000, 'big')).toEqual(0x4433);

// The last argument says what is different this time: interned attributes, a MemTx, an Ordering, an order (short names
// only), or an object of several.
const elevated = memTxAttrs({ requesterId: 0x20, secure: true });
expect(device.load(0x1000, le32, elevated)).toEqual(0x11223344);
expect(device.load(0x1000, le32, { pid: 9 })).toEqual(0x11223344);
const tx = new MemTx();
expect(device.load(0x9000, le32, tx)).toEqual(0);
expect(tx.result).toEqual(2);

import { MemTxError, MemTxResult, memTxResultName } from '@guestmem/memtx';

const bytes = new Uint8Array(8);
const quiet = device.with({ onError: 'continue' });
expect(quiet.read(bytes, 0x10fc)).toEqual(4);
expect(memTxResultName(quiet.tx.result)).toEqual('DECODE_ERROR');

let caught: unknown;
try {
  device.readSlice(bytes, 0x10fc);
} catch (error) {
  caught = error;
}
expect(caught instanceof MemTxError && [caught.result, caught.addr, caught.expected, caught.completed]).toEqual([MemTxResult.DECODE_ERROR, 0x1100, 8, 4]);

import { pinnedView } from '@guestmem/memtx';

const space = { memory: () => memory }; // a GuestAddressSpace, an AddressSpace, or anything that has memory()
const pinned = pinnedView(space, { requesterId: 0x20 });
expect(pinned.load(0x1000, le32)).toEqual(0x11223344);
pinned.dispose(); // or: using pinned = pinnedView(space)
expect(pinned.disposed).toEqual(true);
