/**
 * Guests that write past their spaces, in two machines that share RAM: what their accelerators saw, told by listeners alone,
 * reaches every tracker and the display, whatever is mapped, logged and looked at meanwhile.
 */
import { u8 } from '@guestmem/memtx';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  DirtyClient,
  type DirtyTracker,
  GlobalDirty,
  MemoryCore,
  type MemoryRegion,
  memoryRegionResetDirty,
  memoryRegionSnapshotAndClearDirty,
  RamBlock,
  trackDirty,
} from '../../src/index.ts';
import { AcceleratorLog, type AcceleratorSlot } from '../support/accelerator-log.ts';
import { Random } from '../support/random.ts';

const { VGA } = DirtyClient;
const PAGE = 4096;
const PAGES = 70; // More than a word of any bitmap.

/** A tracker, and the pages that its next delta must have. */
interface Watched {
  readonly machine: Machine;
  readonly tracker: DirtyTracker;
  readonly due: Set<string>;
  /** Those written through the other machine, while that has trackers, too. */
  readonly fromOther: Set<string>;
}

class Machine {
  readonly core = new MemoryCore();
  readonly #root = this.core.container('root', 1n << 64n);
  readonly space = this.core.addressSpace(this.#root, 'memory');
  readonly log: AcceleratorLog;
  readonly #mapped: readonly MemoryRegion[];
  /** Shows block 1; null where nothing is drawn. */
  readonly #screen: MemoryRegion;
  drawn: Set<string> | null = null;
  readonly #random: Random;

  constructor(random: Random, blocks: readonly RamBlock[]) {
    this.#random = random;
    this.log = new AcceleratorLog(this.space, random.once(2));
    const rams = blocks.map((block) => this.core.ram(block.name, block));
    this.#screen = rams[1]!;
    const again = this.core.ram('again', blocks[0]!);
    this.#mapped = [...rams, again, this.core.alias('part', this.#screen, 7 * PAGE, 20 * PAGE)];
  }

  /** Maps, moves or unmaps. */
  map(): void {
    const random = this.#random;
    const region = random.pick(this.#mapped);
    const at = random.below(3) * 0x10_0000 + random.below(40) * PAGE;
    if (region.container === null) this.#root.addSubregion(at, region, random.below(3));
    else if (random.once(3)) this.#root.delSubregion(region);
    else region.setAddress(at);
  }

  migrate(): void {
    if (this.core.globalDirtyFlags !== 0) this.core.globalDirtyLogStop(GlobalDirty.MIGRATION);
    else this.core.globalDirtyLogStart(GlobalDirty.MIGRATION);
  }

  /** Turns the display on or off, or looks at it. */
  draw(): void {
    const size = PAGES * PAGE;
    if (this.drawn === null) {
      this.#screen.setLog(true, VGA);
      memoryRegionResetDirty(this.#screen, 0, size, VGA);
      this.drawn = new Set();
    } else if (this.#random.once(3)) {
      this.#screen.setLog(false, VGA);
      this.drawn = null;
    } else {
      const seen = memoryRegionSnapshotAndClearDirty(this.#screen, 0, size, VGA);
      for (const page of this.drawn) expect([page, seen.getDirty(Number(page) * PAGE, 1)]).toEqual([page, true]);
      this.drawn.clear();
    }
  }

  /** The guest, or a device, stores to a page. @returns does somebody have to hear of it? */
  write(slot: AcceleratorSlot, page: number, value: number): boolean {
    const { region, offsetWithinAddressSpace, offsetWithinRegion } = slot.section;
    const byDevice = this.#random.once(3);
    if (byDevice) this.space.store(offsetWithinAddressSpace + BigInt(page * PAGE), u8, value);
    else if (!this.log.write(slot, page, value)) return false;
    if (region === this.#screen) this.drawn?.add(String(Number(offsetWithinRegion) / PAGE + page));
    return true;
  }
}

function run(seed: number): void {
  const random = new Random(seed);
  const blocks = ['first', 'second'].map((name) => new RamBlock(name, PAGES * PAGE));
  const machines = [new Machine(random, blocks), new Machine(random, blocks)];
  const watched: Watched[] = [];
  const look = ({ tracker, due, fromOther }: Watched): void => {
    const got = new Set<string>();
    for (const { block, offset, length, bytes } of tracker.since())
      for (let at = offset; at < offset + length; at += PAGE) {
        got.add(`${block.name} ${at / PAGE}`);
        expect(bytes[at - offset]).toBe(block.backing.segmentAt(at).bytes[at]);
      }
    const shown = tracker.blocks().map(({ name }) => name);
    const all = [...due, ...fromOther];
    expect(all.filter((page) => shown.includes(page.split(' ')[0]!) && !got.has(page))).toEqual([]);
    for (const pages of [due, fromOther]) for (const page of got) pages.delete(page);
  };
  for (let step = 0; step < 150; step++) {
    const machine = random.pick(machines);
    const { core, log } = machine;
    switch (random.below(12)) {
      case 0:
        machine.map();
        break;
      case 1:
        if (watched.length < 3) {
          watched.push({ machine, tracker: trackDirty(core), due: new Set(), fromOther: new Set() });
        } else {
          const gone = watched.splice(random.below(3), 1)[0]!;
          gone.tracker.dispose();
          // What its guest wrote last is not followed any more.
          if (!watched.some((each) => each.machine === gone.machine))
            for (const { fromOther } of watched) fromOther.clear();
        }
        break;
      case 2:
        machine.migrate();
        break;
      case 3:
      case 4:
        machines[0]!.draw(); // Two displays of one block take each other's bits.
        break;
      case 5:
        core.dirtyLogSync(null);
        break;
      case 6:
      case 7:
        if (watched.length > 0) look(random.pick(watched));
        break;
      default:
        if (log.slots.length === 0) break;
        for (let n = 0; n < 4; n++) {
          const slot = random.pick(log.slots);
          const page = random.below(Number(slot.section.size) / PAGE);
          if (!machine.write(slot, page, 1 + random.below(255))) continue;
          const name = `${slot.section.region.ram!.name} ${Number(slot.section.offsetWithinRegion) / PAGE + page}`;
          const tracks = watched.some((each) => each.machine === machine);
          for (const { machine: own, due, fromOther } of watched)
            if (own === machine) due.add(name);
            else if (tracks) fromOther.add(name);
        }
    }
  }
}

it('A-184, A-186, A-189, A-191, T-138, T-139: trackers and display miss no write of a guest that an accelerator runs', () => {
  fc.assert(fc.property(fc.integer(), run), { numRuns: 150 });
});
