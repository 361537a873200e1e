import { le32, MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import { describe, expect, it } from 'vitest';
import { HpetEvent, VirtualClock } from '../src/index.ts';
import { BASE, CMP, HpetBoard, MSG, timer } from './support/hpet-board.ts';

const ON = 1;
const LEGACY = 2;
const LEVEL = 0x2;
const ENABLE = 0x4;
const PERIODIC = 0x8;
const MODE32 = 0x100;
const FSB = 0x4000;
const route = (line: number): number => line << 9;

/** A block with one timer set up and the counter running. */
function running(config: number, comparator: bigint, options = {}): HpetBoard {
  const board = new HpetBoard(options);
  board.write64(timer(0, CMP), comparator);
  board.write(timer(0), config);
  board.write(0x10, ON);
  board.take();
  return board;
}

describe('HPET deadlines', () => {
  it('H-60: a comparator ahead is due when the counter reaches it', () => {
    const board = running(ENABLE | route(16), 100n);
    expect(board.step(999)).toBe('');
    expect(board.step(1)).toBe('+16 -16');
    expect(board.step(1_000_000)).toBe('');
  });

  it.each([0n, 0xffff_ffff_ffff_0000n])(
    'H-60: a comparator equal or behind (%s) is due at the next tick',
    (comparator) => {
      const board = running(ENABLE | route(16), comparator);
      expect(board.step(9)).toBe('');
      expect(board.step(1)).toBe('+16 -16');
    },
  );

  it('H-61, H-72: 32 bits, one shot: at the last value of the low half, and at the match', () => {
    const board = new HpetBoard();
    board.write64(0xf0, 0xffff_ff00n);
    board.write(timer(0), ENABLE | MODE32 | route(16));
    board.write(timer(0, CMP), 0x200);
    board.write(0x10, ON);
    board.take();
    expect(board.step(2549)).toBe('');
    expect(board.step(1)).toBe('+16 -16');
    expect(board.step(5129)).toBe('');
    expect(board.step(1)).toBe('+16 -16');
    expect(board.clock.armed).toBe(0);
  });

  it.each([
    ['H-61: arming by a write forgets the wrap', (board: HpetBoard) => board.write(timer(0, CMP), 0xffff_ff80), 1280],
    ['H-72: in 64-bit mode the wrap is no stop on the way', (board: HpetBoard) => board.write(timer(0), ENABLE), 2550],
  ])('%s: the timer is due once', (_, change, due) => {
    const board = new HpetBoard();
    board.write64(0xf0, 0xffff_ff00n);
    board.write(timer(0), ENABLE | MODE32);
    board.write(timer(0, CMP), 0x200);
    board.write(0x10, ON); // armed for the wrap, 0xff ticks ahead
    change(board);
    expect([board.clock.nextDeadline, board.step(due), board.clock.armed]).toEqual([due, '+0 -0', 0]);
  });

  it('H-63: at the last value already: due at once, which is at the next turn', () => {
    const board = new HpetBoard();
    board.write64(0xf0, 0xffff_ffffn);
    board.write(timer(0), ENABLE | MODE32 | route(16));
    board.write(timer(0, CMP), 0x20);
    board.write(0x10, ON);
    expect(board.take()).toBe('');
    board.clock.runDue();
    expect(board.take()).toBe('+16 -16');
  });

  it('H-62: a distance of 2^63/20 is not armed, one less is', () => {
    const far = 461_168_601_842_738_790n;
    expect(running(ENABLE, far).clock.nextDeadline).toBeNull();
    expect(running(ENABLE, far - 1n).clock.nextDeadline).toBe((far - 1n) * 10n);
  });

  it('H-62: a comparator too far away cancels the due time before', () => {
    const board = running(ENABLE, 100n);
    board.write(timer(0, CMP + 4), 0x1000_0000);
    expect(board.clock.armed).toBe(0);
  });

  it('H-62: a due time of 2^63 or more is overdue, as QEMU counts in signed 64 bits; the longest overdue runs first', () => {
    const board = new HpetBoard();
    board.write(0x10, ON);
    board.write(timer(0), ENABLE | route(19));
    board.write(timer(1), ENABLE | route(23));
    board.clock.advanceTo(9_000_000_000_000_000_000n);
    board.take();
    const due = (first: bigint, second: bigint): string => {
      board.write64(timer(0, CMP), first);
      board.write64(timer(1, CMP), second);
      board.clock.runDue();
      return board.take();
    };
    const ahead = 922_337_203_685_477_580n;
    expect(due(ahead, ahead)).toBe('');
    expect(due(ahead, ahead + 1n)).toBe('+23 -23');
    expect(due(930_000_000_000_000_000n, 925_000_000_000_000_000n)).toBe('+23 -23 +19 -19');
    expect(due(925_000_000_000_000_000n, 930_000_000_000_000_000n)).toBe('+19 -19 +23 -23');
    board.write64(timer(0, CMP), 930_000_000_000_000_000n);
    const again = new HpetBoard({}, { state: board.hpet.state(), clock: new VirtualClock({ now: board.clock.now }) });
    again.clock.runDue();
    expect(again.take()).toBe('+19 -19');
  });

  it('H-62, H-141: a periodic timer that the clock cannot reach any more does not run for ever', () => {
    const board = new HpetBoard();
    board.write(0x10, ON);
    board.clock.advanceTo(9_000_000_000_000_000_000n);
    board.write(timer(0), ENABLE | PERIODIC | 0x40 | route(19));
    board.write(timer(0, CMP), 0x1_0000);
    board.write(timer(0, CMP + 4), 0x500_0000);
    board.take();
    expect(board.step(1_000)).toBe('+19 -19');
    expect(board.step(1_000)).toBe('');
  });

  it('H-70: a periodic timer is due at the comparator and, once more, a tick later', () => {
    const board = running(ENABLE | PERIODIC | route(16), 0xffff_ffff_ffff_ffffn);
    board.write(timer(0), ENABLE | PERIODIC | 0x40 | route(16));
    board.write(timer(0, CMP), 100); // comparator and period, as bit 6 is set
    board.write(timer(0), ENABLE | PERIODIC | 0x40 | route(16));
    board.write(timer(0, CMP + 4), 0); // the comparator's high half
    expect(board.step(1000)).toBe('+16 -16');
    expect(board.step(10)).toBe('+16 -16');
    expect(board.step(989)).toBe('');
    expect(board.step(1)).toBe('+16 -16');
  });

  it('H-71: with period 0 a periodic timer is not armed again', () => {
    const board = new HpetBoard();
    board.write64(timer(0, CMP), 100n);
    board.write(timer(0), ENABLE | PERIODIC | route(16));
    board.write(0x10, ON);
    expect(board.step(1000)).toBe('+16 -16');
    expect(board.clock.nextDeadline).toBeNull();
  });

  it('H-73: once due, a timer that is not periodic stays unarmed until a write arms it', () => {
    const board = running(ENABLE | route(16), 100n);
    expect(board.step(1000)).toBe('+16 -16');
    expect([board.clock.armed, board.step(1_000_000_000)]).toEqual([0, '']);
    board.write(timer(0, MSG), 1);
    board.write(timer(0), ENABLE | LEVEL | route(16));
    expect(board.clock.armed).toBe(0);
    board.write(timer(0, CMP), 0);
    expect([board.clock.armed, board.step(10)]).toEqual([1, '+16']);
  });

  it('H-41: enabling arms timers in order, those without interrupt too, not those with a comparator of all ones', () => {
    const board = new HpetBoard();
    board.write64(timer(1, CMP), 50n);
    board.write(0x10, ON);
    expect(board.clock.armed).toBe(1);
    expect(board.clock.nextDeadline).toBe(500);
  });

  it('H-53: only a change of the interrupt enable arms or stops', () => {
    const board = running(0, 100n);
    board.write(timer(0), ENABLE);
    expect(board.clock.armed).toBe(1);
    board.write(timer(0), ENABLE | LEVEL);
    expect(board.clock.armed).toBe(1);
    board.write(timer(0), LEVEL);
    expect(board.clock.armed).toBe(0);
    board.write(timer(0, CMP), 200); // arms without interrupt, too (H-54)
    board.write(timer(0), 0);
    expect(board.clock.armed).toBe(1);
  });

  it('H-53, H-90: made edge and routed elsewhere, a level interrupt stays up; the next one clears its status bit', () => {
    const board = running(ENABLE | LEVEL | route(20), 10n);
    expect(board.step(100)).toBe('+20');
    board.write(timer(0), ENABLE | route(21));
    expect([board.take(), board.read(0x20)]).toEqual(['', 1]);
    board.write(timer(0, CMP), 20);
    expect([board.step(100), board.read(0x20)]).toEqual(['+21 -21', 0]);
  });

  it('H-115: timers due together run in the order of arming', () => {
    const board = new HpetBoard();
    for (const [n, line] of [
      [2, 18],
      [0, 16],
      [1, 17],
    ] as const)
      board.write(timer(n), ENABLE | route(line));
    board.write(0x10, ON);
    for (const n of [2, 0, 1]) board.write64(timer(n, CMP), 100n);
    expect(board.step(1000)).toBe('+18 -18 +16 -16 +17 -17');
  });
});

describe('HPET interrupts', () => {
  it('H-81, H-90, H-91: level sets the status bit and the line until the bit is cleared', () => {
    const board = running(ENABLE | LEVEL | route(20), 10n);
    expect(board.step(100)).toBe('+20');
    expect(board.read(0x20)).toBe(1);
    board.write(0x20, 2);
    expect([board.read(0x20), board.take()]).toEqual([1, '']);
    board.write(0x20, 1);
    expect([board.read(0x20), board.take()]).toEqual([0, '-20']);
  });

  it('H-74, H-83: a level timer that is due again while it is up changes nothing; stopping it lowers the line and cancels', () => {
    const board = new HpetBoard();
    board.write(timer(0), ENABLE | PERIODIC | LEVEL | 0x40 | route(20));
    board.write(timer(0, CMP), 100); // comparator
    board.write(timer(0, CMP), 100); // period
    board.write(timer(0, CMP + 4), 0);
    board.write(timer(0), ENABLE | PERIODIC | LEVEL | 0x40 | route(20));
    board.write(timer(0, CMP + 4), 0); // the comparator's high half
    board.write(0x10, ON);
    board.take();
    expect([board.step(1000), board.read(0x20)]).toEqual(['+20', 1]);
    expect([board.step(10_000), board.read(0x20), board.clock.armed]).toEqual(['', 1, 1]);
    board.write(timer(0), PERIODIC | LEVEL | route(20));
    expect([board.take(), board.read(0x20), board.clock.armed]).toEqual(['-20', 0, 0]);
    expect(board.step(10_000)).toBe('');
  });

  it('H-92: one write of the status lowers lines in the order of the timers', () => {
    const board = new HpetBoard();
    for (const [n, line] of [
      [2, 5],
      [0, 23],
      [1, 14],
    ] as const) {
      board.write(timer(n), ENABLE | LEVEL | route(line));
      board.write64(timer(n, CMP), 10n);
    }
    board.write(0x10, ON);
    board.step(100);
    board.write(0x20, 0xffff_ffff);
    expect(board.take()).toBe('-23 -14 -5');
  });

  it.each([
    [1, '-16', 6],
    [2, '-17', 5],
    [6, '-17 -18', 1],
  ])('H-91: of three status bits a write of %i clears its own, and lowers %s', (bits, lines, left) => {
    const board = new HpetBoard();
    for (const n of [0, 1, 2]) {
      board.write(timer(n), ENABLE | LEVEL | route(16 + n));
      board.write64(timer(n, CMP), 10n);
    }
    board.write(0x10, ON);
    expect([board.step(100), board.read(0x20)]).toEqual(['+16 +17 +18', 7]);
    board.write(0x20, bits);
    expect([board.take(), board.read(0x20)]).toEqual([lines, left]);
  });

  it('H-95: output 0 takes the level of the PIT; in legacy mode it is ignored and forgotten', () => {
    const board = new HpetBoard();
    board.hpet.setPitInput(1);
    board.hpet.setPitInput(0);
    board.hpet.setPitInput(1);
    expect(board.take()).toBe('+0 -0 +0');
    board.write(0x10, LEGACY);
    expect(board.take()).toBe('g- -0');
    board.hpet.setPitInput(0);
    board.hpet.setPitInput(1);
    expect(board.take()).toBe('');
    board.write(0x10, 0);
    expect(board.take()).toBe('g+');
  });

  it('H-82: a timer whose interrupt is off lowers the line of its route when it comes due', () => {
    const board = running(route(5), 10n);
    board.lines[5]!.raise();
    board.take();
    expect(board.step(100)).toBe('-5');
  });

  it('H-80: in legacy mode timer 0 has line 0 and timer 1 line 8', () => {
    const board = new HpetBoard();
    for (const n of [0, 1, 2]) {
      board.write(timer(n), ENABLE | route(20));
      board.write64(timer(n, CMP), BigInt(10 * (n + 1)));
    }
    board.write(0x10, ON | LEGACY);
    board.take();
    expect(board.step(300)).toBe('+0 -0 +8 -8 +20 -20');
  });

  it('H-42: disabling stops the timers, lowers their lines and clears their status', () => {
    const board = running(ENABLE | LEVEL | route(20), 10n);
    board.step(100);
    board.write(0x10, 0);
    expect([board.take(), board.read(0x20), board.clock.armed]).toEqual(['-20', 0, 0]);
  });

  it('H-43, H-44, H-96: legacy mode gates the PIT; leaving it, line 8 takes the level the RTC last had', () => {
    const board = new HpetBoard();
    board.hpet.setRtcInput(1);
    board.write(0x10, LEGACY);
    expect(board.take()).toBe('+8 g- -8');
    board.hpet.setPitInput(1);
    expect(board.take()).toBe('');
    board.write(0x10, 0);
    expect(board.take()).toBe('g+ +8');
    board.hpet.setPitInput(1);
    expect(board.take()).toBe('+0');
  });

  it('H-44, H-45: when legacy mode ends, line 0 falls that timer 0 holds up; its status bit stays', () => {
    const board = new HpetBoard();
    board.write64(timer(0, CMP), 10n);
    board.write(timer(0), ENABLE | LEVEL | route(20));
    board.write(0x10, ON | LEGACY);
    board.take();
    expect(board.step(100)).toBe('+0');
    board.write(0x10, ON);
    expect([board.take(), board.read(0x20)]).toEqual(['-0 g+', 1]);
  });

  it.each([
    [-1, 0xff],
    [255, 0xff],
    [256, 0],
    [257, 1],
  ])('H-44, H-96: of the RTC level %i line 8 takes the low 8 bits (%i) when legacy mode ends', (level, taken) => {
    const board = new HpetBoard();
    const levels: number[] = [];
    board.lines[8]!.connect((driven) => levels.push(driven));
    board.hpet.setRtcInput(level);
    board.write(0x10, LEGACY);
    board.write(0x10, 0);
    expect(levels).toEqual([level, 0, taken]);
  });

  it('H-81, H-85: a message is one little-endian word, without line and status', () => {
    const board = running(ENABLE | LEVEL | FSB | route(20), 10n);
    board.write(timer(0, MSG), 0x1122_3344);
    board.write(timer(0, MSG + 4), 0x1001); // at any alignment (H-86)
    expect(board.step(100)).toBe('');
    const bytes = new Uint8Array(6);
    board.space.txRead(0x1000, bytes, MEMTXATTRS_UNSPECIFIED, 'continue', new MemTx());
    expect([...bytes]).toEqual([0, 0x44, 0x33, 0x22, 0x11, 0]);
    expect(board.read(0x20)).toBe(0);
  });

  it.each([0xf_fffe, 0x20_0000, 0xfed0_000e])('H-86, H-87: a message to 0x%s is dropped whole, and counted', (addr) => {
    const board = running(ENABLE | FSB, 10n);
    board.write(timer(0, MSG), 0x1122_3344);
    board.write(timer(0, MSG + 4), addr);
    board.step(100);
    expect(board.events.get(HpetEvent.MESSAGE_FAILED)).toBe(1);
    expect(board.space.txLoad(0xf_fffc, le32, MEMTXATTRS_UNSPECIFIED, new MemTx())).toBe(0);
  });

  it('H-87: a message may write the block itself: it stops the counter', () => {
    const board = running(ENABLE | FSB, 10n);
    board.write(timer(0, MSG), 0);
    board.write(timer(0, MSG + 4), BASE + 0x10);
    board.step(1000);
    expect([board.read(0x10), board.counter()]).toEqual([0, 10n]);
  });

  it('H-50: switching messages on deasserts first', () => {
    const board = running(ENABLE | LEVEL | route(20), 10n);
    board.step(100);
    board.take();
    board.write(timer(0), ENABLE | LEVEL | FSB | route(20));
    expect([board.take(), board.read(0x20)]).toEqual(['-20', 0]);
  });

  it('H-100: the extra register set is not armed by enabling, stopped by disabling, or cleared by status', () => {
    const board = new HpetBoard();
    board.write64(timer(3, CMP), 10n);
    board.write(timer(3), ENABLE | LEVEL | route(19));
    board.write(0x10, ON);
    expect(board.clock.armed).toBe(0);
    board.write(timer(3, CMP), 20);
    expect(board.step(200)).toBe('+19');
    board.write(0x20, 0xffff_ffff);
    expect(board.read(0x20)).toBe(8);
    board.write(0x10, 0);
    expect([board.read(0x20), board.take()]).toEqual([8, '']);
  });

  it('H-110, H-111: a reset stops the timers; message registers and the extra set stay', () => {
    const board = running(ENABLE | LEVEL | route(20), 10n, { msi: true });
    board.write(timer(0, MSG), 7);
    board.write(timer(3, CMP), 9);
    board.step(100);
    board.write(0x10, ON | LEGACY);
    board.take();
    board.hpet.reset();
    // The timer's line is that of legacy mode by now: line 20 stays up (H-45, H-110).
    expect(board.take()).toBe('g+');
    expect([board.read(0x10), board.read(0x20), board.read(timer(0)), board.read(timer(0, CMP))]).toEqual([
      0, 0, 0x8030, 0xffff_ffff,
    ]);
    expect([board.read(timer(0, MSG)), board.read(timer(3, CMP))]).toEqual([7, 9]);
  });
});
