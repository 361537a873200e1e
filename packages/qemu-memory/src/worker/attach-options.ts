/** How an agent attaches to a shared space, and what it does first. */
import { badNumber } from '@guestmem/vm-memory';
import type { ReaderFaults } from '../rcu/faulty-reader.ts';
import { milliseconds } from '../rcu/milliseconds.ts';
import { type RcuFlavour, SharedRcu } from '../rcu/shared-rcu.ts';
import { WorkerError } from './error.ts';
import { PROTOCOL, type SharedSpaceHandle } from './handle.ts';
import { CLOSED } from './table-layout.ts';

/** How to attach. */
export interface AttachOptions {
  /** Default `barrier`. `quiescent`: accesses to RAM cost what they do in one thread; call `quiescent()` between quanta. */
  readonly flavour?: RcuFlavour;
  /**
   * Takes one message that has arrived, or gives undefined: asked at each new view, so that an agent that never returns
   * to its event loop learns of added RAM. Node: `() => receiveMessageOnPort(port)?.message`.
   */
  readonly receive?: () => unknown;
  /** How long an access may wait for the owner, in ms (default 10000). */
  readonly timeoutMs?: number;
  /** Most looks at a pending reply before blocking (default 2000, about 20 us); fewer while that does not help. */
  readonly spins?: number;
  /** @hidden Deviations for tests, which must see them caught. */
  readonly faults?: AttachFaults;
}

/** @hidden What is done wrong on purpose. Tests only. */
export interface AttachFaults extends ReaderFaults {
  /** Takes the table before it enters the section. */
  readonly tableBeforeSection?: boolean;
  /** Stays between taking a table or window and using it until grace periods have passed, for at most so many looks. */
  readonly slowSection?: number;
}

/** With the defaults. @throws {RangeError | TypeError} an option that is none of its values. */
export function checkOptions({ flavour = 'barrier', timeoutMs, spins = 2000 }: AttachOptions): {
  readonly flavour: RcuFlavour;
  readonly timeoutMs: number;
  readonly spins: number;
} {
  if (flavour !== 'barrier' && flavour !== 'quiescent')
    throw new TypeError(`flavour must be 'barrier' or 'quiescent', not ${String(flavour)}`);
  if (!(Number.isSafeInteger(spins) && spins >= 0)) throw badNumber('spins must be an integer of 0 and more', spins);
  return { flavour, timeoutMs: milliseconds(timeoutMs, 10_000, 'timeoutMs'), spins };
}

/** @throws {WorkerError} `bad-handle`. */
export function checkHandle(handle: SharedSpaceHandle): SharedSpaceHandle {
  if (typeof handle !== 'object' || handle === null || handle.guestmem !== 'shared-space')
    throw new WorkerError('bad-handle', 'attach takes the handle of a shared space (SharedSpace.handle)');
  if (handle.protocol !== PROTOCOL)
    throw new WorkerError(
      'bad-handle',
      `the handle speaks protocol ${handle.protocol}, this package ${PROTOCOL}: use one version on both sides`,
    );
  return handle;
}

/** Takes a reader slot. @throws {WorkerError} `closed`, `no-free-slot`. */
export function joinDomain(handle: SharedSpaceHandle, flavour: RcuFlavour, faults?: ReaderFaults): SharedRcu {
  checkOpen(handle);
  try {
    const rcu = new SharedRcu(handle.rcu, flavour, handle.claim, faults);
    try {
      checkOpen(handle); // Again: an owner that has closed meanwhile may not have seen the slot taken.
    } catch (error) {
      rcu.close();
      throw error;
    }
    return rcu;
  } catch (error) {
    if ((error as { code?: string }).code !== 'no-free-slot') throw error;
    throw new WorkerError('no-free-slot', `all worker slots of "${handle.name}" are taken; share it with more workers`);
  }
}

function checkOpen(handle: SharedSpaceHandle): void {
  if (Atomics.load(new Int32Array(handle.tables), CLOSED) === 0) return;
  throw new WorkerError('closed', `the shared space "${handle.name}" is closed`);
}
