import { describe, expect, it, vi } from 'vitest';
import { RcuDomain } from '../../src/rcu/shared-domain.ts';
import { CLAIM, CTR, EVENT, GP, slotWord, WAITING } from '../../src/rcu/shared-layout.ts';
import { SharedRcu } from '../../src/rcu/shared-rcu.ts';
import { rcuSuite } from './rcu-suite.ts';

rcuSuite({ name: 'shared, barrier flavour', make: () => new SharedRcu(RcuDomain.create(4).buffer) });
rcuSuite({
  name: 'shared, quiescent flavour, offline',
  make: () => new SharedRcu(RcuDomain.create(4).buffer, 'quiescent'),
});
rcuSuite({
  name: 'shared, with a reader that has gone',
  make: () => {
    const { buffer } = RcuDomain.create(4);
    const gone = new SharedRcu(buffer);
    const rcu = new SharedRcu(buffer);
    gone.readLock();
    rcu.domain.evict(gone.slot, 'dead');
    return rcu;
  },
});

/** Two agents of one domain, in one thread: what one does between two calls of the other is then exact. */
function pair(a: 'barrier' | 'quiescent' = 'barrier', b: 'barrier' | 'quiescent' = 'barrier') {
  const { buffer } = RcuDomain.create(2);
  return [new SharedRcu(buffer, a), new SharedRcu(buffer, b)] as const;
}

