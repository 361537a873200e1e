/**
 * Slot tables kept by listener callbacks alone, against views, look-ups and a naive search of the tree. Listeners come, go and
 * edit in their `commit`, their last one included.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AddressSpace, GlobalDirty, LogClient, type MemoryRegion, memoryRegionFind } from '../../src/index.ts';
import { Random } from '../support/random.ts';
import { SlotMirror } from '../support/slot-mirror.ts';
import { Bench } from '../support/topology.ts';

class World {
  readonly #random: Random;
  readonly #bench = new Bench();
  readonly #roots: readonly MemoryRegion[];
  readonly #boxes: readonly MemoryRegion[];
  readonly #rams: readonly MemoryRegion[];
  readonly #romd = this.#bench.romDevice('romd', 0x400);
  /** Small ones go into boxes and roots, large ones, which lead into boxes, into roots only: nothing shows itself. */
  readonly #small: MemoryRegion[];
  readonly #large: MemoryRegion[];
  readonly #spaces: readonly AddressSpace[];
  #mirrors: SlotMirror[] = [];
  /** Edits that callbacks may make yet, so that commits end. */
  #budget = 0;

  constructor(random: Random) {
    const bench = this.#bench;
    this.#random = random;
    this.#roots = ['memory', 'io'].map((name) => bench.container(name));
    this.#boxes = ['box0', 'box1'].map((name) => bench.container(name, 0x400 + random.below(0x1000)));
    this.#rams = [0, 1, 2].map((i) => bench.ram(`ram${i}`, 0x400 + random.below(8) * 0x100));
    this.#small = [...this.#rams, bench.rom('rom', 0x800), bench.io('io', 0x300), this.#romd];
    this.#small.push(bench.core.reservation('none', 0x200));
    for (let i = 0; i < 3; i++) this.#small.push(this.#alias(`leaf${i}`, this.#small));
    this.#large = [...this.#boxes];
    for (let i = 0; i < 3; i++) this.#large.push(this.#alias(`part${i}`, this.#boxes));
    this.#spaces = this.#roots.map((root) => bench.space(root, root.name));
    for (let i = 0; i < 3; i++) this.#register();
  }

  #alias(name: string, targets: readonly MemoryRegion[]): MemoryRegion {
    const random = this.#random;
    return this.#bench.alias(name, random.pick(targets), random.below(4) * 0x100, 0x100 + random.below(0x1000));
  }

  #register(): void {
    const random = this.#random;
    if (this.#mirrors.length >= 6) return;
    const edits = random.once(2);
    const amid = (): void => {
      if (edits && this.#budget-- > 0) this.#edit();
    };
    const options = { priority: random.below(3), nop: random.once(3), amid };
    this.#mirrors.push(new SlotMirror(random.pick(this.#spaces), options));
  }

  #leave(): void {
    if (this.#mirrors.length > 0) this.#mirrors.splice(this.#random.below(this.#mirrors.length), 1)[0]!.leave();
  }

  act(): void {
    const random = this.#random;
    this.#budget = 4;
    if (random.once(2)) this.#edit();
    else
      this.#bench.core.transaction(() => {
        for (let n = random.below(6); n >= 0; n--) this.#edit();
      });
  }

  #edit(): void {
    const random = this.#random;
    const { core } = this.#bench;
    const region = random.pick([...this.#small, ...this.#large]);
    const at = random.below(0x20) * 0x100 + (random.once(4) ? random.below(0x100) : 0);
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        if (region.container !== null) region.container.delSubregion(region);
        else
          random
            .pick(this.#small.includes(region) ? [...this.#boxes, ...this.#roots] : this.#roots)
            .addSubregion(at, region, random.below(4) - 1);
        break;
      case 3:
        region.setAddress(at);
        break;
      case 4:
        region.setEnabled(random.once(2));
        break;
      case 5:
        region.setSize(0x80 + random.below(0x1000));
        break;
      case 6:
        if (region.target !== null) region.setAliasOffset(random.below(0x40) * 0x40);
        break;
      case 7:
        if (random.once(2)) region.setReadonly(random.once(2));
        else region.setNonvolatile(random.once(3));
        break;
      case 8:
        if (random.once(2)) this.#romd.romDeviceSetRomd(random.once(2));
        else {
          const ram = random.pick(this.#rams);
          ram.setLog((ram.dirtyLogMask & (1 << LogClient.VGA)) === 0, LogClient.VGA);
        }
        break;
      case 9:
        if (core.globalDirtyFlags === 0) core.globalDirtyLogStart(GlobalDirty.MIGRATION);
        else core.globalDirtyLogStop(GlobalDirty.MIGRATION);
        break;
      case 10:
        this.#register();
        break;
      default:
        this.#leave();
    }
  }

  check(): void {
    const { core } = this.#bench;
    for (const mirror of this.#mirrors) {
      const { ranges } = mirror.space.view;
      expect(mirror.lines).toEqual(
        ranges.map(
          ({ first, last, region, offset, readonly, nonvolatile }) =>
            `${first}-${last} ${region.name}+${offset} ${readonly} ${nonvolatile} ${core.effectiveLogMask(region)}`,
        ),
      );
      expect(mirror.logged).toBe(core.globalDirtyFlags !== 0);
      const { root } = mirror.space;
      const borders = ranges.flatMap(({ first, last }) => [first - 1n, first, last, last + 1n]);
      for (const at of [...borders, BigInt(this.#random.below(0x4000))]) {
        if (at < 0n || at >= root.size) continue;
        const naive = answersAt(root, at)?.name;
        const found = memoryRegionFind(root, at, 1);
        expect([mirror.regionAt(at)?.name, found?.section.region.name]).toEqual([naive, naive]);
        found?.dispose();
      }
    }
  }
}

/** By the tree alone: the uppermost child that answers, else the region itself (T-42, T-60). */
function answersAt(region: MemoryRegion, at: bigint): MemoryRegion | null {
  if (!region.enabled || at < 0n || at >= region.size) return null;
  if (region.target !== null) return answersAt(region.target, at + region.aliasOffset);
  for (const child of region.children) {
    const found = answersAt(child, at - child.addr);
    if (found !== null) return found;
  }
  return region.terminates ? region : null;
}

function run(seed: number): void {
  const world = new World(new Random(seed));
  for (let step = 0; step < 100; step++) {
    world.act();
    world.check();
  }
}

it('T-105, T-113 to T-123, T-135, T-136: what each listener was told is what there is, whoever comes, goes and edits amid', () => {
  fc.assert(fc.property(fc.integer(), run), { numRuns: 40 });
});
