/** Long commands of the qtest server: others get their turn in between, and nothing else is different. */
import { MemoryCore } from '@guestmem/qemu-memory';
import { sparseBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { InterruptLine, QtestServer, VirtualClock } from '../src/index.ts';

const RAM = 0x10_0000;

/** 1 MiB of RAM, a clock, a device with one output; the server rests after each step, until `resume`. */
function rig() {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  root.addSubregion(0, core.ram('ram', sparseBacking(RAM)));
  const memory = core.addressSpace(root, 'memory');
  const clock = new VirtualClock();
  const line = new InterruptLine('line');
  let turns = 0;
  const machine = {
    memory,
    ports: core.addressSpace(core.container('io', 0x1_0000), 'I/O'),
    bigEndian: false,
    clock,
    devices: [{ path: '/machine/device', inputs: [], outputs: [line] }],
    turn: () => void turns++,
  };
  let replies = '';
  const resting: (() => void)[] = [];
  const qtest: QtestServer = new QtestServer(machine, (text) => (replies += text), {
    turns: { due: () => true, rest: (resume) => resting.push(resume) },
  });
  return {
    qtest,
    memory,
    clock,
    line,
    turns: () => turns,
    /** Lets the server take its next turn. @returns could it? */
    resume: (): boolean => {
      const next = resting.shift();
      next?.();
      return next !== undefined;
    },
    take: () => {
      const text = replies;
      replies = '';
      return text;
    },
    byte: (addr: number) => {
      const bytes = new Uint8Array(1);
      memory.readSlice(bytes, addr);
      return bytes[0];
    },
  };
}

/** Arms a timer that fires each nanosecond and, at every thousandth, drives the line. */
function ticking({ clock, line }: Pick<ReturnType<typeof rig>, 'clock' | 'line'>): void {
  let fired = 0;
  const timer = clock.timer(() => {
    fired++;
    if (fired % 1000 === 0) line.set(fired % 2000 === 0 ? 0 : 1);
    timer.arm(Number(clock.now) + 1);
  });
  timer.arm(1);
}

describe('memset', () => {
  it('Q-31: goes on step by step; what comes meanwhile is answered behind it, in order', () => {
    const { qtest, resume, take, byte, turns } = rig();
    qtest.feed('endianness\nmemset 0x8000 0x40000 0xa5\nreadb 0x8000\n');
    expect(qtest.busy).toBe(true);
    expect(take()).toBe('OK little\n');
    expect([byte(0x7fff), byte(0x8000), byte(0xffff), byte(0x1_0000)]).toEqual([0, 0xa5, 0xa5, 0]);
    qtest.feed('readb 0x47fff\nread');
    qtest.feed('b 0x48000\n');
    expect(take()).toBe('');
    expect(turns()).toBe(0);
    let count = 0;
    while (resume()) count++;
    expect(count).toBe(4); // behind the half piece of 64 KiB that came first: three whole ones and a half
    expect(take()).toBe('OK\nOK 0x00000000000000a5\nOK 0x00000000000000a5\nOK 0x0000000000000000\n');
    expect(qtest.busy).toBe(false);
    expect(turns()).toBe(3);
  });

  it('Q-29: the same bytes as in one go, over the end of the 64-bit space too', () => {
    const { qtest, resume, take, byte } = rig();
    qtest.feed('memset 0xfffffffffffffff0 0x20010 0x7e\nreadb 0x1ffff\nreadb 0x20000\n');
    while (resume());
    expect(take()).toBe('OK\nOK 0x000000000000007e\nOK 0x0000000000000000\n');
    expect(byte(0)).toBe(0x7e);
  });

  it('a memset of one piece, and of none, does not rest', () => {
    const { qtest, take } = rig();
    qtest.feed('memset 0x10000 0x10000 0x1\nmemset 0 0 0x1\n');
    expect(qtest.busy).toBe(false);
    expect(take()).toBe('OK\nOK\n');
  });

  it('without turns, and by execute, it is done at once', () => {
    const { qtest, byte } = rig();
    expect(qtest.execute('memset 0 0x100000 0x33')).toBe('OK');
    expect(byte(RAM - 1)).toBe(0x33);
    expect(qtest.busy).toBe(false);
  });

  it('Q-9: a new client gets no reply of the command that the last one left, and its own behind it', () => {
    const { qtest, resume, take, byte } = rig();
    qtest.feed('memset 0 0x40000 0x11\nreadb 0\n');
    qtest.feed('readb 1\nhalf');
    qtest.connected();
    qtest.feed('endianness\n');
    while (resume());
    expect(take()).toBe('OK little\n');
    expect(byte(0x3_ffff)).toBe(0x11);
  });
});

describe('clock commands', () => {
  it('Q-53: run a thousand timers a turn, tell interrupt lines on the way, and end where one go ends', () => {
    const machine = rig();
    ticking(machine);
    machine.qtest.feed('irq_intercept_out device\nclock_step 2500\nclock_step 1\n');
    expect(machine.take()).toBe('OK\nIRQ raise 0\n');
    expect(machine.clock.now).toBe(1000);
    machine.resume();
    expect([machine.clock.now, machine.take()]).toEqual([2000, 'IRQ lower 0\n']);
    machine.resume();
    expect(machine.take()).toBe('OK 2500\nOK 2501\n');
    expect(machine.resume()).toBe(false);
  });

  it('Q-53: timers that are all due at the target run over several turns', () => {
    const { qtest, clock, resume, take } = rig();
    let fired = 0;
    for (let i = 0; i < 2500; i++) clock.timer(() => void fired++).arm(7);
    qtest.feed('clock_set 7\n');
    expect([clock.now, fired]).toEqual([7, 1000]);
    expect([resume(), fired, take()]).toEqual([true, 2000, '']);
    expect([resume(), fired, take(), resume()]).toEqual([true, 2500, 'OK 7\n', false]);
  });

  it('H-141: a guest that arms a timer for every tick is stopped at the limit, with the count over all turns', () => {
    const machine = rig();
    ticking(machine);
    machine.qtest.feed('clock_step 6000000\n');
    while (machine.resume());
    expect(machine.take()).toBe('FAIL The clock stopped at 5000000 after 5000000 timers\n');
  });
});
