/** The log of a qtest server: openings, commands, replies, with times. Q-81. */
import { openSync, writeSync } from 'node:fs';
import { UserError } from '../files.ts';
import { reasonOf } from '../reasons.ts';

/** Writes one line for each thing that happens. */
export class QtestLog {
  readonly #file: number;
  #openedMs = 0;
  readonly #path: string;
  #failed = false;

  /** @param path a file, made anew; undefined: standard error. @throws {UserError} it cannot be opened. */
  constructor(path: string | undefined) {
    this.#path = path ?? 'standard error';
    try {
      this.#file = path === undefined ? 2 : openSync(path, 'w');
    } catch (cause) {
      throw new UserError(`cannot write the log ${path}: ${reasonOf(cause)}`, { cause });
    }
  }

  opened(): void {
    this.#openedMs = performance.now();
    this.#line('I', '', 'OPENED');
  }

  closed(): void {
    this.#line('I', '+', 'CLOSED');
  }

  message(direction: 'received' | 'sent', line: string): void {
    this.#line(direction === 'received' ? 'R' : 'S', '+', line);
  }

  #line(kind: string, sign: string, text: string): void {
    const seconds = (performance.now() - this.#openedMs) / 1000;
    try {
      writeSync(this.#file, `[${kind} ${sign}${seconds.toFixed(6)}] ${text}\n`);
    } catch (cause) {
      // The machine goes on without its log; that is told once.
      if (!this.#failed) process.stderr.write(`guestmem: the log ${this.#path} has gaps: ${reasonOf(cause)}\n`);
      this.#failed = true;
    }
  }
}
