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
});
