/**
 * Which choices of alias targets agree with the order of the `memory-region:` sections. QEMU queues each target when it
 * first meets an alias of it, and prints the sections in that order (T-195); so, where a dump shows all aliases, an alias
 * means a section that is queued already or the one that is next, and by the end all have been queued in time.
 */

/** An alias that may mean any section of a name, or the beginning of a section, which must be queued by then. */
export type QueueStep = { readonly target: string } | { readonly begins: number };

/** More cells than this are not worth it: then everything counts as possible. */
const MAX_CELLS = 1 << 24;

/** The choices left at each step. `queued` counts the sections that have been queued. */
export class QueuePlan {
  readonly #steps: readonly QueueStep[];
  readonly #names: readonly string[];
  /** For each step and count, can the rest still work out? Null where the order tells nothing. */
  readonly #possible: readonly Uint8Array[] | null;

  /** @param names of the sections, in their order. */
  constructor(steps: readonly QueueStep[], names: readonly string[]) {
    this.#steps = steps;
    this.#names = names;
    this.#possible = steps.length * names.length > MAX_CELLS ? null : this.#solve();
  }

  /** Can the alias of step `i` be the one that queues the next section? */
  mayQueue(i: number, queued: number): boolean {
    if (this.#possible === null) return true;
    const step = this.#steps[i]!;
    return 'target' in step && this.#names[queued] === step.target && this.#possible[i + 1]![queued + 1] === 1;
  }

  /** Can the alias of step `i` mean a section that is queued already? */
  mayReuse(i: number, queued: number): boolean {
    return this.#possible === null || this.#possible[i + 1]![queued] === 1;
  }

  /** From the end backwards. Null where no choice at all works out, as with text that was edited. */
  #solve(): Uint8Array[] | null {
    const names = this.#names;
    const firstOf = new Map<string, number>();
    for (const [i, name] of names.entries()) if (!firstOf.has(name)) firstOf.set(name, i);
    const rows: Uint8Array[] = new Array(this.#steps.length + 1);
    rows[this.#steps.length] = new Uint8Array(names.length + 1);
    rows[this.#steps.length]![names.length] = 1;
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i]!;
      const after = rows[i + 1]!;
      const row = new Uint8Array(names.length + 1);
      for (let queued = 0; queued <= names.length; queued++) {
        if ('begins' in step) row[queued] = queued > step.begins ? after[queued]! : 0;
        else if (names[queued] === step.target && after[queued + 1] === 1) row[queued] = 1;
        else if (after[queued] === 1 && (firstOf.get(step.target) ?? names.length) < queued) row[queued] = 1;
      }
      rows[i] = row;
    }
    return rows[0]![0] === 1 ? rows : null;
  }
}
