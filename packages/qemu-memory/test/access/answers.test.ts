/** What a device's callbacks may return, and what is made of the rest. */
import { le16, le32, le64, type MemTxError, MemTxResult, u8 } from '@guestmem/memtx';
import { DeviceError, type MemoryRegionOps } from '@guestmem/qemu-memory';
import { expect, it } from 'vitest';
import { TestMachine } from '../support/machine.ts';

function mapped(ops: MemoryRegionOps): TestMachine {
  const m = new TestMachine();
  m.root.addSubregion(0, m.core.io('dev', 0x100, ops));
  return m;
}

it('D10: an async callback that must answer is refused when the region is made', () => {
  const { core } = new TestMachine();
  const answers: MemoryRegionOps[] = [
    { read: (async () => 1) as never },
    { readWithAttrs: (async () => 1) as never },
    { read: () => 1, read64: (async () => 1n) as never },
    { read: () => 1, read64WithAttrs: (async () => 1n) as never },
    { read: () => 1, readHalves: async () => {} },
    { read: () => 1, peek: (async () => 1) as never },
    { read: () => 1, valid: { accepts: (async () => true) as never } },
    {
      read: function* () {
        yield 1;
      } as never,
    },
  ];
  for (const ops of answers) expect(() => core.io('dev', 8, ops)).toThrow(TypeError);
  expect(() => core.io('dev', 8, answers[0]!)).toThrow(
    /^region "dev": read is of kind AsyncFunction; a callback must return/,
  );
  core.io('dev', 8, { read: () => 1, write: async () => {} }); // nobody waits for a write
});

it('D10: what a callback returns is cut as `>>> 0` and its size cut it, on the first access and when it is hot', () => {
  const cases: [unknown, number][] = [
    [undefined, 0],
    [Number.NaN, 0],
    [Promise.resolve(5), 0],
    [1.75, 1],
    [-1, 0xffff_ffff],
    [2 ** 32 + 7, 7],
  ];
  for (const [answer, word] of cases) {
    const { space } = mapped({ endianness: 'little', read: () => answer as number });
    for (let i = 0; i < 50; i++)
      expect([space.load(0, le32), space.load(0, le16), space.load(0, u8)]).toEqual([word, word & 0xffff, word & 0xff]);
  }
});

it('D10: a bigint from a narrow callback and a number from a wide one are told, not guessed at', () => {
  const narrow = mapped({ read: () => 1n as never });
  const wide = mapped({
    impl: { maxAccessSize: 8 },
    valid: { maxAccessSize: 8 },
    read: () => 1,
    read64: () => 1 as never,
  });
  expect(() => narrow.space.load(0, le32)).toThrow(DeviceError);
  expect(() => wide.space.load(0, le64)).toThrow(DeviceError);
});

it('A-39: an access smaller than impl.minAccessSize asks at its own offset, aligned or not', () => {
  const asked: number[][] = [];
  const { space } = mapped({
    endianness: 'little',
    impl: { minAccessSize: 2 },
    read: (offset, size) => {
      asked.push([offset, size]);
      return 0x1234;
    },
  });
  expect(space.load(1, u8)).toBe(0x34);
  expect(asked).toEqual([[1, 2]]);
});

it('D10, D13: what peek answers and is no number is told with the region and the offset', () => {
  for (const answer of [undefined, Number.NaN, 0.5, 'x']) {
    const m = mapped({ read: () => 0, peek: () => answer as never });
    const debugger_ = m.space.with({ debug: true });
    expect(() => debugger_.load(4, le32)).toThrow(DeviceError);
    expect(() => debugger_.load(4, le32)).toThrow(/region "dev": read of 4 bytes at offset 0x4/);
    expect(m.space.load(4, le32)).toBe(0);
  }
});

it('A-31, A-276: without a MemTx, the error of an access that a device refuses or fails names the device as its cause', () => {
  const refused = mapped({ valid: { maxAccessSize: 1 }, read: () => 0, write: () => undefined });
  const caught = (access: () => unknown): unknown => {
    try {
      return access();
    } catch (error) {
      return [(error as MemTxError).code, ((error as Error).cause as Error | undefined)?.message];
    }
  };
  const told = 'core.access.observer is told of refusals and calls';
  expect(caught(() => refused.space.store(8, le32, 5))).toEqual([
    'invalid-guest-address',
    `0x8 is in "dev", which does not take this access; ${told}`,
  ]);
  const failing = mapped({
    readWithAttrs: (_offset, _size, _attrs, tx) => {
      tx.result = MemTxResult.ERROR;
      return 0;
    },
  });
  expect(caught(() => failing.space.load(8, le32))).toEqual([
    'transaction-failed',
    `0x8 is in "dev", which failed it; ${told}`,
  ]);
});
