/** Workers that die, owners that do not answer, rings and slots that run out. D8. */
import { le32 } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import { afterEach, expect, it, vi } from 'vitest';
import { attach } from '../../src/worker/attached-space.ts';
import type { EvictEvent } from '../../src/worker/evictions.ts';
import { ANSWERED, Ring, STATE } from '../../src/worker/ring-layout.ts';
import { served } from './support/harness.ts';
import { machine } from './support/machine.ts';
import { run, share, until } from './support/opened.ts';

/** Long enough for an owner that is at work to be given a core on a loaded machine, and waited for in full where nobody serves. */
const PATIENCE_MS = 2000;

afterEach(() => void vi.restoreAllMocks());

it('A-217: a worker terminated inside a read section does not wedge the owner: its exit frees the slot', async () => {
  const made = machine();
  const shared = share(made, { workers: 1 });
  const { worker, signals } = run(shared, 'hang');
  await until(() => signals.get(0) === 1);
  let freed = false;
  made.core.rcu.callRcu(() => {
    freed = true;
  });
  made.core.rcu.poll();
  expect(freed).toBe(false);
  expect(() => made.core.rcu.synchronize(0)).toThrow(expect.objectContaining({ code: 'timeout' }));
  await worker.terminate();
  await until(() => freed);
  expect(await served(shared, run(shared, 'ask', { args: [1] }).done)).toBe(0x010000ed);
});

it('A-217: a worker that hangs in a section is let go after stallMs, and the owner is told', async () => {
  const made = machine();
  const events: EvictEvent[] = [];
  const shared = share(made, { workers: 2, stallMs: 50, onEvict: (event) => events.push(event) });
  const { signals, handle, worker } = run(shared, 'hang');
  await until(() => signals.get(0) === 1);
  let freed = false;
  made.core.rcu.callRcu(() => {
    freed = true;
  });
  await served(
    shared,
    until(() => freed),
  );
  expect(events).toEqual([{ claim: handle.claim, slot: 0, waitedMs: expect.any(Number) }]);
  // What it may still read is not used again: the table that was published, and no other.
  expect(shared.stats).toMatchObject({ lostTables: 1, freeTables: 15 });
  made.ram.setEnabled(false); // Another table is published meanwhile.
  await worker.terminate();
  await until(() => shared.stats.lostTables === 0);
  expect(shared.stats.freeTables).toBe(15);
});

it('A-217: a worker that was late and comes back gets a typed error, never stale memory', async () => {
  const made = machine();
  const shared = share(made, { stallMs: 30 });
  const { signals, done } = run(shared, 'late', { flavour: 'quiescent' });
  await until(() => signals.get(0) === 1);
  let freed = false;
  made.core.rcu.callRcu(() => {
    freed = true;
  });
  await served(
    shared,
    until(() => freed),
  );
  signals.raise(1);
  const [quiescent, ram, device] = (await served(shared, done)) as object[];
  expect(quiescent).toMatchObject({ name: 'RcuError', code: 'evicted' });
  expect(ram).toMatchObject({ name: 'RcuError', code: 'evicted' });
  expect(device).toMatchObject({ name: 'RcuError', code: 'evicted' });
});

it('a worker terminated while it waits on the ring leaves no entry behind', async () => {
  const made = machine();
  const shared = share(made, { ringEntries: 1 });
  const first = run(shared, 'ask', { args: [1] });
  await until(() => first.signals.get(0) === 1);
  await new Promise((resolve) => setTimeout(resolve, 20)); // It has taken the only entry by now, or soon will.
  await first.worker.terminate();
  expect(await served(shared, run(shared, 'ask', { args: [3] }).done)).toBe(3 * 0x010000ed);
});

