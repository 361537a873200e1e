import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { MtreeFacts } from '@guestmem/qemu-memory';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tellInferred } from '../src/mtree/facts-report.ts';
import { main } from '../src/program.ts';

const Q35 = (ending: string): string => fileURLToPath(new URL(`../captures/x86_64-q35.${ending}`, import.meta.url));
const textOf = (ending: string): string => readFileSync(Q35(ending), 'utf8');
/** The ports of `qemu-system-x86_64 -M isapc -nodefaults -S` in QEMU 11.1.3, cut down to the first device. */
const BOARD_11 = `address-space: I/O
  0000000000000000-000000000000ffff (prio 0, container): io
    0000000000000000-0000000000000007 (prio 0, i/o): dma-chan

`;
const BOARD_11_FLAT = `FlatView #0
 AS "I/O", root: io
 Root memory region: io
  0000000000000000-0000000000000007 (prio 0, i/o): dma-chan
  0000000000000008-000000000000ffff (prio 0, container): io @0000000000000008

`;
/** Of `-M q35 -m 1G,maxmem=8G -device virtio-mem-pci,memdev=m1,requested-size=512M` in QEMU 10.0.13: one address space. */
const MODULES = `address-space: device-memory
  0000000100000000-00000002bfffffff (prio 0, i/o): device-memory
    0000000100000000-000000013fffffff (prio 0, ram): m1

`;
const MODULES_FLAT = `FlatView #0
 AS "device-memory", root: device-memory
 Root memory region: m1
  0000000000000000-000000003fffffff (prio 0, ram): m1

`;
let folder: string;
let out: string;
let err: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guestmem-mtree-'));
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
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

