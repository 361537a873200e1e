import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../src/program.ts';

const CAPTURES = new URL('../captures/', import.meta.url);
let folder: string;
let out: string;
let err: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guestmem-run-'));
  out = '';
  err = '';
  vi.spyOn(console, 'log').mockImplementation((text: string) => {
    out += `${text}\n`;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
  process.exitCode = undefined;
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command; gives the exit code. */
async function run(...args: string[]): Promise<number> {
  await main(['run', ...args]);
  const code = process.exitCode;
  return code === undefined ? 0 : Number(code);
}

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const capture = (ending: string): string => readFileSync(new URL(`x86_64-q35.${ending}`, CAPTURES), 'utf8');

describe('guestmem run', () => {
  it('rebuilds the q35 that comes along: every range and every access as in QEMU', async () => {
    expect(await run()).toBe(0);
    expect(out).toContain('x86_64-q35: 8 of 8 address spaces as in QEMU');
    expect(out).toContain('memory: 68 of 68 ranges as in QEMU');
    expect(out).toMatch(/accesses: (\d+) of \1 as in QEMU/);
    expect(out).toMatch(/load le32 @0xfed00000, capabilities +│ hpet +│ 0x8086a201 +│ OK/);
    expect(out).toMatch(/load le32 @0x\w+, requesterId 0x20 +│ attribute probe +│ 0x00000020 +│ OK/);
  });

  it.each(['q35', 'q35.json', 'q35.flat'])('takes %s for the capture of that name', async (name) => {
    for (const ending of ['disabled', 'flat', 'json']) file(`q35.${ending}`, capture(ending));
    expect(await run(join(folder, name))).toBe(0);
    expect(out).toContain('q35: 8 of 8 address spaces as in QEMU');
  });

  it('says that it did not compare where no flat capture lies beside the tree', async () => {
    expect(await run(file('alone.mtree', capture('mtree')))).toBe(0);
    expect(out).toContain('not compared: no capture of "info mtree -f" lies beside it');
  });

  it('T-225: takes no facts of a dump that is not there', async () => {
    file('half.json', capture('json'));
    file('half.flat', capture('flat'));
    expect(await run(file('half.mtree', capture('mtree')))).toBe(1);
    expect(out).toMatch(/memory: \d\d of 68 ranges as in QEMU/);
  });

  it('ends with 1 and names the first difference where a range is not as in QEMU', async () => {
    file(
      'other.flat',
      capture('flat').replace('00000000fed003ff (prio 0, i/o): hpet', '00000000fed007ff (prio 0, i/o): hpet'),
    );
    file('other.json', capture('json'));
    file('other.disabled', capture('disabled'));
    expect(await run(file('other.mtree', capture('mtree')))).toBe(1);
    expect(out).toContain('memory: 67 of 68 ranges as in QEMU');
    expect(out).toMatch(/first difference: .*fed007ff/);
  });

  it('--ram gives the machine another amount of RAM, and the tour finds the new end', async () => {
    expect(await run('--ram', '256M')).toBe(0);
    expect(out).toContain('not compared: the RAM was resized');
    expect(out).toMatch(/store le32 @0xffffffe, crossing +│ pc\.ram/);
  });

  it('--ram refuses what would reach a device, and says how much fits', async () => {
    expect(await run('--ram', '8G')).toBe(2);
    expect(err).toBe(
      'guestmem: 8589934592 bytes of RAM would reach "ioapic" at 0xfec00000; at most 4273995776 fit this machine\n',
    );
  });

  it('--ram refuses what is no size', async () => {
    expect(await run('--ram', 'lots')).toBe(2);
    expect(err).toMatch(/a size is a number with K, M or G/);
  });

  it('refuses a malformed file with the line and the reason', async () => {
    const bad = capture('mtree').split('\n');
    bad[2] = '    zzz';
    expect(await run(file('bad.mtree', bad.join('\n')))).toBe(2);
    expect(err).toMatch(/^guestmem: .*bad\.mtree: line 3: .+\n$/);
    expect(out).toBe('');
  });

  it('refuses a missing file with a plain sentence', async () => {
    expect(await run(join(folder, 'nowhere.mtree'))).toBe(2);
    expect(err).toBe(`guestmem: cannot read ${join(folder, 'nowhere.mtree')}: there is no such file\n`);
  });

  it('visits what there is of a machine without RAM, and says what is not there', async () => {
    const none = 'address-space: memory\n  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n\n';
    expect(await run(file('none.mtree', none))).toBe(0);
    expect(out).toContain(
      'not on this machine: RAM of 16 KiB or more, an end of such RAM before a hole, ROM, a hole, RAM at 0 behind a hole at 2^64, an HPET',
    );
  });

  const SYSTEM = 'address-space: memory\n  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n';

  it.each([
    ['RAM that no host can hold', `${SYSTEM}    0000000000000000-fffffffffffffffe (prio 0, ram): ram\n\n`],
    [
      'nesting without end',
      `${SYSTEM}${Array.from({ length: 2000 }, (_, i) => `${'  '.repeat(i + 2)}0000000000000000-0000000000000fff (prio 0, i/o): c\n`).join('')}\n`,
    ],
    ['a JSON value that is no map', '{"format": "guestmem-map", "version": 99}'],
  ])('refuses %s with one sentence', async (_what, text) => {
    expect(await run(file('bad.mtree', text))).toBe(2);
    expect(err).toMatch(/^guestmem: .*bad\.mtree: .+\n$/);
  });

  it('reads a map as JSON too', async () => {
    const map = JSON.stringify({
      format: 'guestmem-map',
      version: 1,
      regions: [{ name: 'r', kind: 'ram', size: '0x100000' }],
      spaces: [{ name: 'memory', root: 0 }],
    });
    expect(await run(file('map.json', map))).toBe(0);
    expect(out).toMatch(/accesses: (\d+) of \1 as in QEMU/);
  });

  it('visits a machine whose root is small, or whose HPET is none, without blaming QEMU', async () => {
    expect(
      await run(file('small.mtree', 'address-space: memory\n  0000000000000000-0000000000ffffff (prio 0, rom): r\n\n')),
    ).toBe(0);
    const odd = `${SYSTEM}    0000000000000000-0000000000ffffff (prio 0, ram): ram\n    00000000fed00000-00000000fed00003 (prio 0, i/o): hpet\n\n`;
    expect(await run(file('odd.mtree', odd))).toBe(0);
    expect(await run('--ram', '1')).toBe(0);
  });

  it('names the file beside the tree that is damaged', async () => {
    const tree = file('pair.mtree', capture('mtree'));
    file('pair.flat', 'nothing');
    expect(await run(tree)).toBe(2);
    expect(err).toMatch(/^guestmem: pair\.flat: /);
    file('pair.json', '{"facts":{"tree":"../..","answers":[1]}}');
    err = '';
    expect(await run(tree)).toBe(2);
    expect(err).toBe('guestmem: pair.json: "facts" must be an object whose "tree" is "mtree" or "disabled"\n');
    file('pair.json', 'null');
    file('pair.flat', capture('flat'));
    err = '';
    await run(tree);
    expect(err).toBe('');
  });
});
