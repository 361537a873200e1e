import fc from 'fast-check';
import { describe, it } from 'vitest';
import { runEdits } from './support/rendering-run.ts';

describe('rendering against a painter that asks address by address', () => {
  it('T-60 to T-78: every view is what the painter sees, after each of hundreds of random edits', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => runEdits(seed, 1n, 24, true, 120)),
      { numRuns: 25 },
    );
  });
  it('T-1, T-3, T-71: the same with a space of 2^64, where positions run past both of its ends', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => runEdits(seed, 1n << 60n, 16, false, 120)),
      { numRuns: 25 },
    );
  });
});
