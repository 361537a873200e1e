import { describe, expect, it } from 'vitest';
import { RcuDomain } from '../../src/rcu/shared-domain.ts';
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
  it('A-228: a grace period waits for the section of another agent, and ends with it', () => {
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

  it('A-244: a section that began after the grace period does not delay it', () => {
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

  it('A-229: an agent that dies while it steps does not hold the lock for ever', () => {
    const [dead, updater] = pair();
    Atomics.store(updater.domain.words, 5, dead.slot + 1); // Terminated between lock and unlock.
    expect(() => updater.synchronize(0)).toThrow(expect.objectContaining({ code: 'timeout' }));
    updater.domain.evict(dead.slot, 'dead');
    updater.synchronize();
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

  it('A-213: a handle that is none is refused', () => {
    expect(() => new SharedRcu(new SharedArrayBuffer(4096))).toThrow(expect.objectContaining({ code: 'bad-handle' }));
    expect(() => new SharedRcu(new ArrayBuffer(8) as unknown as SharedArrayBuffer)).toThrow(
      expect.objectContaining({ code: 'bad-handle' }),
    );
    expect(() => RcuDomain.create(0)).toThrow(RangeError);
    expect(() => new SharedRcu(RcuDomain.create(1).buffer).goOnline()).toThrow(TypeError);
  });
});
