import { expect, it } from 'vitest';
import { LocalRcu, type RemoteReaders } from '../../src/rcu/local-rcu.ts';
import { rcuSuite } from './rcu-suite.ts';

rcuSuite({ name: 'local', make: () => new LocalRcu() });

/** Readers elsewhere whose grace periods end when the test says so. */
class HeldReaders implements RemoteReaders {
  asked = 0;
  ended = 0;
  request(): number {
    return ++this.asked;
  }
  reached(ticket: number): boolean {
    return this.ended >= ticket;
  }
  wait(ticket: number): void {
    this.ended = ticket;
  }
  async waitAsync(ticket: number): Promise<void> {
    while (this.ended < ticket) await null;
  }
}

it('A-214, A-215: a callback waits for a grace period of remote readers that began after it was queued', () => {
  const rcu = new LocalRcu();
  const remote = new HeldReaders();
  rcu.waitAlso(remote);
  const ran: string[] = [];
  rcu.callRcu(() => ran.push('first'));
  expect(rcu.poll()).toBe(0); // Grace period 1 begins.
  rcu.callRcu(() => ran.push('second'));
  remote.ended = 1;
  expect(rcu.poll()).toBe(1);
  expect(ran).toEqual(['first']); // The second was queued while 1 was running.
  remote.ended = 2;
  expect(rcu.poll()).toBe(1);
  expect(ran).toEqual(['first', 'second']);
});

it('A-216: drain waits for remote readers', () => {
  const rcu = new LocalRcu();
  const remote = new HeldReaders();
  rcu.waitAlso(remote);
  let ran = 0;
  rcu.callRcu(() => ran++);
  rcu.poll();
  rcu.callRcu(() => ran++);
  rcu.drain();
  expect(ran).toBe(2);
});

it('A-216: after dispose of the remote readers, what was running still waits and what is new does not', () => {
  const rcu = new LocalRcu();
  const remote = new HeldReaders();
  const stop = rcu.waitAlso(remote);
  let ran = 0;
  rcu.callRcu(() => ran++);
  rcu.poll();
  stop();
  rcu.callRcu(() => ran++);
  expect(rcu.poll()).toBe(0);
  remote.ended = 1;
  expect(rcu.poll()).toBe(2);
});

it('A-216: of two registrations of the same remote readers, undoing one twice leaves the other', () => {
  const rcu = new LocalRcu();
  const remote = new HeldReaders();
  const stop = rcu.waitAlso(remote);
  rcu.waitAlso(remote);
  stop();
  stop();
  rcu.callRcu(() => undefined);
  expect(rcu.poll()).toBe(0);
  expect(remote.asked).toBe(1);
  remote.ended = 1;
  expect(rcu.poll()).toBe(1);
});

it('A-216: what callbacks threw is told, also when drain gives up waiting for the others', () => {
  const rcu = new LocalRcu();
  const remote = new HeldReaders();
  remote.waitAsync = () => new Promise(() => undefined);
  rcu.waitAlso(remote);
  rcu.callRcu(() => {
    throw new Error('first');
  });
  rcu.poll(); // Grace period 1 begins.
  rcu.callRcu(() => undefined);
  remote.ended = 1;
  remote.wait = () => {
    throw new Error('no time left');
  };
  expect(() => rcu.drain(0)).toThrow(
    expect.objectContaining({ errors: [new Error('first'), new Error('no time left')] }),
  );
});

it('A-219: while one is waited for the others are served, as a reader there may wait for what is done here', () => {
  const rcu = new LocalRcu();
  const [held, other] = [new HeldReaders(), new HeldReaders()];
  rcu.waitAlso(held);
  rcu.waitAlso(Object.assign(other, { serve: () => (held.ended = held.asked) }));
  held.wait = (_ticket: number, _timeoutMs?: number, meanwhile?: () => void) => meanwhile?.();
  rcu.synchronize();
  expect(held.ended).toBe(1);
});
