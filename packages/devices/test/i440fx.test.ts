import { describe, expect, it } from 'vitest';
import { pcBoard } from './support/pc-board.ts';

/** A `pc` with its host bridge's registers: `regions` tells which aliases at `addr` are on, by name and target. */
function pc() {
  const { machine, say } = pcBoard('pc');
  const system = machine.core.addressSpaces.find(({ name }) => name === 'memory')!.root;
  const regions = (addr: bigint): string =>
    system.children
      .filter((region) => region.addr === addr && region.enabled && /^(pam|smram)-/.test(region.name))
      .map(({ name, target }) => `${name}@${target!.name}`)
      .join(' ');
  const set = (register: number, value: number): void => {
    say(`outl 0xcf8 ${0x8000_0000 + (register & ~3)}`, `outb ${0xcfc + (register & 3)} ${value}`);
  };
  const smmSees = (): boolean =>
    machine.core.addressSpaces.some(({ root }) =>
      root.children.some(({ name, target }) => name === 'smram' && target?.enabled === true),
    );
  return { say, set, regions, smmSees };
}

describe('the host bridge of a `pc`', () => {
  it.each([
    [0, 'pam-pci@pci'],
    [1, 'pam-rom@pc.ram'],
    [2, 'pam-pci@pc.ram'],
    [3, 'pam-ram@pc.ram'],
    [7, 'pam-ram@pc.ram'],
  ])('Intel 82441FX, PAM: the value %i of a nibble shows what it shows in QEMU 7.2', (value, shown) => {
    const { set, regions } = pc();
    for (const [register, shift, addr] of [
      [0x59, 4, 0xf_0000n],
      [0x5a, 0, 0xc_0000n],
      [0x5a, 4, 0xc_4000n],
      [0x5f, 4, 0xe_c000n],
    ] as const) {
      set(register, value << shift);
      expect(regions(addr)).toBe(shown);
      set(register, 0);
      expect(regions(addr)).toBe('pam-pci@pci');
    }
  });

  it.each([
    [0x02, 'smram-region@pci', false],
    [0x0a, 'smram-region@pci', true],
    [0x1a, 'smram-region@pci', true],
    [0x42, '', false],
    [0x4a, '', true],
    [0x7a, '', true],
  ])('Intel 82441FX, SMRAM: %i shows what it shows in QEMU 7.2, which does not lock it', (value, shown, smm) => {
    const { set, regions, smmSees } = pc();
    set(0x72, 0x1a);
    set(0x72, value);
    expect([regions(0xa_0000n), smmSees()]).toEqual([shown, smm]);
  });

  it('R-4, R-6: PAM edits the map with the next command; a reset leaves it and SMRAM as they are, as in QEMU 7.2', () => {
    const { say, set } = pc();
    set(0x59, 0x30);
    set(0x5a, 0x33);
    say('writel 0xc0000 0x11223344', 'writel 0xf0000 0x99aabbcc');
    const both = ['readl 0xc0000', 'readl 0xf0000'];
    expect(say(...both)).toEqual(['OK 0x0000000011223344', 'OK 0x0000000099aabbcc']);
    set(0x5a, 0x30);
    expect(say('readl 0xc0000')).toEqual(['OK 0x0000000000000000']);
    set(0x5a, 0x31);
    expect(say('writel 0xc0000 0x55667788', 'readl 0xc0000')).toEqual(['OK 0x0000000055667788']);
    set(0x72, 0x42);
    say('outb 0xcf9 6');
    expect(say('readl 0xc0000', 'inl 0xcfc', 'outl 0xcf8 0x80000058', 'inl 0xcfc')).toEqual([
      'OK 0x0000000055667788',
      'OK 0x420000',
      'OK 0x313000',
    ]);
  });

  it.each([
    ['1M', 0x00],
    ['12M', 0x01],
    ['16M', 0x02],
    ['100M', 0x0c],
    ['1G', 0x80],
    ['2040M', 0xff],
    ['5G', 0xff],
  ])(
    'Intel 82441FX, DRAM control: with %s of RAM it is %i, as in QEMU 7.2, and a reset leaves what was written',
    (ram, value) => {
      const { say } = pcBoard('pc', '-m', ram);
      const shown = `OK 0x${(value << 8).toString(16).padStart(4, '0')}`;
      expect(say('outl 0xcf8 0x80000054', 'inw 0xcfe', 'outb 0xcf9 6', 'inw 0xcfe')).toEqual([shown, shown]);
      expect(say('outb 0xcff 0x5a', 'outb 0xcf9 6', 'inb 0xcff')).toEqual(['OK 0x005a']);
    },
  );
});
