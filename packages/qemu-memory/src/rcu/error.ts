/** The typed error of the RCU layer: a request that could only wait for itself, or a wait that was given up.. */

/** Why. */
export type RcuErrorCode =
  /** A read section of this agent is open: waiting for a grace period here would wait for oneself. */
  | 'in-read-section'
  /** A callback is running: it cannot wait for the callbacks after it. */
  | 'in-callback'
  /** `readUnlock` without a `readLock`. */
  | 'not-locked'
  /** Readers are still in their sections after the time that the caller was ready to wait. */
  | 'timeout'
  /** Every reader slot is taken. */
  | 'no-free-slot'
  /** This reader's slot was taken away, because its agent was thought dead. */
  | 'evicted'
  /** The reader is not registered, or no longer. */
  | 'not-registered'
  /** The shared memory given is not what it should be. */
  | 'bad-handle'
  /** This agent may not block (a browser's main thread); use the asynchronous form. */
  | 'cannot-block';

/** The RCU layer cannot do what was asked; nothing has changed. */
export class RcuError extends Error {
  override readonly name = 'RcuError';
  readonly code: RcuErrorCode;

  constructor(code: RcuErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
