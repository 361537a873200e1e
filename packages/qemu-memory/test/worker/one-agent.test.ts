/** A space whose worker is an agent of this very thread: what happens between two steps of the one or the other is then exact. */
import { le32, u8 } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import { afterEach, expect, it } from 'vitest';
import { attach } from '../../src/worker/attached-space.ts';
import type { SharedSpaceNews } from '../../src/worker/handle.ts';
import type { SharedSpace, ShareOptions } from '../../src/worker/shared-space.ts';
import { type Machine, machine } from './support/machine.ts';

const opened: SharedSpace[] = [];

function share(made: Machine, options: ShareOptions = {}): SharedSpace {
  const shared = made.space.share(options);
  opened.push(shared);
  return shared;
}

afterEach(() => {
  for (const shared of opened.splice(0)) shared.close();
});

it('D8: RAM that came and went while no table was free is not known for ever', () => {
  const made = machine();
  const shared = share(made, { tables: 1 });
  const worker = attach(shared.handle());
  worker.rcu.readLock(); // Holds the only table.
  for (let i = 0; i < 5; i++) {
    const ram = made.core.ram(`ram ${i}`, bufferBacking(0x1000, { shared: true }));
    made.root.addSubregion(0x10_0000, ram);
    made.root.delSubregion(ram);
  }
  worker.rcu.readUnlock();
  for (let i = 0; i < 4; i++) shared.poll();
  expect(shared.handle().blocks.map(({ name }) => name)).toEqual(['ram', 'rom']);
  worker.detach();
});

it('D15: a port connected twice gets news twice, and once when one connection is disposed of', () => {
  const made = machine();
  const shared = share(made);
  const seen: string[] = [];
  const port = {
    postMessage: (news: unknown) => {
      if ((news as SharedSpaceNews).guestmem === 'ram') seen.push('ram');
    },
  };
  const first = shared.connect(port);
  shared.connect(port);
  first.dispose();
  made.root.addSubregion(0x10_0000, made.core.ram('added', bufferBacking(0x1000, { shared: true })));
  expect(seen).toEqual(['ram']);
});

it('V-1.5, A-196: a source that fails after it has written leaves all it was offered marked', () => {
  const made = machine();
  made.ram.setLog(true, 0);
  const { dirty } = made.ram.ram!;
  dirty.testAndClear(0, 0x1_0000, 0);
  const worker = attach(share(made).handle());
  const readVolatile = (bytes: Uint8Array): number => {
    bytes[0] = 9;
    throw new Error('the source is broken');
  };
  expect(() => worker.readVolatileFrom(0x1fff, { readVolatile }, 0x10)).toThrow('the source is broken');
  expect(made.space.load(0x1fff, u8)).toBe(9);
  expect([0, 1, 2, 3].map((page) => dirty.get(page * 0x1000, 1, 0))).toEqual([false, true, true, false]);
  worker.detach();
});

it('T-97, A-60: polling the shared space in the middle of an access reclaims nothing', () => {
  const made = machine();
  const shared = share(made);
  const owner = {};
  const events: string[] = [];
  const device = made.core.io(
    'leaving',
    8,
    {
      endianness: 'little',
      impl: { maxAccessSize: 1 },
      read(offset) {
        events.push(`read ${offset}`);
        if (offset === 0) made.root.delSubregion(device);
        shared.poll();
        shared.release({ claim: shared.handle().claim });
        return offset;
      },
    },
    { owner },
  );
  made.root.addSubregion(0x7_0000, device);
  made.core.whenUnreferenced(owner, () => void events.push('reclaimed'));
  expect(made.space.load(0x7_0000, le32)).toBe(0x0302_0100);
  shared.poll();
  expect(events).toEqual(['read 0', 'read 1', 'read 2', 'read 3', 'reclaimed']);
});
