/** Rules of section 7.1 that hold in every mode. Modes that share memory add what needs a second agent. */
import { DISPOSE } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import type { RcuMode } from './support.ts';

export function rcuSuite(mode: RcuMode): void {
  describe(mode.name, () => {
    it('A-211: sections nest, and only the outermost unlock ends them', () => {
      const rcu = mode.make();
      rcu.readLock();
      rcu.readLock();
      expect(rcu.depth).toBe(2);
      rcu.readUnlock();
      expect(rcu.depth).toBe(1);
      expect(() => rcu.synchronize()).toThrow(expect.objectContaining({ code: 'in-read-section' }));
      rcu.readUnlock();
      expect(rcu.depth).toBe(0);
      rcu.synchronize();
    });

    it.each([
      [Number.NaN, new RangeError('timeoutMs must be 0 to Infinity milliseconds, not NaN')],
      [-1, new RangeError('timeoutMs must be 0 to Infinity milliseconds, not -1')],
      ['5', new TypeError('timeoutMs must be 0 to Infinity milliseconds, not the string "5"')],
    ])('A-213: %s is no time-out', async (given, error) => {
      const rcu = mode.make();
      const timeoutMs = given as number;
      for (const wait of [() => rcu.synchronize(timeoutMs), () => rcu.drain(timeoutMs)]) expect(wait).toThrow(error);
      await expect(rcu.synchronizeAsync(timeoutMs)).rejects.toThrow(error);
    });

    it('A-214: what is queued is a function', () => {
      const rcu = mode.make();
      expect(() => rcu.callRcu(undefined as never)).toThrow(new TypeError('callRcu takes a function, not undefined'));
      expect([rcu.pending, rcu.poll()]).toEqual([0, 0]);
    });

    it('A-211: an unlock without a lock is an error', () => {
      const rcu = mode.make();
      expect(() => rcu.readUnlock()).toThrow(expect.objectContaining({ code: 'not-locked' }));
      expect(rcu.depth).toBe(0);
    });

    it('A-211: a guard ends its section once, by dispose or by its symbol', () => {
      const rcu = mode.make();
      const outer = rcu.guard();
      const inner = rcu.guard();
      expect(rcu.depth).toBe(2);
      inner[DISPOSE]();
      inner.dispose();
      expect(rcu.depth).toBe(1);
      outer.dispose();
      expect(rcu.depth).toBe(0);
    });

    it('A-211: read ends its section when the function throws', () => {
      const rcu = mode.make();
      expect(rcu.read(() => rcu.depth)).toBe(1);
      expect(() =>
        rcu.read(() => {
          throw new Error('early exit');
        }),
      ).toThrow('early exit');
      expect(rcu.depth).toBe(0);
    });

    it('A-214: callbacks run in order of queueing, once, not before poll', () => {
      const rcu = mode.make();
      const ran: number[] = [];
      for (let i = 0; i < 200; i++) rcu.callRcu(() => ran.push(i));
      expect(rcu.pending).toBe(200);
      expect(ran).toEqual([]);
      expect(rcu.poll()).toBe(200);
      expect(ran).toEqual(Array.from({ length: 200 }, (_, i) => i));
      expect(rcu.poll()).toBe(0);
      expect(rcu.pending).toBe(0);
    });

    it('A-239: no callback runs inside a section, not at its end either', () => {
      const rcu = mode.make();
      let ran = 0;
      rcu.readLock();
      rcu.callRcu(() => ran++);
      expect(rcu.poll()).toBe(0);
      expect(() => rcu.drain()).toThrow(expect.objectContaining({ code: 'in-read-section' }));
      rcu.readUnlock();
      expect(ran).toBe(0);
      rcu.drain();
      expect(ran).toBe(1);
    });

    it('A-214: a promise job runs what nobody polled, after the section that was held over an await', async () => {
      const rcu = mode.make();
      const order: string[] = [];
      const section = rcu.guard();
      rcu.callRcu(() => order.push('callback'));
      for (let i = 0; i < 5; i++) await null;
      order.push('end of section');
      section.dispose();
      await rcu.barrier();
      expect(order).toEqual(['end of section', 'callback']);
    });

    it('A-214: a callback may queue another, which runs later and not inside it', () => {
      const rcu = mode.make();
      const ran: string[] = [];
      rcu.callRcu(() => {
        rcu.callRcu(() => ran.push('second'));
        expect(rcu.poll()).toBe(0);
        ran.push('first');
      });
      rcu.drain();
      expect(ran).toEqual(['first']);
      rcu.drain();
      expect(ran).toEqual(['first', 'second']);
    });

    it('A-216: drain from a callback is refused', () => {
      const rcu = mode.make();
      let code = '';
      rcu.callRcu(() => {
        try {
          rcu.drain();
        } catch (error) {
          code = (error as { code: string }).code;
        }
      });
      rcu.drain();
      expect(code).toBe('in-callback');
    });

    it('A-216: a callback that throws keeps no other from running; drain tells', () => {
      const rcu = mode.make();
      let ran = 0;
      rcu.callRcu(() => {
        throw new Error('first');
      });
      rcu.callRcu(() => ran++);
      expect(() => rcu.drain()).toThrow('first');
      expect(ran).toBe(1);
      rcu.callRcu(() => {
        throw new Error('a');
      });
      rcu.callRcu(() => {
        throw new Error('b');
      });
      expect(() => rcu.drain()).toThrow(AggregateError);
      rcu.drain();
    });

    it('A-213: synchronizeAsync resolves only after the sections that were open have ended', async () => {
      const rcu = mode.make();
      const section = rcu.guard();
      let done = false;
      const waiting = rcu.synchronizeAsync().then(() => {
        done = true;
      });
      for (let i = 0; i < 5; i++) await null;
      expect(done).toBe(false);
      section.dispose();
      await waiting;
      expect(done).toBe(true);
    });

    it('A-218: who waits for a section calls the notifiers, and a section that is waited for is told by wanted', async () => {
      const rcu = mode.make();
      let kicked = 0;
      const notifier = rcu.onForce(() => kicked++);
      rcu.synchronize();
      rcu.callRcu(() => undefined);
      rcu.drain();
      await rcu.synchronizeAsync();
      expect([rcu.wanted, kicked]).toEqual([false, 0]); // Nobody was inside.
      rcu.readLock();
      expect(rcu.wanted).toBe(false);
      const ended = rcu.synchronizeAsync();
      expect([rcu.wanted, kicked]).toEqual([true, 1]);
      rcu.readUnlock();
      expect(rcu.wanted).toBe(false);
      await ended;
      notifier.dispose();
      rcu.readLock();
      rcu.callRcu(() => undefined);
      const after = rcu.barrier();
      expect([rcu.wanted, kicked]).toEqual([true, 1]);
      rcu.readUnlock();
      await after;
    });

    it('A-218: a notifier registered twice is called twice, and once when one registration is disposed of', async () => {
      const rcu = mode.make();
      let kicked = 0;
      const notify = (): void => void kicked++;
      const first = rcu.onForce(notify);
      rcu.onForce(notify);
      first.dispose();
      first.dispose();
      const section = rcu.guard();
      const ended = rcu.synchronizeAsync();
      expect(kicked).toBe(1);
      section.dispose();
      await ended;
    });

    it('A-246: barrier resolves after every callback queued before it, and at once when there is none', async () => {
      const rcu = mode.make();
      await rcu.barrier();
      let ran = 0;
      for (let i = 0; i < 10; i++) rcu.callRcu(() => ran++);
      await rcu.barrier();
      expect(ran).toBe(10);
    });
  });
}
