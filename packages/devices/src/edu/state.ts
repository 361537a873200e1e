/** The edu device's saved state: a plain JSON value, versioned; 64-bit numbers are strings, the buffer is hex digits. */
import { StateReader } from '../state-error.ts';

/** The device by itself; its PCI side is a PciFunctionState. */
export interface EduState {
  readonly version: 1;
  /** As it reads. */
  readonly liveness: number;
  readonly factorial: number;
  readonly status: number;
  readonly interruptStatus: number;
  readonly source: string;
  readonly destination: string;
  readonly count: string;
  readonly command: string;
  /** Nanoseconds of virtual time; null while no transfer is on its way. */
  readonly transferDeadline: string | null;
  /** Nanoseconds of host time that the factorial still takes; null while none is computed. */
  readonly factorialLeft: string | null;
  readonly buffer: string;
}

/** @internal Checks and copies a state. @throws {DeviceStateError} */
export function readEduState(value: unknown): EduState {
  const from = new StateReader('edu', value);
  from.version(1);
  const transferDeadline = from.bigintOrNull('transferDeadline');
  const factorialLeft = from.bigintOrNull('factorialLeft');
  return {
    version: 1,
    liveness: from.u32('liveness'),
    factorial: from.u32('factorial'),
    status: from.integer('status', 0, 0xff),
    interruptStatus: from.u32('interruptStatus'),
    source: `${from.bigint('source')}`,
    destination: `${from.bigint('destination')}`,
    count: `${from.bigint('count')}`,
    command: `${from.bigint('command')}`,
    transferDeadline: transferDeadline === null ? null : `${transferDeadline}`,
    factorialLeft: factorialLeft === null ? null : `${factorialLeft}`,
    buffer: from.text('buffer', /^[0-9a-f]{8192}$/),
  };
}
