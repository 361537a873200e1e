import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KINDS } from '../src/kinds.ts';
import { run } from '../src/run.ts';

const FIXTURES = fileURLToPath(new URL('../../../packages/qemu-memory/test/fixtures/mtree/', import.meta.url));
let folder: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guestmem-oracle-'));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const oracle = (...args: string[]): number => run(args, (line) => lines.push(line));
const fixture = (name: string): string => join(FIXTURES, `${name}.mtree`);
/** A copy of one capture, with one of its files changed. */
function changed(ending: string, change: (text: string) => string): string {
  for (const each of ['mtree', 'disabled', 'flat', 'json', 'dispatch.gz'])
    cpSync(join(FIXTURES, `x86_64-q35.${each}`), join(folder, `q35.${each}`));
  const path = join(folder, `q35.${ending}`);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
  return join(folder, 'q35.mtree');
}

describe('oracle FILE...', () => {
  it('tells one line a file, sums, and `N of M files equal`; exit code 0 if all are', () => {
    expect(oracle(fixture('x86_64-q35'), fixture('arm-collie'))).toBe(0);
    expect(lines).toEqual([
      'x86_64-q35 17/17',
      'arm-collie 10/10',
      'address spaces: 11 of 11',
      'sharing of views: 2 of 2',
      'dispatch maps: 5 of 5',
      'texts: 9 of 9',
      '2 of 2 files equal',
    ]);
  });

  it('tells the first difference of address spaces, and exit code 1', () => {
    expect(oracle(changed('flat', (text) => text.replaceAll('prio 0, i/o): hpet', 'prio 1, i/o): hpet')))).toBe(1);
    expect(lines[0]).toContain(
      'address spaces: address space "cpu-smm-0": expected 00000000fed00000-00000000fed003ff (prio 1, i/o): hpet, found',
    );
    expect(lines.at(-1)).toBe('0 of 1 files equal');
  });

  it('tells a text that does not print as it was', () => {
    oracle(changed('mtree', (text) => text.replaceAll('\n', '\r\n')));
    expect(lines[0]).toMatch(/texts: line 1: expected ".*\\r", found "/);
  });

  it('tells a capture that cannot be read, with the line', () => {
    oracle(changed('disabled', (text) => text.slice(0, 5000)));
    expect(lines[0]).toMatch(/address spaces: line 3: there is no section "memory-region: system"; is the dump whole/);
  });

  it('tells which equal views a space shares as a note where no text does', () => {
    expect(oracle(fixture('q35-amd-iommu-ran'))).toBe(0);
    expect(lines[0]).toContain('which of several equal views of one name a space shares is not in the text');
  });

  it('shows what becomes of trees without facts, and with inferred ones', () => {
    expect(oracle('--tree', 'plain', fixture('x86_64-q35'))).toBe(1);
    expect(oracle('--tree', 'inferred', fixture('x86_64-q35'))).toBe(0);
  });

  it('replays captures of later versions in their style, and views as QEMU shows them, from their canonical roots', () => {
    const later = (name: string): string => join(FIXTURES, '../mtree-later', `${name}.mtree`);
    expect(oracle('--tree', 'inferred', later('11.1-or1k-virt'), later('10.0-ppc64-pseries-nvdimm'))).toBe(0);
    expect(lines.at(-1)).toBe('2 of 2 files equal');
  });

  it('tells of files that are not there, of directories, and of what a directory of the same name hides', () => {
    mkdirSync(join(folder, 'd.mtree'));
    writeFileSync(join(folder, 'a.mtree'), '');
    mkdirSync(join(folder, 'a.json'));
    expect(oracle(join(folder, 'none.mtree'), join(folder, 'none.json'), folder, join(folder, 'd.mtree'))).toBe(1);
    expect(oracle(join(folder, 'a.mtree'))).toBe(1);
    expect(lines).toEqual([
      `${folder}/none.mtree 0/1 there is no such file`,
      `${folder}/none.json 0/1 there is no such file`,
      `${folder} 0/1 it is a directory; name the files in it`,
      `${folder}/d.mtree 0/1 it is a directory; name the files in it`,
      '0 of 4 files equal',
      `a 0/1 files: cannot read ${folder}/a.json: it is a directory`,
      'files: 0 of 1',
      '0 of 1 files equal',
    ]);
  });

  it('tells in its usage of every kind of file', () => {
    oracle();
    for (const { endings } of KINDS) expect(lines.join('\n')).toContain(`NAME${endings[0]}`);
  });

  it('refuses arguments that are no use with exit code 2, and counts files of no kind as different', () => {
    expect([oracle(), oracle('--what'), oracle('--tree', 'no', 'x'), oracle('--help')]).toEqual([2, 2, 2, 2]);
    expect(oracle('nothing.txt')).toBe(1);
    expect(oracle(join(folder, 'nowhere.mtree'))).toBe(1);
  });
});
