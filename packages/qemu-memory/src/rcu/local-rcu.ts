/**
 * RCU in one agent, without shared memory: a depth and a queue. A grace period has ended whenever no section is open,
 * because nothing else runs meanwhile; sections can outlive a call only across an `await`. When a memory is shared with
 * workers, `waitAlso` makes every grace period wait for the readers there too..
 */
import { type DisposableHandle, disposable, shown } from '@guestmem/vm-memory';
import { CallbackQueue, throwCollected } from './callback-queue.ts';
import { RcuError } from './error.ts';
import { milliseconds } from './milliseconds.ts';
import type { Rcu, RcuGuard } from './rcu.ts';

/** Readers elsewhere. A grace period there is asked for by a ticket and never waits unless told to. */
export interface RemoteReaders {
  /** A grace period that begins after this call; pass the number to `reached`. */
  request(): number;
  /** Moves on what is running. Has the grace period of `ticket` ended? Never waits. */
  reached(ticket: number): boolean;
  /** Waits for it. @param meanwhile to be called now and then during the wait. @throws {RcuError} `timeout`, `cannot-block`. */
  wait(ticket: number, timeoutMs: number, meanwhile?: () => void): void;
  /** Resolves when it has ended. */
  waitAsync(ticket: number, timeoutMs: number): Promise<void>;
  /** Does what its readers may wait for in a section; called while other readers are waited for. Never waits. */
  serve?(): void;
}

type Ticket = readonly [RemoteReaders, number];

/** The RCU domain of one agent. */
export class LocalRcu implements Rcu {
  #depth = 0;
  #idle: (() => void)[] = []; // Asked to be called when the outermost section ends.
  readonly #queue: CallbackQueue = new CallbackQueue();
  #jobAsked = false;
  readonly #remotes: RemoteReaders[] = [];
  readonly #notifiers = new Set<{ readonly notify: () => void }>();
  readonly #inAccess: () => boolean;
  #batchTail = 0; // The queue's tail when the tickets below were asked for.
  #tickets: Ticket[] | null = null;

  /** @param inAccess is an access of this agent under way? It counts as a section where callbacks are to run (A-60, T-97). */
  constructor(inAccess: () => boolean = () => false) {
    this.#inAccess = inAccess;
  }

  get depth(): number {
    return this.#depth;
  }
  get pending(): number {
    return this.#queue.pending;
  }
  get wanted(): boolean {
    return this.#depth > 0 && (this.#queue.pending > 0 || this.#idle.length > 0);
  }

  readLock(): void {
    this.#depth++;
  }

