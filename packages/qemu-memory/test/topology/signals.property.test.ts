/** What listeners are told of eventfds, coalesced ranges and global logging, put together, against what the rules say there is. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AddressSpace, EventNotifier, MemoryRegion } from '../../src/index.ts';
import { max, min } from '../../src/view/big.ts';
import { Random } from '../support/random.ts';
import { Bench } from '../support/topology.ts';

/** A bag of lines that can be taken out only where they are in. */
class Bag {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line);
  }
  take(line: string): void {
    const at = this.#lines.indexOf(line);
    if (at < 0) throw new Error(`taken, but not there: ${line}`);
    this.#lines.splice(at, 1);
  }
  get sorted(): string[] {
    return [...this.#lines].sort();
  }
}

/** What one space's listener believes there is. */
class Heard {
  readonly fds = new Bag();
  readonly coalesced = new Bag();
  readonly #space: AddressSpace;

  constructor(space: AddressSpace, names: Map<EventNotifier, string>, nop: boolean) {
    this.#space = space;
    const fd = (each: {
      addr: bigint;
      size: number;
      matchData: boolean;
      data: bigint;
      notifier: EventNotifier;
    }): string => `${each.addr} ${each.size} ${each.matchData} ${each.data} ${names.get(each.notifier)}`;
    space.registerListener({
      eventfdAdd: (each) => this.fds.add(fd(each)),
      eventfdDel: (each) => this.fds.take(fd(each)),
      coalescedIoAdd: ({ region }, addr, size) => this.coalesced.add(`${region.id} ${addr} ${size}`),
      coalescedIoDel: ({ region }, addr, size) => this.coalesced.take(`${region.id} ${addr} ${size}`),
      ...(nop ? { regionNop() {} } : {}),
    });
    this.check = () => {
      const fds: string[] = [];
      const coalesced: string[] = [];
      for (const { region, first, last, offset } of this.#space.view.ranges) {
        for (const each of region.eventFds) {
          const addr = each.offset - offset + first;
          // T-5, T-126: a size of 0 is a point.
          if (addr <= last && (addr >= first || addr + BigInt(each.size) > first)) fds.push(fd({ ...each, addr }));
        }
        for (const each of region.coalescedRanges) {
          const start = each.offset - offset + first;
          const lo = max(start, first);
          const hi = min(start + each.size, last + 1n);
          if (lo < hi) coalesced.push(`${region.id} ${lo} ${hi - lo}`);
        }
      }
      expect(this.fds.sorted).toEqual(fds.sort());
      expect(this.coalesced.sorted).toEqual(coalesced.sort());
    };
  }

  readonly check: () => void;
}

function runSignals(seed: number): void {
  const random = new Random(seed);
  const bench = new Bench();
  const root = bench.container('root');
  const other = bench.container('other');
  other.addSubregion(0x8000, bench.alias('all', root, 0, 0x200));
  const devices = Array.from({ length: 4 }, (_, i) => bench.io(`io${i}`, 0x20));
  const mapped: MemoryRegion[] = [...devices];
  for (let i = 0; i < 4; i++)
    mapped.push(bench.alias(`alias${i}`, random.pick(devices), random.below(0x18), 1 + random.below(0x18)));
  const names = new Map<EventNotifier, string>(['a', 'b'].map((name) => [{ notify() {} }, name]));
  const notifiers = [...names.keys()];
  const heard = [new Heard(bench.space(root), names, false), new Heard(bench.space(other), names, true)];
  const edit = (): void => {
    const region = random.pick(mapped);
    const device = random.pick(devices);
    switch (random.below(9)) {
      case 0:
      case 1:
        if (region.container === null) root.addSubregion(0x40 + random.below(0x60), region, random.below(3));
        else root.delSubregion(region);
        break;
      case 2:
        region.setAddress(0x40 + random.below(0x60));
        break;
      case 3:
        region.setEnabled(random.once(2));
        break;
      case 4:
      case 5: {
        const match = random.once(2);
        device.addEventFd(
          random.below(0x24),
          random.pick([0, 1, 2, 4, 8]),
          match,
          match ? random.below(3) : 0,
          random.pick(notifiers),
        );
        break;
      }
      case 6: {
        if (device.eventFds.length === 0) break;
        const { offset, size, matchData, data, notifier } = random.pick(device.eventFds);
        device.delEventFd(offset, size, matchData, data, notifier);
        break;
      }
      case 7:
        device.addCoalescing(random.below(0x20), 1 + random.below(0x20));
        break;
      default:
        if (random.once(4)) device.clearCoalescing();
        else if (region.target !== null) region.setReadonly(random.once(2));
        else bench.container('elsewhere').setEnabled(false);
    }
  };
  for (let step = 0; step < 60; step++) {
    if (random.once(3))
      bench.core.transaction(() => {
        for (let n = random.below(6); n >= 0; n--) edit();
      });
    else edit();
    for (const each of heard) each.check();
  }
}

it('T-105, T-125 to T-133: what is told of eventfds and coalesced ranges adds up to what is there, after any edits', () => {
  fc.assert(fc.property(fc.integer(), runSignals), { numRuns: 25 });
});

/** T-135 to T-137: flags, stops that wait for the machine, and listeners of which one may refuse. */
function runLogging(seed: number): void {
  const random = new Random(seed);
  const bench = new Bench();
  const { core } = bench;
  const ram = bench.ram('ram', 0x1000);
  const space = core.addressSpace(ram, 'memory');
  let refuses = false;
  const log: string[] = [];
  for (const name of ['a', 'b', 'c'])
    space.registerListener({
      name,
      logGlobalStart: () => {
        if (name === 'b' && refuses) throw new Error('no bitmap');
        log.push(`${name}+`);
      },
      logGlobalStop: () => log.push(`${name}-`),
    });
  let flags = 0;
  let postponed = 0;
  let running = true;
  const told: string[] = [];
  const stop = (bits: number): void => {
    const before = flags;
    flags &= ~bits;
    if (before !== 0 && flags === 0) told.push('c-', 'b-', 'a-');
  };
  for (let step = 0; step < 40; step++) {
    const bits = 1 + random.below(7);
    switch (random.below(4)) {
      case 0: {
        refuses = random.once(3);
        const rest = postponed & ~bits;
        postponed = 0;
        stop(rest);
        const starts = flags === 0;
        if (starts && refuses) {
          told.push('a+', 'a-');
          expect(() => core.globalDirtyLogStart(bits)).toThrow('no bitmap');
          break;
        }
        if (starts) told.push('a+', 'b+', 'c+');
        flags |= bits;
        core.globalDirtyLogStart(bits);
        break;
      }
      case 1:
        if (running) stop(bits);
        else postponed |= bits;
        core.globalDirtyLogStop(bits);
        break;
      default:
        running = random.once(2);
        if (running) stop(postponed);
        if (running) postponed = 0;
        core.running = running;
    }
    expect([core.globalDirtyFlags, core.running, log.splice(0)]).toEqual([flags, running, told.splice(0)]);
    expect(core.effectiveLogMask(ram)).toBe(flags === 0 ? 0 : 4);
    expect(space.view.range(0).dirtyMask).toBe(flags === 0 ? 0 : 4);
  }
  for (const bad of [0, 8, -1, 1.5]) {
    expect(() => core.globalDirtyLogStart(bad)).toThrow(RangeError);
    expect(() => core.globalDirtyLogStop(bad)).toThrow(RangeError);
  }
}

it('T-135 to T-137: global logging is on for the flags that the rules say, and listeners hear of each first and last', () => {
  fc.assert(fc.property(fc.integer(), runLogging), { numRuns: 50 });
});
