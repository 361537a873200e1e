import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AddressSpace, MemoryRegionSection } from '../src/index.ts';
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

/** What a listener hears, put together: it must always be the view. */
class Shadow {
  readonly #shown = new Map<bigint, string>();
  readonly #space: AddressSpace;
  #nops = 0;

  constructor(space: AddressSpace, nop: boolean) {
    this.#space = space;
    const line = (section: MemoryRegionSection): string =>
      `${section.offsetWithinAddressSpace} ${section.size} ${section.region.id} ${section.offsetWithinRegion} ${section.readonly}`;
    space.registerListener({
      regionAdd: (section) => {
        if (this.#shown.has(section.offsetWithinAddressSpace)) throw new Error(`added twice: ${line(section)}`);
        this.#shown.set(section.offsetWithinAddressSpace, line(section));
      },
      regionDel: (section) => {
        if (this.#shown.get(section.offsetWithinAddressSpace) !== line(section))
          throw new Error(`removed but not there: ${line(section)}`);
        this.#shown.delete(section.offsetWithinAddressSpace);
      },
      ...(nop ? { regionNop: () => this.#nops++ } : {}),
    });
  }

  check(): void {
    const { view } = this.#space;
    const now = view.ranges.map((range) => {
      const size = range.last - range.first + 1n;
      return `${range.first} ${size} ${range.region.id} ${range.offset} ${range.readonly}`;
    });
    const shown = [...this.#shown.values()].sort();
    expect(shown).toEqual(now.sort());
  }
}

function run(seed: number, unit: bigint, units: number, framed: boolean, steps: number): void {
  const random = new Random(seed);
  const twins = new Twins(random, unit, units, framed);
  const shadows = twins.spaces.slice(0, 1).flatMap(({ space }) => [new Shadow(space, false), new Shadow(space, true)]);
  twins.keep = 1; // The space that is listened to stays.
  for (let i = 0; i < steps; i++) {
    const edits = random.once(4) ? 1 + random.below(6) : 1;
    if (edits === 1) twins.step();
    else
      twins.core.transaction(() => {
        for (let n = 0; n < edits; n++) twins.step();
      });
    check(twins);
    for (const shadow of shadows) shadow.check();
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