  readUnlock(): void {
    if (this.#depth === 0) throw notLocked();
    if (--this.#depth === 0 && this.#idle.length > 0) this.#wakeIdle();
  }

  read<T>(fn: () => T): T {
    this.#depth++;
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

  callRcu(fn: () => void): void {
    if (typeof fn !== 'function') throw new TypeError(`callRcu takes a function, not ${shown(fn)}`);
    this.#queue.push(fn);
    this.#askForJob();
  }

  synchronize(timeoutMs?: number): void {
    const most = milliseconds(timeoutMs, Number.POSITIVE_INFINITY, 'timeoutMs');
    if (this.#depth > 0) throw inSection('synchronize');
    this.#waitFor(this.#request(), most);
  }

  async synchronizeAsync(timeoutMs?: number): Promise<void> {
    const most = milliseconds(timeoutMs, Number.POSITIVE_INFINITY, 'timeoutMs');
    const tickets = this.#request();
    if (this.#depth > 0 || !reached(tickets)) this.#force();
    if (this.#depth > 0) await this.#untilIdle();
    for (const [remote, ticket] of tickets) await remote.waitAsync(ticket, most);
  }

  poll(): number {
    if (this.#depth > 0 || this.#queue.running || this.#inAccess()) return 0;
    const errors: unknown[] = [];
    const ran = this.#pollInto(errors);
    throwCollected(errors);
    return ran;
  }

  drain(timeoutMs?: number): void {
    const most = milliseconds(timeoutMs, Number.POSITIVE_INFINITY, 'timeoutMs');
    if (this.#depth > 0) throw inSection('drain');
    if (this.#queue.running)
      throw new RcuError('in-callback', 'drain: called from an RCU callback, it would wait for itself');
    if (this.#inAccess())
      throw new RcuError(
        'in-read-section',
        'drain: called from within an access of this agent, it would end views in use',
      );
    const target = this.#queue.tail;
    const errors: unknown[] = [];
    try {
      while (this.#queue.ran < target) {
        if (this.#pollInto(errors) === 0) this.#waitFor(this.#tickets!, most);
      }
    } catch (error) {
      errors.push(error);
    }
    throwCollected(errors);
  }

  onForce(notify: () => void): DisposableHandle {
    const registration = { notify };
    this.#notifiers.add(registration);
    return disposable(() => this.#notifiers.delete(registration));
  }

  barrier(): Promise<void> {
    if (this.#queue.pending === 0) return Promise.resolve();
    if (this.#depth > 0) this.#force();
    return new Promise((resolve) => this.callRcu(resolve));
  }

  /** From now on grace periods wait for the readers of `remote` too. @returns undoes it; what is running still waits. */
  waitAlso(remote: RemoteReaders): () => void {
    let undone = false;
    this.#remotes.push(remote);
    return () => {
      if (undone) return;
      undone = true; // Another registration of the same readers stays.
      this.#remotes.splice(this.#remotes.indexOf(remote), 1);
    };
  }

  /** Runs what is due; then begins a grace period for what was queued before the call. The depth is 0. */
  #pollInto(errors: unknown[]): number {
    const queue = this.#queue;
    const limit = queue.tail; // What the callbacks themselves queue is for a later poll.
    let ran = 0;
    while (queue.due < limit) {
      if (this.#tickets === null) {
        this.#batchTail = limit;
        this.#tickets = this.#request();
      }
      if (!reached(this.#tickets)) break;
      this.#tickets = null;
      queue.complete(this.#batchTail);
      ran += queue.runDue(errors);
    }
    if (queue.pending > 0) this.#askForJob();
    return ran;
  }

  /** Waits one after the other; all have begun. */
  #waitFor(tickets: readonly Ticket[], timeoutMs: number): void {
    if (!reached(tickets)) this.#force();
    for (const [remote, ticket] of tickets) remote.wait(ticket, timeoutMs, () => this.#serveOthers(remote));
  }

  /** A reader that is waited for may itself wait for what another of the remotes does. */
  #serveOthers(waitedFor: RemoteReaders): void {
    for (const remote of [...this.#remotes]) if (remote !== waitedFor) remote.serve?.();
  }

  #force(): void {
    for (const { notify } of [...this.#notifiers]) notify();
  }

  #request(): Ticket[] {
    return this.#remotes.map((remote) => [remote, remote.request()] as const);
  }

  #askForJob(): void {
    if (this.#jobAsked) return;
    this.#jobAsked = true;
    void this.#job();
  }

  /** The promise job. What callbacks throw surfaces as an unhandled rejection: nobody else is there to be told. */
  async #job(): Promise<void> {
    await null;
    if (this.#depth > 0) await this.#untilIdle();
    if (this.#tickets !== null)
      for (const [remote, ticket] of this.#tickets) await remote.waitAsync(ticket, Number.POSITIVE_INFINITY);
    this.#jobAsked = false;
    if (this.#queue.pending === 0) return;
    if (this.#depth > 0 || this.#queue.running) this.#askForJob();
    else this.poll();
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #wakeIdle(): void {
    const waiting = this.#idle;
    this.#idle = [];
    for (const wake of waiting) wake(); // Resolves promises; runs nothing here.
  }
}

function reached(tickets: readonly Ticket[]): boolean {
  return tickets.every(([remote, ticket]) => remote.reached(ticket));
}

function notLocked(): RcuError {
  return new RcuError('not-locked', 'readUnlock: no read section is open');
}

function inSection(what: string): RcuError {
  return new RcuError('in-read-section', `${what}: a read section of this agent is open, it would wait for itself`);
}
