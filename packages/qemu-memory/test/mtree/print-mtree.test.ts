import { sparseBacking } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { printMtree } from '../../src/mtree/print-mtree.ts';
import type { MemoryRegion } from '../../src/region/memory-region.ts';
import { MemoryCore } from '../../src/space/memory-core.ts';

const ALL = 1n << 64n;
let core: MemoryCore;
const fresh = (): MemoryCore => {
  core = new MemoryCore();
  return core;
};
const print = (root: MemoryRegion, options = {}): string[] => {
  core.addressSpace(root, 'as');
  return printMtree(core, options).split('\n').slice(1, -2);
};

describe('tree lines', () => {
  it('T-182, T-188: start, end, priority, type and name, 16 digits each, two blanks a level', () => {
    const root = fresh().container('system', ALL);
    const dev = core.reservation('dev', 0x1000);
    root.addSubregion(0xfed0_0000, dev, -3);
    expect(print(root)).toEqual([
      '  0000000000000000-ffffffffffffffff (prio 0, i/o): system',
      '    00000000fed00000-00000000fed00fff (prio -3, i/o): dev',
    ]);
  });

  it('T-183: a region of size 0 and one of size 1 print the same end', () => {
    const root = fresh().container('r', 0x100);
    root.addSubregion(0x10, core.reservation('none', 0));
    root.addSubregion(0x20, core.reservation('one', 1));
    expect(print(root).slice(1)).toEqual([
      '    0000000000000010-0000000000000010 (prio 0, i/o): none',
      '    0000000000000020-0000000000000020 (prio 0, i/o): one',
    ]);
  });

  it('T-188: an alias tells its target and the part of it that it shows', () => {
    const root = fresh().container('r', ALL);
    const ram = core.ram('pc.ram', sparseBacking(0x10000));
    root.addSubregion(0x8000, core.alias('high', ram, 0x4000, 0x1000));
    expect(print(root)[1]).toBe(
      '    0000000000008000-0000000000008fff (prio 0, ram): alias high @pc.ram 0000000000004000-0000000000004fff',
    );
  });

  it('T-189, T-191: types by kind and mode; an alias has the type at the end of its chain; inherited flags do not show', () => {
    const root = fresh().container('r', ALL);
    const ram = core.ram('ram', sparseBacking(0x1000));
    const romd = core.romDevice('flash', sparseBacking(0x1000), {});
    const off = core.romDevice('flash2', sparseBacking(0x1000), {});
    off.romDeviceSetRomd(false);
    const nv = core.ram('nv', sparseBacking(0x1000));
    nv.setNonvolatile(true);
    const inner = core.alias('inner', ram, 0, 0x1000);
    const outer = core.alias('outer', inner, 0, 0x1000);
    outer.setReadonly(true);
    const rest = [
      core.rom('rom', sparseBacking(0x1000)),
      romd,
      off,
      nv,
      core.ramDevice('bar', sparseBacking(0x1000)),
      outer,
    ];
    for (const [i, region] of rest.entries()) root.addSubregion(0x1000 * i, region);
    const types = print(root)
      .slice(1)
      .filter((line) => line.startsWith('    '))
      .map((line) => /, (\S+)\)/.exec(line)?.[1]);
    expect(types).toEqual(['rom', 'romd', 'i/o', 'nv-ram', 'ramd', 'ram']);
  });

  it('T-190: the newer style calls a region without a container `container`, whatever it is', () => {
    const root = fresh().reservation('io', 0x1_0000);
    root.addSubregion(0, core.container('sub', 0x100));
    expect(print(root, { style: '11.1' })).toEqual([
      '  0000000000000000-000000000000ffff (prio 0, container): io',
      '    0000000000000000-00000000000000ff (prio 0, i/o): sub',
    ]);
  });

  it('T-192: without -D a disabled region is left out and what it holds stays where it was', () => {
    const root = fresh().container('r', 0x1000);
    const off = core.container('off', 0x100);
    root.addSubregion(0x100, off);
    off.addSubregion(0x10, core.reservation('in', 0x10));
    off.setEnabled(false);
    expect(print(root)).toEqual([
      '  0000000000000000-0000000000000fff (prio 0, i/o): r',
      '      0000000000000110-000000000000011f (prio 0, i/o): in',
    ]);
    expect(printMtree(core, { disabled: true }).split('\n')[2]).toBe(
      '    0000000000000100-00000000000001ff (prio 0, i/o): off [disabled]',
    );
  });

  it('T-193: children by offset, then falling priority, then the one added last', () => {
    const root = fresh().container('r', 0x1000);
    root.addSubregion(0x20, core.reservation('a', 1), 9);
    root.addSubregion(0x10, core.reservation('b', 1), 0);
    root.addSubregion(0x10, core.reservation('c', 1), 0);
    root.addSubregion(0x10, core.reservation('d', 1), 1);
    expect(
      print(root)
        .slice(1)
        .map((line) => line.at(-1)),
    ).toEqual(['d', 'c', 'b', 'a']);
  });

  it('T-194: the marker stands before the indentation where an address wrapped, and outlives a hidden line', () => {
    const root = fresh().container('r', 0x1000);
    root.setAddress(ALL - 0x800n);
    const hidden = core.reservation('hidden', 0x10);
    root.addSubregion(0x900, hidden);
    root.addSubregion(0xa00, core.reservation('shown', 0x10));
    hidden.setEnabled(false);
    expect(print(root)).toEqual([
      '[DETECTED OVERFLOW!]   fffffffffffff800-00000000000007ff (prio 0, i/o): r',
      '[DETECTED OVERFLOW!] [DETECTED OVERFLOW!]     0000000000000200-000000000000020f (prio 0, i/o): shown',
    ]);
  });
});

