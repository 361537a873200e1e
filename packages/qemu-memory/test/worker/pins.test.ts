/** Views that a worker asked the owner to hold and never got. The worker is an agent of this thread, which gives up where a test wants it. */
import { afterEach, expect, it, vi } from 'vitest';
import { attach } from '../../src/worker/attached-space.ts';
import { BlockTable } from '../../src/worker/block-table.ts';
import { PinList } from '../../src/worker/pin-list.ts';
import { ABANDONED, Ring, SERVING, STATE } from '../../src/worker/ring-layout.ts';
import type { SharedSpace } from '../../src/worker/shared-space.ts';
import { machine } from './support/machine.ts';

const opened: SharedSpace[] = [];

/** A worker that waits for `meanwhile` and for nothing else. The table of a view takes 17 pieces of the ring's payload. */
function waiting(meanwhile: (shared: SharedSpace, turn: number) => void) {
  const shared = machine().space.share({ ringPayload: 512, ringEntries: 2 });
  opened.push(shared);
  const handle = shared.handle();
  const worker = attach(handle, { timeoutMs: 50, spins: 0 });
  let turn = 0;
  const { wait } = Atomics;
  vi.spyOn(Atomics, 'wait').mockImplementation(((words: Int32Array, index: number, value: number, ms: number) => {
    meanwhile(shared, turn++);
    return wait(words, index, value, Math.min(ms, 5));
  }) as never);
  return { shared, handle, worker, ring: new Ring(handle.ring) };
}

/** The owner looks after its workers, as it does now and then. */
function lookAfter(shared: SharedSpace): void {
  const later = Date.now() + 1000;
  vi.spyOn(Date, 'now').mockReturnValue(later);
  shared.poll();
}

afterEach(() => {
  vi.restoreAllMocks();
  for (const shared of opened.splice(0)) shared.close();
});

it('A-112: a view that arrives whole is held until it is given back', () => {
  const { shared, worker } = waiting((owner) => owner.poll());
  const view = worker.memory();
  lookAfter(shared);
  expect(shared.stats.pinned).toBe(1);
  view.dispose();
  expect(shared.stats.pinned).toBe(0);
});

it('A-112: a view whose worker gave up between two pieces of the answer is not held, nor is what it shows', () => {
  const { shared, worker } = waiting((owner, turn) => {
    if (turn < 10) owner.poll();
  });
  expect(() => worker.memory()).toThrow(expect.objectContaining({ code: 'owner-not-serving' }));
  expect(shared.stats.pinned).toBe(1);
  lookAfter(shared);
  expect(shared.stats.pinned).toBe(0);
});

it('A-112: a view whose worker gave up while the owner made it is not held', () => {
  const gaveUp = new Error('gave up');
  const { shared, worker, ring } = waiting((owner) => {
    owner.poll();
    throw gaveUp;
  });
  const { pin } = PinList.prototype;
  vi.spyOn(PinList.prototype, 'pin').mockImplementation(function (this: PinList, memory, claim) {
    for (let entry = 0; entry < 2; entry++) {
      const at = ring.at(entry) + STATE;
      const state = Atomics.load(ring.words, at);
      if ((state & 15) === SERVING) Atomics.store(ring.words, at, (state & ~15) | ABANDONED);
    }
    return pin.call(this, memory, claim);
  });
  expect(() => worker.memory()).toThrow(gaveUp);
  expect(shared.stats.pinned).toBe(0);
});

it('A-217: a worker that was let go before its request was taken pins nothing and has no effect', () => {
  const { shared, worker } = waiting((owner, turn) => {
    if (turn === 0) owner.domain.evict(worker.rcu.slot, 'unresponsive');
    owner.poll();
  });
  expect(() => worker.memory()).toThrow(expect.objectContaining({ name: 'WorkerError', code: 'evicted' }));
  expect(shared.stats).toMatchObject({ pinned: 0, served: 0 });
});

it('A-217: a worker that was released too early, and waits for an answer, does not wait for ever', () => {
  const { worker, shared, handle } = waiting((_, turn) => {
    if (turn === 0) shared.release(handle);
    if (turn > 100) throw new Error('waits still');
  });
  expect(() => worker.memory()).toThrow(expect.objectContaining({ name: 'WorkerError', code: 'evicted' }));
});

it('A-112: the numbers of views fit into the ring for ever', () => {
  const { space } = machine();
  const pins = new PinList(new BlockTable(() => {}), 16, 2 ** 30 - 2);
  const ids = Array.from({ length: 4 }, () => pins.pin(space, 1).id);
  expect(ids).toEqual([2 ** 30 - 1, 2 ** 30, 1, 2]);
});
