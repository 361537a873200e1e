/** The table that `npm run bench` prints. */
import type { SessionResult } from '../harness/session.ts';
import { allocations, judge, type Verdict } from './judge.ts';

/** All rows, then all bars, of all engines side by side. */
export function table(results: readonly SessionResult[]): string {
  return [rowTable(results), barTable(results), heapLines(results), disturbanceLines(results)].join('\n\n');
}

function rowTable(results: readonly SessionResult[]): string {
  const head = ['row', ...results.flatMap((r) => [`${r.engine}, ns`, '±', 'B/access'])];
  const ids = results[0]?.rows.map((row) => row.id) ?? [];
  const lines = ids.map((id) => [
    id,
    ...results.flatMap((r) => {
      const row = r.rows.find((known) => known.id === id);
      if (row === undefined || row.ns === null) return ['-', '', ''];
      return [figure(row.ns), `${Math.round(row.spread * 100)}%`, row.heap === null ? '' : figure(row.heap)];
    }),
  ]);
  const missing = [
    ...new Set(
      results.flatMap((r) => r.rows.filter((row) => row.failed !== null).map((row) => `${row.id}: ${row.failed}`)),
    ),
  ];
  return [grid([head, ...lines]), ...missing.map((line) => `not measured: ${line}`)].join('\n');
}

function barTable(results: readonly SessionResult[]): string {
  const verdicts = results.map(judge);
  const labels = [...new Set(verdicts.flatMap((list) => list.map((v) => v.bar.label)))];
  const head = ['bar', 'wanted', ...results.flatMap((r) => [r.engine, ''])];
  const lines = labels.map((label) => {
    const bar = verdicts.flat().find((v) => v.bar.label === label)!.bar;
    const wanted = `${bar.kind === 'time' ? '<=' : '>='} ${bar.bound}`;
    return [label, wanted, ...verdicts.flatMap((list) => verdictCells(list.find((v) => v.bar.label === label)))];
  });
  const passed = verdicts.map((list, i) => {
    const judged = list.filter((v) => v.pass !== null);
    return `${results[i]!.version}: ${judged.filter((v) => v.pass).length} of ${judged.length} bars met`;
  });
  return [grid([head, ...lines]), ...passed].join('\n');
}

function verdictCells(verdict: Verdict | undefined): readonly [string, string] {
  if (verdict === undefined || verdict.ratio === null) return ['-', ''];
  return [verdict.ratio.toFixed(2), verdict.pass ? 'pass' : 'MISS'];
}

function heapLines(results: readonly SessionResult[]): string {
  return results
    .map((r) => {
      const guilty = allocations(r);
      const list = guilty.map((row) => `${row.id} ${figure(row.heap!)}`).join(', ');
      return `${r.version}: bytes allocated per access in scalar rows but bigint, wanted 0: ${guilty.length === 0 ? '0, pass' : `${list}, MISS`}`;
    })
    .join('\n');
}

/** How busy the machine was (harness/quiet.ts). */
function disturbanceLines(results: readonly SessionResult[]): string {
  return results
    .map(({ version, disturbance: { samples, disturbed, figures, standing } }) => {
      const part = Math.round((100 * disturbed) / Math.max(1, samples));
      return `${version}: other work slowed ${part} % of ${samples} samples, which were taken again; ${standing} of ${figures} figures of a process have such a sample in them`;
    })
    .join('\n');
}

/** Three significant digits. */
export function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Columns padded to their widest cell; the first to the left, the others to the right. */
function grid(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