describe('blocks', () => {
  it('T-185, T-186: one block for each root, with the names of its spaces sorted, then the regions that aliases mean', () => {
    const root = fresh().container('system', 0x1000);
    const ram = core.ram('ram', sparseBacking(0x100));
    root.addSubregion(0, core.alias('low', ram, 0, 0x100));
    core.addressSpace(root, 'memory');
    core.addressSpace(root, 'cpu-memory-0');
    expect(printMtree(core)).toBe(
      [
        'address-space: cpu-memory-0',
        'address-space: memory',
        '  0000000000000000-0000000000000fff (prio 0, i/o): system',
        '    0000000000000000-00000000000000ff (prio 0, ram): alias low @ram 0000000000000000-00000000000000ff',
        '',
        'memory-region: ram',
        '  0000000000000000-00000000000000ff (prio 0, ram): ram',
        '',
        '',
      ].join('\n'),
    );
  });

  it('T-187: blocks come in the order in which their first spaces were made', () => {
    fresh();
    for (const name of ['b', 'a']) core.addressSpace(core.container(name, 1), name);
    expect(printMtree(core).match(/^address-space: .$/gm)).toEqual(['address-space: b', 'address-space: a']);
  });

  it('T-195: every region that an alias means has one block, in the order met, also for aliases that are not shown', () => {
    const root = fresh().container('r', 0x1000);
    const second = core.ram('second', sparseBacking(0x10));
    const first = core.container('first', 0x10);
    first.addSubregion(0, core.alias('deep', second, 0, 0x10));
    const hidden = core.alias('hidden', first, 0, 0x10);
    root.addSubregion(0, hidden);
    root.addSubregion(0x100, core.alias('again', first, 0, 0x10));
    hidden.setEnabled(false);
    core.addressSpace(root, 'as');
    expect(printMtree(core).match(/^memory-region: .*$/gm)).toEqual(['memory-region: first', 'memory-region: second']);
  });

  it('T-68, T-195: a block begins at the own offset of its region', () => {
    const root = fresh().container('r', 0x1000);
    const part = core.container('part', 0x10);
    root.addSubregion(0x200, part);
    core.addressSpace(part, 'as');
    expect(printMtree(core).split('\n')[1]).toBe('  0000000000000200-000000000000020f (prio 0, i/o): part');
  });
});

it('T-197: with -o a region tells its owner, and ` orphan` if it has none', () => {
  const root = fresh().container('r', 0x10, { owner: { id: 'edu0' } });
  root.addSubregion(0, core.reservation('in', 1));
  expect(print(root, { owners: true })).toEqual([
    '  0000000000000000-000000000000000f (prio 0, i/o): r owner:{dev id=edu0}',
    '    0000000000000000-0000000000000000 (prio 0, i/o): in orphan',
  ]);
});
