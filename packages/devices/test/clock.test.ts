import { describe, expect, it } from 'vitest';
import { addNanoseconds, driveByRealTime, toNanoseconds, VirtualClock } from '../src/index.ts';

/** A clock and the log of what ran when. */
function logged(): { clock: VirtualClock; log: string[]; arm(name: string, at: number | bigint): void } {
  const clock = new VirtualClock();
  const log: string[] = [];
  const timers = new Map<string, ReturnType<VirtualClock['timer']>>();
  const arm = (name: string, at: number | bigint): void => {
    if (!timers.has(name))
      timers.set(
        name,
        clock.timer(() => log.push(`${name}@${clock.now}`)),
      );
    timers.get(name)!.arm(at);
  };
  return { clock, log, arm };
}

describe('the virtual clock', () => {
  it('Q-50: starts at 0 and stands still until it is turned', () => {
    const clock = new VirtualClock();
    expect(clock.now).toBe(0);
    clock.advanceTo(5);
    expect(clock.now).toBe(5);
  });

  it('Q-51: runs each timer with the clock at its own deadline, in order of deadline', () => {
    const { clock, log, arm } = logged();
    arm('b', 20);
    arm('a', 10);
    arm('c', 31);
    clock.advanceTo(30);
    expect(log).toEqual(['a@10', 'b@20']);
    expect(clock.now).toBe(30);
  });

  it('D10: refuses limits and times that are none, and runs nothing', () => {
    const { clock, log, arm } = logged();
    arm('a', 3);
    for (const limit of [Number.NaN, -1, 0.5]) {
      expect(() => clock.advanceTo(5, limit)).toThrow(RangeError);
      expect(() => clock.advanceBy(5, limit)).toThrow(RangeError);
      expect(() => clock.advanceToNext(limit)).toThrow(RangeError);
      expect(() => clock.runDue(limit)).toThrow(RangeError);
    }
    expect(() => clock.advanceTo(5, '1' as never)).toThrow(TypeError);
    for (const time of [Number.NaN, 0.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => clock.advanceTo(time)).toThrow(RangeError);
      expect(() => clock.advanceBy(time)).toThrow(RangeError);
      expect(() => arm('b', time)).toThrow(RangeError);
      expect(() => new VirtualClock({ now: time })).toThrow(RangeError);
    }
    expect(() => clock.advanceTo('5' as never)).toThrow(TypeError);
    expect(() => new VirtualClock({ now: 1n << 63n })).toThrow(RangeError);
    expect([clock.now, clock.armed, log]).toEqual([0, 1, []]);
    expect(clock.advanceTo(5, 0)).toEqual({ ran: 0, complete: false });
    expect(clock.advanceTo(5, Number.POSITIVE_INFINITY)).toEqual({ ran: 1, complete: true });
  });

  it('Q-51: equal deadlines run in the order in which they were armed, arming again goes to the end', () => {
    const { clock, log, arm } = logged();
    arm('a', 10);
    arm('b', 10);
    arm('a', 10);
    clock.advanceTo(10);
    expect(log).toEqual(['b@10', 'a@10']);
  });

  it('Q-51: a timer that a callback arms for the present runs in the same round', () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const second = clock.timer(() => log.push(`second@${clock.now}`));
    clock.timer(() => second.arm(3)).arm(10);
    clock.advanceTo(10);
    expect(log).toEqual(['second@10']);
  });

  it('Q-50: a timer without a function is refused when it is made, not when it is due', () => {
    expect(() => new VirtualClock().timer(undefined as never)).toThrow(
      new TypeError('a timer calls a function, not undefined'),
    );
  });

  it('Q-52: a target at or before the present does nothing, not even for timers due now', () => {
    const { clock, log, arm } = logged();
    clock.advanceTo(10);
    arm('due', 10);
    for (const limit of [undefined, 0, 1]) {
      expect(clock.advanceTo(10, limit)).toEqual({ ran: 0, complete: true });
      expect(clock.advanceTo(3, limit)).toEqual({ ran: 0, complete: true });
      expect(clock.advanceBy(-5, limit)).toEqual({ ran: 0, complete: true });
    }
    expect(log).toEqual([]);
    expect(clock.now).toBe(10);
    clock.advanceTo(11);
    expect(log).toEqual(['due@10']);
  });

  it('Q-53: runDue runs what is due at the present and nothing later', () => {
    const { clock, log, arm } = logged();
    arm('now', 0);
    arm('later', 1);
    expect(clock.runDue()).toBe(1);
    expect(log).toEqual(['now@0']);
  });

  it('Q-54: advanceToNext goes to the earliest deadline; with none the clock stays', () => {
    const { clock, log, arm } = logged();
    clock.advanceToNext();
    expect(clock.now).toBe(0);
    arm('a', 7);
    clock.advanceToNext();
    expect([clock.now, log]).toEqual([7, ['a@7']]);
  });

  it('a cancelled timer does not run and can be armed again', () => {
    const { clock, log } = logged();
    const timer = clock.timer(() => log.push('ran'));
    timer.arm(5);
    timer.cancel();
    expect(timer.deadline).toBeNull();
    clock.advanceTo(10);
    timer.arm(12);
    clock.advanceTo(12);
    expect(log).toEqual(['ran']);
  });

  it('Q-50: counts past 2^53 in bigints, exactly', () => {
    const { clock, log, arm } = logged();
    arm('odd', 9_007_199_254_740_993n);
    clock.advanceTo(9_007_199_254_740_992n);
    expect(log).toEqual([]);
    clock.advanceBy(1);
    expect(log).toEqual(['odd@9007199254740993']);
    expect(clock.now).toBe(9_007_199_254_740_993n);
    clock.advanceTo((1n << 63n) - 1n);
    expect(() => clock.advanceBy(1)).toThrow(RangeError);
  });

  it('H-141: a limit stops a storm of timers and tells so', () => {
    const clock = new VirtualClock();
    let ran = 0;
    const storm = clock.timer(() => {
      ran++;
      storm.arm(addNanoseconds(clock.now, 1));
    });
    storm.arm(1);
    expect(clock.advanceTo(1_000_000, 100)).toEqual({ ran: 100, complete: false });
    expect([ran, clock.now]).toEqual([100, 100]);
    expect(clock.advanceTo(150)).toEqual({ ran: 50, complete: true });
  });

  it('Q-51: what timers throw surfaces when the turn is over: the others ran in time, the clock is at its target', () => {
    const { clock, log, arm } = logged();
    const fail = (name: string, deadline: number): void =>
      clock
        .timer(() => {
          throw new Error(name);
        })
        .arm(deadline);
    fail('first', 3);
    arm('same time', 3);
    arm('later', 5);
    expect(() => clock.advanceTo(7)).toThrow('first');
    expect([clock.now, log]).toEqual([7, ['same time@3', 'later@5']]);
    fail('second', 7);
    fail('third', 7);
    arm('due', 7);
    let thrown: unknown;
    try {
      clock.runDue();
    } catch (error) {
      thrown = error;
    }
    expect((thrown as AggregateError).errors.map(String)).toEqual(['Error: second', 'Error: third']);
    expect(log.at(-1)).toBe('due@7');
  });

  it('times are numbers while they are safe integers, bigints beyond; others are refused', () => {
    expect(toNanoseconds(5n)).toBe(5);
    expect(toNanoseconds(1n << 53n)).toBe(1n << 53n);
    expect([toNanoseconds(2n ** 53n - 1n), toNanoseconds(1n - 2n ** 53n)]).toEqual([2 ** 53 - 1, 1 - 2 ** 53]);
    expect(toNanoseconds(-(2n ** 53n))).toBe(-(2n ** 53n));
    expect(addNanoseconds(Number.MAX_SAFE_INTEGER, 1)).toBe(1n << 53n);
    expect(() => toNanoseconds(1.5)).toThrow(RangeError);
    expect(() => toNanoseconds(2 ** 53)).toThrow(RangeError);
  });
});

