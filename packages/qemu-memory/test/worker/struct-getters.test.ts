/** What getters of a struct's value do in the middle of the write, in a worker that is an agent of this thread. T-97, A-60. */
import { le32 } from '@guestmem/memtx';
import { bufferBacking, struct } from '@guestmem/vm-memory';
import { afterEach, expect, it, vi } from 'vitest';
import { attach } from '../../src/worker/attached-space.ts';
import type { SharedSpace } from '../../src/worker/shared-space.ts';
import { machine } from './support/machine.ts';

const opened: SharedSpace[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const shared of opened.splice(0)) shared.close();
});

it('T-97, A-60: RAM is not reclaimed before the object is written whose getter asked the owner, who took it out of the map', () => {
  const made = machine();
  const owner = {};
  const bytes = new Uint8Array(new SharedArrayBuffer(0x1000));
  const ram = made.core.ram('held', bufferBacking(bytes), { owner });
  made.root.addSubregion(0x10_0000, ram);
  const shared = made.space.share();
  opened.push(shared);
  const worker = attach(shared.handle(), { flavour: 'quiescent', spins: 0 });
  const log: string[] = [];
  made.core.whenUnreferenced(owner, () => log.push(`unreferenced, holds ${bytes[0]}`));
  made.onWrite = () => {
    if (ram.container !== null) made.root.delSubregion(ram);
  };
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    for (let i = 0; i < 8; i++) shared.poll(); // Serves, and reclaims what it may.
    return 'ok';
  });
  worker.load(0x10_0000, le32); // The window is open.
  worker.writeObj(0x10_0000, struct({ only: le32 }), {
    get only() {
      worker.store(0x1_0004, le32, 1);
      return 5;
    },
  });
  worker.quiescent();
  for (let i = 0; i < 8; i++) {
    worker.quiescent();
    shared.poll();
  }
  expect(log).toEqual(['unreferenced, holds 5']);
  worker.detach();
});
