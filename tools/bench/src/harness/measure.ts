/**
 * Measures one built row in this process: the check sum, CPU time per access, heap growth per access.
 *
 * The loop is warmed by many short calls and then timed by few long ones, each made from code that runs too seldom to be
 * optimised itself: else V8 inlines the loop into the harness in a lower tier and times that (12.7 ns for a DataView
 * loop of 1.6 on V8 14).
 */
import { canonicalSum, type Kernel } from './kernel.ts';
import type { Sample } from './quiet.ts';
import type { Built, Row } from './row.ts';

/** What a child process tells. */
export interface Measured {
  readonly sum: string;
  readonly residue: string;
  /** Those that are calm, and those that are not. */
  readonly samples: readonly Sample[];
  /** The least that the known loop took in this process. */
  readonly quiet: number;
  /** Bytes of heap per access; null unless asked for. */
  readonly heap: number | null;
}

export const CHECK_COUNT = 1 << 20;

/** The sum and residue of the first accesses, before anything is timed. */
export function check(row: Row, built: Built, run: Kernel): { sum: string; residue: string } {
  built.reset?.run();
  const sum = canonicalSum(run(row.checkCount ?? CHECK_COUNT));
  return { sum, residue: String(built.residue?.() ?? '') };
}

/** Calls the loop for `ms` milliseconds in short calls, then in two long ones. @returns nanoseconds per access, roughly. */
export function warmUp(built: Built, run: Kernel, ms: number): number {
  let count = 64;
  let per = 0;
  const end = performance.now() + ms;
  while (performance.now() < end) {
    built.reset?.run();
    const start = performance.now();
    run(built.reset === undefined ? count : Math.min(count, built.reset.count));
    per = ((performance.now() - start) * 1e6) / count;
    if (per * count < 100_000) count *= 2;
  }
  return Math.max(per, 0.5);
}

/** One sample: at least `count` accesses. @returns CPU nanoseconds per access. */
export function sample(built: Built, run: Kernel, count: number): number {
  if (built.reset !== undefined) return sampleWithReset(built.reset, run, count);
  const before = process.cpuUsage();
  run(count);
  const spent = process.cpuUsage(before);
  return ((spent.user + spent.system) * 1000) / count;
}

function sampleWithReset(reset: NonNullable<Built['reset']>, run: Kernel, count: number): number {
  let micros = 0;
  let done = 0;
  while (done < count) {
    reset.run();
    const before = process.cpuUsage();
    run(reset.count);
    const spent = process.cpuUsage(before);
    micros += spent.user + spent.system;
    done += reset.count;
  }
  return (micros * 1000) / done;
}

/** Bytes the heap grows by per access. The caller has made the young generation large enough that nothing is collected. */
export function heapGrowth(built: Built, run: Kernel, per: number): number {
  const count = built.reset?.count ?? Math.max(1 << 8, Math.min(1 << 20, Math.ceil(2e8 / per)));
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    built.reset?.run();
    collect();
    const before = process.memoryUsage().heapUsed;
    run(count);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) least = Math.min(least, grown);
  }
  // The two readings themselves allocate some hundred bytes.
  return Math.max(0, least - 4096) / count;
}
