/**
 * What read-copy-update offers to its users: sections that readers mark and that never wait, and ways to act after all
 * sections that are running now have ended. One interface for one agent (local-rcu.ts) and for many that share memory
 * (shared-rcu.ts); the ordering guarantees are the same..
 */
import type { DisposableHandle } from '@guestmem/vm-memory';

/** An open read section. Ends by `dispose` or at the end of the scope of a `using`; ending it again does nothing. */
export type RcuGuard = DisposableHandle;

/** The read side. Sections nest; those of one agent that overlap count as one, from the first lock to the last unlock. */
export interface RcuReadSide {
  /** Open sections of this agent; 0 outside. */
  readonly depth: number;
  /**
   * Does somebody wait for the sections of this agent that are open now, or for it to say `quiescent`? A loop that stays
   * inside for long looks at it now and then, and leaves soon when it is true. Costs two atomic loads at most.
   */
  readonly wanted: boolean;
  /** Enters a section. Never waits. Read the protected pointer after it, once, and use that copy. */
  readLock(): void;
  /** Leaves a section. Runs no callback. @throws {RcuError} `not-locked`. */
  readUnlock(): void;
  /** Runs `fn` in a section, which ends with it, by an exception too. A promise that `fn` returns is not waited for. */
  read<T>(fn: () => T): T;
  /** Enters a section that a guard ends: `using section = rcu.guard()`. */
  guard(): RcuGuard;
}

/**
 * The update side. First remove (publish a new version), then wait or queue, then reclaim.
 *
 * Callbacks run in order of queueing, each after a grace period that began after it was queued, at these points and no
 * other: inside `poll` and `drain`, and in a promise job that `callRcu` asks for. So never inside a read section of this
 * agent, never inside `callRcu`, `readUnlock` or another callback. A program that does not return to its event loop
 * calls `poll` where it suits it (MemoryCore does, at the end of an outermost transaction that no access is part of, and
 * between accesses where hundreds wait).
 */
export interface Rcu extends RcuReadSide {
  /** Callbacks that are queued and have not run. */
  readonly pending: number;
  /** Has run `fn` after a grace period. Never waits; fine inside a section and from a callback. @throws {TypeError} no function. */
  callRcu(fn: () => void): void;
  /**
   * Waits until every section that was open at the call has ended.
   * @param timeoutMs how long, 0 to Infinity; default without end, here as in all that wait. @throws {RangeError} no such time.
   * @throws {RcuError} `in-read-section`, `timeout`, `cannot-block`.
   */
  synchronize(timeoutMs?: number): void;
  /** As `synchronize`, without blocking. May be called in a section, but awaited there it would wait for itself. */
  synchronizeAsync(timeoutMs?: number): Promise<void>;
  /**
   * Runs the callbacks whose grace period has ended, and starts one for those that wait for one. Never waits; does
   * nothing in a section or a callback. @returns how many ran. @throws what a callback threw (AggregateError if several).
   */
  poll(): number;
  /**
   * Every callback that was queued before the call has run when it returns.
   * @throws {RcuError} `in-read-section`, `in-callback`, `timeout`, `cannot-block`; and what a callback threw.
   */
  drain(timeoutMs?: number): void;
  /**
   * `notify` is called, in this agent, when `synchronize`, `drain` or an async form of them finds that it has to wait for
   * readers: before it blocks, once per wait. It makes them leave soon, by a flag that they look at or a message. Never
   * needed for safety; what it throws the waiter throws. Each registration counts for itself.
   */
  onForce(notify: () => void): DisposableHandle;
  /** Resolves when every callback that was queued before the call has run. May be called anywhere. */
  barrier(): Promise<void>;
}
