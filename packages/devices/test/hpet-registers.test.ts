import { MEMTXATTRS_UNSPECIFIED as attrs, MemTx } from '@guestmem/memtx';
import { describe, expect, it } from 'vitest';
import { Hpet, HpetEvent, type HpetOptions, VirtualClock } from '../src/index.ts';
import { BASE, CMP, HpetBoard, MSG, timer } from './support/hpet-board.ts';

describe('HPET accesses', () => {
  it('H-2: names the part of its wiring that is missing', () => {
    const clock = new VirtualClock();
    const memory = { txStore() {} };
    const make = (options: unknown) => () => new Hpet(options as HpetOptions);
    expect(make({})).toThrow(new TypeError('Hpet needs options.clock, an object with timer(), not undefined'));
    expect(make(null)).toThrow(new TypeError('Hpet takes an object of options with clock, memory, not null'));
    expect(make({ clock })).toThrow(/options.memory, an object with txStore\(\), not undefined/);
    expect(make({ clock, memory })).toThrow(/options.outputs, an array of interrupt sinks, not undefined/);
    expect(make({ clock, memory, outputs: [undefined, 7] })).toThrow(/options.outputs\[1\], an object with set/);
    expect(make({ clock, memory, outputs: [] })).not.toThrow();
  });

  it('H-10, H-11: 1, 2 and unaligned 4 byte accesses are refused: reads give 0, writes do nothing', () => {
    const { hpet, space } = new HpetBoard();
    expect(hpet.ops.valid).toMatchObject({ minAccessSize: 4, maxAccessSize: 4 });
    const bytes = new Uint8Array(4);
    for (const addr of [BASE + 1, BASE + 2, BASE + 3]) {
      space.txRead(addr, bytes, attrs, 'continue', tx);
      expect([...bytes]).toEqual([0, 0, 0, 0]);
    }
  });

  it('H-12: 8 bytes are two words, low offset first', () => {
    const board = new HpetBoard();
    const bytes = new Uint8Array(8);
    board.space.txRead(BASE, bytes, attrs, 'continue', tx);
    expect([...bytes]).toEqual([0x01, 0xa2, 0x86, 0x80, 0x80, 0x96, 0x98, 0x00]);
  });

  it('H-14: offsets without a register read 0, ignore writes, and are counted', () => {
    const board = new HpetBoard();
    board.write(0x18, 5);
    expect(board.read(0x18)).toBe(0);
    expect(board.read(0x3fc)).toBe(0);
    expect(board.events.get(HpetEvent.UNKNOWN_READ)).toBe(2);
    expect(board.events.get(HpetEvent.UNKNOWN_WRITE)).toBe(1);
  });

  it('D13: peek gives what a read would, counts nothing', () => {
    const board = new HpetBoard({ timers: 5 });
    for (let offset = 0; offset < 0x400; offset += 4) expect(board.hpet.ops.peek!(offset, 4)).toBe(board.read(offset));
    const counted = board.events.get(HpetEvent.UNKNOWN_READ);
    board.hpet.ops.peek!(0x18, 4);
    expect(board.events.get(HpetEvent.UNKNOWN_READ)).toBe(counted);
  });
});

