/**
 * Hands a channel's input on in portions, no faster than the output is taken, and without keeping the event loop for long: signals
 * and other channels get their turn between portions..
 */

/** The most that QEMU takes from its channel before the machine has its turn; a server gets no more at once. */
const PORTION = 1024;
/**
 * A line that reads a block of about 64 KiB or more. A portion ends behind it, as if the client had paused there: dozens of
 * such replies fit one portion's lines, but not into memory.
 */
const LONG_REPLY = /^(?:b64)?read [^ \n]+ [^ \n]{7,}[^\n]*\n/m;
/** Time for one turn of the event loop; a portion that was begun is ended. */
export const TURN_MS = 10;

/** Where the input comes from: a socket or standard input. */
export interface PausableInput {
  pause(): unknown;
  resume(): unknown;
}

/** Holds at most what `input` gave before it was paused. */
export class PortionFeeder {
  readonly #input: PausableInput;
  readonly #feed: (portion: string) => void;
  #queue: string[] = [];
  /** Characters of the first text that were handed on. */
  #at = 0;
  #blocked = false;
  #held = false;
  #scheduled = false;
  #paused = false;
  #left = false;
  #done: (() => void) | null = null;

  /** @param feed takes one portion; what it does may block this feeder. */
  constructor(input: PausableInput, feed: (portion: string) => void) {
    this.#input = input;
    this.#feed = feed;
  }

  /** Text came: it is handed on now, as far as the time goes. */
  push(text: string): void {
    if (text !== '') this.#queue.push(text);
    if (!this.#scheduled) this.#work();
    if (this.#queue.length > 0 && !this.#paused) {
      this.#paused = true;
      this.#input.pause();
    }
  }

  /** The output takes no more. Nothing is handed on behind the present portion until `drained`. */
  block(): void {
    this.#blocked = !this.#left;
  }

  /** The output takes text again. */
  drained(): void {
    this.#blocked = false;
    this.#later();
  }

  /** The user of what is handed on is not done with it: nothing more until `release`. */
  hold(): void {
    this.#held = true;
  }

  /** After `hold`. */
  release(): void {
    this.#held = false;
    this.#later();
  }

  /** The client left: no more text will come, and nobody waits for replies. `done` is called once all that came was handed on. */
  finish(done: () => void): void {
    this.#left = true;
    this.#blocked = false;
    this.end(done);
  }

  /** No more text will come, but replies are still taken. `done` is called once all that came was handed on. */
  end(done: () => void): void {
    this.#done = done;
    if (this.#queue.length > 0) this.#later();
    else this.#settle();
  }

  #later(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#work();
      this.#settle();
    });
  }

  #work(): void {
    const end = performance.now() + TURN_MS;
    while (this.#queue.length > 0 && !this.#blocked && !this.#held) {
      const text = this.#queue[0]!;
      const portion = portionOf(text, this.#at);
      this.#at += portion.length;
      if (this.#at >= text.length) {
        this.#queue.shift();
        this.#at = 0;
      }
      this.#feed(portion);
      if (performance.now() >= end) break;
    }
    if (this.#queue.length > 0 && !this.#blocked && !this.#held) this.#later();
  }

  #settle(): void {
    if (this.#queue.length > 0 || this.#held) return;
    if (this.#done !== null) {
      const done = this.#done;
      this.#done = null;
      done();
    } else if (this.#paused && !this.#blocked) {
      this.#paused = false;
      this.#input.resume();
    }
  }
}

function portionOf(text: string, at: number): string {
  const most = text.slice(at, at + PORTION);
  const long = LONG_REPLY.exec(most);
  return long === null ? most : most.slice(0, long.index + long[0].length);
}
