import { sparseBacking } from '@guestmem/vm-memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { compareFlatDumps } from '../../src/mtree/compare.ts';
import { MtreeError } from '../../src/mtree/error.ts';
import { type FlatDump, parseFlatDump, printFlatDump } from '../../src/mtree/flat-dump.ts';
import { flatDump } from '../../src/mtree/flat-text.ts';
import type { MemoryRegion } from '../../src/region/memory-region.ts';
import { MemoryCore } from '../../src/space/memory-core.ts';

const ALL = 1n << 64n;
let core: MemoryCore;
let root: MemoryRegion;
beforeEach(() => {
  core = new MemoryCore();
  root = core.container('system', ALL);
});
const text = (options = {}): string => printFlatDump(flatDump(core, options));
const dump = (...lines: string[]): string =>
  `FlatView #0\n AS "as", root: r\n Root memory region: r\n${lines.map((line) => `${line}\n`).join('')}\n`;
const range = (rest: string): string => `  0000000000000000-00000000000000ff (prio 0, i/o): ${rest}`;

describe('printing views', () => {
  it('T-200, T-201: spaces in creation order, the canonical root, ranges ascending; a view without ranges says so', () => {
    root.addSubregion(0x1000, core.reservation('dev', 0x10), -2);
    core.addressSpace(root, 'memory');
    core.addressSpace(core.container('master', ALL), 'dma');
    core.addressSpace(core.alias('all', root, 0, ALL), 'cpu-0');
    expect(text()).toBe(
      [
        'FlatView #0',
        ' AS "memory", root: system',
        ' AS "cpu-0", root: all, alias system',
        ' Root memory region: system',
        '  0000000000001000-000000000000100f (prio -2, i/o): dev',
        '',
        'FlatView #1',
        ' AS "dma", root: master',
        ' Root memory region: (none)',
        '  No rendered FlatView',
        '',
        '',
      ].join('\n'),
    );
  });

  it('T-88, T-201: a container of two that show nothing has a view of its own, without ranges', () => {
    for (const offset of [0, 8]) root.addSubregion(offset, core.container('empty', 8));
    core.addressSpace(root, 'memory');
    expect(text().split('\n').slice(2, 4)).toEqual([' Root memory region: system', '  No rendered FlatView']);
    expect(printFlatDump(parseFlatDump(text()))).toBe(text());
  });

  it('T-203: effective read-only prints `rom` whatever the region is, effective non-volatile `nv-`', () => {
    const alias = core.alias('a', core.reservation('dev', 0x10), 0, 0x10);
    alias.setReadonly(true);
    alias.setNonvolatile(true);
    root.addSubregion(0, alias);
    core.addressSpace(root, 'memory');
    expect(text()).toContain('  0000000000000000-000000000000000f (prio 0, nv-rom): dev\n');
  });

  it('T-204: the offset of a range shows where it is not 0', () => {
    const ram = core.ram('ram', sparseBacking(0x1000));
    root.addSubregion(0, core.alias('low', ram, 0x800, 0x100));
    root.addSubregion(0x100, core.alias('high', ram, 0, 0x100));
    core.addressSpace(root, 'memory');
    expect(text().split('\n').slice(3, 5)).toEqual([
      '  0000000000000000-00000000000000ff (prio 0, ram): ram @0000000000000800',
      '  0000000000000100-00000000000001ff (prio 0, ram): ram',
    ]);
  });

  it('T-206: disabled regions never show', () => {
    const dev = core.reservation('dev', 0x10);
    root.addSubregion(0, dev);
    core.addressSpace(root, 'memory');
    dev.setEnabled(false);
    expect(text()).not.toContain('dev');
  });

  it('T-197, T-205: the owner stands behind the offset', () => {
    root.addSubregion(0, core.reservation('dev', 0x10, { owner: { id: 'edu0' } }));
    core.addressSpace(root, 'memory');
    expect(text({ owners: true })).toContain(': dev owner:{dev id=edu0}\n');
  });
});

