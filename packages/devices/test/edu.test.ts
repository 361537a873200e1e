import { le32, MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';
import { sparseBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { Edu, EduEvent, type EduOptions, EventCounts, InterruptLine, VirtualClock } from '../src/index.ts';

/** A device by itself, its callbacks called directly, 1 MiB of RAM as its bus. */
function board(options: Partial<EduOptions> = {}) {
  const core = new MemoryCore();
  const root = core.container('bus', 1n << 64n);
  const bus = core.addressSpace(root, 'bus');
  root.addSubregion(0, core.ram('ram', sparseBacking(0x10_0000)));
  const [clock, hostClock, line, events] = [
    new VirtualClock(),
    new VirtualClock(),
    new InterruptLine('inta'),
    new EventCounts(),
  ];
  const edu = new Edu({ clock, hostClock, memory: bus, interrupt: line, events, ...options });
  const { ops } = edu;
  const tx = new MemTx();
  return {
    clock,
    hostClock,
    line,
    events,
    edu,
    read: (offset: number) => ops.read!(offset, 4),
    write: (offset: number, value: number) => ops.write!(offset, value, 4),
    read64: (offset: number) => ops.read64!(offset),
    write64: (offset: number, value: bigint) => ops.write64!(offset, value),
    poke: (addr: number, ...bytes: number[]) =>
      bus.txWrite(addr, Uint8Array.from(bytes), MEMTXATTRS_UNSPECIFIED, 'stop', tx),
    bytes: (addr: number, length: number) => {
      const buffer = new Uint8Array(length);
      bus.txRead(addr, buffer, MEMTXATTRS_UNSPECIFIED, 'stop', tx);
      return [...buffer];
    },
    word: (addr: number) => bus.txLoad(addr, le32, MEMTXATTRS_UNSPECIFIED, tx),
    transfer(source: bigint, destination: bigint, count: bigint, command: bigint) {
      this.write64(0x80, source);
      this.write64(0x88, destination);
      this.write64(0x90, count);
      this.write64(0x98, command);
    },
  };
}

const MS = 1_000_000;

describe('edu registers', () => {
  it('E-1: names the part of its wiring that is missing', () => {
    const clock = new VirtualClock();
    const make = (options: unknown) => () => new Edu(options as EduOptions);
    expect(make({})).toThrow(new TypeError('Edu needs options.clock, an object with timer(), not undefined'));
    expect(make(undefined)).toThrow(
      new TypeError('Edu takes an object of options with clock, memory, interrupt, not undefined'),
    );
    expect(make({ clock, memory: 'bus' })).toThrow(/options.memory, an object with txRead\(\), not the string "bus"/);
    expect(() => board({ interrupt: null as never })).toThrow(/options.interrupt, an object with set\(\), not null/);
    expect(() => board({ hostClock: 5 as never })).toThrow(/options.hostClock/);
    expect(() => board({ dmaMask: 0xffff as never })).toThrow(
      new TypeError('Edu takes options.dmaMask as a bigint, not 65535'),
    );
  });

  it('E-15, E-16: identification; liveness reads 0 at first, then the complement of what was written', () => {
    const { read, write } = board();
    expect(read(0)).toBe(0x0100_00ed);
    expect(read(4)).toBe(0);
    write(4, 0x1234);
    expect(read(4)).toBe(0xffff_edcb);
  });

  it('E-12: below 0x80 an 8-byte read gives ones, an 8-byte write does nothing', () => {
    const { read, read64, write64 } = board();
    write64(0, 0xffff_ffff_ffff_ffffn);
    expect(read64(0)).toBe(0xffff_ffff_ffff_ffffn);
    expect(read(4)).toBe(0);
  });

  it('E-13: a 4-byte write of a DMA register sets all 64 bits, a 4-byte read gives the low half, 4 above is nothing', () => {
    const { read, write, read64, write64 } = board();
    write64(0x80, 0x1122_3344_5566_7788n);
    expect(read(0x80)).toBe(0x5566_7788);
    expect(read(0x84)).toBe(0xffff_ffff);
    write(0x80, 5);
    expect(read64(0x80)).toBe(5n);
  });

  it('E-14: no register reads ones and drops writes; both are counted', () => {
    const { edu, read, read64, write, events } = board();
    expect([read(0x40), read(0x60), read(0x4_0000)]).toEqual([0xffff_ffff, 0xffff_ffff, 0xffff_ffff]);
    write(0, 1);
    expect([events.get(EduEvent.UNKNOWN_READ), events.get(EduEvent.UNKNOWN_WRITE)]).toEqual([3, 1]);
    expect([read64(0x40), events.get(EduEvent.UNKNOWN_READ)]).toEqual([0xffff_ffff_ffff_ffffn, 4]);
    expect([edu.ops.peek!(0x40, 4), edu.ops.peek!(0x40, 8)]).toEqual([0xffff_ffff, 0xffff_ffff_ffff_ffffn]);
    expect(events.get(EduEvent.UNKNOWN_READ)).toBe(4); // a peek is no guest's (D13)
  });

  it('E-20, E-21, E-22: the output is high exactly while the status is not 0', () => {
    const { read, write, line } = board();
    write(0x60, 0);
    expect(line.level).toBe(0);
    write(0x60, 0x8000_0001);
    expect([read(0x24), line.level]).toEqual([0x8000_0001, 1]);
    write(0x64, 1);
    expect(line.level).toBe(1);
    write(0x64, 0x8000_0000);
    expect([read(0x24), line.level]).toEqual([0, 0]);
  });

  it('E-20, E-24: with messages on each raise sends one while any bit is set; off again, the line waits for the next raise', () => {
    const messages = { msiEnabled: true, sent: 0, sendMessage: () => void messages.sent++ };
    const { write, line } = board({ messages });
    write(0x60, 1);
    write(0x60, 0);
    expect([messages.sent, line.level]).toEqual([2, 0]);
    messages.msiEnabled = false;
    expect(line.level).toBe(0);
    write(0x60, 0);
    expect(line.level).toBe(1);
  });
});

describe('edu factorial', () => {
  it.each([
    [0, 1],
    [1, 1],
    [5, 120],
    [12, 0x1c8c_fc00],
    [13, 0x7328_cc00],
    [33, 0x8000_0000],
    [34, 0],
    [0xffff_ffff, 0],
  ])('E-30: %i! modulo 2^32 is %i', (n, result) => {
    const { read, write, hostClock } = board();
    write(8, n);
    hostClock.advanceBy(n);
    hostClock.runDue();
    expect([read(8), read(0x20)]).toEqual([result, 0]);
  });

  it('E-31, E-32, E-33: at work it reads its argument and bit 0; bit 7, looked at when done, asks for the interrupt', () => {
    const { read, write, line, hostClock } = board();
    write(8, 1_000_000_000);
    write(8, 5);
    expect([read(8), read(0x20)]).toEqual([1_000_000_000, 1]);
    write(0x20, 0xffff_ffff);
    expect(read(0x20)).toBe(0x81);
    hostClock.advanceBy(999_999_999);
    expect(line.level).toBe(0);
    hostClock.advanceBy(1);
    expect([read(8), read(0x20), read(0x24), line.level]).toEqual([0, 0x80, 1, 1]);
  });

  it('E-32: a device that was saved at work goes on for the host time that was left', () => {
    const saved = board();
    saved.write(8, 5);
    saved.hostClock.advanceBy(2);
    const { clock, hostClock, line } = board();
    hostClock.advanceBy(1000);
    const edu = Edu.fromState(JSON.parse(JSON.stringify(saved.edu.state())), {
      clock,
      hostClock,
      interrupt: line,
      memory: { txRead() {} } as never,
    });
    const seen = () => [edu.ops.read!(8, 4), edu.ops.read!(0x20, 4)];
    hostClock.advanceBy(2);
    expect(seen()).toEqual([5, 1]);
    hostClock.advanceBy(1);
    expect(seen()).toEqual([120, 0]);
  });

  it('E-34: without host time it is done at once', () => {
    const core = new MemoryCore();
    const memory = core.addressSpace(core.container('bus', 1n << 64n), 'bus');
    const edu = new Edu({ clock: new VirtualClock(), memory, interrupt: new InterruptLine('x') });
    edu.ops.write!(8, 6, 4);
    expect(edu.ops.read!(8, 4)).toBe(720);
  });
});

describe('edu DMA', () => {
  it('E-42: acts at 100 ms after the start in whole milliseconds', () => {
    const device = board();
    device.poke(0x1000, 1, 2, 3, 4);
    device.clock.advanceTo(800_012_345);
    device.transfer(0x1000n, 0x4_0000n, 4n, 1n);
    expect(device.clock.nextDeadline).toBe(900 * MS);
  });

  it('E-43, E-41: in and out again; bit 0 goes, other bits stay, bit 2 raises 0x100', () => {
    const device = board();
    device.poke(0x1000, 1, 2, 3, 4);
    device.transfer(0x1000n, 0x4_0ffcn, 4n, 0xf1n);
    device.clock.advanceBy(100 * MS);
    expect([device.read64(0x98), device.line.level]).toEqual([0xf0n, 0]);
    device.transfer(0x4_0ffcn, 0x2000n, 4n, 7n);
    device.clock.advanceBy(100 * MS);
    expect(device.bytes(0x2000, 4)).toEqual([1, 2, 3, 4]);
    expect([device.read64(0x98), device.read(0x24), device.line.level]).toEqual([6n, 0x100, 1]);
  });

  it('E-40: while at work writes of the DMA registers are ignored', () => {
    const device = board();
    device.transfer(0x1000n, 0x4_0000n, 4n, 1n);
    device.transfer(1n, 2n, 3n, 7n);
    expect([0x80, 0x88, 0x90, 0x98].map(device.read64)).toEqual([0x1000n, 0x4_0000n, 4n, 1n]);
  });

  it('E-44: a bus address is cut to the mask, silently; the register keeps it', () => {
    const device = board();
    device.poke(0x1000, 9);
    device.transfer(0xf000_1000n, 0x4_0000n, 1n, 1n);
    device.clock.advanceBy(100 * MS);
    device.transfer(0x4_0000n, 0x2000n, 1n, 3n);
    device.clock.advanceBy(100 * MS);
    device.transfer(0x4_0000n, 0x3000n, 1n, 3n);
    device.clock.advanceBy(100 * MS);
    expect([device.bytes(0x2000, 1), device.events.get(EduEvent.ADDRESS_CLAMPED)]).toEqual([[9], 1]);
  });

  it.each([
    ['starts below the buffer', 0x3_ffffn, 4n],
    ['starts behind it', 0x4_1000n, 1n],
    ['ends behind it', 0x4_0ffdn, 4n],
    ['is longer than it', 0x4_0000n, 4097n],
    ['would overflow', 0x4_0001n, 0xffff_ffff_ffff_ffffn],
  ])('E-45: a transfer that %s moves nothing, is counted, and completes', (_, buffer, count) => {
    const device = board();
    device.poke(0x2000, 7, 7, 7, 7);
    device.transfer(buffer, 0x2000n, count, 7n);
    device.clock.advanceBy(100 * MS);
    expect(device.bytes(0x2000, 4)).toEqual([7, 7, 7, 7]);
    expect([device.read64(0x98), device.read(0x24)]).toEqual([6n, 0x100]);
    expect(device.events.get(EduEvent.BAD_TRANSFER)).toBe(1);
  });

  it('E-45: a count of 0 completes and is no mistake; the whole buffer and its last byte are fine', () => {
    const device = board();
    device.transfer(0x4_0000n, 0x2000n, 0n, 7n);
    device.clock.advanceBy(100 * MS);
    expect([device.read64(0x98), device.events.get(EduEvent.BAD_TRANSFER)]).toEqual([6n, 0]);
    device.poke(0x3fff, 5);
    device.transfer(0x3000n, 0x4_0000n, 4096n, 1n);
    device.clock.advanceBy(100 * MS);
    device.transfer(0x4_0fffn, 0x2000n, 1n, 3n);
    device.clock.advanceBy(100 * MS);
    expect(device.bytes(0x2000, 1)).toEqual([5]);
  });

  it('E-46: reads 0 from holes, drops writes to them', () => {
    const device = board({ dmaMask: 0xffff_ffff_ffff_ffffn });
    device.poke(0xf_fffe, 1, 2);
    device.transfer(0xf_fffen, 0x4_0000n, 4n, 1n);
    device.clock.advanceBy(100 * MS);
    device.transfer(0x4_0000n, 0xf_fffdn, 4n, 3n);
    device.clock.advanceBy(100 * MS);
    expect(device.bytes(0xf_fffd, 3)).toEqual([1, 2, 0]);
    expect(device.word(0x2000)).toBe(0);
  });
});
