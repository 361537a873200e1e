/** A space shared with real worker threads: RAM directly, everything else as if the owner had made the access. */
import { le32, MemTxResult } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import type { SharedSpace } from '../../src/worker/shared-space.ts';
import { type Run, served } from './support/harness.ts';
import { type Machine, machine } from './support/machine.ts';
import { run, share, until } from './support/opened.ts';

const FLAVOURS = ['barrier', 'quiescent'] as const;

describe.each(FLAVOURS)('an attached space, %s flavour', (flavour) => {
  it('A-236: RAM is reached without the owner: loads, stores, bulk and ordered accesses', async () => {
    const made = machine();
    const shared = share(made);
    // Nobody serves: everything must work without the owner.
    expect(await run(shared, 'ram', { flavour }).done).toEqual({
      values: [0x11223344, 0x44332211, 0x1122, 0],
      back: [1, 2, 3, 4, 5],
      ordered: 0x0102_0304_0506_0708n,
      refused: expect.objectContaining({ name: 'GuestMemoryError', code: 'misaligned', expected: 4 }),
      forwarded: 0,
    });
    expect(made.space.load(0x1000, le32)).toBe(0x11223344);
  });

  it('A-238: devices, holes, ROM and what spans them answer as in the owner, with attributes and results', async () => {
    const made = machine();
    made.space.store(0xfffc, le32, 0x04030201);
    const shared = share(made);
    const result = (await served(shared, run(shared, 'device', { flavour }).done)) as {
      readonly bad: readonly object[];
    };
    expect(result).toMatchObject({
      id: 0x010000ed,
      stored: { result: MemTxResult.OK, done: 4 },
      hole: { result: MemTxResult.DECODE_ERROR, done: 0 },
      spanned: { bytes: [1, 2, 3, 4, 0xed, 0, 0, 1], result: MemTxResult.OK, done: 8 },
      thrown: {
        name: 'MemTxError',
        code: 'invalid-guest-address',
        result: 2,
        addr: 0x5_0000,
        expected: 4,
        completed: 0,
      },
      rom: [{ name: 'MemTxError', result: 2 }, 0x5a5a],
      high: { name: 'MemTxError', addr: 0xffff_ffff_ffff_fff0n },
    });
    expect(result.bad[0]).toMatchObject({ name: 'RangeError' });
    expect(made.writes).toHaveLength(1);
    expect(made.writes[0]).toMatchObject({ offset: 4, value: 0x04030201, size: 4 });
    expect(made.writes[0]!.attrs.toFields()).toEqual({ requesterId: 0x20, secure: true });
    expect(made.reads[0]!.attrs.unspecified).toBe(true);
  });

  it('A-238: what a device callback throws reaches the worker, and the next access works', async () => {
    const made = machine();
    const shared = share(made);
    const [failed, next] = (await served(shared, run(shared, 'throwing', { flavour }).done)) as [object, number];
    expect(failed).toMatchObject({ name: 'WorkerError', code: 'remote-error' });
    expect((failed as Error).message).toContain('the model is broken');
    expect(next).toBe(0x010000ed);
  });

  it('A-60: a transfer longer than the ring payload is one access of the owner', async () => {
    const made = machine();
    const shared = share({ ...made, space: plainSpace() }, { ringPayload: 512 });
    const result = await served(shared, run(shared, 'long', { flavour, args: [10_001] }).done);
    expect(result).toEqual({ same: true, forwarded: 2 });
    expect(shared.stats.served).toBe(2);
  });

  it('A-250: own attribute fields travel; what does not fit is a typed error', async () => {
    const made = machine();
    const shared = share(made);
    const result = await served(shared, run(shared, 'ownAttrs', { flavour }).done);
    expect(result).toMatchObject({
      value: 0x010000ed,
      large: { name: 'WorkerError', code: 'attrs-too-large' },
      after: 0x010000ed,
    });
    expect(made.reads[0]!.attrs.own).toEqual({ world: 3, realm: 'x', wide: 5n });
  });

  it('D8: an access that changes the map is seen by the next access of the same worker', async () => {
    const made = machine();
    const shared = share(made);
    const over = made.core.ram('over', bufferBacking(0x1000, { shared: true }));
    over.ram!.backing.segmentAt(0).view.setUint32(0, 0x77, true);
    made.onWrite = () => made.root.addSubregion(0, over, 1);
    expect(await served(shared, run(shared, 'selfMove', { flavour }).done)).toEqual([0, 0x77]);
  });

  it('A-196: dirty marks of workers reach the owner, page by page, from several workers at once', async () => {
    const made = machine();
    const big = made.core.ram('big', bufferBacking(0x40_000, { shared: true }));
    made.core.transaction(() => {
      made.root.delSubregion(made.ram);
      made.root.addSubregion(0, big, 1);
      big.setLog(true, 0);
    });
    const { dirty } = big.ram!;
    expect(dirty.all(0, 0x40_000, 0)).toBe(true);
    dirty.testAndClear(0, 0x40_000, 0);
    const shared = share(made);
    const even = run(shared, 'dirty', { flavour, args: [0, 32] });
    const odd = run(shared, 'dirty', { flavour, args: [1, 32] });
    expect(await Promise.all([even.done, odd.done])).toEqual([0, 0]);
    const pages = Array.from({ length: 64 }, (_, page) => dirty.get(page * 0x1000, 1, 0));
    // Pages 0 to 31 by stores; 0x20 to 0x22 by the bulk write over two borders.
    expect(pages.map(Number).join('')).toBe('1'.repeat(35) + '0'.repeat(29));
  });

  it('A-187, A-196: who clears a page and then reads the bytes of before finds it dirty again', async () => {
    const made = machine();
    made.ram.setLog(true, 0);
    const { dirty } = made.ram.ram!;
    const turns = 1_000_000;
    const { done, signals } = run(share(made), 'echo', { flavour, args: [turns] });
    const words = new Int32Array(signals.buffer);
    let lost = 0;
    // Where the two threads have no core each, a turn takes a time slice: then fewer have to do.
    const deadline = Date.now() + 20_000;
    for (let turn = 1; turn <= turns; turn++) {
      if (Date.now() > deadline) {
        Atomics.store(words, 3, 1);
        Atomics.store(words, 0, turn);
        break;
      }
      dirty.mark(0, 1, 1);
      Atomics.store(words, 0, turn);
      for (let wait = turn % 40; wait > 0; wait--) Atomics.load(words, 2); // The store is to meet the clearing.
      dirty.clearPage(0, 1);
      const seen = made.space.load(0, le32);
      while (Atomics.load(words, 1) < turn);
      if (seen !== turn && !dirty.get(0, 1, 0)) lost++;
    }
    expect(lost).toBe(0);
    expect(await done).toBe(0);
  });

  it('D8: RAM added later works at once through the owner, and directly when it has arrived', async () => {
    const made = machine();
    const shared = share(made);
    const { signals, done } = run(shared, 'hotAdd', { flavour });
    await until(() => signals.get(0) === 1);
    const added = made.core.ram('added', bufferBacking(0x1000, { shared: true }));
    made.root.addSubregion(0x100_0000, added);
    signals.raise(1);
    await served(
      shared,
      until(() => signals.get(2) === 1),
    );
    signals.raise(3);
    const without = await served(shared, done);
    expect(without).toEqual({ through: { value: 0xabcd, forwarded: 2 }, later: 100 });
    expect(added.ram!.backing.segmentAt(0).view.getUint32(0, true)).toBe(0xabcd);
  });

  it('D8: with a port for news the added RAM becomes direct', async () => {
    const made = machine();
    const shared = share(made);
    const { signals, done } = run(shared, 'hotAdd', { flavour, news: true });
    await until(() => signals.get(0) === 1);
    made.root.addSubregion(0x100_0000, made.core.ram('added', bufferBacking(0x1000, { shared: true })));
    signals.raise(1);
    await served(
      shared,
      until(() => signals.get(2) === 1),
    );
    signals.raise(3);
    expect(await served(shared, done)).toMatchObject({ later: 0 });
  });
});