/** Runs the command; gives the exit code, and leaves what it printed in `out` and `err`. */
async function mtree(...args: string[]): Promise<number> {
  out = '';
  err = '';
  process.exitCode = undefined;
  await main(['mtree', ...args]);
  return Number(process.exitCode ?? 0);
}

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
/** Views without their numbers, in an order of their own: QEMU's changes from run to run (T-202). */
const viewsOf = (text: string): string[] =>
  text
    .split(/^FlatView #\d+\n/m)
    .map((view) => view.split('\n').sort().join('\n'))
    .sort();

describe('guestmem mtree prints', () => {
  it('T-185: the tree, as it was read, with and without disabled regions', async () => {
    expect(await mtree(Q35('disabled'), '--tree', '-D')).toBe(0);
    expect(out).toBe(textOf('disabled'));
    await mtree(Q35('disabled'), '--tree');
    expect(out).toBe(textOf('mtree'));
  });

  it('T-200: the flat views as QEMU has them, with what a flat dump shows of the tree', async () => {
    expect(await mtree(Q35('disabled'), '--with-flat', Q35('flat'))).toBe(0);
    expect(viewsOf(out)).toEqual(viewsOf(textOf('flat')));
    expect(err).toMatch(/inferred from .*: regions with children that answer for themselves: lines 87, 102\n8 of 8/);
  });

  it('T-190: the text of QEMU 11.1 comes out as 11.1 prints it, and compares with its flat dump', async () => {
    const tree = file('board.mtree', BOARD_11);
    const flat = file('board.flat', BOARD_11_FLAT);
    expect(await mtree(tree, '--tree')).toBe(0);
    expect(out).toBe(BOARD_11);
    expect(await mtree(tree, '--with-flat', flat)).toBe(0);
    expect(out).toBe(BOARD_11_FLAT);
    expect(err).toMatch(/\n1 of 1 address spaces as in /);
    expect(await mtree(tree, '--facts', file('facts', '{"answers":[2]}'), '--json')).toBe(0);
    expect(await mtree('diff', file('map.json', out), flat)).toBe(0);
  });

  it('T-89: what QEMU shows from a root region of its own is told, and is no failure', async () => {
    const tree = file('modules.mtree', MODULES);
    const flat = file('modules.flat', MODULES_FLAT);
    expect(await mtree(tree, '--with-flat', flat)).toBe(0);
    expect(err).toMatch(
      /\n0 of 1 address spaces as in .*\nthe rest differs in .*\(T-89\): .*expected 0{16}-0{8}3fffffff/,
    );
    expect(out).toContain('  0000000100000000-000000013fffffff (prio 0, ram): m1\n');
    expect(await mtree(tree, '--with-flat', file('other.flat', MODULES_FLAT.replace('3fffffff', '2fffffff')))).toBe(1);
    expect(err).toContain('first difference: address space "device-memory"');
  });

  it('T-225: the same with facts from a capture, and another view without', async () => {
    const alone = file('alone.disabled', textOf('disabled'));
    await mtree(alone, '--facts', Q35('json'));
    expect(viewsOf(out)).toEqual(viewsOf(textOf('flat')));
    await mtree(alone);
    expect(viewsOf(out)).not.toEqual(viewsOf(textOf('flat')));
  });

  it('T-225: of a capture the dump that its facts belong to is read, whichever was asked for, and it says so', async () => {
    await mtree(Q35('disabled'));
    const exact = out;
    for (const form of [[], ['--find', '0xfed00000'], ['--tree']]) {
      await mtree(Q35('disabled'), ...form);
      const wanted = out;
      expect(await mtree(Q35('mtree'), ...form)).toBe(0);
      expect(out).toBe(wanted);
      expect(err).toContain('guestmem: x86_64-q35.disabled beside it is read instead, which tells more\n');
    }
    expect(exact.match(/^ {2}[0-9a-f]{16}-/gm)).toHaveLength(68);
    await mtree(Q35('mtree'), '--find', '0xfed00000');
    expect(out).toContain('0xfed00000: hpet + 0x0 (i/o)');
    file('half.json', textOf('json'));
    expect(await mtree(file('half.mtree', textOf('mtree')))).toBe(0);
    expect(err).toBe(
      'guestmem: half.json tells of half.disabled, which is not there; what the tree does not tell is guessed\n',
    );
  });

  it('T-225: without facts, too, the dump with disabled regions is read', async () => {
    const plain = file('two.mtree', textOf('mtree'));
    file('two.disabled', textOf('disabled'));
    expect(await mtree(plain, '--tree', '-D')).toBe(0);
    expect(out).toBe(textOf('disabled'));
    expect(err).toBe('guestmem: two.disabled beside it is read instead, which tells more\n');
  });

  it('T-225: facts of the capture that lie beside the dump are used, and it says so', async () => {
    expect(await mtree(Q35('disabled'))).toBe(0);
    expect(viewsOf(out)).toEqual(viewsOf(textOf('flat')));
    expect(err).toBe('guestmem: what the tree does not tell is taken from x86_64-q35.json beside it\n');
  });

  it('T-225: each kind of fact that is inferred is told on a line of its own, and so is that there is none', () => {
    const told = (facts: MtreeFacts): string[] => {
      err = '';
      tellInferred(facts, 'f');
      return err.trimEnd().split('\n');
    };
    expect(told({})).toEqual(['inferred from f: nothing that the tree and the guesses do not tell']);
    expect(told({ answers: [3] })).toEqual([
      'inferred from f: regions with children that answer for themselves: line 3',
    ]);
    const rest = { empty: [4, 5], readonly: [6], over: [[7, 8] as const], target: { 9: 1 }, oneByte: { 10: false } };
    expect(told(rest)).toEqual([
      'inferred from f: regions without children that show nothing: lines 4, 5',
      'inferred from f: aliases that make what they show read-only: line 6',
      'inferred from f: equal siblings, the first on top: 7 over 8',
      'inferred from f: sections that aliases mean: 9 -> 1',
      'inferred from f: windows that are closed: line 10',
    ]);
  });

  it('T-210: dispatch maps for a page size', async () => {
    await mtree(Q35('disabled'), '--dispatch', '--page-size', '1024');
    expect(out).toContain('    Nodes (9 bits per level, 6 levels)');
    expect(out).toContain('      #5 @00000000fec00000..00000000fec00fff ioapic');
  });

  it('D14: the map as JSON, which is read like a dump', async () => {
    await mtree(Q35('disabled'), '--json');
    const json = file('map.json', out);
    expect(JSON.parse(out)).toMatchObject({ format: 'guestmem-map', version: 1 });
    await mtree(json, '--tree', '-D');
    expect(out).toBe(textOf('disabled'));
  });

  it('D14: trees and maps that begin with a byte order mark, as an editor leaves it', async () => {
    expect(await mtree(file('marked.txt', `\ufeff${textOf('disabled')}`), '--tree', '-D')).toBe(0);
    expect(out).toBe(textOf('disabled'));
    await mtree(Q35('disabled'), '--json');
    expect(await mtree(file('marked.json', `\ufeff${out}`), '--tree', '-D')).toBe(0);
    expect(out).toBe(textOf('disabled'));
  });

  it('a flat dump alone, and gzipped files', async () => {
    expect(await mtree(file('q35.flat.gz', gzipSync(textOf('flat'))))).toBe(0);
    expect(out).toBe(textOf('flat'));
  });

  it('exit code 1 if the tree and the flat dump are not of the same moment', async () => {
    const other = file('other.flat', textOf('flat').replace('(prio 0, i/o): hpet', '(prio 7, i/o): hpet'));
    expect(await mtree(Q35('disabled'), '--with-flat', other)).toBe(1);
    expect(err).toContain('first difference: address space "');
  });
});

describe('guestmem mtree --find', () => {
  it('T-61: tells what answers and the way to it, in every address space', async () => {
    await mtree(Q35('disabled'), '--find', '0xfed000f0');
    expect(out).toContain(
      'cpu-memory-0, memory\n0xfed000f0: hpet + 0xf0 (i/o)\n  system [0x0, 0xffffffffffffffff]\n    hpet [0xfed00000, 0xfed003ff]\n',
    );
    expect(out).toContain('I/O\n0xfed000f0: nothing answers\n');
  });

  it('T-65: tells what is hidden and by which priority, in one address space', async () => {
    await mtree(Q35('disabled'), '--find', '786432', '--space', 'memory');
    expect(out).toContain('0xc0000: pc.rom + 0x0 (rom)');
    expect(out).toContain(
      'hides pc.ram + 0xc0000 (ram), by way of system > ram-below-4g > pc.ram: "pam-pci" has priority 1, "ram-below-4g" has 0',
    );
    expect(out).not.toContain('I/O');
  });

  it('as JSON, and in a flat dump', async () => {
    await mtree(Q35('disabled'), '--find', '0x10', '--space', 'memory', '--json');
    expect(JSON.parse(out)).toMatchObject([
      { spaces: ['memory'], address: '0x10', answer: { name: 'pc.ram', type: 'ram' } },
    ]);
    await mtree(Q35('flat'), '--find', '0xe0010', '--space', 'memory');
    expect(out).toContain('0xe0010: pc.bios + 0x20010 (rom)');
  });

  it('in a flat dump: the first and the last byte of a range, what lies beside it, and JSON', async () => {
    const text = [
      'FlatView #0',
      ' AS "memory", root: system',
      ' Root memory region: system',
      '  0000000000001000-0000000000001fff (prio 0, ram): low @0000000000000400',
      '  0000000000003000-0000000000003fff (prio 0, i/o): dev',
      '',
      'FlatView #1',
      ' AS "I/O", root: io',
      ' Root memory region: io',
      '  0000000000000000-000000000000ffff (prio 0, i/o): io',
      '',
    ].join('\n');
    const flat = file('two.flat', text);
    const found = async (address: string): Promise<string> => {
      expect(await mtree(flat, '--find', address, '--space', 'memory')).toBe(0);
      return out;
    };
    expect(await found('0x1000')).toBe('memory\n0x1000: low + 0x400 (ram)\n');
    expect(await found('0x1fff')).toBe('memory\n0x1fff: low + 0x13ff (ram)\n');
    expect(await found('0x3fff')).toBe('memory\n0x3fff: dev + 0xfff (i/o)\n');
    for (const address of ['0xfff', '0x2000', '0x2fff', '0x4000'])
      expect(await found(address)).toBe(`memory\n${address}: nothing answers\n`);
    await mtree(flat, '--find', '0x1000');
    expect(out).toBe('memory\n0x1000: low + 0x400 (ram)\n\nI/O\n0x1000: io + 0x1000 (i/o)\n');
    await mtree(flat, '--find', '0x2000', '--space', 'memory', '--json');
    expect(JSON.parse(out)).toEqual([{ spaces: ['memory'], address: '0x2000', answer: null }]);
  });
});

describe('guestmem mtree diff', () => {
  it('D14: exit code 0 and no output where two files show the same, whatever their form', async () => {
    await mtree(Q35('disabled'), '--facts', Q35('json'), '--json');
    expect(await mtree('diff', file('map.json', out), Q35('flat'))).toBe(0);
    expect(out).toBe('');
  });

  it('D14: exit code 1 and the ranges that differ, in words or as JSON', async () => {
    const moved = file(
      'moved',
      textOf('flat').replaceAll('00000000fed00000-00000000fed003ff', '00000000fed10000-00000000fed103ff'),
    );
    expect(await mtree('diff', Q35('flat'), moved)).toBe(1);
    expect(out.split('\n')).toEqual([
      'address space "cpu-smm-0" (root memory):',
      '  [0xfed00000, 0xfed003ff] now nothing, was hpet (i/o)',
      '  [0xfed10000, 0xfed103ff] now hpet (i/o), was nothing',
      'address spaces "memory", "cpu-memory-0" (root system):',
      '  [0xfed00000, 0xfed003ff] now nothing, was hpet (i/o)',
      '  [0xfed10000, 0xfed103ff] now hpet (i/o), was nothing',
      '',
    ]);
    expect(await mtree('diff', Q35('flat'), moved, '--json')).toBe(1);
    expect(JSON.parse(out).spaces).toHaveLength(3);
  });
});

const EMPTY_MAP = '{"format":"guestmem-map","version":1,"regions":[],"spaces":[]}';
const SPACELESS = `memory-region: system
  0000000000000000-ffffffffffffffff (prio 0, i/o): system

`;
const REVERSED = `address-space: memory
  0000000000000000-ffffffffffffffff (prio 0, i/o): system
    0000000000002000-0000000000000fff (prio 0, i/o): device

`;

describe('what is no use is refused with exit code 2 and one sentence', () => {
  it('one line, in which nothing of the file steers the terminal', async () => {
    expect(await mtree(Q35('disabled'), '--facts', file('bad.json', '{"a": \x1b[31m\n}'))).toBe(2);
    expect(err).toMatch(/^guestmem: .* is not JSON: .*\n$/);
    expect(err.trimEnd()).not.toMatch(/\p{Cc}/u);
    expect(err).toContain('\\x1b[31m\\x0a');
  });

  it.each<[string, () => string[], RegExp]>([
    ['a file that is not there', () => ['nowhere'], /cannot read nowhere: there is no such file/],
    ['a directory', () => [folder], /it is a directory/],
    ['a dump cut short', () => [file('cut', textOf('mtree').slice(0, 2990))], /cut: line \d+: not a region line/],
    ['text of another kind', () => [file('x', 'hello\n')], /x: line 1: no line begins/],
    ['JSON of another kind', () => [file('x', '{}')], /the map has no format "guestmem-map"/],
    ['JSON cut short', () => [file('x', '{"format":')], /not JSON/],
    ['a gzip file that is none', () => [file('x.gz', 'hello')], /cannot read .*x\.gz/],
    ['an address that is none', () => [Q35('mtree'), '--find', '0xzz'], /--find needs an address/],
    ['an address beyond the space', () => [Q35('mtree'), '--find', '18446744073709551616'], /--find needs an address/],
    [
      'a space that is not there',
      () => [file('t', textOf('mtree')), '--find', '0', '--space', 'x'],
      /no address space "x"/,
    ],
    ['a space that a flat dump lacks', () => [Q35('flat'), '--find', '0', '--space', 'x'], /no address space "x"/],
    ['a form beside --find', () => [Q35('mtree'), '--find', '0', '--flat'], /--find goes with --json only/],
    [
      'two sources of facts',
      () => [Q35('mtree'), '--facts', Q35('json'), '--with-flat', Q35('flat')],
      /choose one of --facts and --with-flat/,
    ],
    ['a page of one byte', () => [Q35('mtree'), '--dispatch', '--page-size', '1'], /must be a power of two from 2 to/],
    ['a page of 2^19', () => [Q35('mtree'), '--dispatch', '--page-size', '524288'], /power of two from 2 to 262144,/],
    ['two forms', () => [Q35('mtree'), '--tree', '--json'], /choose one of --tree and --json/],
    ['a page size that is none', () => [Q35('mtree'), '--dispatch', '--page-size', '1000'], /must be a power of two/],
    ['the tree of a flat dump', () => [Q35('flat'), '--tree'], /is a flat dump; --tree needs the tree/],
    [
      'facts of no known key',
      () => [Q35('mtree'), '--facts', file('f.json', '{"answer": [3]}')],
      /f\.json holds no facts: none of answers, empty, readonly, over, target, oneByte, nor a capture's "facts"; leave/,
    ],
    ['facts that are an empty object', () => [Q35('mtree'), '--facts', file('f.json', '{}')], /f\.json holds no facts/],
    ['facts of another dump', () => [Q35('mtree'), '--facts', Q35('json')], /mtree: line \d+: a fact/],
    ['a space without an address', () => [Q35('mtree'), '--space', 'memory'], /--space goes with --find/],
    ['disabled regions of a flat view', () => [Q35('mtree'), '-D'], /--disabled goes with --tree/],
    ['owners of JSON', () => [Q35('mtree'), '--json', '-o'], /--owners goes with --tree, --flat or --dispatch/],
    ['a page size of a tree', () => [Q35('mtree'), '--page-size', '4096'], /--page-size goes with --dispatch/],
    ['owners of a flat dump', () => [Q35('flat'), '-o'], /is a flat dump; --owners needs the tree/],
    [
      'facts of JSON',
      () => [file('m', EMPTY_MAP), '--facts', Q35('json')],
      /m is a map as JSON, which tells all; --facts/,
    ],
    ['facts of a flat dump', () => [Q35('flat'), '--facts', Q35('json')], /is a flat dump itself; --facts goes with/],
    ['a flat dump of one', () => [Q35('flat'), '--with-flat', Q35('flat')], /is a flat dump itself; --with-flat goes/],
    ['a map without a space', () => [file('m', EMPTY_MAP)], /m has no address space; is the dump whole/],
    ['a tree without a space', () => [file('t', SPACELESS), '--dispatch'], /t has no address space/],
    ['an address in a tree without a space', () => [file('t', SPACELESS), '--find', '0'], /t has no address space/],
    ['a tree without a space in diff', () => ['diff', Q35('flat'), file('t', SPACELESS)], /t has no address space/],
    [
      'options of others in diff',
      () => ['diff', Q35('flat'), Q35('flat'), '--with-flat', 'x'],
      /diff takes --json only/,
    ],
    ['T-194: a region that ends before it starts', () => [file('t', REVERSED)], /t: line 3: the region ends before it/],
    ['facts that are none', () => [Q35('mtree'), '--facts', file('f', '7')], /holds no facts/],
  ])('%s', async (_, args, message) => {
    expect(await mtree(...args())).toBe(2);
    expect(err).toMatch(/^guestmem: [^\n]*\n$/);
    expect(err).toMatch(message);
    expect(out).toBe('');
  });
});
