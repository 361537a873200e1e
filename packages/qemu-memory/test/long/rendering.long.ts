/** The property tests of rendering, for minutes: 4000 machines, 300 steps each. The seed of a failure is printed. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { runEdits } from '../support/rendering-run.ts';

const long = { timeout: 1_200_000 };

describe('rendering, at length', () => {
  it('T-60 to T-78: roots of their own over a small space', long, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => runEdits(seed, 1n, 24, true, 300)),
      { numRuns: 2000 },
    );
  });
  it('T-1, T-3, T-71: a space of 2^64', long, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => runEdits(seed, 1n << 60n, 16, false, 300)),
      { numRuns: 2000 },
    );
  });
});
