/** One container with hundreds of children, which are found by an index, against a plain list painted from the bottom up. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MemoryRegion } from '../../src/index.ts';
import { Random } from '../support/random.ts';
import { Bench } from '../support/topology.ts';

const UNITS = 1500;

interface Child {
  readonly region: MemoryRegion;
  addr: number;
  size: number;
  priority: number;
}

function run(seed: number): void {
  const random = new Random(seed);
  const bench = new Bench();
  const root = bench.container('root', UNITS);
  const space = bench.space(root);
  /** T-42: the uppermost first. */
  const shown: Child[] = [];
  const hidden: Child[] = [];
  const sizes = (): number => (random.once(20) ? 1 + random.below(UNITS) : 1 + random.below(12));
  const put = (child: Child): void => {
    const at = shown.findIndex((each) => each.priority <= child.priority);
    shown.splice(at < 0 ? shown.length : at, 0, child);
  };
  const add = (): void => {
    const size = sizes();
    const child = hidden.pop() ?? { region: bench.io('io', size), addr: 0, size, priority: 0 };
    child.addr = random.below(UNITS);
    child.priority = random.below(3);
    root.addSubregion(child.addr, child.region, child.priority);
    put(child);
  };
  const edit = (): void => {
    if (shown.length === 0 || random.once(4)) {
      add();
      return;
    }
    const at = random.below(shown.length);
    const child = shown.splice(at, 1)[0]!;
    switch (random.below(4)) {
      case 0:
        hidden.push(child);
        root.delSubregion(child.region);
        break;
      case 1:
        child.addr = (child.addr + 1 + random.below(UNITS - 1)) % UNITS;
        child.region.setAddress(child.addr);
        put(child);
        break;
      default:
        // T-46: a size leaves the place among siblings.
        shown.splice(at, 0, child);
        child.size = sizes();
        child.region.setSize(child.size);
    }
  };
  const check = (): void => {
    const at = new Array<Child | undefined>(UNITS).fill(undefined);
    for (const child of [...shown].reverse()) at.fill(child, child.addr, Math.min(child.addr + child.size, UNITS));
    const lines: string[] = [];
    for (let x = 0; x < UNITS; x++) {
      const child = at[x];
      if (child === undefined) continue;
      const first = x;
      while (x + 1 < UNITS && at[x + 1] === child) x++;
      lines.push(`${first}-${x} ${child.region.id}+${first - child.addr}`);
    }
    expect(space.view.ranges.map((r) => `${r.first}-${r.last} ${r.region.id}+${r.offset}`)).toEqual(lines);
  };
  bench.core.transaction(() => {
    for (let n = random.pick([5, 200, 600]); n > 0; n--) add();
  });
  check();
  for (let step = 0; step < 25; step++) {
    bench.core.transaction(() => {
      for (let n = random.pick([1, 1, 3, 60]); n > 0; n--) edit();
    });
    check();
  }
  // And down to nothing.
  while (shown.length > 0) {
    bench.core.transaction(() => {
      for (let n = Math.min(shown.length, 40); n > 0; n--)
        root.delSubregion(shown.splice(random.below(shown.length), 1)[0]!.region);
    });
    check();
  }
}

it('T-42, T-60, T-78: a container shows the same however many children it has, and whatever becomes of them', () => {
  fc.assert(fc.property(fc.integer(), run), { numRuns: 25 });
});
