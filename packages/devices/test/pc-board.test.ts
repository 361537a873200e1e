import { describe, expect, it } from 'vitest';
import { pcBoard } from './support/pc-board.ts';

describe('object paths', () => {
  it.each([
    ['q35', '/machine/q35/ioapic', '/machine/unattached/device[7]', '/machine/i440fx/ioapic'],
    ['pc', '/machine/i440fx/ioapic', '/machine/unattached/device[8]', '/machine/q35/ioapic'],
  ] as const)('Q-61, H-5: those of a %s are its own', (name, ioapic, hpet, other) => {
    const { say } = pcBoard(name);
    expect(say(`irq_intercept_in ${other}`, `irq_intercept_in ${ioapic}`)).toEqual(['FAIL Unknown device']);
    const rtc = `set_irq_in ${hpet} unnamed-gpio-in 1`;
    expect(say(`${rtc} 1`, `${rtc} 0`)).toEqual(['IRQ raise 8', 'IRQ lower 8']);
  });
});

describe('interrupts of PCI cards on a Q35', () => {
  /** A board with a card at `addr`, its registers at 0xe0000000, the IOAPIC listened to; and its command register. */
  function card(addr: string) {
    const { say } = pcBoard('q35', '-device', `edu,addr=${addr}`);
    const [slot, fn] = addr.split('.').map((part) => Number.parseInt(part, 16));
    const config = 0x8000_0000 + (slot! << 11) + ((fn ?? 0) << 8);
    say('irq_intercept_in ioapic', `outl 0xcf8 ${config + 0x10}`, 'outl 0xcfc 0xe0000000');
    say(`outl 0xcf8 ${config + 4}`, 'outw 0xcfc 6');
    return { say, config };
  }

  it.each([
    ['1', 21],
    ['18', 20],
    ['19', 16],
    ['1a', 16],
    ['1b', 16],
    ['1c', 16],
    ['1d', 16],
    ['1e', 20],
    ['1f.1', 16],
  ])('E-66; Intel ICH9, D25IR to D31IR: INTA of slot %s is line %i', (addr, line) => {
    expect(card(addr).say('writel 0xe0000060 1')).toEqual([`IRQ raise ${line}`]);
  });

  it('E-64, E-67: where the counts of two cards on a line cancel each other, a reset lowers it once', () => {
    const { say } = pcBoard('q35', '-device', 'edu,addr=8', '-device', 'edu,addr=10');
    const [first, second] = [0x8000_4004, 0x8000_8004];
    say('irq_intercept_in ioapic', `outl 0xcf8 ${first + 12}`, 'outl 0xcfc 0xe0000000', `outl 0xcf8 ${first}`);
    say('outw 0xcfc 6', `outl 0xcf8 ${second + 12}`, 'outl 0xcfc 0xd0000000', `outl 0xcf8 ${second}`, 'outw 0xcfc 6');
    expect(say('writel 0xe0000060 1', 'writel 0xd0000060 1')).toEqual(['IRQ raise 20']);
    // The second is disabled without being counted, the first is counted and enabled without.
    expect(say('outb 0xcfd 4', `outl 0xcf8 ${first}`, 'outw 0xcfc 0x406', 'outb 0xcfd 0')).toEqual([]);
    expect(say('outb 0xcf9 6')).toEqual(['IRQ lower 20']);
    say(`outl 0xcf8 ${first + 12}`, 'outl 0xcfc 0xe0000000', `outl 0xcf8 ${first}`, 'outw 0xcfc 6');
    expect(say('writel 0xe0000060 1', 'writel 0xe0000064 1')).toEqual(['IRQ raise 20', 'IRQ lower 20']);
  });

  it('Intel ICH9, PIRQ[A-D]_ROUT: INTA of slot 0x19 takes an ISA line as well', () => {
    const { say, config } = card('19');
    const irqs = say('outl 0xcf8 0x8000f860', 'outb 0xcfc 0x0b', 'writel 0xe0000060 1', `outl 0xcf8 ${config + 4}`);
    expect(irqs).toEqual(['IRQ raise 16', 'IRQ raise 11']);
    expect(say('outw 0xcfc 0x406')).toEqual(['IRQ lower 16', 'IRQ lower 11']);
  });
});

