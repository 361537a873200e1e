import { describe, expect, it } from 'vitest';
import { AtomicBitmap, Ordering, u16, u32, u64, VolatileSlice } from '../src/index.ts';
import { CROSSING, Crossing, sharedMemory } from './support/agent.ts';
import { start } from './support/worker.ts';

const buffers = (n: number) => Array.from({ length: n }, () => new SharedArrayBuffer(0x1000));

/** Calls `look` until the worker is done. */
async function until(worker: Promise<void>, look: () => void): Promise<number> {
  let done = false;
  const end = worker.finally(() => {
    done = true;
  });
  let looks = 0;
  while (!done) {
    for (let i = 0; i < 5000; i++, looks++) look();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await end;
  return looks;
}

describe('several agents on one memory', () => {
  it('guest_memory::test_non_atomic_access: an aligned u16 in an object that crosses into the next region never tears', async () => {
    const shared = buffers(2);
    const memory = sharedMemory(shared);
    const torn: number[] = [];
    let changed = 0;
    await until(start({ scenario: 'write-crossing', buffers: shared, rounds: 60_000, id: 0 }), () => {
      const { last } = memory.readObj(CROSSING, Crossing);
      const alone = memory.readObj(0xffe, u16);
      if (last !== 0) changed++;
      for (const seen of [last, alone]) if (seen !== 0 && seen !== 0xffff) torn.push(seen);
    });
    expect(torn).toEqual([]);
    expect(changed).toBeGreaterThan(0);
  });

  it('volatile_memory::observe_mutate: what another agent stores becomes visible', async () => {
    const shared = buffers(1);
    const memory = sharedMemory(shared);
    const ref = memory.getSlice(0x100, 4).getRef(0, u32);
    expect(ref.load()).toBe(0);
    await start({ scenario: 'store-once', buffers: shared, rounds: 1, id: 0 });
    expect([ref.load(), memory.load(0x100, u32, Ordering.ACQUIRE)]).toEqual([0x1234_5678, 0x1234_5678]);
  });

  it('V-1.2: updates of one cell by three agents are all counted', async () => {
    const shared = buffers(1);
    const rounds = 20_000;
    await Promise.all([0, 1, 2].map((id) => start({ scenario: 'increment', buffers: shared, rounds, id })));
    expect(sharedMemory(shared).load(0x200, u32)).toBe(3 * rounds);
  });

  it('V-1.3: an atomic u64 is never seen in halves', async () => {
    const shared = buffers(1);
    const memory = sharedMemory(shared);
    const torn: bigint[] = [];
    await until(start({ scenario: 'store-u64', buffers: shared, rounds: 200_000, id: 0 }), () => {
      const seen = memory.load(0x300, u64, Ordering.SEQ_CST);
      if (seen !== 0n && seen !== 2n ** 64n - 1n) torn.push(seen);
    });
    expect(torn).toEqual([]);
  });

  it('V-1.6: agents mark one bitmap and lose no mark', async () => {
    const shared = buffers(1);
    const bitmap = new AtomicBitmap(0x1000, { pageSize: 1, shared: true });
    await Promise.all(
      [0, 1, 2, 3].map((id) => start({ scenario: 'mark', buffers: shared, bitmap: bitmap.handle, rounds: 1, id })),
    );
    expect([...bitmap.getAndReset()].every((word) => word === 0xffff_ffff)).toBe(true);
  });

  it('V-1.6: who takes the marks and then reads the bytes of before finds their page marked again', async () => {
    const shared = buffers(2);
    const [ram, turns] = [new VolatileSlice(new Uint8Array(shared[0]!)), new Int32Array(shared[1]!)];
    const bitmap = new AtomicBitmap(0x1000, { shared: true });
    const taken = new Uint32Array(bitmap.wordCount);
    const rounds = 200_000;
    const worker = start({ scenario: 'echo', buffers: shared, bitmap: bitmap.handle, rounds, id: 0 });
    let lost = 0;
    for (let turn = 1; turn <= rounds; turn++) {
      bitmap.markDirty(0, 1);
      Atomics.store(turns, 0, turn);
      for (let wait = turn % 40; wait > 0; wait--) Atomics.load(turns, 2); // The store is to meet the taking.
      bitmap.getAndReset(taken);
      const seen = ram.load(0, u32);
      while (Atomics.load(turns, 1) < turn);
      if (seen !== turn && !bitmap.dirtyAt(0)) lost++;
    }
    await worker;
    expect(lost).toBe(0);
  });
});
