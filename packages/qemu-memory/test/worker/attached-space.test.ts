/** What an attached space offers beside loads, stores and transfers: views held fast, slices, questions, marks. */
import { le32 } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { GlobalDirty } from '../../src/space/dirty-logging.ts';
import { served } from './support/harness.ts';
import { type Machine, machine } from './support/machine.ts';
import { run, share, until } from './support/opened.ts';

/** Puts other RAM at 0 and takes the device away, in one commit. */
function replace(made: Machine): void {
  const next = made.core.ram('next', bufferBacking(0x1_0000, { shared: true }));
  next.ram!.backing.segmentAt(0).view.setUint32(0, 0x22, true);
  const device = made.space.view.lookup(0x1_0000)!.region;
  made.core.transaction(() => {
    made.root.delSubregion(made.ram);
    made.root.delSubregion(device);
    made.root.addSubregion(0, next);
  });
}

describe.each(['barrier', 'quiescent'] as const)('%s flavour', (flavour) => {
  it('A-112: a pinned view goes on showing what it showed, devices too, and holds it until it is given back', async () => {
    const made = machine();
    made.space.store(0, le32, 0x11);
    const shared = share(made);
    const { signals, done } = run(shared, 'pin', { flavour, news: true });
    await served(
      shared,
      until(() => signals.get(0) === 1),
    );
    expect(shared.stats.pinned).toBe(2);
    replace(made);
    signals.raise(1);
    expect(await served(shared, done)).toEqual({
      pinned: [0x11, 0x0100_00ed],
      again: [0x11, 0x0100_00ed],
      space: [0x22, expect.objectContaining({ name: 'MemTxError', result: 2 })],
      stored: 0x33,
      disposed: [true, expect.objectContaining({ name: 'WorkerError', code: 'closed' })],
    });
    expect(shared.stats.pinned).toBe(0);
    expect(made.ram.ram!.backing.segmentAt(0).view.getUint32(0, true)).toBe(0x33);
  });

  it('A-112, A-186: what is stored through a pinned view is marked though logging started after it was pinned', async () => {
    const made = machine();
    const shared = share(made);
    const { signals, done } = run(shared, 'pinLogged', { flavour });
    await served(
      shared,
      until(() => signals.get(0) === 1),
    );
    made.ram.setLog(true, 0);
    made.core.globalDirtyLogStart(GlobalDirty.MIGRATION);
    const { dirty } = made.ram.ram!;
    for (const client of [0, 2] as const) dirty.testAndClear(0, 0x1_0000, client);
    signals.raise(1);
    await served(shared, done);
    for (const client of [0, 2] as const)
      expect(Array.from({ length: 5 }, (_, page) => dirty.get(page * 0x1000, 1, client))).toEqual([
        true,
        true,
        true,
        true,
        false,
      ]);
  });

  it('A-105: slices are the memory itself and mark what is written; none where there is none in this agent', async () => {
    const made = machine();
    made.ram.setLog(true, 0);
    made.root.addSubregion(0x10_0000, made.core.ram('plain', bufferBacking(0x1000)));
    const { dirty } = made.ram.ram!;
    dirty.testAndClear(0, 0x1_0000, 0);
    const shared = share(made);
    expect(await served(shared, run(shared, 'slices', { flavour }).done)).toEqual({
      lengths: [0x2000],
      read: 0x77,
      plain: expect.objectContaining({ name: 'GuestMemoryError', code: 'host-address-not-available', addr: 0x10_0000 }),
      device: expect.objectContaining({ code: 'invalid-guest-address', addr: 0x1_0000 }),
      hole: expect.objectContaining({ code: 'invalid-guest-address' }),
      rom: expect.objectContaining({ code: 'invalid-guest-address' }),
      physical: undefined,
    });
    expect(made.space.load(0x1ffe, le32)).toBe(0x7777_7777);
    const pages = Array.from({ length: 5 }, (_, page) => dirty.get(page * 0x1000, 1, 0));
    expect(pages).toEqual([false, true, true, false, false]);
  });

  it('A-73, A-77, A-78, A-82, A-84: what else the owner does for a worker', async () => {
    const made = machine();
    const shared = share(made);
    expect(await served(shared, run(shared, 'asks', { flavour }).done)).toEqual({
      filled: { result: 2, done: 0 },
      rom: 0x0403_0201,
      word: 0x1234_5678,
      io: [false, true, true, false],
      valid: [true, true, false, false, true],
      ranges: [true, false, true],
      mistakes: ['RangeError', 'RangeError', 'TypeError'],
    });
    expect(made.writes.map(({ offset, value }) => [offset, value])).toEqual([[4, 0xabababab]]);
  });
});

it('A-217: the views of a worker that ends are given back with its slot', async () => {
  const made = machine();
  const shared = share(made);
  const { worker, signals } = run(shared, 'pin');
  await served(
    shared,
    until(() => signals.get(0) === 1),
  );
  expect(shared.stats.pinned).toBe(2);
  await worker.terminate();
  await until(() => shared.stats.pinned === 0);
});