describe('interrupt pins of the board functions of a Q35', () => {
  const [mch, smbus] = [0x8000_0004, 0x8000_fb04];
  it.each([
    ['clears the disable bit by a word', mch, ['outb 0xcfd 4', 'outw 0xcfc 0'], ['IRQ lower 0']],
    ['sets it by a word', mch, ['outw 0xcfc 0x407'], ['IRQ lower 0']],
    ['sets it by a long word, slot 31', smbus, ['outl 0xcfc 0xffffffff'], ['IRQ lower 0']],
    ['changes it by its own byte', mch, ['outb 0xcfd 4', 'outb 0xcfd 0', 'outw 0xcfc 7'], []],
    ['changes other bits', smbus, ['outw 0xcfc 0x107'], []],
  ] as const)(
    'E-64: one that %s drives all its pins low, and so the ISA line 0 behind routes that are off',
    (_, command, lines, irqs) => {
      const { say } = pcBoard('q35');
      say('irq_intercept_in ioapic', 'set_irq_in /machine/unattached/device[7] unnamed-gpio-in 0 1');
      expect(say(`outl 0xcf8 ${command}`, ...lines)).toEqual(irqs);
    },
  );

  it('Intel ICH9, PIRQ[A-D]_ROUT: the ISA line is that of the route', () => {
    const { say } = pcBoard('q35');
    say('irq_intercept_in ioapic', 'set_irq_in /machine/unattached/device[7] unnamed-gpio-in 1 1');
    say('outl 0xcf8 0x8000f860', 'outb 0xcfd 8');
    expect(say(`outl 0xcf8 ${smbus}`, 'outw 0xcfc 0x400')).toEqual(['IRQ lower 8']);
  });
});

describe.each(['q35', 'pc'] as const)('small parts of a %s at a reset, as QEMU 7.2 answered', (name) => {
  const board = (...before: string[]) => {
    const { machine, say } = pcBoard(name);
    const replies = say(...before);
    machine.requestReset();
    machine.turn();
    return { replies, say };
  };

  it('Q-71, Q-56: of the CMOS the shutdown status is cleared; the other bytes and the index stay', () => {
    const [others, shutdown] = ['outb 0x70 0x2a', 'outb 0x70 0x8f']; // the top bit of the index is not part of it
    const { replies, say } = board(shutdown, 'outb 0x71 0x5a', 'inb 0x71', 'inb 0x70', others, 'outb 0x71 0x8f');
    expect(replies).toEqual(['OK 0x005a', 'OK 0x00ff']);
    expect(say('inb 0x71', shutdown, 'inb 0x71')).toEqual(['OK 0x008f', 'OK 0x0000']);
  });

  it('Q-56: register D of the CMOS is valid, and cannot be written', () => {
    const { say } = pcBoard(name);
    expect(say('outb 0x70 0x0d', 'inb 0x71', 'outb 0x71 0', 'inb 0x71')).toEqual(['OK 0x0080', 'OK 0x0080']);
  });

  it('Q-71: of ports 0xcf9 and 0x92 the first is cleared', () => {
    const { replies, say } = board('outb 0xcf9 0x0a', 'inb 0xcf9', 'outb 0x92 0x02', 'inb 0x92');
    expect(replies).toEqual([name === 'q35' ? 'OK 0x000a' : 'OK 0x0002', 'OK 0x0002']);
    expect(say('inb 0xcf9', 'inb 0x92')).toEqual(['OK 0x0000', 'OK 0x0002']);
  });

  it('Q-71: the IOAPIC has index and id 0, and every entry masked', () => {
    const read = (index: number) => [`writel 0xfec00000 ${index}`, 'readl 0xfec00010'];
    const write = (index: number, value: number) => [`writel 0xfec00000 ${index}`, `writel 0xfec00010 ${value}`];
    const all = 0xffff_ffff;
    const { replies, say } = board(
      ...[...write(0, all), ...write(0x10, all), ...write(0x3e, all), ...write(0x3f, 0x1234_5678)],
      ...[...read(0), ...read(0x10), ...read(0x3e), ...read(0x3f)],
    );
    const word = (value: number) => `OK 0x${value.toString(16).padStart(16, '0')}`;
    expect(replies).toEqual([0x0f00_0000, 0xffff_afff, 0xffff_afff, 0x1234_5678].map(word));
    expect(say('readl 0xfec00000', ...read(0), ...read(0x10), ...read(0x3e), ...read(0x3f))).toEqual(
      [0, 0, 0x1_0000, 0x1_0000, 0].map(word),
    );
  });
});