describe('reading views', () => {
  it('T-229: accelerators, owner and offset are taken off from the right; what is left is the name', () => {
    const line = range('CMSDK AHB peripheral region @0x40010000 @0000000000000010 owner:{obj path=/a b} KVM');
    const [found] = parseFlatDump(dump(line)).views[0]!.ranges;
    expect(found).toMatchObject({
      name: 'CMSDK AHB peripheral region @0x40010000',
      offset: 0x10n,
      owner: ' owner:{obj path=/a b}',
      accelerators: ' KVM',
    });
    expect(printFlatDump(parseFlatDump(dump(line)))).toBe(dump(line));
  });

  it.each([' KVM', ' WHPX', ' mshv', ' MSHV', ' nitro', ' Nitro', ' Xen KVM'])(
    'T-205, T-229: the accelerator%s is no part of the name',
    (accelerators) => {
      const input = dump(range(`pc.ram${accelerators}`));
      expect(parseFlatDump(input).views[0]!.ranges[0]).toMatchObject({ name: 'pc.ram', accelerators });
      expect(printFlatDump(parseFlatDump(input))).toBe(input);
    },
  );

  it('T-229: the name of a space lies between the first quotation mark and the last before its root', () => {
    const input = dump(range('dev')).replace('AS "as", root: r', 'AS "a", root: b", root: c, alias d');
    expect(parseFlatDump(input).views[0]!.spaces).toEqual([{ name: 'a", root: b', root: 'c', alias: 'd' }]);
  });

  it('T-181: CR LF, an echoed command before and a prompt behind the dump change nothing', () => {
    const monitor = `(qemu) info mtree -f\r\n${dump(range('dev')).replaceAll('\n', '\r\n')}(qemu) `;
    expect(printFlatDump(parseFlatDump(monitor))).toBe(dump(range('dev')));
  });

  it.each([
    ['', 1, /no line begins/],
    ['FlatView #0\n', 2, /expected " Root memory region: "/],
    ['FlatView #0\n AS "x"\n', 2, /not an address space line/],
    [dump('  garbage'), 4, /not a range/],
    [dump(), 4, /expected a range or "No rendered FlatView"/],
    [dump(range('a'), range('b')), 5, /does not lie behind/],
    [dump(range('a').replace('00ff', '00ff').replace('  0000000000000000', '  0000000000000f00')), 4, /ends before/],
    [dump(range('a'), 'x'), 5, /expected a range or the empty line/],
    [`${dump(range('a'))}x\n`, 6, /expected "FlatView #"/],
  ])('T-200, T-229: %j is refused with line and reason', (input, line, reason) => {
    try {
      parseFlatDump(input);
    } catch (error) {
      expect(error).toBeInstanceOf(MtreeError);
      expect([(error as MtreeError).line, (error as MtreeError).reason]).toEqual([line, expect.stringMatching(reason)]);
      return;
    }
    throw new Error('nothing was refused');
  });
});

describe('comparing dumps', () => {
  const view = (spaces: string[], name: string): string =>
    `FlatView #0\n${spaces.map((as) => ` AS "${as}", root: r\n`).join('')} Root memory region: r\n${range(name)}\n\n`;
  const compare = (expected: string, actual: string) => compareFlatDumps(read(expected), read(actual));
  const read = (input: string): FlatDump => parseFlatDump(input);

  it('T-187, T-202: the order of views, their numbers and the order of spaces do not count, nor do accelerators', () => {
    const a = view(['x', 'y'], 'a KVM') + view(['z'], 'b').replace('#0', '#1');
    const b = view(['z'], 'b') + view(['y', 'x'], 'a');
    expect(compare(a, b)).toEqual({ total: 3, equal: 3, sharing: 'same', difference: '' });
  });

  it('T-85: who shares a view counts', () => {
    expect(compare(view(['x', 'y'], 'a'), view(['x'], 'a') + view(['y'], 'a'))).toMatchObject({
      equal: 2,
      sharing: 'different',
    });
  });

  it('T-202: which of several equal views of one root name a space shares is told apart from a difference', () => {
    const a = view(['x', 'y'], 'a') + view(['z'], 'a');
    const b = view(['x', 'z'], 'a') + view(['y'], 'a');
    expect(compare(a, b)).toMatchObject({ equal: 3, sharing: 'untold' });
  });

  it('T-202: the first range that differs, a space that is missing, and one too many are told', () => {
    expect(compare(view(['x'], 'a'), view(['x'], 'b')).difference).toBe(
      `address space "x": expected ${range('a').trim()}, found ${range('b').trim()}`,
    );
    expect(compare(view(['x', 'y'], 'a'), view(['x'], 'a'))).toMatchObject({ total: 2, equal: 1 });
    expect(compare(view(['x', 'y'], 'a'), view(['x'], 'a')).difference).toContain('"y" with root r is missing');
    expect(compare(view(['x'], 'a'), view(['x', 'y'], 'a')).difference).toContain('too many: "y"');
  });
});
