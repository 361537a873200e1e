/**
 * What is different between two lists of blocks, in the two passes that listeners see: removals, then additions. Blocks
 * that both have are passed over whole, so the cost follows what changed. T-80, T-113 to T-116.
 */
import type { FlatBlock } from './flat-block.ts';

/** One row of one block. */
export interface Row {
  readonly block: FlatBlock;
  readonly row: number;
}

/** One step of the addition pass: `old` is null for an added range, else the range that stays. */
export interface Step extends Row {
  readonly old: Row | null;
}

/** The two passes over a pair of views, each ascending. */
export interface Difference {
  readonly removed: readonly Row[];
  /** Added ranges; ranges that stay with another mask; with `all`, every range that stays. */
  readonly steps: readonly Step[];
}

/** Runs over rows in ascending order. */
class Cursor {
  readonly #blocks: readonly FlatBlock[];
  #at = 0;
  row = 0;

  constructor(blocks: readonly FlatBlock[]) {
    this.#blocks = blocks;
  }

  /** The current row's block; undefined behind the last row. */
  get block(): FlatBlock | undefined {
    return this.#blocks[this.#at];
  }

  step(): void {
    if (++this.row < this.#blocks[this.#at]!.count) return;
    this.skipBlock();
  }

  skipBlock(): void {
    this.#at++;
    this.row = 0;
  }
}

/** @param all wants the ranges that stay too, for listeners that have `regionNop` (T-113). */
export function difference(before: readonly FlatBlock[], after: readonly FlatBlock[], all: boolean): Difference {
  const removed: Row[] = [];
  const steps: Step[] = [];
  const a = new Cursor(before);
  const b = new Cursor(after);
  for (;;) {
    const old = a.block;
    const now = b.block;
    if (old === undefined && now === undefined) return { removed, steps };
    if (old === now && a.row === 0 && b.row === 0 && !all) {
      a.skipBlock();
      b.skipBlock();
    } else if (now === undefined || (old !== undefined && old.firsts[a.row]! < now.firsts[b.row]!)) {
      removed.push({ block: old!, row: a.row });
      a.step();
    } else if (old === undefined || now.firsts[b.row]! < old.firsts[a.row]!) {
      steps.push({ block: now, row: b.row, old: null });
      b.step();
    } else {
      const stays = old.equalRow(a.row, now, b.row);
      if (!stays) removed.push({ block: old, row: a.row });
      if (!stays) steps.push({ block: now, row: b.row, old: null });
      else if (all || old.dirtyMask(a.row) !== now.dirtyMask(b.row))
        steps.push({ block: now, row: b.row, old: { block: old, row: a.row } });
      a.step();
      b.step();
    }
  }
}

/** Do both show the same, masks and own flags included, however the rows are dealt to blocks? */
export function sameContent(a: readonly FlatBlock[], b: readonly FlatBlock[]): boolean {
  const x = new Cursor(a);
  const y = new Cursor(b);
  for (;;) {
    const one = x.block;
    const other = y.block;
    if (one === undefined || other === undefined) return one === other;
    if (one === other && x.row === 0 && y.row === 0) {
      x.skipBlock();
      y.skipBlock();
    } else {
      if (!one.identicalRow(x.row, other, y.row)) return false;
      x.step();
      y.step();
    }
  }
}
