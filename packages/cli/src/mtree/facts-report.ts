/** Tells on standard error what a flat dump showed about a tree, and whether the tree now renders as the dump has it. */
import { compareFlatDumps, flatDump, type MemoryCore, type MtreeFacts } from '@guestmem/qemu-memory';
import { loadFlat } from './load.ts';

/** One line for each kind of fact. */
export function tellInferred(facts: MtreeFacts, path: string): void {
  const lines = (numbers: readonly number[]): string => `line${numbers.length === 1 ? '' : 's'} ${numbers.join(', ')}`;
  const { answers = [], empty = [], readonly = [], over = [] } = facts;
  const told: string[] = [];
  if (answers.length > 0) told.push(`regions with children that answer for themselves: ${lines(answers)}`);
  if (empty.length > 0) told.push(`regions without children that show nothing: ${lines(empty)}`);
  if (readonly.length > 0) told.push(`aliases that make what they show read-only: ${lines(readonly)}`);
  if (over.length > 0)
    told.push(`equal siblings, the first on top: ${over.map(([a, b]) => `${a} over ${b}`).join(', ')}`);
  const targets = Object.entries(facts.target ?? {});
  if (targets.length > 0)
    told.push(`sections that aliases mean: ${targets.map(([alias, section]) => `${alias} -> ${section}`).join(', ')}`);
  const closed = Object.keys(facts.oneByte ?? {});
  if (closed.length > 0) told.push(`windows that are closed: ${lines(closed.map(Number))}`);
  if (told.length === 0) told.push('nothing that the tree and the guesses do not tell');
  for (const line of told) process.stderr.write(`inferred from ${path}: ${line}\n`);
}

/**
 * Prints how much of the flat dump the core shows; gives exit code 1 if not all, but for what QEMU shows from its canonical root and the
 * core from the space's own (T-89).
 */
export function compareWithFlat(core: MemoryCore, path: string): number {
  const expected = loadFlat(path);
  const { equal, total, difference } = compareFlatDumps(expected, flatDump(core));
  process.stderr.write(`${equal} of ${total} address spaces as in ${path}\n`);
  if (equal === total) return 0;
  const asQemu = compareFlatDumps(expected, flatDump(core, { canonical: true }));
  if (asQemu.equal === total) {
    process.stderr.write(
      `the rest differs in what QEMU leaves out on the way to a view's root region (T-89): ${difference}\n`,
    );
    return 0;
  }
  process.stderr.write(`first difference: ${asQemu.equal > equal ? asQemu.difference : difference}\n`);
  return 1;
}