it('a worker that vanishes with an answer in the ring, and of whose end nobody is told: let go after stallMs, once', async () => {
  const made = machine();
  const events: EvictEvent[] = [];
  const shared = share(made, { workers: 2, ringEntries: 2, stallMs: 500, onEvict: (event) => events.push(event) });
  const handle = shared.handle();
  const gone = attach(handle); // Its agent goes no further than this.
  const ring = new Ring(handle.ring);
  Atomics.store(ring.words, ring.at(0) + STATE, ((gone.rcu.slot + 1) << 4) | ANSWERED);
  const busy = run(shared, 'ask', { args: [2000] }); // Others go on, and are not taken for gone.
  const now = Date.now();
  // Time passes with the requests of the other, 5 ms each: a loaded machine makes nobody late.
  vi.spyOn(Date, 'now').mockImplementation(() => now + 5 * shared.stats.served);
  await served(
    shared,
    until(() => events.length > 0),
  );
  expect(await served(shared, busy.done)).toBe(2000 * 0x010000ed);
  expect(events).toEqual([{ claim: handle.claim, slot: gone.rcu.slot, waitedMs: 500 }]);
  expect(() => gone.load(0, le32)).toThrow(expect.objectContaining({ code: 'evicted' }));
  expect(shared.release(handle)).toBe(true);
  expect(ring.words[ring.at(0) + STATE]).toBe(0);
});

it('a full ring blocks and loses nothing: five workers, one entry, every request performed once', async () => {
  const made = machine();
  const shared = share(made, { ringEntries: 1, workers: 5 });
  const all = [1, 2, 3, 4, 5].map((id) => run(shared, 'count', { args: [40, id] }).done);
  expect(await served(shared, Promise.all(all))).toEqual([40, 40, 40, 40, 40]);
  expect(made.writes).toHaveLength(200);
  for (const id of [1, 2, 3, 4, 5])
    expect(made.writes.filter(({ attrs }) => attrs.requesterId === id)).toHaveLength(40);
});

it('an owner that does not serve: a typed error after the time-out, and the request has no effect later', async () => {
  const made = machine();
  const shared = share(made);
  await expect(run(shared, 'once', { args: [0x1_0000], timeoutMs: 60 }).done).resolves.toMatchObject({
    name: 'WorkerError',
    code: 'owner-not-serving',
  });
  expect(shared.poll()).toBe(0);
  expect(made.reads).toEqual([]);
});

it('a worker that detaches with a pinned view while nobody serves gives its slot back; the view goes with its agent', async () => {
  const made = machine();
  const shared = share(made, { workers: 1 });
  const { signals, done } = run(shared, 'pinDetach', { timeoutMs: PATIENCE_MS });
  await served(
    shared,
    until(() => signals.get(0) === 1),
  );
  signals.raise(1);
  const [disposed, view, space] = (await done) as readonly object[]; // Nobody serves.
  expect([disposed, view, space]).toMatchObject([true, { code: 'closed' }, { code: 'closed' }]);
  await until(() => shared.stats.pinned === 0);
  expect(await served(shared, run(shared, 'ask', { args: [1] }).done)).toBe(0x010000ed);
});

it('A-217, D15: a view that could not be given back because nobody served is given back by disposing of it again', async () => {
  const made = machine();
  const shared = share(made);
  const { signals, done } = run(shared, 'pinLate', { timeoutMs: PATIENCE_MS });
  await served(
    shared,
    until(() => signals.get(0) === 1),
  );
  signals.raise(1);
  await until(() => signals.get(2) === 1); // Nobody serves.
  expect(shared.stats.pinned).toBe(1);
  await served(
    shared,
    until(() => signals.get(3) === 1),
  );
  expect(shared.stats.pinned).toBe(0);
  signals.raise(4);
  expect(await done).toMatchObject([{ code: 'owner-not-serving' }, { code: 'closed' }]);
});

