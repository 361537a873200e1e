/** The property test of surfaces, for minutes: 3000 machines, 100 bursts of accesses each. The seed of a failure is printed. */
import fc from 'fast-check';
import { it } from 'vitest';
import { runSurfaces } from '../support/surface-run.ts';

it('A-16, A-52, A-60 to A-77, A-159, A-186, D5: every surface, at length', { timeout: 1_200_000 }, () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => runSurfaces(seed, 100)),
    { numRuns: 3000 },
  );
});
