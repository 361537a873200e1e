/** Holds the figures against the bars. */
import { type Bar, bars, noAllocation } from '../bars.ts';
import type { RowResult, SessionResult } from '../harness/session.ts';

/** One bar on one engine. */
export interface Verdict {
  readonly bar: Bar;
  readonly ours: number | null;
  readonly theirs: number | null;
  /** In the bar's sense: time over time, or throughput over throughput; null where a side is missing. */
  readonly ratio: number | null;
  readonly pass: boolean | null;
}

export function judge(result: SessionResult): readonly Verdict[] {
  const known = new Map<string, RowResult>(result.rows.map((row) => [row.id, row]));
  return bars
    .filter((bar) => known.has(bar.ours) || known.has(bar.theirs))
    .map((bar) => {
      const ours = known.get(bar.ours)?.ns ?? null;
      const theirs = known.get(bar.theirs)?.ns ?? null;
      if (ours === null || theirs === null) return { bar, ours, theirs, ratio: null, pass: null };
      const ratio = bar.kind === 'time' ? ours / theirs : theirs / ours;
      return { bar, ours, theirs, ratio, pass: bar.kind === 'time' ? ratio <= bar.bound : ratio >= bar.bound };
    });
}

/** Rows that must not allocate and do, with bytes per access. */
export function allocations(result: SessionResult): readonly RowResult[] {
  return result.rows.filter((row) => noAllocation(row.id) && row.heap !== null && row.heap >= 0.05);
}
