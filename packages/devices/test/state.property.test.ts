import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeviceStateError, Edu, Hpet, PciEdu, VirtualClock } from '../src/index.ts';
import { HpetBoard } from './support/hpet-board.ts';

/** Random programs: register writes and clock steps. Periods below 50 ticks are left out, they only take long. */
const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.integer({ min: 50, max: 5000 }),
  fc.constantFrom(0, 1, 3, 0xffff_ff00),
);
const config = fc.constantFrom(0, 4, 6, 0xc, 0xe, 0x104, 0x106, 0x10c, 0x4004, 0x4c, 0x2604, 0x2806, 0x2a0e, 0x290c);
const step = fc.oneof(
  fc.record({ kind: fc.constant('config' as const), timer: fc.integer({ min: 0, max: 3 }), value: config }),
  fc.record({
    kind: fc.constant('comparator' as const),
    timer: fc.integer({ min: 0, max: 3 }),
    high: fc.boolean(),
    value: word,
  }),
  fc.record({
    kind: fc.constant('message' as const),
    timer: fc.integer({ min: 0, max: 3 }),
    value: fc.integer({ min: 0, max: 0xf_0000 }),
  }),
  fc.record({ kind: fc.constant('write' as const), offset: fc.constantFrom(0x10, 0x20, 0xf0, 0xf4), value: word }),
  fc.record({ kind: fc.constant('block' as const), value: fc.constantFrom(0, 1, 1, 1, 3, 2) }),
  fc.record({ kind: fc.constant('step' as const), ns: fc.integer({ min: 0, max: 40_000 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(board: HpetBoard, steps: readonly Step[]): string[] {
  const seen: string[] = [];
  for (const one of steps) {
    if (one.kind === 'config') board.write(0x100 + 0x20 * one.timer, one.value);
    else if (one.kind === 'comparator') {
      const value = one.high ? one.value & 1 : Math.max(one.value, 50);
      board.write(0x108 + 0x20 * one.timer + (one.high ? 4 : 0), value);
    } else if (one.kind === 'message') board.write(0x114 + 0x20 * one.timer, one.value);
    else if (one.kind === 'write') board.write(one.offset, one.value);
    else if (one.kind === 'block') board.write(0x10, one.value);
    else board.clock.advanceBy(one.ns, 20_000);
    seen.push(board.take());
    for (const offset of [0x10, 0x20, 0xf0, 0xf4, 0x100, 0x108, 0x128, 0x148, 0x168])
      seen.push(`${board.read(offset)}`);
  }
  return seen;
}

describe('saved state', () => {
  it('H-118: an HPET restored at any moment goes on as the one that was saved, in every register and line', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(step, { maxLength: 40 }),
        fc.boolean(),
        (before, after, msi) => {
          const original = new HpetBoard({ msi });
          run(original, before);
          const state = JSON.parse(JSON.stringify(original.hpet.state()));
          const copy = new HpetBoard({}, { state, clock: new VirtualClock({ now: original.clock.now }) });
          for (const [i, line] of original.lines.entries()) copy.lines[i]!.set(line.level);
          copy.gate.set(original.gate.level);
          copy.take();
          expect({ ...copy.hpet.state(), timers: [] }).toEqual({ ...original.hpet.state(), timers: [] });
          expect(run(copy, after)).toEqual(run(original, after));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('E-67: an edu card restored at any moment has the same registers, transfer and place', () => {
    const write = fc.record({
      offset: fc.constantFrom(4, 8, 0x20, 0x60, 0x64, 0x80, 0x88, 0x90, 0x98),
      value: fc.bigInt(0n, 0xffff_ffffn),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 20 }), fc.integer({ min: 0, max: 3e8 }), (writes, ns) => {
        const original = card(new VirtualClock());
        for (const { offset, value } of writes) original.card.device.ops.write!(offset, Number(value), 4);
        original.clock.advanceBy(ns);
        const state = JSON.parse(JSON.stringify(original.card.state()));
        const copy = card(new VirtualClock({ now: original.clock.now }), state);
        expect(copy.card.state()).toEqual(original.card.state());
        original.clock.advanceBy(3e8);
        copy.clock.advanceBy(3e8);
        expect(copy.card.device.state()).toEqual(original.card.device.state());
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    [null, 'not-a-state', 'must be an object, not null'],
    [5, 'not-a-state', 'must be an object, not 5'],
    [[], 'not-a-state', 'must be an object, not a list of 0 entries'],
    [{}, 'unsupported-version', 'has version undefined; this release reads version 1'],
    [{ version: 2 }, 'unsupported-version', 'has version 2; this release reads version 1'],
  ])('refuses %j with the code %s: it %s', (state, code, reason) => {
    const { clock, space: memory, gate: interrupt } = new HpetBoard();
    expect(() => Hpet.fromState(state, { clock, memory, outputs: [] })).toThrow(
      expect.objectContaining({ name: 'DeviceStateError', code, message: `hpet ${reason}` }),
    );
    expect(() => Edu.fromState(state, { clock, memory, interrupt })).toThrow(
      expect.objectContaining({ name: 'DeviceStateError', code, message: `edu ${reason}` }),
    );
  });

  it.each([
    [{ config: 4 }, 'config must be an integer of 0 to 3, not 4'],
    [{ config: -1 }, 'config must be an integer of 0 to 3, not -1'],
    [{ config: 0.5 }, 'config must be an integer of 0 to 3, not 0.5'],
    [{ config: '1' }, 'config must be an integer of 0 to 3, not "1"'],
    [{ status: 2 ** 32 }, 'status must be an integer of 0 to 4294967295, not 4294967296'],
    [{ msi: 1 }, 'msi must be true or false, not 1'],
    [{ stored: 5 }, 'stored must be a number as a string, not 5'],
    [{ stored: '-1' }, 'stored must be a number of 64 bits, not "-1"'],
    [{ stored: '18446744073709551616' }, 'stored must be a number of 64 bits, not "18446744073709551616"'],
    [{ offset: '-18446744073709551617' }, 'offset must be a number of 64 bits, not "-18446744073709551617"'],
    [{ timers: [{}, {}, {}] }, 'timers must be a list of 4 to 33 entries, not a list of 3 entries'],
    [{ timers: Array(34).fill({}) }, 'timers must be a list of 4 to 33 entries, not a list of 34 entries'],
    [{ timers: {} }, 'timers must be a list of 4 to 33 entries, not an object'],
    [{ timers: [null, 1, 2, 3] }, 'timers[0] must be an object, not null'],
  ])('H-118: of an HPET refuses %j: %s', (change, reason) => {
    const { clock, space: memory, hpet } = new HpetBoard();
    expect(() => Hpet.fromState({ ...hpet.state(), ...change }, { clock, memory, outputs: [] })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(bad-value|not-a-state)$/), message: `hpet.${reason}` }),
    );
  });

  it('H-118: takes the last value of each range', () => {
    const { clock, space: memory, hpet } = new HpetBoard({ timers: 32 });
    const last = { config: 3, status: 0xffff_ffff, stored: '0xffffffffffffffff', offset: '-18446744073709551616' };
    const state = Hpet.fromState({ ...hpet.state(), ...last }, { clock, memory, outputs: [] }).state();
    expect([state.config, state.status, BigInt(state.stored), BigInt(state.offset), state.timers.length]).toEqual([
      3,
      0xffff_ffff,
      0xffff_ffff_ffff_ffffn,
      -(2n ** 64n),
      33,
    ]);
  });

  it('names the field that is wrong', () => {
    const board = new HpetBoard();
    const wiring = { clock: board.clock, memory: board.space, outputs: [] };
    const state = JSON.parse(JSON.stringify(board.hpet.state()));
    state.timers[1].comparator = 'lots';
    expect(() => Hpet.fromState(state, wiring)).toThrow(
      'hpet.timers[1].comparator must be a number as a string, not "lots"',
    );
  });

  it.each(['version', 'device', 'function'])(
    'a card without its %s is refused, and nothing is left that goes off',
    (part) => {
      const { card: saved } = card(new VirtualClock());
      const { ops } = saved.device;
      ops.write!(0x90, 64, 4);
      ops.write!(0x98, 1, 4); // A transfer is under way.
      const state = JSON.parse(JSON.stringify(saved.state()));
      expect(state.device.transferDeadline).not.toBeNull();
      for (const broken of [null, undefined, 7, {}]) {
        const clock = new VirtualClock();
        expect(() => card(clock, { ...state, [part]: broken })).toThrow(DeviceStateError);
        expect(clock.nextDeadline).toBeNull();
      }
    },
  );
});

function card(clock: VirtualClock, state?: unknown) {
  const board = new HpetBoard();
  const { core } = board;
  const bus = { core, memory: core.container('pci', 1n << 64n), system: board.space.root };
  const options = { bus, pins: [board.gate], clock };
  return { clock, card: state === undefined ? new PciEdu(options) : PciEdu.fromState(state, options) };
}
