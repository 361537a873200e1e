/**
 * RCU for an agent that shares memory with others: its own sections are seen by their grace periods, and its grace
 * periods wait for their sections. Callbacks are functions, so each runs in the agent that queued it..
 */
import { type DisposableHandle, disposable } from '@guestmem/vm-memory';
import { RcuError } from './error.ts';
import { FaultyReader, type ReaderFaults } from './faulty-reader.ts';
import { LocalRcu } from './local-rcu.ts';
import type { Rcu, RcuGuard } from './rcu.ts';
import { RcuDomain } from './shared-domain.ts';
import { SharedReader } from './shared-reader.ts';

/**
 * `barrier`: every outermost section costs two atomic stores and grace periods end soon after it.
 * `quiescent`: sections are free while the agent is online; it must say `quiescent()` between quanta, and nothing read
 * before that may be used after it.
 */
export type RcuFlavour = 'barrier' | 'quiescent';

/** This agent's part of a shared domain. Takes one reader slot until `close`. */
export class SharedRcu implements Rcu {
  readonly flavour: RcuFlavour;
  readonly domain: RcuDomain;
  readonly #reader: SharedReader;
  readonly #local: LocalRcu = new LocalRcu();
  #online = false;

  /**
   * @param buffer of `RcuDomain.create(...)`, from any agent.
   * @param claim whose slot it is to be (`RcuDomain.newClaim`), so that the updater can tell; default a new number.
   * @param faults for tests only. @throws {RcuError} `no-free-slot`, `bad-handle`.
   */
  constructor(buffer: SharedArrayBuffer, flavour: RcuFlavour = 'barrier', claim?: number, faults?: ReaderFaults) {
    this.flavour = flavour;
    const { words } = new RcuDomain(buffer);
    this.#reader = faults === undefined ? new SharedReader(words, claim) : new FaultyReader(words, claim, faults);
    this.domain = new RcuDomain(buffer);
    this.#local.waitAlso(this.domain);
  }

  /** The reader slot of this agent. */
  get slot(): number {
    return this.#reader.slot;
  }
  get depth(): number {
    return this.#local.depth;
  }
  get pending(): number {
    return this.#local.pending;
  }
  get wanted(): boolean {
    return this.#reader.wanted || this.#local.wanted;
  }
  /** Quiescent flavour: are sections free now, and grace periods waiting for the next `quiescent` or `offline`? */
  get online(): boolean {
    return this.#online;
  }

  readLock(): void {
    if (this.#local.depth === 0 && !this.#online) this.#reader.enter();
    this.#local.readLock();
  }

  readUnlock(): void {
    this.#local.readUnlock();
    if (this.#local.depth === 0 && !this.#online) this.#reader.leave();
  }

  read<T>(fn: () => T): T {
    this.readLock();
    try {
      return fn();
    } finally {
      this.readUnlock();
    }
  }

  guard(): RcuGuard {
    this.readLock();
    return disposable(() => this.readUnlock());
  }

  /** Quiescent flavour: from now on sections are free. Does nothing if online. @throws {RcuError} `evicted`. */
  goOnline(): void {
    this.#needQuiescentFlavour('goOnline');
    if (this.#online) return;
    if (this.#local.depth === 0) this.#reader.enter();
    this.#online = true;
  }

  /** Quiescent flavour: this agent holds nothing until it is online again. Do it before anything that may block. @throws {RcuError} `in-read-section`. */
  goOffline(): void {
    this.#needQuiescentFlavour('goOffline');
    this.#needDepthZero('goOffline');
    if (!this.#online) return;
    this.#online = false;
    this.#reader.leave();
  }

  /** Quiescent flavour: nothing read before is used any more. @throws {RcuError} `in-read-section`, `evicted`. */
  quiescent(): void {
    this.#needQuiescentFlavour('quiescent');
    this.#needDepthZero('quiescent');
    if (!this.#online) return;
    this.#online = false; // Should the slot be lost, sections are no longer free.
    this.#reader.quiescent();
    this.#online = true;
  }

  callRcu(fn: () => void): void {
    this.#local.callRcu(fn);
  }

  /** As Rcu says; an online agent is offline meanwhile. */
  synchronize(timeoutMs?: number): void {
    this.#away(() => this.#local.synchronize(timeoutMs));
  }

  /** As Rcu says. An agent of the quiescent flavour that stays online must go on saying `quiescent`. */
  synchronizeAsync(timeoutMs?: number): Promise<void> {
    return this.#local.synchronizeAsync(timeoutMs);
  }

  /** As Rcu says; for an online agent it is a quiescent state. */
  poll(): number {
    if (this.#local.depth > 0) return 0;
    return this.#away(() => this.#local.poll());
  }

  /** As Rcu says; an online agent is offline meanwhile. */
  drain(timeoutMs?: number): void {
    this.#away(() => this.#local.drain(timeoutMs));
  }

  onForce(notify: () => void): DisposableHandle {
    return this.#local.onForce(notify);
  }

  barrier(): Promise<void> {
    return this.#local.barrier();
  }

  /** Gives the slot back; callbacks that are queued still run. Twice is once. @throws {RcuError} `in-read-section`. */
  close(): void {
    this.#needDepthZero('close');
    this.#online = false;
    this.#reader.unregister();
  }

  #away<T>(fn: () => T): T {
    if (!this.#online || this.#local.depth > 0) return fn();
    this.goOffline();
    try {
      return fn();
    } finally {
      this.goOnline();
    }
  }

  #needQuiescentFlavour(what: string): void {
    if (this.flavour !== 'quiescent') throw new TypeError(`${what}: this agent joined with the barrier flavour`);
  }

  #needDepthZero(what: string): void {
    if (this.#local.depth > 0)
      throw new RcuError('in-read-section', `${what}: a read section of this agent is open; end it first`);
  }
}
