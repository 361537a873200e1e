import { MemoryCore } from '@guestmem/qemu-memory';
import { sparseBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { InterruptLine, type QtestMachine, QtestServer, VirtualClock } from '../src/index.ts';
import { pcBoard } from './support/pc-board.ts';

/** 64 KiB of RAM, no ports, a device with four lines. */
function server(options = {}) {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  const memory = core.addressSpace(root, 'memory');
  root.addSubregion(0, core.ram('ram', sparseBacking(0x1_0000)));
  const io = core.container('io', 0x1_0000);
  const clock = new VirtualClock();
  const inputs = [0, 1, 2, 3].map((n) => new InterruptLine(`${n}`));
  let turns = 0;
  const machine: QtestMachine = {
    memory,
    ports: core.addressSpace(io, 'I/O'),
    bigEndian: false,
    clock,
    devices: [
      { path: '/machine/board/pic', inputs, outputs: [] },
      { path: '/machine/a/twin', inputs: [], outputs: [] },
      { path: '/machine/b/twin', inputs: [], outputs: [] },
    ],
    turn: () => {
      turns++;
      clock.runDue(10);
    },
  };
  const writes: string[] = [];
  const qtest = new QtestServer(machine, (text) => writes.push(text), options);
  return { qtest, writes, clock, inputs, turns: () => turns, say: (line: string) => qtest.execute(line) };
}

describe('lines', () => {
  it('Q-6: a command may come in pieces of any length', () => {
    const { qtest, writes } = server();
    for (const char of 'endianness') qtest.feed(char);
    expect(writes).toEqual([]);
    qtest.feed('\n');
    expect(writes).toEqual(['OK little\n']);
    qtest.feed(`write 0x0 5000 0x${'ab'.repeat(5000)}\nreadb 0x1387\n`);
    expect(writes.slice(1).join('')).toBe('OK\nOK 0x00000000000000ab\n');
  });

  it('Q-7: the lines of one portion are answered before the machine has its turn', () => {
    const { qtest, writes, clock } = server();
    let due = '';
    clock.timer(() => (due = writes.join(''))).arm(0);
    qtest.feed('endianness\nendianness\n');
    expect(due).toBe('OK little\nOK little\n');
  });

  it('Q-6: a portion has at most 1024 bytes', () => {
    const { qtest, turns } = server();
    qtest.feed('endianness\n'.repeat(200));
    expect(turns()).toBe(3);
  });

  it('Q-5: a carriage return is part of the word', () => {
    const { say } = server();
    expect(say('endianness\r')).toBe("FAIL Unknown command 'endianness\r'");
    expect(say('readl 0x10\r')).toMatch(/^FAIL /);
  });

  it('Q-9: a new client starts with all levels at 0 and no half line', () => {
    const { qtest, writes, inputs } = server();
    qtest.feed('irq_intercept_in pic\n');
    inputs[1]!.raise();
    qtest.feed('endian');
    qtest.connected();
    inputs[1]!.raise();
    qtest.feed('endianness\n');
    expect(writes.join('')).toBe('OK\nIRQ raise 1\nIRQ raise 1\nOK little\n');
  });
});

describe('words and numbers', () => {
  it.each(['0x10', '0X10', '16', '+16', '020', '\t16', '0x0000000000010', '-18446744073709551600', '16 junk'])(
    'Q-11, Q-12: %j is 16',
    (word) => {
      const { say } = server();
      say('writeb 0x10 0xa5');
      expect(say(`readb ${word}`)).toBe('OK 0x00000000000000a5');
    },
  );

  it.each([
    ['0xffffffffffffffff', 'ffffffffffffffff'],
    ['18446744073709551615', 'ffffffffffffffff'],
    ['-1', 'ffffffffffffffff'],
    ['-18446744073709551615', '0000000000000001'],
    ['01777777777777777777777', 'ffffffffffffffff'],
    ['9007199254740993', '0020000000000001'],
  ])('Q-12: %s is 0x%s', (word, hex) => {
    const { say } = server();
    expect([say(`writeq 0x10 ${word}`), say('readq 0x10')]).toEqual(['OK', `OK 0x${hex}`]);
  });

  it.each([
    ['clock_step 0x10', 'OK 16'],
    ['clock_step -1', 'OK 0'],
  ])('Q-12: %j, signed, is answered %j', (line, reply) => {
    expect(server().say(line)).toBe(reply);
  });

  it.each([
    '',
    'readl',
    'readl ',
    'readl  0x10',
    'readl 0x',
    'readl 08',
    'readl 0x10000000000000000',
    'readl -18446744073709551616',
    'readl 1e3',
    'writel 0x10',
    'write 0x10 4',
    'inb 0x10000',
    'read 0x10 0',
    'read 0x10 0xffffffffffff',
    'memset 0 0xffffffffffffffff 0',
    'clock_set',
    'clock_set soon',
    'clock_step 0x8000000000000000',
    'set_irq_in pic unnamed-gpio-in 0x100000000 1',
    'set_irq_in pic unnamed-gpio-in 9 1',
    'set_irq_in pic other 0 1',
  ])('Q-13: %j, which ends QEMU, is answered FAIL with a reason, and the server lives', (line) => {
    const { say } = server();
    expect(say(line)).toMatch(/^FAIL .{10,}/);
    expect(say('endianness')).toBe('OK little');
  });

  it('Q-13: a reason holds no line end and no control character of the client', () => {
    expect(server().say('readl \x01\x7f')).toBe("FAIL The address '??' is not a number of 64 bits");
  });
});

describe('commands', () => {
  it('Q-14, Q-28: values are cut to the width of the command, in the order of the target', () => {
    const { say } = server();
    say('writeb 0x100 0x1234');
    say('writew 0x102 0x123456');
    say('writeq 0x104 0xffeeddccbbaa9988');
    expect(say('read 0x100 12')).toBe('OK 0x340056348899aabbccddeeff');
  });

  it('Q-40, Q-42: a wide port access is its bytes in the order of the target, as on a big-endian Malta', () => {
    const { say } = pcBoard('malta'); // CMOS: index at 0x70, reads as ones; data at 0x71
    say('outb 0x70 0x20', 'outb 0x71 0x5a');
    const reads = ['inw 0x70', 'inw 0x71', 'inl 0x70', 'inw 0xffff', 'inl 0xfffe'];
    expect(say(...reads)).toEqual(['OK 0xff5a', 'OK 0x5aff', 'OK 0xff5aff5a', 'OK 0xff00', 'OK 0xffff0000']);
    expect(say('outw 0x70 0x2133', 'inb 0x71')).toEqual(['OK 0x0033']);
  });

  it('Q-29: an access over 2^64 goes on at 0', () => {
    const { say } = server();
    say('write 0xfffffffffffffffe 4 0x01020304');
    expect(say('read 0 2')).toBe('OK 0x0304');
    expect(say('read 0xfffffffffffffffe 4')).toBe('OK 0x00000304');
  });

  it('Q-31: memset of any value, of nothing, over 64 KiB pieces', () => {
    const { say } = server();
    expect(say('memset 0x1 0xfffe 0x1ff')).toBe('OK');
    expect(say('memset 0x0 0 1')).toBe('OK');
    expect(say('read 0xfffe 4')).toBe('OK 0xff000000');
    expect(say('readw 0')).toBe('OK 0x000000000000ff00');
  });

  it('Q-32, Q-33: base64 both ways, for every remainder; missing bytes are 0', () => {
    const { say } = server();
    for (const [text, hex] of [
      ['AQID', '010203'],
      ['AQI=', '0102'],
      ['AQ==', '01'],
    ] as const) {
      say(`b64write 0x200 ${hex.length / 2} ${text}`);
      expect(say(`read 0x200 ${hex.length / 2}`)).toBe(`OK 0x${hex}`);
      expect(say(`b64read 0x200 ${hex.length / 2}`)).toBe(`OK ${text}`);
    }
    say('memset 0x200 4 0xff');
    say('b64write 0x200 4 AQ==');
    expect(say('read 0x200 4')).toBe('OK 0x01000000');
  });

  it.each([
    ['AQI=AQID', '0102010203'],
    ['AQ==AQID', '01010203'],
    ['====', '00'],
    ['=AQIDBAU', '0004080c1014'],
    ['AQ=IDBAU', '01080c1014'],
    ['AQIDB=AUGBwg', '010203040014181c20'],
  ])('Q-33: padding before the end of %s is a digit of 0 that drops a byte', (text, bytes) => {
    const { say } = server();
    expect([say(`b64write 0 9 ${text}`), say('read 0 9')]).toEqual(['OK', `OK 0x${bytes.padEnd(18, '0')}`]);
  });

  it('Q-22: under another accelerator there are no clock commands', () => {
    expect(server({ clockCommands: false }).say('clock_step 5')).toBe("FAIL Unknown command 'clock_step'");
  });

  it('Q-61: a part of a path must mean one device', () => {
    const { say } = server();
    expect(say('irq_intercept_in twin')).toBe('FAIL Unknown device');
    expect(say('irq_intercept_in ic')).toBe('FAIL Unknown device');
    expect(say('irq_intercept_in board/pic')).toBe('OK');
  });

  it('Q-61: empty steps of a path count for nothing, but an absolute one stays absolute', () => {
    const { say } = pcBoard('q35');
    say('irq_intercept_in ioapic/');
    const drive = (path: string, level: number): string[] => say(`set_irq_in ${path} unnamed-gpio-in 1 ${level}`);
    expect(drive('//machine//unattached/device[7]/', 1)).toEqual(['IRQ raise 8']);
    expect(drive('unattached//device[7]', 0)).toEqual(['IRQ lower 8']);
    expect([drive('/ioapic', 1), drive('//ioapic', 1)]).toEqual([['FAIL Unknown device'], ['FAIL Unknown device']]);
  });

  it('Q-66: that a device is not there is said before the numbers are looked at', () => {
    expect(pcBoard('q35').say('set_irq_in nosuch foo x y')).toEqual(['FAIL Unknown device']);
  });

  it('Q-55: clock_set goes to its number, clock_step adds its own; clock_set needs one', () => {
    const { say } = server();
    expect(['clock_set 1000', 'clock_step 5', 'clock_step 0x10', 'clock_set 2000'].map(say)).toEqual([
      'OK 1000',
      'OK 1005',
      'OK 1021',
      'OK 2000',
    ]);
    expect(say('clock_set')).toMatch(/^FAIL /);
    expect(say('clock_step 0')).toBe('OK 2000');
  });

  it('Q-61, Q-62: an object that is no device is unknown, but while another is listened to that is said first', () => {
    const { say } = pcBoard('q35');
    const lines = ['/machine', '/machine/unattached', 'q35', '/machine/nonsense'].map((at) => `irq_intercept_in ${at}`);
    expect(say(...lines)).toEqual(new Array(4).fill('FAIL Unknown device'));
    expect(say('irq_intercept_in ioapic', ...lines, 'irq_intercept_out /machine', 'irq_intercept_out ioapic')).toEqual([
      'FAIL IRQ intercept already enabled',
      'FAIL IRQ intercept already enabled',
      'FAIL IRQ intercept already enabled',
      'FAIL Unknown device',
      'FAIL IRQ intercept already enabled',
    ]);
  });

  it('Q-53, Q-63: what is due now runs after the reply, levels are compared as integers', () => {
    const { qtest, writes, clock, inputs } = server();
    qtest.feed('irq_intercept_in pic\n');
    clock.timer(() => inputs[2]!.set(3)).arm(0);
    qtest.feed('endianness\n');
    inputs[2]!.set(3);
    inputs[2]!.set(-1);
    inputs[2]!.set(0);
    expect(writes.join('')).toBe('OK\nOK little\nIRQ raise 2\nIRQ raise 2\nIRQ lower 2\n');
  });

  it('H-141: a storm of timers is stopped and told', () => {
    const { say, clock } = server();
    const storm = clock.timer(() => storm.arm(clock.now));
    storm.arm(5);
    expect(say('clock_step 10')).toBe('FAIL The clock stopped at 5 after 5000000 timers');
  });
});
