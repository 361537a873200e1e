/**
 * Drives a virtual clock by the host's time: it follows a monotonic millisecond source and wakes up for the next
 * deadline. The host's functions are handed in, since the package knows neither Node nor the browser.
 */
import { addNanoseconds, type Nanoseconds, toNanoseconds } from './clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What the driver needs of its host, for example `{ nowMs: () => performance.now(), setTimeout, clearTimeout }`. */
export interface HostTime {
  /** Milliseconds since any fixed moment, fractions included; never goes back. */
  nowMs(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: never): void;
}

/** Options of `driveByRealTime`. */
export interface RealTimeOptions {
  /** Virtual nanoseconds per real one. Default 1. */
  readonly rate?: number;
  /** Timers run in one turn before the host gets its thread back. Default 10000. */
  readonly timersPerTurn?: number;
  /** Longest sleep in ms, so that the clock keeps near the host's while nothing is due. Default 100. */
  readonly maxSleepMs?: number;
}

/** A running driver. */
export interface RealTimeDriver {
  /** Brings the clock to the present now, running what is due. Call it before the guest reads a time. */
  sync(): void;
  /** Stops; the clock stands where it is. */
  dispose(): void;
}

/** Lets `clock` follow the host's time from its present on. */
export function driveByRealTime(clock: VirtualClock, host: HostTime, options: RealTimeOptions = {}): RealTimeDriver {
  const { rate = 1, timersPerTurn = 10_000, maxSleepMs = 100 } = options;
  const startMs = host.nowMs();
  const start: Nanoseconds = clock.now;
  let handle: unknown = null;
  let stopped = false;

  const sync = (): boolean => {
    const elapsed = Math.floor((host.nowMs() - startMs) * 1e6 * rate);
    const complete = clock.advanceTo(addNanoseconds(start, toNanoseconds(elapsed)), timersPerTurn).complete;
    return complete && clock.runDue(timersPerTurn) < timersPerTurn;
  };
  const turn = (): void => {
    if (stopped) return;
    const complete = sync();
    const next = clock.nextDeadline;
    const wait = next === null ? maxSleepMs : Number(BigInt(next) - BigInt(clock.now)) / 1e6 / rate;
    handle = host.setTimeout(turn, complete ? Math.min(Math.max(wait, 0), maxSleepMs) : 0);
  };
  turn();
  return {
    sync: () => void sync(),
    dispose: () => {
      stopped = true;
      host.clearTimeout(handle as never);
    },
  };
}