describe('interrupt lines at a reset', () => {
  it.each([
    ['q35,pit=off', [0, 1, 12, 8]],
    ['pc,pit=off', [0, 9, 1, 12, 8]],
    ['q35,pit=off,hpet=off', [1, 12, 8]],
    ['pc,pit=off,hpet=off', [9, 1, 12, 8]],
  ] as const)(
    'H-110, H-112: %s lowers those of HPET, ACPI, keyboard and RTC, whoever raised them',
    (machine, lowered) => {
      const { say } = pcBoard(machine.startsWith('pc') ? 'pc' : 'q35', '-M', machine);
      say('irq_intercept_in ioapic');
      for (let line = 0; line < 24; line++) say(`set_irq_in ioapic unnamed-gpio-in ${line} 1`);
      expect(say('outb 0xcf9 6')).toEqual(lowered.map((line) => `IRQ lower ${line}`));
    },
  );

  it('E-67: the pins of cards go low in the order of their slots, whatever the order of plugging', () => {
    const { say } = pcBoard('q35', '-device', 'edu,addr=1d', '-device', 'edu,addr=18');
    say('irq_intercept_in ioapic');
    for (const [slot, bar] of [
      [0x1d, 0xe010_0000],
      [0x18, 0xe020_0000],
    ] as const) {
      const config = 0x8000_0000 + (slot << 11);
      say(`outl 0xcf8 ${config + 0x10}`, `outl 0xcfc ${bar}`, `outl 0xcf8 ${config + 4}`, 'outw 0xcfc 6');
      say(`writel ${bar + 0x60} 1`);
    }
    expect(say('outb 0xcf9 6')).toEqual(['IRQ lower 20', 'IRQ lower 16']);
  });

  it('E-67, H-112: the pin of a card goes low after them', () => {
    const { say } = pcBoard('q35', '-device', 'edu,addr=4');
    say('irq_intercept_in ioapic', 'outl 0xcf8 0x80002010', 'outl 0xcfc 0xe0000000', 'outl 0xcf8 0x80002004');
    say('outw 0xcfc 6', 'writel 0xe0000060 1', 'set_irq_in ioapic unnamed-gpio-in 8 1');
    expect(say('outb 0xcf9 6')).toEqual(['IRQ lower 8', 'IRQ lower 20']);
  });
});

describe('the interrupt disable bit of a card', () => {
  /** A card in slot 4, asserting, its command register addressed. */
  function asserting() {
    const { say } = pcBoard('q35', '-device', 'edu,addr=4');
    say('irq_intercept_in ioapic', 'outl 0xcf8 0x80002010', 'outl 0xcfc 0xe0000000', 'outl 0xcf8 0x80002004');
    expect(say('outw 0xcfc 6', 'writel 0xe0000060 1')).toEqual(['IRQ raise 20']);
    return say;
  }
  const acknowledge = 'writel 0xe0000064 1';

  it('E-64: written by a byte of its own, or a word at offset 5, it holds nothing low', () => {
    const say = asserting();
    expect(say('outb 0xcfd 4', 'inl 0xcfc', acknowledge, 'inl 0xcfc')).toEqual(['OK 0x180406', 'OK 0x100406']);
    expect(say('writel 0xe0000060 1', 'outw 0xcfd 0', 'inl 0xcfc')).toEqual(['OK 0x180006']);
    expect(say('outw 0xcfc 0x406', 'outw 0xcfc 6')).toEqual(['IRQ lower 20', 'IRQ raise 20']);
  });

  it('E-64: set by a word and cleared by its byte, the pin is high while the device does not assert', () => {
    const say = asserting();
    expect(say('outw 0xcfc 0x406', 'outb 0xcfd 0')).toEqual(['IRQ lower 20']);
    expect(say(acknowledge, 'writel 0xe0000060 2')).toEqual(['IRQ raise 20', 'IRQ lower 20']);
  });

  it('E-64: the pins of cards on one line are counted together, and cancel each other', () => {
    const { say } = pcBoard('q35', '-device', 'edu,addr=4', '-device', 'edu,addr=8');
    const [first, second] = [0x8000_2000, 0x8000_4000];
    for (const [config, bar] of [
      [second, 0xe010_0000],
      [first, 0xe000_0000],
    ] as const)
      say(`outl 0xcf8 ${config + 0x10}`, `outl 0xcfc ${bar}`, `outl 0xcf8 ${config + 4}`, 'outw 0xcfc 0x406');
    say('irq_intercept_in ioapic', 'writel 0xe0000060 1', 'outb 0xcfd 0'); // not counted
    expect(say(`outl 0xcf8 ${second + 4}`, 'outw 0xcfc 6', 'writel 0xe0100060 1')).toEqual(['IRQ raise 20']); // 1
    expect(say('writel 0xe0000064 1')).toEqual(['IRQ lower 20']); // 1 - 1
    expect(say('writel 0xe0100064 1')).toEqual(['IRQ raise 20']); // 0 - 1
  });

  it('E-67: a reset lowers a pin that was left high, where QEMU 7.2 ends with a failed assertion', () => {
    const say = asserting();
    expect(say('outb 0xcfd 4', acknowledge, 'outb 0xcf9 6')).toEqual(['IRQ lower 20']);
  });
});

