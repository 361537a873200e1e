import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { render } from '../src/view/render.ts';
import { Random } from './support/random.ts';
import { Twins } from './support/twins.ts';

/** Checks library against model, and the incremental view against rendering from nothing. */
function check(twins: Twins): void {
  twins.kick();
  expect(twins.actual()).toEqual(twins.expected());
  for (const { space } of twins.spaces) {
    expect(space.view.ranges).toEqual(render(space.root));
    for (const other of twins.spaces)
      if (other.space.view !== space.view) expect(other.space.view.ranges).not.toEqual(space.view.ranges);
  }
}

function run(seed: number, unit: bigint, units: number, framed: boolean, steps: number): void {
  const random = new Random(seed);
  const twins = new Twins(random, unit, units, framed);
  for (let i = 0; i < steps; i++) {
    const edits = random.once(4) ? 1 + random.below(6) : 1;
    if (edits === 1) twins.step();
    else
      twins.core.transaction(() => {
        for (let n = 0; n < edits; n++) twins.step();
      });
    check(twins);
  }
}

describe('rendering against a painter that asks address by address', () => {
  it('T-60 to T-78: every view is what the painter sees, after each of hundreds of random edits', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => run(seed, 1n, 24, true, 120)),
      { numRuns: 25 },
    );
  });
  it('T-1, T-3, T-71: the same with a space of 2^64, where positions run past both of its ends', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => run(seed, 1n << 60n, 16, false, 120)),
      { numRuns: 25 },
    );
  });
});
