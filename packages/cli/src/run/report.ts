/** What `guestmem run` prints: the comparison in a sentence, the tour as a table. */
import Table from 'cli-table3';
import type { Machine } from './machine.ts';
import { holds, type Step } from './step.ts';

/** The first lines: which machine, and how its map compares with QEMU's. */
export function comparisonText({ name, core, comparison, uncompared }: Machine): string {
  const spaces = core.addressSpaces.length;
  if (comparison === undefined) {
    const ranges = new Set(core.addressSpaces.map((space) => space.view));
    const count = [...ranges].reduce((sum, view) => sum + view.length, 0);
    return `${name}: ${spaces} address spaces, ${count} ranges; not compared: ${uncompared}`;
  }
  const { ranges, equalRanges, equalSpaces } = comparison;
  const lines = [
    `${name}: ${equalSpaces} of ${comparison.spaces} address spaces as in QEMU`,
    `memory: ${equalRanges} of ${ranges} ranges as in QEMU`,
  ];
  if (comparison.difference !== '') lines.push(`first difference: ${comparison.difference}`);
  return lines.join('\n');
}

/** The table of accesses. */
export function tourTable(steps: readonly Step[]): string {
  const table = new Table({
    head: ['access', 'landed on', 'value', 'result', 'as in QEMU', 'rule'],
    style: { head: [], border: [], compact: true },
  });
  for (const step of steps) table.push([step.access, step.landed, step.value, step.result, verdict(step), step.rule]);
  return table.toString();
}

function verdict(step: Step): string {
  if (holds(step)) return 'yes';
  return `NO: ${step.expected.value} ${step.expected.result}`;
}
