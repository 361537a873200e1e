/** Agents that end in the middle of a step of a grace period, at each of its atomic writes in turn.. */
import { afterEach, expect, it, vi } from 'vitest';
import { RcuDomain } from '../../src/rcu/shared-domain.ts';
import { CTR, GP, slotWord } from '../../src/rcu/shared-layout.ts';
import { SharedRcu } from '../../src/rcu/shared-rcu.ts';

const WRITES = ['store', 'add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange'] as const;
/** More than a grace period of three slots has. */
const MOST_WRITES = 60;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs `run` in an agent that is terminated before its write number `last`: nothing that it would do later is done. */
function terminated(last: number, run: () => void): void {
  const dead = new Error('terminated');
  let left = last;
  for (const name of WRITES) {
    const real = Atomics[name] as (...args: unknown[]) => unknown;
    vi.spyOn(Atomics, name).mockImplementation(((...args: unknown[]) => {
      if (left === 0) throw dead;
      left--;
      return real(...args);
    }) as never);
  }
  try {
    run();
  } catch (error) {
    if (error !== dead) throw error;
  } finally {
    vi.restoreAllMocks();
  }
}

it('A-217, A-228, A-229: an agent that ends anywhere in a step, and of whose end nobody is told, keeps no grace period from ending', () => {
  for (let last = 0; last < MOST_WRITES; last++) {
    const { buffer } = RcuDomain.create(3);
    const dying = new SharedRcu(buffer);
    const updater = new SharedRcu(buffer);
    terminated(last, () => dying.synchronize());
    expect(() => updater.synchronize(0), `terminated before write ${last}`).not.toThrow();
  }
});

it('A-230: and a reader that stored an old parity late is waited for all the same', () => {
  for (let last = 0; last < MOST_WRITES; last++) {
    const { buffer, words } = RcuDomain.create(4);
    const dying = new SharedRcu(buffer);
    const updater = new SharedRcu(buffer);
    const first = new SharedRcu(buffer);
    const slow = slotWord(new SharedRcu(buffer).slot) + CTR;
    first.readLock();
    updater.domain.reached(updater.domain.request()); // The first phase waits.
    const fetched = Atomics.load(words, GP); // Delayed here, between fetch and store,
    first.readUnlock();
    updater.synchronize();
    Atomics.store(words, slow, fetched); // past the end of that grace period.
    const ticket = updater.domain.request();
    terminated(last, () => dying.domain.reached(ticket));
    expect(updater.domain.reached(ticket), `terminated before write ${last}`).toBe(false);
    Atomics.store(words, slow, 0);
    updater.synchronize(0);
  }
});
