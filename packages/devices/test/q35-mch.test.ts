import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Machine, machineConfig, parseQemuArguments, QtestServer } from '../src/index.ts';
import { pcBoard } from './support/pc-board.ts';

const definition = JSON.parse(readFileSync(new URL('../../cli/captures/machines/q35.json', import.meta.url), 'utf8'));

/** A Q35 driven by lines of the protocol. */
function q35() {
  const machine = new Machine(definition, machineConfig(definition, parseQemuArguments(['-m', '64M'])));
  const server = new QtestServer(machine, () => {});
  const smram = (value: number, extended: number): string => {
    for (const line of ['outl 0xcf8 0x8000009c', `outb 0xcfe ${extended}`, `outb 0xcfd ${value}`]) server.execute(line);
    const all = [...machine.core.addressSpaces.find(({ name }) => name === 'memory')!.root.children];
    const alias = machine.core.addressSpaces
      .find(({ name }) => name === 'cpu-smm-0')!
      .root.children.find(({ name }) => name === 'smram');
    all.push(...alias!.target!.children);
    return all
      .filter(({ name, enabled }) => /^smram-/.test(name) && enabled)
      .map(({ name }) => name)
      .sort()
      .join(' ');
  };
  return { server, smram };
}

describe('the Q35 memory controller hub', () => {
  it.each([
    [0x02, 0x38, 'smram-region'],
    [0x02, 0xb8, 'smram-region'],
    [0x42, 0x38, ''],
    [0x42, 0xb8, 'smram-open-high smram-region'],
    [0x4a, 0x38, 'smram-low'],
    [0x0a, 0x38, 'smram-low smram-region'],
    [0x0a, 0xb8, 'smram-high smram-region'],
    [0x4a, 0xb8, 'smram-high smram-open-high smram-region'],
    [0x1a, 0xb8, 'smram-high smram-region'],
  ])('SMRAM %i with ESMRAMC %i enables what QEMU 7.2 enables', (value, extended, regions) => {
    expect(q35().smram(value, extended)).toBe(regions);
  });

  it('SMRAM: what was stored while it was open below is seen while it is open above, enabled or not', () => {
    const { server, smram } = q35();
    smram(0x4a, 0x38);
    server.execute('writel 0xa0000 0x55667788');
    const high = [0x02, 0x42, 0x0a, 0x4a].map((value) => {
      smram(value, 0xb8);
      return server.execute('readl 0xfeda0000');
    });
    const [nothing, stored] = ['OK 0x0000000000000000', 'OK 0x0000000055667788'];
    expect(high).toEqual([nothing, stored, nothing, stored]);
  });

  it('SMRAM: once locked only the closed bit can be written, until a reset', () => {
    const { server, smram } = q35();
    smram(0x78, 0x38);
    const readings = [0x68, 0x00, 0x80, 0x27, 0x40].map((value) => {
      server.execute(`outb 0xcfd ${value}`);
      return server.execute('inb 0xcfd');
    });
    expect(readings).toEqual(['OK 0x003a', 'OK 0x001a', 'OK 0x001a', 'OK 0x003a', 'OK 0x001a']);
    server.execute('outb 0xcf9 6');
    expect(server.execute('inl 0xcfc')).toBe('OK 0x380200');
    server.execute('outb 0xcfd 0x48');
    expect(server.execute('inb 0xcfd')).toBe('OK 0x004a');
  });

  it.each([
    ['64M', 0x39, '3f00000+100000 3f00000+100000@3f00000'],
    ['64M', 0x3b, '3e00000+200000 3e00000+200000@3e00000'],
    ['1G', 0x3d, '3f800000+800000 3f800000+800000@3f800000'],
    ['5G', 0x3f, '7f000000+1000000 7f000000+1000000@7f000000'],
    ['8M', 0x3f, 'ffffffffff800000+1000000 ffffffffff800000+1000000@ffffffffff800000'],
    ['1G', 0x38, 'off 40000000+0 off 40000000+0@40000000'],
    ['5G', 0x38, 'off 80000000+0 off 80000000+0@80000000'],
  ])('Intel 3 Series, ESMRAMC: with %s of RAM, %i puts TSEG where QEMU 7.2 puts it', (ram, extended, expected) => {
    const { machine, say } = pcBoard('q35', '-m', ram);
    say('outl 0xcf8 0x8000009c', `outb 0xcfe ${extended}`, 'outb 0xcfd 0x0a');
    const system = machine.core.addressSpaces.find(({ name }) => name === 'memory')!.root;
    const smm = machine.core.addressSpaces.find(({ name }) => name === 'cpu-smm-0')!.root;
    const blackhole = system.children.find(({ name }) => name === 'tseg-blackhole')!;
    const window = smm.children
      .find(({ name }) => name === 'smram')!
      .target!.children.find(({ name }) => name === 'tseg-window')!;
    const place = ({ enabled, addr, size }: typeof window): string =>
      `${enabled ? '' : 'off '}${addr.toString(16)}+${size.toString(16)}`;
    expect(`${place(blackhole)} ${place(window)}@${window.aliasOffset.toString(16)}`).toBe(expected);
  });

  it('Intel 3 Series, ESMRAMC: where RAM is smaller, TSEG begins at the end of the space and hides no RAM', () => {
    const { say } = pcBoard('q35', '-m', '8M');
    say('outl 0xcf8 0x8000009c', 'outl 0xcfc 0xffffffff');
    expect(say('read 0xffffffffff7ffffc 8', 'read 0xfffffffffffffffe 4', 'readl 0x7ffffe')).toEqual([
      'OK 0x00000000ffffffff',
      'OK 0xffff0000',
      'OK 0x0000000000000000',
    ]);
  });

  it('Intel 3 Series, ESMRAMC: TSEG reads ones and takes no write while it is enabled', () => {
    const { say } = pcBoard('q35');
    say('writel 0x3f00000 0x22222222', 'writel 0x3e00000 0x33333333');
    say('outl 0xcf8 0x8000009c', 'outb 0xcfd 0x0a', 'outb 0xcfe 0x39');
    expect(say('readq 0x3f00000', 'readl 0x3e00000', 'writel 0x3f00000 0x99999999', 'outb 0xcfe 0x3b')).toEqual([
      'OK 0xffffffffffffffff',
      'OK 0x0000000033333333',
    ]);
    expect(say('readl 0x3e00000', 'readl 0x3dffffe', 'outb 0xcfe 0x38', 'readl 0x3f00000')).toEqual([
      'OK 0x00000000ffffffff',
      'OK 0x00000000ffff0000',
      'OK 0x0000000022222222',
    ]);
  });

  it('R-4, R-6: PAM edits the map with the next command, RAM hidden meanwhile keeps its content', () => {
    const { server } = q35();
    const say = (line: string): string => server.execute(line);
    say('outl 0xcf8 0x80000090');
    say('outb 0xcfd 0x33');
    say('writel 0xc0000 0x11223344');
    say('outb 0xcfd 0x00');
    expect(say('readl 0xc0000')).toBe('OK 0x0000000000000000');
    say('outb 0xcfd 0x11');
    say('writel 0xc0000 0x55667788');
    expect(say('readl 0xc0000')).toBe('OK 0x0000000055667788');
  });
});
