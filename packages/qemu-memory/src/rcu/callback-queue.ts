/**
 * The callbacks of one agent, in order: each is queued, becomes due when its grace period has ended, and runs once.
 * Knows nothing of readers; the owner says when a grace period begins and ends..
 */

/** A first-in-first-out queue in three parts: `run` so far | due | waiting. Positions only grow. */
export class CallbackQueue {
  /** Callbacks from position `#ran` on; a consumed prefix is cut off now and then. */
  #entries: ((() => void) | null)[] = [];
  #base = 0;
  #ran = 0;
  #due = 0;
  #running = false;

  /** Position after the last callback: hand it to `complete` when a grace period that begins now has ended. */
  get tail(): number {
    return this.#base + this.#entries.length;
  }
  /** Position of the first callback that has not run. */
  get ran(): number {
    return this.#ran;
  }
  /** Position up to which grace periods have ended. */
  get due(): number {
    return this.#due;
  }
  get pending(): number {
    return this.tail - this.#ran;
  }
  /** Is a callback running? */
  get running(): boolean {
    return this.#running;
  }

  push(fn: () => void): void {
    this.#entries.push(fn);
  }

  /** The grace period that began when `tail` was `position` has ended. */
  complete(position: number): void {
    if (position > this.#due) this.#due = position;
  }

  /** Runs what is due, in order. What a callback throws is collected; the others run all the same. @returns how many ran. */
  runDue(errors: unknown[]): number {
    if (this.#running) return 0;
    const end = this.#due; // A callback that completes a grace period does not extend this run.
    const start = this.#ran;
    this.#running = true;
    try {
      while (this.#ran < end) {
        const index = this.#ran - this.#base;
        const fn = this.#entries[index]!;
        this.#entries[index] = null;
        this.#ran++;
        try {
          fn!();
        } catch (error) {
          errors.push(error);
        }
      }
    } finally {
      this.#running = false;
    }
    this.#cut();
    return end - start;
  }

  #cut(): void {
    const dead = this.#ran - this.#base;
    if (dead < this.#entries.length && dead < 64) return;
    this.#entries.splice(0, dead);
    this.#base += dead;
  }
}

/** What `throwCollected` made, to be told from the AggregateErrors of a program, which stay as they are. */
const MADE: WeakSet<object> = /* @__PURE__ */ new WeakSet();

/** Throws what callbacks threw: one as it is, several in one list, those too that a call further in threw together. */
export function throwCollected(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  const all = errors.flatMap((error) => (MADE.has(error as object) ? (error as AggregateError).errors : [error]));
  const together = new AggregateError(all, `${all.length} callbacks failed`);
  MADE.add(together);
  throw together;
}
