/** The HPET's saved state: a plain JSON value, versioned; 64-bit numbers are strings. H-118. */
import { StateReader } from '../state-error.ts';
import type { HpetTimer } from './hpet-timer.ts';

/** One timer register set. */
export interface HpetTimerState {
  readonly config: number;
  readonly routeCapability: number;
  readonly comparator: string;
  readonly period: string;
  readonly messageData: number;
  readonly messageAddress: number;
  readonly wrapFirst: boolean;
  /** Nanoseconds of the clock; null while not armed. */
  readonly deadline: string | null;
  /** Equal deadlines are armed again in rising order of this. */
  readonly order: number;
}

/** The whole block. The last entry of `timers` is the register set that belongs to no timer (H-100). */
export interface HpetState {
  readonly version: 1;
  readonly config: number;
  readonly status: number;
  readonly stored: string;
  readonly offset: string;
  readonly rtcLevel: number;
  readonly msi: boolean;
  readonly routeCapability: number;
  readonly timers: readonly HpetTimerState[];
}

/** @internal */
export function timerState(timer: HpetTimer): HpetTimerState {
  const { deadline } = timer;
  return {
    config: timer.config,
    routeCapability: timer.routeCapability,
    comparator: `0x${timer.comparator.toString(16)}`,
    period: `0x${timer.period.toString(16)}`,
    messageData: timer.messageData,
    messageAddress: timer.messageAddress,
    wrapFirst: timer.wrapFirst,
    deadline: deadline.deadline === null ? null : `${deadline.deadline}`,
    order: deadline.order,
  };
}

/** @internal Checks and copies a state. @throws {DeviceStateError} */
export function readHpetState(value: unknown): HpetState {
  const from = new StateReader('hpet', value);
  from.version(1);
  return {
    version: 1,
    config: from.integer('config', 0, 3),
    status: from.u32('status'),
    stored: `${from.bigint('stored')}`,
    offset: `${from.bigint('offset', true)}`,
    rtcLevel: from.integer('rtcLevel', -0x8000_0000, 0x7fff_ffff),
    msi: from.boolean('msi'),
    routeCapability: from.u32('routeCapability'),
    timers: from.list('timers', 4, 33).map((timer) => {
      const deadline = timer.bigintOrNull('deadline', true);
      return {
        config: timer.integer('config', 0, 0xffff),
        routeCapability: timer.u32('routeCapability'),
        comparator: `${timer.bigint('comparator')}`,
        period: `${timer.bigint('period')}`,
        messageData: timer.u32('messageData'),
        messageAddress: timer.u32('messageAddress'),
        wrapFirst: timer.boolean('wrapFirst'),
        deadline: deadline === null ? null : `${deadline}`,
        order: timer.integer('order', 0, Number.MAX_SAFE_INTEGER),
      };
    }),
  };
}
