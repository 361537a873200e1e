/**
 * The suites of the layers below through attached spaces: vm-memory's contract and memtx's order grid. The owner is in a
 * thread of its own, the suite on the attached side, because it has to be synchronous. D8.
 */
import { attach } from '@guestmem/qemu-memory';
import type { ByteOrder } from '@guestmem/vm-memory';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { type GridSubject, orderGrid } from '../../../memtx/test/support/order-grid.ts';
import { conformance, type Range } from '../../../vm-memory/test/support/conformance.ts';
import { RemoteOwner } from './support/remote-owner.ts';

const owner = new RemoteOwner();
const made: number[] = [];

beforeEach(() => owner.check());
afterEach(() => {
  for (const id of made.splice(0)) owner.close(id);
});
afterAll(() => owner.stop());

for (const flavour of ['barrier', 'quiescent'] as const) {
  const options = { flavour, timeoutMs: 5000 };
  const machines = new Map<ByteOrder, GridSubject>();

  orderGrid(`attached space, ${flavour} flavour`, (target) => {
    const known = machines.get(target);
    if (known !== undefined) return known;
    const { id, handle } = owner.make({ make: 'grid', target });
    const subject: GridSubject = {
      memory: attach(handle, options),
      at: { ram: 0, little: 0x1000, big: 0x2000, native: 0x3000 },
      takeCalls: () => owner.calls(id),
    };
    machines.set(target, subject);
    return subject;
  });

  const make = (ranges: readonly Range[], shared: boolean) => {
    const { id, handle } = owner.make({ make: 'ranges', ranges, shared });
    made.push(id);
    return attach(handle, options);
  };
  conformance({
    name: `attached space, ${flavour} flavour, RAM directly`,
    make: (ranges) => make(ranges, true),
    regions: false,
  });
  conformance({
    name: `attached space, ${flavour} flavour, RAM through the owner`,
    make: (ranges) => make(ranges, false),
    slices: false, // They are of this agent's memory; that there are none is tested in attached-space.test.ts.
    regions: false,
  });
  conformance({
    name: `pinned view of an attached space, ${flavour} flavour`,
    make: (ranges) => make(ranges, true).memory(),
    regions: false,
  });
}