describe('HPET registers', () => {
  it.each([
    [undefined, 0x8086_a201],
    [2, 0x8086_a201],
    [3, 0x8086_a201],
    [4, 0x8086_a301],
    [32, 0x8086_bf01],
    [40, 0x8086_bf01],
    [Number.NaN, 0x8086_a201],
  ])('H-2, H-21: timers=%s gives capabilities %s', (timers, low) => {
    const board = new HpetBoard(timers === undefined ? {} : { timers });
    expect(board.read(0)).toBe(low);
    expect(board.read(4)).toBe(10_000_000);
  });

  it('H-20: register sets go one beyond the timers, and end there', () => {
    const board = new HpetBoard();
    board.write(timer(3, MSG), 7);
    expect(board.read(timer(3, MSG))).toBe(7);
    board.write(timer(4, MSG), 7);
    expect(board.read(timer(4, MSG))).toBe(0);
  });

  it('H-23: a timer configuration keeps the bits of 0x7f4e and its capabilities', () => {
    const board = new HpetBoard({ msi: true, routeCapability: 0x00ff_0104 });
    board.write(timer(0), 0xffff_ffff);
    expect(board.read(timer(0))).toBe(0x7f4e | 0x8030);
    board.write(timer(0), 0);
    expect(board.read(timer(0))).toBe(0x8030);
    board.write(timer(0, 4), 0);
    expect(board.read(timer(0, 4))).toBe(0x00ff_0104);
  });

  it('H-22: bits 1 to 3, 6, 8 to 14 of a timer configuration are written, 4 and 5 read 1, the rest 0', () => {
    const written = [1, 2, 3, 6, 8, 9, 10, 11, 12, 13, 14];
    for (let bit = 0; bit < 32; bit++) {
      const board = new HpetBoard();
      board.write(timer(0), 2 ** bit);
      expect([bit, board.read(timer(0))]).toEqual([bit, written.includes(bit) ? 0x30 + 2 ** bit : 0x30]);
      board.write(timer(0, CMP), 1); // Which is when "value set" reads 0 again.
      expect([bit, board.read(timer(0))]).toEqual([bit, written.includes(bit) && bit !== 6 ? 0x30 + 2 ** bit : 0x30]);
    }
  });

  it('H-51: a write of the configuration takes each of those bits from the value, set or clear', () => {
    const board = new HpetBoard();
    for (const [value, reads] of [
      [0xffff_ffff, 0x7f7e],
      [0x2208, 0x2238],
      [0x4104, 0x4134],
      [0x80b1, 0x0030],
    ] as const) {
      board.write(timer(0), value);
      expect(board.read(timer(0))).toBe(reads);
    }
  });

  it('H-24, H-100: power-on values; the extra register set is all 0', () => {
    const board = new HpetBoard();
    expect([0x10, 0x20, 0xf0, 0xf4].map((offset) => board.read(offset))).toEqual([0, 0, 0, 0]);
    expect([0, 4, 8, 12, 16, 20].map((r) => board.read(timer(2, r)))).toEqual([
      0x30, 4, 0xffff_ffff, 0xffff_ffff, 0, 0,
    ]);
    expect([0, 4, 8, 12, 16, 20].map((r) => board.read(timer(3, r)))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('H-40: only the two low bits of the configuration are stored', () => {
    const board = new HpetBoard();
    board.write(0x10, 0xffff_ffff);
    expect(board.read(0x10)).toBe(3);
  });

  it('H-52: choosing 32-bit mode cuts comparator and period; leaving it restores nothing', () => {
    const board = new HpetBoard();
    board.write64(timer(0, CMP), 0x2222_2222_1111_1111n);
    board.write(timer(0), 8); // periodic: the next is the period
    board.write64(timer(0, CMP), 0x4444_4444_3333_3333n);
    board.write(timer(0), 0x100);
    board.write(timer(0), 0);
    expect([board.read(timer(0, CMP)), board.read(timer(0, CMP + 4))]).toEqual([0x1111_1111, 0]);
    expect(BigInt(board.hpet.state().timers[0]!.period)).toBe(0x3333_3333n);
  });

  it('H-54, H-55: value set reaches the low half only; the high half becomes the period', () => {
    const board = new HpetBoard();
    board.write(timer(0), 0x48);
    board.write64(timer(0, CMP), 0x0000_0005_0000_0064n);
    expect(board.read(timer(0))).toBe(0x38); // bit 6 is gone
    expect([board.read(timer(0, CMP)), board.read(timer(0, CMP + 4))]).toEqual([0x64, 0xffff_ffff]);
    const saved = board.hpet.state().timers[0]!;
    expect(BigInt(saved.period)).toBe(0x0000_0005_0000_0064n);
  });
});

describe('HPET periods', () => {
  it('H-56: the period stays whatever else is written, and is 0 after a reset', () => {
    const board = new HpetBoard();
    const period = (): bigint => BigInt(board.hpet.state().timers[0]!.period);
    expect(period()).toBe(0n);
    board.write(timer(0), 8); // periodic
    board.write64(timer(0, CMP), 0x5_0000_0064n);
    expect(period()).toBe(0x5_0000_0064n);
    board.write(timer(0), 0);
    board.write64(timer(0, CMP), 7n); // the comparator now
    board.write(0x10, 1);
    board.step(1_000_000);
    board.write(0x10, 0);
    board.write(timer(0), 8);
    expect(period()).toBe(0x5_0000_0064n);
    board.hpet.reset();
    expect(period()).toBe(0n);
  });

  it.each([
    [0x8, 0xffff_fffe_ffff_fffdn],
    [0x108, 0x7fff_fffe_7fff_fffdn],
  ])('H-54, H-55: in 32-bit mode bit 31 of both halves of the period is 0: configuration %i', (config, period) => {
    const board = new HpetBoard();
    board.write(timer(0), config);
    board.write64(timer(0, CMP), 0xffff_fffe_ffff_fffdn);
    expect(BigInt(board.hpet.state().timers[0]!.period)).toBe(period);
  });

  it('H-56: in 32-bit mode the high half of the comparator is kept and read back; the low halves are compared', () => {
    const board = new HpetBoard();
    board.write(timer(0), 0x100 | 4 | (16 << 9));
    board.write64(timer(0, CMP), 0x7_0000_0064n);
    expect([board.read(timer(0, CMP)), board.read(timer(0, CMP + 4))]).toEqual([0x64, 7]);
    board.write(0x10, 1);
    expect([board.step(999), board.step(1)]).toEqual(['', '+16 -16']);
  });
});

describe('HPET counter', () => {
  it('H-34: it counts on over 2^32 while timers are in 32-bit mode', () => {
    const board = new HpetBoard();
    for (const n of [0, 1, 2]) board.write(timer(n), 0x100);
    board.write64(0xf0, 0xffff_fff0n);
    board.write(0x10, 1);
    board.step(0x20 * 10);
    expect(board.counter()).toBe(0x1_0000_0010n);
  });

  it('H-30, H-31: counts ticks of 10 ns from the moment of enabling; a tick begun is lost at disabling', () => {
    const board = new HpetBoard();
    board.step(7);
    board.write(0x10, 1);
    board.step(9);
    expect(board.counter()).toBe(0n);
    board.step(1);
    expect(board.counter()).toBe(1n);
    board.step(19);
    board.write(0x10, 0);
    expect(board.counter()).toBe(2n);
    board.step(1000);
    expect(board.counter()).toBe(2n);
    board.write(0x10, 1);
    board.step(10);
    expect(board.counter()).toBe(3n);
  });

  it('H-32: a write while running is not seen, and lost at the next disabling', () => {
    const board = new HpetBoard();
    board.write(0x10, 1);
    board.step(100);
    board.write64(0xf0, 0x5_0000_0000n);
    expect(board.counter()).toBe(10n);
    board.write(0x10, 0);
    expect(board.counter()).toBe(10n);
  });

  it.each([
    [0xffff_ffff_ffff_ffffn, 0x1999_9999_9999_9998n],
    [0x8000_0000_0000_0000n, 0n],
    [0x1999_9999_9999_9999n, 0x1999_9999_9999_9999n],
  ])('H-33: a stored %s runs on from %s', (stored, runs) => {
    const board = new HpetBoard();
    board.write64(0xf0, stored);
    board.write(0x10, 1);
    expect(board.counter()).toBe(runs);
  });

  it('H-33: the running counter wraps from 0x1999999999999999 to 0', () => {
    const board = new HpetBoard();
    board.write64(0xf0, 0x1999_9999_9999_9999n);
    board.write(0x10, 1);
    board.step(6);
    expect(board.counter()).toBe(0n);
  });

  it('H-30: a state from a later time counts modulo 2^64, in both halves, until the clock has caught up', () => {
    const saved = new HpetBoard();
    saved.write(0x10, 1);
    const state = { ...saved.hpet.state(), offset: '-1000' };
    const board = new HpetBoard({}, { state, clock: new VirtualClock() });
    expect(board.counter()).toBe(1_844_674_407_370_955_061n); // (2^64 - 1000) / 10
    board.step(1000);
    expect(board.counter()).toBe(0n);
    board.step(10);
    expect(board.counter()).toBe(1n);
  });

  it('H-30: is exact where nanoseconds are no safe integers any more', () => {
    const board = new HpetBoard();
    board.write(0x10, 1);
    board.step(9_007_199_254_740_999n);
    expect(board.counter()).toBe(900_719_925_474_099n);
    board.step(1);
    expect(board.counter()).toBe(900_719_925_474_100n);
  });
});

const tx = new MemTx();
