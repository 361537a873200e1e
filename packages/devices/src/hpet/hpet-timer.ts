/** The registers of one timer of the HPET, visible and hidden. What they do is in hpet.ts. H-20 to H-24, H-56, H-61. */
import type { ClockTimer } from '../clock/clock.ts';
import type { HpetTimerState } from './state.ts';

/** One timer register set. All words are unsigned 32-bit numbers. */
export class HpetTimer {
  readonly index: number;
  readonly deadline: ClockTimer;
  config = 0;
  routeCapability = 0;
  comparatorLo = 0;
  comparatorHi = 0;
  messageData = 0;
  messageAddress = 0;
  /** Hidden: the last value written while periodic (H-56). */
  periodLo = 0;
  periodHi = 0;
  /** Armed for the wrap of the low half, which comes before the comparator (H-61). */
  wrapFirst = false;

  constructor(index: number, deadline: ClockTimer) {
    this.index = index;
    this.deadline = deadline;
  }

  get comparator(): bigint {
    return u64(this.comparatorHi, this.comparatorLo);
  }
  set comparator(value: bigint) {
    this.comparatorLo = Number(BigInt.asUintN(32, value));
    this.comparatorHi = Number(value >> 32n);
  }
  get period(): bigint {
    return u64(this.periodHi, this.periodLo);
  }

  /** Takes everything but the deadline, which is armed in the order of all timers. */
  restore(from: HpetTimerState): void {
    this.config = from.config;
    this.routeCapability = from.routeCapability;
    this.comparator = BigInt(from.comparator);
    this.periodLo = Number(BigInt.asUintN(32, BigInt(from.period)));
    this.periodHi = Number(BigInt(from.period) >> 32n);
    this.messageData = from.messageData;
    this.messageAddress = from.messageAddress;
    this.wrapFirst = from.wrapFirst;
  }
}

/** Two unsigned 32-bit halves as one number of 64 bits. */
export function u64(hi: number, lo: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}
