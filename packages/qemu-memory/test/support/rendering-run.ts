/** Runs of random edits: library against painter, incremental against rendered from nothing, listeners against views. */
import { expect } from 'vitest';
import type { AddressSpace, MemoryRegionSection } from '../../src/index.ts';
import { render } from '../../src/view/render.ts';
import { Random } from './random.ts';
import { Twins } from './twins.ts';

/** Checks library against model, and the incremental view against rendering from nothing. */
function check(twins: Twins): void {
  twins.kick();
  expect(twins.actual()).toEqual(twins.expected());
  for (const { space } of twins.spaces) {
    expect(space.view.ranges).toEqual(render(space.root));
    for (const { region, dirtyMask } of space.view.ranges)
      expect((dirtyMask & 4) !== 0).toBe(twins.logging && region.ram !== null);
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

/** `steps` random steps from `seed`, each an edit or a transaction of some; everything is checked after each. */
export function runEdits(seed: number, unit: bigint, units: number, framed: boolean, steps: number): void {
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
