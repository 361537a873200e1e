import { describe, expect, it } from 'vitest';
import { parseDispatch, printDispatch } from '../../src/mtree/dispatch-dump.ts';
import { dispatchMap } from '../../src/mtree/dispatch-map.ts';
import { MtreeError } from '../../src/mtree/error.ts';
import { MemoryCore } from '../../src/space/memory-core.ts';

/** The dispatch part for regions [first, size] in a space of 2^64, as lines without indentation. */
function lines(pageBits: number, ...regions: [string, bigint | number, bigint | number][]): string[] {
  const core = new MemoryCore();
  const root = core.container('root', 1n << 64n);
  for (const [name, first, size] of regions) root.addSubregion(first, core.reservation(name, size));
  const space = core.addressSpace(root, 'as');
  return printDispatch(dispatchMap(space.view.ranges, root, pageBits))
    .trimEnd()
    .split('\n');
}
describe('sections', () => {
  it('T-171: a range is cut into an unaligned head, whole pages and an unaligned tail', () => {
    const names = lines(12, ['dev', 0x1800, 0x2000]).filter((line) => line.startsWith('      #'));
    expect(names.map((line) => line.slice(6))).toEqual([
      '#0 @0000000000000000..ffffffffffffffff (noname) [unassigned]',
      '#1 @0000000000001000..0000000000001fff (noname) [not dirty]',
      '#2 @0000000000001800..0000000000001fff dev [ROM]',
      '#3 @0000000000002000..0000000000002fff dev [watch]',
      '#4 @0000000000003000..0000000000003fff (noname)',
      '#5 @0000000000003000..00000000000037ff dev',
    ]);
  });

  it('T-172: a page that several regions share is one section of a page and one for each of them', () => {
    const names = lines(12, ['a', 0, 0x10], ['b', 0x20, 0x10]).filter((line) => line.startsWith('      #'));
    expect(names.slice(1).map((line) => line.slice(6))).toEqual([
      '#1 @0000000000000000..0000000000000fff (noname) [not dirty]',
      '#2 @0000000000000000..000000000000000f a [ROM]',
      '#3 @0000000000000020..000000000000002f b [watch]',
    ]);
  });

  it('T-211: the root region is marked', () => {
    const core = new MemoryCore();
    const root = core.reservation('io', 0x1000);
    const { view } = core.addressSpace(root, 'I/O');
    expect(dispatchMap(view.ranges, root, 12).sections[1]).toMatchObject({ name: 'io', root: true });
  });
});

describe('nodes', () => {
  it('T-173, T-174, T-212: one page fills a path of nodes, which is skipped as far as it is the only one', () => {
    expect(lines(12, ['dev', 0x1000, 0x1000]).slice(4)).toEqual([
      '    Nodes (9 bits per level, 6 levels) ptr=[5] skip=6',
      '      [0]',
      '\t  0       skip=5  ptr=[5]',
      '\t  1..511  skip=1  ptr=NIL',
      '      [1]',
      '\t  0       skip=4  ptr=[5]',
      '\t  1..511  skip=1  ptr=NIL',
      '      [2]',
      '\t  0       skip=3  ptr=[5]',
      '\t  1..511  skip=1  ptr=NIL',
      '      [3]',
      '\t  0       skip=2  ptr=[5]',
      '\t  1..511  skip=1  ptr=NIL',
      '      [4]',
      '\t  0       skip=1  ptr=[5]',
      '\t  1..511  skip=1  ptr=NIL',
      '      [5]',
      '\t  0       skip=0  ptr=#0',
      '\t  1       skip=0  ptr=#1',
      '\t  2..511  skip=0  ptr=#0',
    ]);
  });

  it('T-170: the number of levels follows from the page size', () => {
    const levels = [8, 9, 10, 12, 18].map((bits) => dispatchLevels(bits));
    expect(levels).toEqual([7, 7, 6, 6, 6]);
  });

  it('T-213: what was printed reads back as the same data', () => {
    const text = lines(12, ['a', 0, 0x1800], ['b', 0x4000_0000, 0x10_0000]);
    const { dispatch, next } = parseDispatch(text, 0);
    expect(next).toBe(text.length);
    expect(printDispatch(dispatch).trimEnd().split('\n')).toEqual(text);
  });

  it.each([
    [1, 'expected "Physical sections"', (text: string[]) => text.with(1, 'x')],
    [3, 'expected section #1', (text: string[]) => text.with(3, text[3]!.replace('#1', '#7'))],
    [6, 'expected node [0]', (text: string[]) => text.with(5, '      [3]')],
  ])('T-210: a broken part is refused with its line (%s: %s)', (_, reason, damage) => {
    const text = damage(lines(12, ['dev', 0x1000, 0x1000]));
    expect(() => parseDispatch(text, 0)).toThrow(MtreeError);
    expect(() => parseDispatch(text, 0)).toThrow(reason);
  });
});

function dispatchLevels(bits: number): number {
  const core = new MemoryCore();
  const root = core.reservation('io', 1n << 64n);
  return dispatchMap(core.addressSpace(root, 'as').view.ranges, root, bits).levels;
}
