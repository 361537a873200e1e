/** Flags in shared memory by which a test and its workers take turns, also while one of them does not return to its event loop. */

/** Numbered flags; each is raised once or counted up. */
export class Signals {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * 64)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }
  raise(flag: number): void {
    Atomics.add(this.#words, flag, 1);
    Atomics.notify(this.#words, flag);
  }
  get(flag: number): number {
    return Atomics.load(this.#words, flag);
  }
  /** Blocks until `flag` was raised `times` times. @throws after 20 s. */
  wait(flag: number, times = 1): void {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const now = Atomics.load(this.#words, flag);
      if (now >= times) return;
      if (Date.now() > deadline) throw new Error(`flag ${flag} was not raised in 20 s`);
      Atomics.wait(this.#words, flag, now, 1000);
    }
  }
}
