/** Devices and holes with taps on parts of them: what a tap shares a byte with is seen, however hot the rest is. D15. */
import { be32, le16, le32, MemTx, MemTxResult, u8 } from '@guestmem/memtx';
import type { TapEvent } from '@guestmem/qemu-memory';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TestMachine } from '../support/machine.ts';

const BASE = 0x8000_0000;
const RULES = { endianness: 'little', valid: { unaligned: true }, impl: { unaligned: true } } as const;

it('D15: an access is seen by the taps that it shares a byte with, and by no other, also when the device is hot', () => {
  const codecs = [u8, le16, le32, be32] as const;
  const place = fc.record({ at: fc.integer({ min: 0, max: 70 }), len: fc.integer({ min: 1, max: 20 }) });
  const access = fc.record({
    at: fc.integer({ min: 0, max: 72 }),
    codec: fc.constantFrom(...codecs),
    isWrite: fc.boolean(),
    times: fc.constantFrom(1, 3, 200),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      fc.array(place, { minLength: 1, maxLength: 3 }),
      fc.array(access, { minLength: 1, maxLength: 12 }),
      (skew, taps, accesses) => {
        const m = new TestMachine();
        m.device(BASE + skew, 40, RULES, (offset) => offset); // A hole follows, then another one.
        m.device(BASE + skew + 48, 13, RULES, 1);
        const seen = taps.map(() => 0);
        for (const [i, tap] of taps.entries()) m.space.tap(BASE + tap.at, tap.len, () => seen[i]!++);
        const expected = taps.map(() => 0);
        const tx = new MemTx();
        const view = m.space.with({ tx });
        for (const { at, codec, isWrite, times } of accesses) {
          for (const [i, tap] of taps.entries())
            if (at < tap.at + tap.len && at + codec.size > tap.at) expected[i]! += times;
          for (let n = 0; n < times; n++)
            if (isWrite) view.store(BASE + at, codec, 5);
            else view.load(BASE + at, codec);
        }
        expect(seen).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

it('D15: a device beside a tap is called once an access, with the value that the tap does not see', () => {
  const m = new TestMachine();
  m.device(BASE, 0x100, RULES, (offset) => offset);
  const events: TapEvent[] = [];
  m.space.tap(BASE + 0x43, 1, (event) => events.push(event));
  const tx = new MemTx();
  for (let i = 0; i < 300; i++) {
    expect([m.space.load(BASE + 0x3c, le32), m.space.txLoad(BASE + 0x44, le32, m.space.with({}).attrs, tx)]).toEqual([
      0x3c, 0x44,
    ]);
    expect(tx.result).toBe(MemTxResult.OK);
  }
  expect([m.took().length, events.length]).toEqual([600, 0]);
  expect(m.space.load(BASE + 0x40, le32)).toBe(0x40);
  expect(events.map(({ addr, size, value, isWrite }) => [addr, size, value, isWrite])).toEqual([
    [BASE + 0x40, 4, 0x40, false],
  ]);
});
