/**
 * Which choices of alias targets agree with the order of the `memory-region:` sections. QEMU queues each target when it
 * first meets an alias of it, and prints the sections in that order (T-195); so, where a dump shows all aliases, an alias
 * means a section that is queued already or the one that is next, and by the end all have been queued in time.
 */

/** An alias that may mean any of some sections, in rising order, or the beginning of a section, which must be queued by then. */
export type QueueStep = { readonly sections: readonly number[] } | { readonly begins: number };

/** More cells than this are not worth it: then everything counts as possible. */
const MAX_CELLS = 1 << 24;

/** The choices left at each step. `queued` counts the sections that have been queued. */
export class QueuePlan {
  readonly #steps: readonly QueueStep[];
  /** How many sections there are. */
  readonly #count: number;
  /** For each step and count, can the rest still work out? Null where the order tells nothing. */
  readonly #possible: readonly Uint8Array[] | null;

  constructor(steps: readonly QueueStep[], count: number) {
    this.#steps = steps;
    this.#count = count;
    this.#possible = steps.length * count > MAX_CELLS ? null : this.#solve();
  }

  /** Does the order tell anything? */
  get tells(): boolean {
    return this.#possible !== null;
  }

  /** Can the alias of step `i` be the one that queues the next section? */
  mayQueue(i: number, queued: number): boolean {
    if (this.#possible === null) return true;
    const step = this.#steps[i]!;
    return 'sections' in step && step.sections.includes(queued) && this.#possible[i + 1]![queued + 1] === 1;
  }

  /** Can the alias of step `i` mean a section that is queued already? */
  mayReuse(i: number, queued: number): boolean {
    return this.#possible === null || this.#possible[i + 1]![queued] === 1;
  }

  /** From the end backwards. Null where no choice at all works out, as with text that was edited. */
  #solve(): Uint8Array[] | null {
    const count = this.#count;
    const rows: Uint8Array[] = new Array(this.#steps.length + 1);
    rows[this.#steps.length] = new Uint8Array(count + 1);
    rows[this.#steps.length]![count] = 1;
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i]!;
      const after = rows[i + 1]!;
      const row = new Uint8Array(count + 1);
      if ('begins' in step) row.set(after.subarray(step.begins + 1), step.begins + 1);
      else {
        for (let queued = (step.sections[0] ?? count) + 1; queued <= count; queued++) row[queued] = after[queued]!;
        for (const section of step.sections) if (after[section + 1] === 1) row[section] = 1;
      }
      rows[i] = row;
    }
    return rows[0]![0] === 1 ? rows : null;
  }
}
