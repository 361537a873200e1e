/**
 * Drives a virtual clock by the host's time: it follows a monotonic millisecond source and wakes up for the next
 * deadline, and for nothing else. The host's functions are handed in, since the package knows neither Node nor the browser.
 */
import { addNanoseconds } from './clock.ts';
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
}

/** A running driver. */
export interface RealTimeDriver {
  /**
   * Brings the clock to the present, runs what is due, and wakes up for what is armed since. Call it before the guest reads
   * a time and after it ran. Throws what timers threw, or hands it to the host where that called; the driver goes on.
   */
  sync(): void;
  /** Stops; the clock stands where it is. */
  dispose(): void;
}

/** Lets `clock` follow the host's time from its present on. */
export function driveByRealTime(clock: VirtualClock, host: HostTime, options: RealTimeOptions = {}): RealTimeDriver {
  const { rate = 1, timersPerTurn = 10_000 } = options;
  const startMs = host.nowMs();
  const start = clock.now;
  let handle: unknown = null;
  let stopped = false;

  const sync = (): void => {
    if (stopped) return;
    if (handle !== null) host.clearTimeout(handle as never);
    handle = null;
    let upToDate = false; // Nor is it known to be when a timer has thrown: then the next turn follows at once.
    try {
      const elapsed = Math.floor((host.nowMs() - startMs) * 1e6 * rate);
      const { complete } = clock.advanceTo(addNanoseconds(start, elapsed), timersPerTurn);
      const ran = clock.runDue(timersPerTurn);
      upToDate = complete && ran < timersPerTurn;
    } finally {
      sleep(upToDate);
    }
  };
  const sleep = (upToDate: boolean): void => {
    const next = clock.nextDeadline;
    if (next === null || stopped) return;
    const ms = upToDate ? Number(BigInt(next) - BigInt(clock.now)) / 1e6 / rate : 0;
    handle = host.setTimeout(sync, Math.min(Math.max(ms, 0), LONGEST_SLEEP_MS));
  };
  const dispose = (): void => {
    stopped = true;
    if (handle !== null) host.clearTimeout(handle as never);
  };
  try {
    sync();
  } catch (error) {
    dispose(); // Nobody has a driver to stop.
    throw error;
  }
  return { sync, dispose };
}

/** Hosts' timers take a signed 32-bit number of milliseconds. */
const LONGEST_SLEEP_MS = 0x7fff_ffff;