describe('driven by real time', () => {
  it('goes on when a timer throws, and tells the host', () => {
    let nowMs = 0;
    let wake: (() => void) | null = null;
    const host = {
      nowMs: () => nowMs,
      setTimeout: (callback: () => void) => {
        wake = callback;
        return wake;
      },
      clearTimeout: () => {
        wake = null;
      },
    };
    const clock = new VirtualClock();
    let ticks = 0;
    const timer = clock.timer(() => {
      ticks++;
      timer.arm(addNanoseconds(clock.now, 1_000_000));
      if (ticks === 2) throw new Error('device');
    });
    timer.arm(1_000_000);
    driveByRealTime(clock, host);
    const thrown: string[] = [];
    for (nowMs = 1; nowMs <= 6; nowMs++)
      try {
        wake!();
      } catch (error) {
        thrown.push(`${error} at ${nowMs}`);
      }
    expect([ticks, thrown, wake === null]).toEqual([6, ['Error: device at 2'], false]);
  });

  it('leaves nothing pending where it cannot start', () => {
    const clock = new VirtualClock();
    clock
      .timer(() => {
        throw new Error('device');
      })
      .arm(0);
    clock.timer(() => undefined).arm(1_000_000);
    const pending = new Set<() => void>();
    const host = {
      nowMs: () => 0,
      setTimeout: (callback: () => void) => {
        pending.add(callback);
        return callback;
      },
      clearTimeout: (callback: never) => void pending.delete(callback),
    };
    expect(() => driveByRealTime(clock, host)).toThrow('device');
    expect(pending.size).toBe(0);
  });

  /** A host whose time is set by hand and whose one pending wake-up is looked at. */
  function handHost() {
    const pending = new Set<{ callback: () => void; ms: number }>();
    const host = {
      now: 0,
      nowMs: () => host.now,
      setTimeout: (callback: () => void, ms: number) => {
        const wake = { callback, ms };
        pending.add(wake);
        return wake;
      },
      clearTimeout: (wake: never) => void pending.delete(wake),
    };
    return { host, sleeps: () => [...pending].map(({ ms }) => ms) };
  }

  it('with a rate, virtual time is that much faster, and sleeps are shorter', () => {
    const { host, sleeps } = handHost();
    const clock = new VirtualClock();
    clock.timer(() => undefined).arm(10_000_000);
    const driver = driveByRealTime(clock, host, { rate: 4 });
    expect(sleeps()).toEqual([2.5]);
    host.now = 1;
    driver.sync();
    expect([clock.now, sleeps()]).toEqual([4_000_000, [1.5]]);
  });

  it('gives the thread back after as many timers as are allowed in one turn, and comes again at once', () => {
    const { host, sleeps } = handHost();
    const clock = new VirtualClock();
    const ran: number[] = [];
    for (let n = 1; n <= 5; n++) clock.timer(() => ran.push(n)).arm(n * 1_000_000);
    const driver = driveByRealTime(clock, host, { timersPerTurn: 2 });
    host.now = 4.5;
    const turns = [1, 2, 3].map(() => {
      driver.sync();
      return [[...ran], clock.now, sleeps()];
    });
    expect(turns).toEqual([
      [[1, 2], 2_000_000, [0]],
      [[1, 2, 3, 4], 4_500_000, [0.5]],
      [[1, 2, 3, 4], 4_500_000, [0.5]],
    ]);
  });

  it('stopped by a timer that it runs, leaves nothing pending', () => {
    const { host, sleeps } = handHost();
    const clock = new VirtualClock();
    clock.timer(() => driver.dispose()).arm(1_000_000);
    clock.timer(() => undefined).arm(9_000_000);
    const driver = driveByRealTime(clock, host);
    host.now = 1;
    driver.sync();
    expect([clock.now, sleeps()]).toEqual([1_000_000, []]);
  });

  it('follows the host, wakes up for the next deadline and for nothing else', () => {
    let nowMs = 100;
    let wake: { callback: () => void; ms: number } | null = null;
    const host = {
      nowMs: () => nowMs,
      setTimeout: (callback: () => void, ms: number) => {
        wake = { callback, ms };
        return wake;
      },
      clearTimeout: () => {
        wake = null;
      },
    };
    const clock = new VirtualClock();
    const driver = driveByRealTime(clock, host);
    expect(wake).toBeNull();
    const log: number[] = [];
    clock.timer(() => log.push(Number(clock.now))).arm(3_000_000);
    driver.sync();
    expect(wake!.ms).toBe(3);
    nowMs = 103;
    wake!.callback();
    expect(log).toEqual([3_000_000]);
    expect(wake).toBeNull();
    const late = clock.timer(() => undefined);
    late.arm(5_000_000);
    driver.sync();
    expect(wake!.ms).toBe(2); // from the present on
    late.cancel();
    driver.sync();
    expect(wake).toBeNull();
    driver.dispose();
    nowMs = 200;
    driver.sync();
    expect(clock.now).toBe(3_000_000);
  });
});
