/** Every surface against the rules: random machines, random accesses, each by two surfaces on twins. The model is support/naive-machine.ts. */
import fc from 'fast-check';
import { it } from 'vitest';
import { runSurfaces } from '../support/surface-run.ts';

it('A-16, A-52, A-60 to A-77, A-159, A-186, D5: whatever an access is made through, it does and says what the rules say', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => runSurfaces(seed, 30)),
    { numRuns: 30 },
  );
});