describe('shared domain', () => {
  it('A-210, A-228: a grace period waits for the section of another agent, and ends with it', () => {
    const [reader, updater] = pair();
    let freed = false;
    reader.readLock();
    updater.callRcu(() => {
      freed = true;
    });
    expect(updater.poll()).toBe(0);
    expect(() => updater.synchronize(0)).toThrow(expect.objectContaining({ code: 'timeout' }));
    reader.readLock();
    reader.readUnlock();
    expect(updater.poll()).toBe(0);
    reader.readUnlock();
    expect(updater.poll()).toBe(1);
    expect(freed).toBe(true);
  });

  it('A-218: a notifier makes the reader leave that a blocking wait is for; wanted is what it looks at', () => {
    const [vcpu, updater] = pair('quiescent');
    const [reader, other] = pair();
    const kick = (rcu: SharedRcu) => () => {
      expect(rcu.wanted).toBe(true);
      if (rcu === vcpu) vcpu.goOffline();
      else rcu.readUnlock();
    };
    const kicks = [updater.onForce(kick(vcpu)), other.onForce(kick(reader))];
    vcpu.goOnline();
    reader.readLock();
    expect([vcpu.wanted, reader.wanted]).toEqual([false, false]);
    updater.synchronize(1000); // Would time out if nobody were told.
    let ran = 0;
    other.callRcu(() => ran++);
    other.drain(1000);
    expect([ran, vcpu.wanted, reader.wanted]).toEqual([1, false, false]);
    for (const each of kicks) each.dispose();
  });

  it('A-210, A-244: a section that began after the grace period does not delay it', () => {
    const [reader, updater] = pair();
    reader.readLock();
    let ran = 0;
    updater.callRcu(() => ran++);
    updater.poll();
    reader.readUnlock();
    reader.readLock(); // Busy again at once, in the new parity.
    updater.poll();
    reader.readUnlock();
    reader.readLock();
    updater.poll();
    expect(ran).toBe(1);
    reader.readUnlock();
  });

  it('A-237: an hour in which the machine was suspended or the clock was set on ends no grace period before its time', () => {
    const [reader, updater] = pair();
    let now = 1_000_000;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
    const jumps = [3_600_000, -3_600_000, 3_600_000];
    reader.readLock();
    const wait = () =>
      updater.domain.wait(updater.domain.request(), 1000, () => {
        if (jumps.length === 0) reader.readUnlock();
        now += jumps.shift() ?? 0;
      });
    expect(wait).not.toThrow();
    reader.readLock();
    jumps.push(...Array(8).fill(250)); // Time that it has looked at counts.
    expect(wait).toThrow(expect.objectContaining({ code: 'timeout' }));
    clock.mockRestore();
  });

  it('A-230: a reader that stores an old parity after a whole grace period is still waited for', () => {
    const { buffer, words } = RcuDomain.create(2);
    const updater = new SharedRcu(buffer);
    const slowSlot = new SharedRcu(buffer).slot;
    const ctr = 16 + 16 * slowSlot + 1;
    const fetched = Atomics.load(words, 2); // It has fetched the parity and is delayed here.
    updater.synchronize();
    Atomics.store(words, ctr, fetched);
    expect(() => updater.synchronize(0)).toThrow(expect.objectContaining({ code: 'timeout' }));
    Atomics.store(words, ctr, 0);
    updater.synchronize();
  });

  it('A-237: an online agent of the quiescent flavour holds grace periods until it says quiescent', () => {
    const [vcpu, updater] = pair('quiescent');
    vcpu.goOnline();
    let ran = 0;
    updater.callRcu(() => ran++);
    updater.poll();
    vcpu.readLock();
    vcpu.readUnlock();
    expect(updater.poll()).toBe(0);
    expect(() => vcpu.read(() => vcpu.quiescent())).toThrow(expect.objectContaining({ code: 'in-read-section' }));
    expect(() => vcpu.read(() => vcpu.goOffline())).toThrow(expect.objectContaining({ code: 'in-read-section' }));
    vcpu.quiescent(); // First phase.
    expect(updater.poll()).toBe(0);
    vcpu.quiescent(); // Second phase.
    expect(updater.poll()).toBe(1);
    updater.callRcu(() => ran++);
    vcpu.goOffline();
    expect(updater.poll()).toBe(1);
    vcpu.goOnline();
    vcpu.synchronize(); // Waits as if offline, not for itself.
    expect(vcpu.online).toBe(true);
    expect(ran).toBe(2);
  });

  it('A-217: more readers than slots is an error that says so, and a slot that is given back is used again', () => {
    const { buffer } = RcuDomain.create(2);
    const first = new SharedRcu(buffer);
    new SharedRcu(buffer);
    expect(() => new SharedRcu(buffer)).toThrow(expect.objectContaining({ code: 'no-free-slot' }));
    first.close();
    first.close();
    expect(new SharedRcu(buffer).slot).toBe(first.slot);
    expect(() => first.readLock()).toThrow(expect.objectContaining({ code: 'not-registered' }));
  });

  it('A-217: a reader that was taken for dead and is not gets a typed error, and does no harm', () => {
    const [slow, updater] = pair();
    slow.readLock();
    expect(() => updater.synchronize(0)).toThrow(`readers ${slow.slot}`);
    expect(updater.domain.evict(slow.slot, 'unresponsive')).toBe(true);
    updater.synchronize();
    slow.readUnlock();
    expect(() => slow.readLock()).toThrow(expect.objectContaining({ code: 'evicted' }));
    expect(slow.depth).toBe(0);
    expect(() => new SharedRcu(updater.domain.buffer)).toThrow(expect.objectContaining({ code: 'no-free-slot' }));
    updater.domain.evict(slow.slot, 'dead');
    expect(new SharedRcu(updater.domain.buffer).slot).toBe(slow.slot);
  });

  it('A-245: unregistering inside a wait ends it', () => {
    const [reader, updater] = pair('quiescent');
    reader.goOnline();
    let ran = 0;
    updater.callRcu(() => ran++);
    updater.poll();
    expect(updater.domain.blocking()).toEqual([reader.slot]);
    reader.close();
    expect(updater.poll()).toBe(1);
  });

  it('A-225, A-235: bit 0 of gp is always set, slots are 64 bytes apart, and ctr is gp on entry and 0 outside', () => {
    const [reader, updater] = pair();
    const { words } = updater.domain;
    const word = (offset: number) => Atomics.load(words, slotWord(reader.slot) + offset);
    expect(4 * (slotWord(1) - slotWord(0))).toBe(64);
    expect([words[GP], word(CTR), word(CLAIM)]).toEqual([1, 0, 1]);
    reader.readLock();
    updater.callRcu(() => undefined);
    updater.poll();
    expect([words[GP], word(CTR)]).toEqual([3, 1]); // The first phase waits.
    reader.readUnlock();
    reader.readLock();
    expect(word(CTR)).toBe(3);
    updater.poll();
    expect(words[GP]).toBe(5); // The second.
    reader.readUnlock();
    updater.poll();
    expect([words[GP], word(CTR)]).toEqual([9, 0]); // One has ended.
    reader.readLock();
    expect(word(CTR)).toBe(9);
    reader.readUnlock();
    reader.close();
    expect(word(CLAIM)).toBe(0);
  });

  it('A-226, A-227: only the outermost lock and unlock touch shared words: gp, then ctr; ctr, then waiting', () => {
    const [reader, updater] = pair();
    const { words } = updater.domain;
    const at = slotWord(reader.slot);
    const names = new Map([
      [GP, 'gp'],
      [at + CTR, 'ctr'],
      [at + WAITING, 'waiting'],
      [at + CLAIM, 'claim'],
    ]);
    const order: string[] = [];
    const { load, store } = Atomics;
    vi.spyOn(Atomics, 'load').mockImplementation(((from: Int32Array, index: number) => {
      order.push(`load ${names.get(index)}`);
      return load(from, index);
    }) as typeof Atomics.load);
    vi.spyOn(Atomics, 'store').mockImplementation(((to: Int32Array, index: number, value: number) => {
      order.push(`store ${names.get(index)} ${value}`);
      return store(to, index, value);
    }) as typeof Atomics.store);
    try {
      reader.readLock();
      reader.readLock();
      order.push('inside');
      reader.readUnlock();
      reader.readUnlock();
    } finally {
      vi.restoreAllMocks();
    }
    expect(words[at + CTR]).toBe(0);
    expect(order).toEqual([
      'load gp',
      'store ctr 1',
      'load claim',
      'inside',
      'load claim',
      'store ctr 0',
      'load waiting',
    ]);
  });

  it('A-227, A-243: a reader that is waited for wakes the waiter when it leaves, and no other reader does', () => {
    const [reader, updater] = pair();
    const { words } = updater.domain;
    const waiting = slotWord(reader.slot) + WAITING;
    reader.readLock();
    updater.callRcu(() => undefined);
    updater.poll();
    const before = Atomics.load(words, EVENT);
    expect(words[waiting]).toBe(1);
    reader.readUnlock();
    expect([words[waiting], words[EVENT]! - before]).toEqual([0, 1]);
    reader.readLock();
    reader.readUnlock();
    expect([words[waiting], words[EVENT]! - before]).toEqual([0, 1]);
  });

  it('A-213: a handle that is none is refused', () => {
    expect(() => new SharedRcu(new SharedArrayBuffer(4096))).toThrow(expect.objectContaining({ code: 'bad-handle' }));
    expect(() => new SharedRcu(new ArrayBuffer(8) as unknown as SharedArrayBuffer)).toThrow(
      expect.objectContaining({ code: 'bad-handle' }),
    );
    expect(() => RcuDomain.create(0)).toThrow(RangeError);
    expect(() => new SharedRcu(RcuDomain.create(1).buffer).goOnline()).toThrow(TypeError);
  });
});
