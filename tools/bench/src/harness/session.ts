/**
 * One whole run on one engine: first every row is checked (equal sums, heap growth), then all rows are timed in rounds,
 * each row once a round in a fresh process, so that any two rows alternate.
 */
import { stderr } from 'node:process';
import type { Engine } from '../engines.ts';
import type { NativePeer } from '../native-peer.ts';
import type { Row } from './row.ts';
import type { Effort } from './run-row.ts';
import { type Disturbance, Runner } from './runner.ts';
import { median, spread } from './statistics.ts';

/** The figures of one row. */
export interface RowResult {
  readonly id: string;
  /** Median over the rounds, CPU nanoseconds per access; null where the row could not run. */
  readonly ns: number | null;
  readonly spread: number;
  /** One figure per round. */
  readonly rounds: readonly number[];
  /** Bytes per access; null where not measured. */
  readonly heap: number | null;
  /** Why there are no figures. */
  readonly failed: string | null;
}

/** The figures of one engine. */
export interface SessionResult {
  readonly engine: string;
  readonly version: string;
  readonly rows: readonly RowResult[];
  /** Rows that gave other sums than their like: they are not timed. */
  readonly disagreements: readonly string[];
  readonly disturbance: Disturbance;
}

export function session(
  rows: readonly Row[],
  engine: Engine,
  native: NativePeer,
  rounds: number,
  effort: Effort,
  dist: string,
): SessionResult {
  const say = (text: string) => stderr.write(stderr.isTTY ? `\r\x1b[K${text}` : '');
  const failures = new Map<string, string>();
  const heaps = new Map<string, number | null>();
  const sums = new Map<string, { readonly id: string; readonly sum: string }>();
  const disagreements: string[] = [];
  const runner = new Runner(engine, native, effort, dist);
  rows.forEach((row, at) => {
    say(`${engine.name}: checking ${at + 1} of ${rows.length}: ${row.id}`);
    const measured = runner.check(row);
    if ('failed' in measured) {
      failures.set(row.id, measured.failed);
      return;
    }
    heaps.set(row.id, measured.heap);
    if (row.same === undefined) return;
    const sum = `${measured.sum}, ${row.same.startsWith('store') || row.same.startsWith('write') ? measured.residue : '-'}`;
    const known = sums.get(row.same);
    if (known === undefined) sums.set(row.same, { id: row.id, sum });
    else if (known.sum !== sum) {
      disagreements.push(`${row.id} gives ${sum}; ${known.id} gives ${known.sum}`);
      failures.set(row.id, 'its sums differ from its peers');
    }
  });
  const figures = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    rows.forEach((row, at) => {
      if (failures.has(row.id)) return;
      say(`${engine.name}: round ${round + 1} of ${rounds}, ${at + 1} of ${rows.length}: ${row.id}`);
      const measured = runner.time(row);
      if (typeof measured === 'number') figures.set(row.id, [...(figures.get(row.id) ?? []), measured]);
      else failures.set(row.id, measured.failed);
    });
  }
  say('');
  const { name, version } = engine;
  const { disturbance } = runner;
  return { engine: name, version, disagreements, disturbance, rows: rows.map((row) => result(row.id)) };

  function result(id: string): RowResult {
    const all = figures.get(id) ?? [];
    const failed = failures.get(id) ?? null;
    const ns = all.length === 0 || failed !== null ? null : median(all);
    return { id, ns, spread: spread(all), rounds: all, heap: heaps.get(id) ?? null, failed };
  }
}
