/**
 * The order grid of memtx through attached spaces: the owner is in a thread of its own, the suite on the attached side.
 * Issue 7, point 7.
 */
import { attach } from '@guestmem/qemu-memory';
import { afterAll } from 'vitest';
import { orderGrid } from '../../../memtx/test/support/order-grid.ts';
import { RemoteOwner } from './support/remote-owner.ts';

const owner = new RemoteOwner();
afterAll(() => owner.stop());

for (const flavour of ['barrier', 'quiescent'] as const) {
  orderGrid(`attached space, ${flavour} flavour`, (target) => {
    const { id, handle } = owner.make({ make: 'grid', target });
    return {
      memory: attach(handle, { flavour }),
      at: { ram: 0, little: 0x1000, big: 0x2000, native: 0x3000 },
      takeCalls: () => owner.calls(id),
    };
  });
}
