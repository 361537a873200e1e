/**
 * The HPET's main counter: 64 bits, one tick each 10 ns of the clock while it runs, a stored value while it does not.
 * Hot: guests read the low half all the time, so no bigint while the times are safe integers. H-30 to H-34.
 */
import { type Clock, toNanoseconds } from '../clock/clock.ts';
import { u64 } from './hpet-timer.ts';
import { TICK_NS } from './registers.ts';

/** The counter of one block. */
export class MainCounter {
  readonly #clock: Clock;
  /** What it reads while it stands. Guests may write it at any time; while it runs that is not seen and lost (H-32). */
  storedLo = 0;
  storedHi = 0;
  #running = false;
  /** (stored * 10) mod 2^64 - now, at the moment of starting. */
  #offset = 0n;
  /** `#offset` as a number: what the fast path adds. NaN where it is no safe integer, or the sum begins below 0. */
  #fastOffset = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get offset(): bigint {
    return this.#offset;
  }

  /** The low half now. */
  lo(): number {
    if (!this.#running) return this.storedLo;
    const now = this.#clock.now;
    if (typeof now === 'number') {
      // NaN, where the offset is too large, fails the comparison. x / 10 rounds down right below 2^53.
      const ns = now + this.#fastOffset;
      if (ns <= Number.MAX_SAFE_INTEGER) return Math.floor(ns / TICK_NS) >>> 0;
    }
    return Number(BigInt.asUintN(32, this.value()));
  }

  /** The high half now. */
  hi(): number {
    if (!this.#running) return this.storedHi;
    const now = this.#clock.now;
    if (typeof now === 'number') {
      const ns = now + this.#fastOffset;
      if (ns <= Number.MAX_SAFE_INTEGER) return Math.floor(ns / (TICK_NS * 0x1_0000_0000));
    }
    return Number(this.value() >> 32n);
  }

  /** All 64 bits now. */
  value(): bigint {
    return this.#running ? this.ticks() : u64(this.storedHi, this.storedLo);
  }

  /**
   * Ticks by the clock and the last offset, also while the counter stands: what a timer sees that comes due then (only the
   * extra one of H-100 can; seen in `hpet/25`).
   */
  ticks(): bigint {
    return BigInt.asUintN(64, BigInt(this.#clock.now) + this.#offset) / BigInt(TICK_NS);
  }

  /** H-30, H-33: stored * 10 is cut to 64 bits. */
  start(): void {
    const stored = u64(this.storedHi, this.storedLo);
    this.restore(BigInt.asUintN(64, stored * BigInt(TICK_NS)) - BigInt(this.#clock.now), true);
  }

  /** Takes a known offset, as after a restore. */
  restore(offset: bigint, running: boolean): void {
    this.#offset = offset;
    const fast = BigInt(this.#clock.now) + offset < 0n ? null : toNanoseconds(offset);
    this.#fastOffset = typeof fast === 'number' ? fast : Number.NaN;
    this.#running = running;
  }

  /** H-31: keeps the whole ticks. */
  stop(): void {
    const value = this.value();
    this.storedLo = Number(BigInt.asUintN(32, value));
    this.storedHi = Number(value >> 32n);
    this.#running = false;
  }

  /** H-110. */
  reset(): void {
    this.storedLo = 0;
    this.storedHi = 0;
    this.restore(0n, false);
  }
}