it.each(['barrier', 'quiescent'] as const)(
  'A-105, A-217: what a worker holds pinned when the space is closed is reclaimed when it has detached, %s flavour',
  async (flavour) => {
    const made = machine();
    const owner = {};
    let reclaimed = false;
    const ram = made.core.ram('held', bufferBacking(0x1000, { shared: true }), { owner });
    made.root.addSubregion(0x10_0000, ram);
    const shared = share(made);
    const { signals, done } = run(shared, 'pinClosed', { flavour });
    await served(
      shared,
      until(() => signals.get(0) === 1),
    );
    made.root.delSubregion(ram);
    shared.close();
    made.core.whenUnreferenced(owner, () => {
      reclaimed = true;
    });
    for (let i = 0; i < 5; i++) {
      shared.poll();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect([reclaimed, shared.stats.pinned]).toEqual([false, 1]);
    signals.raise(1);
    expect(await done).toMatchObject({ device: { code: 'closed' }, after: { code: 'closed' } });
    expect(ram.ram!.backing.segmentAt(0).view.getUint32(0, true)).toBe(2); // It could still be written.
    for (let i = 0; i < 4; i++) shared.poll();
    expect([reclaimed, shared.stats.pinned]).toEqual([true, 0]);
  },
);

it('an owner that is stuck in a callback: a typed error that says the access may still take effect', async () => {
  const made = machine();
  const shared = share(made);
  const { signals, done } = run(shared, 'stuck', { timeoutMs: PATIENCE_MS });
  made.onWrite = () => signals.wait(0); // Until the worker has given up.
  expect(await served(shared, done)).toMatchObject({ name: 'WorkerError', code: 'owner-stuck' });
  expect(made.writes).toHaveLength(1);
  expect(await served(shared, run(shared, 'ask', { args: [20] }).done)).toBe(20 * 0x010000ed);
});

it('more workers than slots is a clear error', async () => {
  const made = machine();
  const shared = share(made, { workers: 1 });
  const { signals } = run(shared, 'hang');
  await until(() => signals.get(0) === 1);
  await expect(run(shared, 'once', { args: [0] }).done).rejects.toMatchObject({
    code: 'no-free-slot',
    message: expect.stringContaining('share it with more workers'),
  });
});

it('a closed space answers with a typed error, also to who waits', async () => {
  const made = machine();
  const shared = share(made);
  const { signals, done } = run(shared, 'ask', { args: [1] });
  await until(() => signals.get(0) === 1);
  shared.close();
  await expect(done).rejects.toMatchObject({ name: 'WorkerError', code: 'closed' });
  expect(() => shared.handle()).toThrow('closed');
});

it('A-247: fewer tables than commits: workers go through the owner until one is free, and read right', async () => {
  const made = machine();
  const shared = share(made, { tables: 1 });
  const { signals } = run(shared, 'hang');
  await until(() => signals.get(0) === 1); // Holds the only table.
  made.ram.setEnabled(false);
  made.ram.setEnabled(true);
  expect(shared.stats).toMatchObject({ overflows: 1, freeTables: 0 });
  made.space.store(0, le32, 0x99);
  expect(await served(shared, run(shared, 'once', { args: [0] }).done)).toEqual({ value: 0x99 });
  signals.raise(9);
  await served(
    shared,
    until(() => shared.stats.freeTables === 0 && shared.stats.publications === 2),
  );
});

it('a handle that is none is refused', async () => {
  const made = machine();
  const shared = share(made);
  const handle = shared.handle();
  for (const bad of [
    { ...handle, guestmem: 'nothing' },
    { ...handle, protocol: 99 },
    { ...handle, ring: new SharedArrayBuffer(64) },
    { ...handle, tables: new SharedArrayBuffer(4096) },
  ])
    await expect(run(shared, 'once', { args: [0], handle: bad as typeof handle }).done).rejects.toMatchObject({
      code: 'bad-handle',
    });
});

it('options out of range are refused', () => {
  const made = machine();
  expect(() => made.space.share({ workers: 0 })).toThrow(RangeError);
  for (const ringPayload of [64, 448, 520, 2 ** 24 + 64])
    expect(() => made.space.share({ ringPayload })).toThrow(
      new RangeError(`ringPayload must be a multiple of 64 from 512 to 2^24, not ${ringPayload}`),
    );
  expect(() => made.space.share({ tables: 1.5 })).toThrow(RangeError);
});

it('A-219: an owner that blocks for a grace period serves a worker that waits for it inside a section', async () => {
  const made = machine();
  const shared = share(made);
  const { signals, done } = run(shared, 'askInside');
  await until(() => signals.get(0) === 1);
  made.core.rcu.synchronize(10_000);
  expect(await served(shared, done)).toBe(0x010000ed);
});
