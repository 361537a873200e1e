/**
 * A reader with faults, for tests that must see them caught: it is slow between fetching the parity and storing it (so that
 * a single phase is not enough, A-230), or never wakes who waits for it.
 */
import { GP } from './shared-layout.ts';
import { SharedReader } from './shared-reader.ts';

/** What is wrong. Tests only. */
export interface ReaderFaults {
  /** Stays between fetch and store until a grace period has passed, for at most so many looks. */
  readonly slowEnter?: number;
  /** Never raises the event. */
  readonly noWake?: boolean;
}

/** See above. */
export class FaultyReader extends SharedReader {
  readonly #faults: ReaderFaults;

  constructor(words: Int32Array, claim: number | undefined, faults: ReaderFaults) {
    super(words, claim);
    this.#faults = faults;
  }

  override enter(): void {
    const most = this.#faults.slowEnter ?? 0;
    if (most === 0) {
      super.enter();
      return;
    }
    const fetched = Atomics.load(this.words, GP);
    const before = Atomics.load(this.words, GP) >>> 3;
    for (let i = 0; i < most && Atomics.load(this.words, GP) >>> 3 === before; i++);
    super.enter();
    this.publish(fetched);
  }

  protected override wake(): void {
    if (this.#faults.noWake !== true) super.wake();
  }
}