it('D15: a tap in the owner sees what workers do there, and only what is tapped goes through it', async () => {
  const made = machine();
  const shared = share(made);
  const seen: unknown[] = [];
  const tap = made.space.tap(0x1000, 4, ({ addr, value, isWrite }) => seen.push([addr, value, isWrite]));
  const before = await served(shared, run(shared, 'once', { args: [0x1000] }).done);
  const beside = await run(shared, 'once', { args: [0x1004] }).done; // Nobody serves.
  tap.dispose();
  const after = await run(shared, 'once', { args: [0x1000] }).done;
  expect([before, beside, after]).toEqual([{ value: 0 }, { value: 0 }, { value: 0 }]);
  expect(seen).toEqual([[0x1000, 0, false]]);
});

it('A-236: barrier flavour: the first access after a commit sees the new map', async () => {
  const made = machine();
  const shared = share(made);
  const { signals, done } = run(shared, 'moves', { flavour: 'barrier', args: [3, 0] });
  const seen = await flip(made, shared, signals, done);
  expect(seen).toEqual([0, 1, 2, 3]);
});

it('A-236: quiescent flavour: the new map is seen from quiescent() on, not before', async () => {
  const made = machine();
  const shared = share(made);
  const { signals, done } = run(shared, 'moves', { flavour: 'quiescent', args: [3, 1], news: true });
  const seen = await flip(made, shared, signals, done);
  expect(seen).toEqual([0, 0, 1, 1, 2, 2, 3]);
});

