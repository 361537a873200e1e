/** What replaying one capture tells; the kinds of captures (kinds.ts) all answer with this. */

/** How many of the things in a capture came out as the real program had them. */
export interface Tally {
  equal: number;
  total: number;
}

/** The outcome of one file. */
export interface Replay {
  readonly name: string;
  /** Parts by what they check, for example `address spaces`. The file is equal if every part is. */
  readonly parts: ReadonlyMap<string, Tally>;
  /** The first difference in words; empty if there is none. */
  readonly difference: string;
  /** What is known to differ and does not count, in words. */
  readonly notes: readonly string[];
}

/** Options of a run. */
export interface ReplayOptions {
  /** How trees are read: with the facts beside them, without, or without and from the dump that hides what is disabled. */
  readonly tree: 'facts' | 'disabled' | 'plain' | 'inferred';
}

/** Collects the parts of a replay. */
export class ReplayBuilder {
  readonly #name: string;
  readonly #parts = new Map<string, Tally>();
  readonly #notes: string[] = [];
  #difference = '';

  constructor(name: string) {
    this.#name = name;
  }

  /** Counts `total` things of a part, of which `equal` are equal; `difference` tells the first that is not. */
  count(part: string, equal: number, total: number, difference: string): void {
    const tally = this.#parts.get(part) ?? { equal: 0, total: 0 };
    tally.equal += equal;
    tally.total += total;
    this.#parts.set(part, tally);
    if (equal < total && this.#difference === '') this.#difference = `${part}: ${difference}`;
  }

  /** Counts one text, which is equal or differs in a first line. */
  text(part: string, expected: string, actual: string): void {
    this.count(part, expected === actual ? 1 : 0, 1, firstDifference(expected, actual));
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /** Counts a capture that could not be replayed at all. */
  fail(part: string, error: unknown): void {
    this.count(part, 0, 1, error instanceof Error ? error.message : String(error));
  }

  finish(): Replay {
    return { name: this.#name, parts: this.#parts, difference: this.#difference, notes: this.#notes };
  }
}

/** The first line in which two texts differ, in words. */
export function firstDifference(expected: string, actual: string): string {
  const wanted = expected.split('\n');
  const found = actual.split('\n');
  const at = wanted.findIndex((line, i) => line !== found[i]);
  const i = at < 0 ? wanted.length : at;
  return `line ${i + 1}: expected ${quote(wanted[i])}, found ${quote(found[i])}`;
}

function quote(line: string | undefined): string {
  return line === undefined ? 'the end' : JSON.stringify(line);
}
