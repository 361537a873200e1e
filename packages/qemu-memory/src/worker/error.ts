/** The typed errors of shared address spaces: who did not answer, or was not let in. D10. */

/** Why. */
export type WorkerErrorCode =
  /** The owner did not take the request in time; it was withdrawn and has had no effect. */
  | 'owner-not-serving'
  /** The owner took the request and did not finish in time; it may still take effect. */
  | 'owner-stuck'
  /** The owner has closed the shared space, or this agent has detached. */
  | 'closed'
  /** The owner took this worker for dead, or let it go. */
  | 'evicted'
  /** Every worker slot is taken. */
  | 'no-free-slot'
  /** What was given is no handle of a shared space, or of another version. */
  | 'bad-handle'
  /** The attributes carry own fields that do not fit the ring's payload. */
  | 'attrs-too-large'
  /** The owner's side threw something that has no class here: a device callback that failed, for example. */
  | 'remote-error'
  /** This agent may not block (a browser's main thread). */
  | 'cannot-block';

/** A shared space cannot do what was asked. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly code: WorkerErrorCode;

  constructor(code: WorkerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
