import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VirtualClock } from '../src/index.ts';
import { HpetBoard } from './support/hpet-board.ts';
import { Endless, HpetModel } from './support/hpet-model.ts';

const MESSAGES = [0x1000, 0x2003, 0x3000];
const WORDS = [0, 0x63, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const index = fc.nat(4);
/** A word, or one so many ticks from where the counter is. */
const word = fc.record({
  near: fc.boolean(),
  ticks: fc.integer({ min: -20, max: 300 }),
  other: fc.oneof(fc.constantFrom(...WORDS), fc.nat(2000)),
});
const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('config' as const), index, bits: fc.nat(0x7fff) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('comparator' as const), index, high: fc.boolean(), word }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('message' as const), index, to: fc.nat(2), data: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('counter' as const), high: fc.boolean(), word }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), bits: fc.constantFrom(0, 1, 1, 2, 3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('status' as const), bits: fc.nat(0x1f) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('step' as const), ns: fc.integer({ min: 1, max: 2500 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('input' as const), rtc: fc.boolean(), level: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const) }) },
);

it('H-20 to H-111: does, to every register, line and message, what the rules say one by one', () => {
  const made = fc.record({
    timers: fc.constantFrom(3, 4),
    msi: fc.boolean(),
    /** Low and high half. */
    counter: fc.constantFrom([0, 0], [0xffff_ffc0, 0], [0xffff_ffc0, 0xffff_ffff]),
    now: fc.constantFrom(0n, 2n ** 53n - 9000n, 2n ** 62n),
  });
  fc.assert(
    fc.property(
      made,
      fc.array(operation, { maxLength: 60, size: 'max' }),
      ({ timers, msi, now, counter }, operations) => {
        const board = new HpetBoard({ timers, msi, clock: new VirtualClock({ now }) });
        const model = new HpetModel(now, timers, msi);
        const write = (offset: number, value: number) => {
          model.write(offset, BigInt(value));
          board.write(offset, value);
        };
        const wordOf = ({ near, ticks, other }: { near: boolean; ticks: number; other: number }, high: boolean) => {
          const counter = BigInt.asUintN(64, model.counter + BigInt(ticks));
          return near ? Number(BigInt.asUintN(32, high ? counter >> 32n : counter)) : other;
        };
        write(0xf0, counter[0]!);
        write(0xf4, counter[1]!);
        for (const one of operations) {
          const base = 'index' in one ? 0x100 + 0x20 * one.index : 0;
          try {
            if (one.kind === 'config') write(base, one.bits);
            else if (one.kind === 'comparator') write(base + (one.high ? 12 : 8), wordOf(one.word, one.high));
            else if (one.kind === 'message') {
              write(base + 16, one.data);
              write(base + 20, MESSAGES[one.to]!);
            } else if (one.kind === 'counter') write(one.high ? 0xf4 : 0xf0, wordOf(one.word, one.high));
            else if (one.kind === 'block') write(0x10, one.bits);
            else if (one.kind === 'status') write(0x20, one.bits);
            else if (one.kind === 'step') {
              model.step(BigInt(one.ns));
              board.clock.advanceBy(one.ns);
            } else if (one.kind === 'input') {
              model.input(one.rtc ? 'rtc' : 'pit', one.level);
              if (one.rtc) board.hpet.setRtcInput(one.level);
              else board.hpet.setPitInput(one.level);
            } else {
              model.reset();
              board.hpet.reset();
            }
          } catch (error) {
            if (error instanceof Endless) return;
            throw error;
          }
          expect(board.take()).toBe(model.log.join(' '));
          model.log = [];
        }
        for (const [offset, value] of model.words(4))
          expect([offset, board.read(offset)]).toEqual([offset, Number(value)]);
        for (const [addr, data] of model.stores) expect(board.load(Number(addr))).toBe(Number(data));
      },
    ),
    { numRuns: 200 },
  );
});