describe('registers of the IOAPIC', () => {
  it('Intel 82093AA, IOREGSEL and IOWIN: as in QEMU 7.2 they are at each 256 bytes, the select register for any size', () => {
    const { say } = pcBoard('q35');
    expect(say('writeb 0xfec00000 1', 'readl 0xfec00310', 'writel 0xfec00f00 0xabcd10', 'readl 0xfec00cff')).toEqual([
      'OK 0x0000000000170020',
      'OK 0x0000000000001000',
    ]);
  });

  it('Intel 82093AA, IOWIN: as in QEMU 7.2 it goes by whole words, and reserved bits of an entry are kept', () => {
    const { say } = pcBoard('q35');
    say('writel 0xfec00000 0x3e', 'writel 0xfec00010 0xa93adb86', 'writew 0xfec00010 0', 'writeb 0xfec00010 0');
    expect(say('readl 0xfec00010', 'readq 0xfec00010', 'readw 0xfec00010', 'readb 0xfec00010')).toEqual([
      'OK 0x00000000a93a8b86',
      'OK 0x00000000a93a8b86',
      'OK 0x0000000000000000',
      'OK 0x0000000000000000',
    ]);
  });
});

describe('configuration space of board functions at a reset', () => {
  it.each([
    ['q35', '0x8000fa90', 0], // AHCI, MAP
    ['pc', '0x80000054', 0x00ff_ffff], // 82441FX, DRAM row type
    ['pc', '0x80000b5c', 0x00ff_ffff], // PIIX4, device resource C and D
    ['pc', '0x80000b60', 0x00ff_ffff],
    ['pc', '0x80000bd0', 0],
  ] as const)('Q-71: what QEMU 7.2 keeps is kept with bits that were 1 at power-on: %s, %s', (name, address, value) => {
    const { say } = pcBoard(name);
    const wanted = `OK 0x${value.toString(16).padStart(4, '0')}`;
    expect(say(`outl 0xcf8 ${address}`, `outl 0xcfc ${value}`, 'inl 0xcfc', 'outb 0xcf9 6', 'inl 0xcfc')).toEqual([
      wanted,
      wanted,
    ]);
  });
});

describe('bus mastering', () => {
  /** A board, and whether the space of a function shows the system. */
  function board(name: 'pc' | 'q35', space: string, ...args: string[]) {
    const { machine, say } = pcBoard(name, ...args);
    const { root } = machine.core.addressSpaces.find((each) => each.name === space)!;
    return { say, on: () => root.children[0]!.enabled };
  }

  it.each([
    ['q35', 'mch', 0x00],
    ['q35', 'ICH9-LPC', 0xf8],
    ['q35', 'ich9-ahci', 0xfa],
    ['q35', 'edu', 0x20],
    ['pc', 'i440FX', 0x00],
    ['pc', 'PIIX4_PM', 0x0b],
  ] as const)(
    'E-63, E-67: on %s, %s sees the system while it is on, and after a reset until the first byte of the command is written',
    (name, space, devfn) => {
      const cards = space === 'edu' ? ['-device', 'edu,addr=4'] : [];
      const { say, on } = board(name, space, ...cards);
      const seen = [on()];
      say(`outl 0xcf8 ${0x8000_0004 + (devfn << 8)}`);
      for (const line of [
        'outb 0xcfc 4',
        'outb 0xcfc 0',
        'outw 0xcfc 7',
        'outb 0xcf9 6',
        'outb 0xcfd 0',
        'outw 0xcfe 0',
        'outb 0xcfc 0',
      ]) {
        say(line);
        seen.push(on());
      }
      expect(seen).toEqual([false, true, false, true, true, true, true, false]);
    },
  );
});

