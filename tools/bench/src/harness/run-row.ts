/** Runs one row in a process of its own: a child Node of the wanted engine, or the native program. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Engine } from '../engines.ts';
import type { NativePeer } from '../native-peer.ts';
import { CHECK_COUNT, type Measured } from './measure.ts';
import type { Row } from './row.ts';

/** How much one process measures. */
export interface Effort {
  /** Calm samples that a process shall take; its figure is their median. */
  readonly samples: number;
  /** Milliseconds of a sample. */
  readonly milliseconds: number;
}

/** Big enough that nothing is collected while heap growth is measured. */
const HEAP_FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];

/**
 * @param quiet The least that the known loop took in processes of this row so far (quiet.ts).
 * @returns the figures, or why there are none.
 */
export function runRow(
  row: Row,
  mode: 'check' | 'time',
  engine: Engine,
  native: NativePeer,
  effort: Effort,
  dist: string,
  quiet: number,
): Measured | { readonly failed: string } {
  if (row.native !== undefined) return runNative(row, row.native, native, effort, quiet);
  const flags = mode === 'check' ? HEAP_FLAGS : [];
  const child = spawnSync(
    engine.program,
    [
      '-C',
      'dist',
      ...flags,
      join(dist, 'child.js'),
      row.id,
      mode,
      ...[effort.samples, effort.milliseconds, quiet].map(String),
    ],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  const line = child.stdout.trim().split('\n').at(-1) ?? '';
  if (child.status !== 0 || !line.startsWith('{')) return { failed: reason(child.stderr) };
  return JSON.parse(line) as Measured;
}

function runNative(
  row: Row,
  peer: NonNullable<Row['native']>,
  native: NativePeer,
  effort: Effort,
  quiet: number,
): Measured | { readonly failed: string } {
  if ('missing' in native) return { failed: native.missing };
  const count = Math.ceil((effort.milliseconds * 1e6) / (row.size > 8 ? row.size / 40 : 5));
  const args = [
    peer.reach,
    row.stream === 'touch' ? 'hot' : row.stream,
    peer.op,
    count,
    effort.samples,
    row.checkCount ?? CHECK_COUNT,
    quiet,
  ].map(String);
  const child = spawnSync(native.program, args, { encoding: 'utf8' });
  if (child.status !== 0) return { failed: reason(child.stderr) };
  const measured = JSON.parse(child.stdout) as Omit<Measured, 'heap'>;
  return { ...measured, sum: String(canonicalNative(row, BigInt(measured.sum))), heap: null };
}

/** Its sums are 64 bits wide; those of 32-bit accesses are compared modulo 2^32. */
function canonicalNative(row: Row, sum: bigint): bigint {
  return row.id.includes('/load64/') ? sum : BigInt.asUintN(32, sum);
}

function reason(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.find((line) => /Error|panicked|error/.test(line)) ?? lines[0] ?? 'it ended without a word';
}
