/** What boards other than the PCs have; values as QEMU 7.2 gave them. */
import { describe, expect, it } from 'vitest';
import { pcBoard } from './support/pc-board.ts';

describe('fw_cfg of a g3beige', () => {
  const [select, next] = ['writew 0xf0000510', 'readb 0xf0000512'];
  const [Q, E, nothing] = [0x51, 0x45, 0].map((byte) => `OK 0x${byte.toString(16).padStart(16, '0')}`);

  it.each([
    ['4 bytes', 'writel 0xf0000510 0x12340000'],
    ['8 bytes', 'writeq 0xf0000510 0x1234000000000000'],
    ['2 bytes at 1', 'writew 0xf0000511 0x1234'],
  ])('A-28: a write of %s at the selector is refused as a whole', (_, write) => {
    const { say } = pcBoard('g3beige');
    expect(say(`${select} 0`, write, next, next)).toEqual([Q, E]);
  });

  it.each([
    ['4 bytes that end', 'writel 0xf000050e 0x00001234'],
    ['3 bytes that begin', 'write 0xf0000510 3 0x123400'],
  ])('A-28: %s with it are cut, and select', (_, write) => {
    const { say } = pcBoard('g3beige');
    expect(say(`${select} 0`, write, next, next)).toEqual([nothing, nothing]);
  });

  it('A-45: a block that meets the selector with 4 bytes passes the data register by', () => {
    const { say } = pcBoard('g3beige');
    expect(say('read 0xf0000510 4', next)).toEqual(['OK 0x00000000', Q]);
  });

  it('selecting the item again begins with its first byte', () => {
    const { say } = pcBoard('g3beige');
    expect(say(`${select} 0`, next, next, `${select} 0`, next)).toEqual([Q, E, Q]);
  });

  it('Q-71: a reset selects the signature', () => {
    const { machine, say } = pcBoard('g3beige');
    say(`${select} 0x1234`);
    machine.requestReset();
    machine.turn();
    expect(say(next, next)).toEqual([Q, E]);
  });
});

describe('regions without a model', () => {
  it('Q-26: an unaligned access at the end of an empty slot goes on behind it', () => {
    const { say } = pcBoard('malta', '-bios', 'any');
    expect(say('read 0x1dfffffe 4', 'readl 0x1dffffff')).toEqual(['OK 0x00001122', 'OK 0x0000000000112233']);
  });

  it('a write to flash is counted by its name', () => {
    const { machine, say } = pcBoard('malta');
    expect(say('writel 0x1e000000 0x12345678', 'readl 0x1e000000')).toEqual(['OK 0x0000000000000000']);
    expect([...machine.events.entries()]).toEqual([['not modelled: mips_malta.bios', 1]]);
  });
});

describe("MIPS Malta User's Manual, REVISION", () => {
  it.each([
    ['malta', '00000420'],
    ['maltael', '20040000'],
  ] as const)('%s: a word in the ROM at 0x1fc00000, and only there, over the firmware', (name, bytes) => {
    const { say } = pcBoard(name, '-bios', 'any');
    expect(say('readl 0x1fc00010', 'read 0x1fc00010 4')).toEqual(['OK 0x0000000000000420', `OK 0x${bytes}`]);
    expect(say('writel 0x1fc00010 5', 'readl 0x1fc00010')).toEqual(['OK 0x0000000000000420']);
    expect(say('read 0x1e000010 4')).toEqual(['OK 0x00000000']);
  });
});