describe.each(['q35', 'pc'] as const)('port 0x92 of a %s', (name) => {
  it.each([
    ['outb 0x92 0xff', '0xfe', 0],
    ['outb 0x92 0x44', '0x44', 1],
    ['outw 0x92 0x0144', '0x00', 0],
    ['outw 0x92 0x4401', '0x44', 0],
    ['outl 0x90 0x00ff0000', '0x00', 1],
  ] as const)('Q-71: %s leaves %s in it, and the HPET with configuration %i', (line, value, config) => {
    const { say } = pcBoard(name);
    expect(say('writel 0xfed00010 1', line, 'inb 0x92', 'readl 0xfed00010')).toEqual([
      value.replace('0x', 'OK 0x00'),
      `OK 0x000000000000000${config}`,
    ]);
  });
});

describe('port 0xcf9', () => {
  it('Intel ICH9, RST_CNT: on a Q35 bits 3 and 1 read back, and the lowest byte of a wide access counts', () => {
    const { say } = pcBoard('q35');
    expect(say('outb 0xcf9 0xfb', 'inb 0xcf9', 'outw 0xcf9 0x0202', 'inw 0xcf9', 'inl 0xcf9')).toEqual([
      'OK 0x000a',
      'OK 0x0002',
      'OK 0x0002',
    ]);
    expect(say('outw 0xcf9 0x0200', 'inb 0xcf9')).toEqual(['OK 0x0000']);
  });

  it('PIIX3, RC: on a `pc` bit 1 reads back, and every byte of a wide access counts, the last at last', () => {
    const { say } = pcBoard('pc');
    expect(say('outb 0xcf9 0xfb', 'inb 0xcf9', 'inl 0xcf9')).toEqual(['OK 0x0002', 'OK 0x2020202']);
    expect(say('outl 0xcf9 2', 'inb 0xcf9', 'outw 0xcf9 0x0200', 'inb 0xcf9')).toEqual(['OK 0x0000', 'OK 0x0002']);
  });

  it.each([
    ['q35', 'outw 0xcf9 0x0006', 0],
    ['q35', 'outw 0xcf9 0x0400', 1],
    ['q35', 'outl 0xcf9 0x04000000', 1],
    ['pc', 'outl 0xcf9 6', 0],
    ['pc', 'outw 0xcf9 0x0400', 0],
    ['pc', 'outl 0xcf9 0x04000000', 0],
  ] as const)('Q-71: %s, %s leaves the HPET with configuration %i', (name, line, config) => {
    const { say } = pcBoard(name);
    const hpet = 0xfed0_0010;
    expect(say(`writel ${hpet} 1`, line, `readl ${hpet}`)).toEqual([`OK 0x000000000000000${config}`]);
  });

  it.each([
    ['q35', ['outb 0xcf9 0x0a', 'inb 0xcf9', 'outb 0xcf9 0x0e', 'inb 0xcf9', 'outw 0xcf9 4', 'inb 0xcf9'], 'a a a'],
    ['pc', ['outb 0xcf9 2', 'outb 0xcf9 6', 'inb 0xcf9', 'outl 0xcf9 0x06000000', 'inb 0xcf9'], '2 0'],
    ['pc', ['outl 0xcf9 0x02000006', 'inb 0xcf9'], '2'],
  ] as const)(
    'Q-70: %s, what asks for a reset is not stored, which shows until the reset comes: %j',
    (name, lines, values) => {
      const { say, sayAtOnce } = pcBoard(name);
      expect(sayAtOnce(...lines)).toEqual(values.split(' ').map((value) => `OK 0x000${value}`));
      expect(say('inb 0xcf9')).toEqual(['OK 0x0000']);
    },
  );
});