it('A-60, T-97: what a callback unmaps while it serves a worker is reclaimed after that access, not within it', async () => {
  const made = machine();
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
        if (offset === 1) {
          made.root.delSubregion(device);
          made.core.whenUnreferenced(owner, () => void events.push('reclaimed'));
        }
        return offset;
      },
    },
    { owner },
  );
  made.root.addSubregion(0x7_0000, device);
  const shared = share(made);
  expect(await served(shared, run(shared, 'once', { args: [0x7_0000] }).done)).toEqual({ value: 0x0302_0100 });
  await served(
    shared,
    until(() => events.length === 5),
  );
  expect(events).toEqual(['read 0', 'read 1', 'read 2', 'read 3', 'reclaimed']);
});

it('A-238: the blocking serve loop serves too', async () => {
  const made = machine();
  const shared = share(made);
  const { done } = run(shared, 'ask', { args: [100] });
  let result: unknown;
  void done.then((value) => {
    result = value;
  });
  shared.serve({ until: () => shared.stats.served === 100, timeoutMs: 20_000 });
  await until(() => result !== undefined);
  expect(result).toBe(100 * 0x010000ed);
});

it('A-238: serveAsync serves from the event loop until the space is closed', async () => {
  const made = machine();
  const shared = share(made);
  const serving = shared.serveAsync();
  expect(await run(shared, 'ask', { args: [50] }).done).toBe(50 * 0x010000ed);
  shared.close();
  await serving;
  expect(() => shared.handle()).toThrow(expect.objectContaining({ name: 'WorkerError', code: 'closed' }));
});

/** A space whose RAM is not shared: everything goes through the owner. */
function plainSpace() {
  const other = machine();
  const plain = other.core.ram('plain', bufferBacking(0x1_0000));
  other.root.addSubregion(0, plain, 2);
  return other.space;
}

/** Shows RAM with another number at 0, three times, each time the worker asks. */
async function flip(made: Machine, shared: SharedSpace, signals: Run['signals'], done: Promise<unknown>) {
  let before = made.ram;
  for (let turn = 1; turn <= 3; turn++) {
    await served(
      shared,
      until(() => signals.get(0) === turn),
    );
    const next = made.core.ram(`ram ${turn}`, bufferBacking(0x1_0000, { shared: true }));
    next.ram!.backing.segmentAt(0).view.setUint32(0, turn, true);
    const old = before;
    made.core.transaction(() => {
      made.root.delSubregion(old);
      made.root.addSubregion(0, next);
    });
    before = next;
    signals.raise(1);
  }
  return served(shared, done);
}
