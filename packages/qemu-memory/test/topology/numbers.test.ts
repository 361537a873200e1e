import { describe, expect, it } from 'vitest';
import { Bench, lines, SPACE } from '../support/topology.ts';

describe('numbers', () => {
  it('T-1: a region may be 2^64 bytes long, and addresses reach 2^64 - 1', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const last = bench.io('last', 1);
    root.addSubregion(SPACE - 1n, last);
    expect(root.size).toBe(SPACE);
    expect(lines(bench.space(root))).toEqual(['ffffffffffffffff-ffffffffffffffff last']);
  });
  it('T-1: sizes, offsets and addresses outside of 0 to 2^64 are refused and nothing changes', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const child = bench.io('child', 4);
    expect(() => bench.container('x', -1)).toThrow(RangeError);
    expect(() => bench.container('x', SPACE + 1n)).toThrow(RangeError);
    expect(() => bench.container('x', 0.5)).toThrow(RangeError);
    expect(() => root.addSubregion(SPACE, child)).toThrow(RangeError);
    expect(() => root.addSubregion(-1, child)).toThrow(RangeError);
    expect(() => child.setSize(2 ** 53)).toThrow(RangeError);
    expect(() => child.setAddress(-1n)).toThrow(RangeError);
    expect(() => bench.alias('a', root, -1n, 4)).toThrow(RangeError);
    expect([child.container, child.size, child.addr, root.children]).toEqual([null, 4n, 0n, []]);
  });
  it('T-2: 2^64 - 1 means 2^64, as constructor argument and in setSize; the 64-bit size reads 2^64 - 1', () => {
    const bench = new Bench();
    const region = bench.container('r', SPACE - 1n);
    expect([region.size, region.size64]).toEqual([SPACE, SPACE - 1n]);
    region.setSize(SPACE - 2n);
    expect([region.size, region.size64]).toEqual([SPACE - 2n, SPACE - 2n]);
    region.setSize(SPACE - 1n);
    expect(region.size).toBe(SPACE);
  });
  it('T-3: a start below 0 is cut, not wrapped: an alias whose offset is larger than its place', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const ram = bench.ram('ram', 0x4000);
    root.addSubregion(0x1000, bench.alias('a', ram, 0x3000, 0x1000));
    expect(lines(bench.space(root))).toEqual(['1000-1fff ram @3000']);
  });
  it('T-3: a sum past 2^64 is cut, not wrapped: nested containers near the top', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const upper = bench.container('upper');
    const io = bench.io('io', 0x2000);
    root.addSubregion(SPACE - 0x1000n, upper);
    upper.addSubregion(0x800, io);
    const beyond = bench.io('beyond', 0x10);
    upper.addSubregion(0x1000, beyond, 1);
    expect(lines(bench.space(root))).toEqual(['fffffffffffff800-ffffffffffffffff io']);
  });
  it('T-4: the offset of a range stays below 2^64 where the region begins far before the window', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const all = bench.io('all', SPACE);
    root.addSubregion(0, bench.alias('top', all, SPACE - 0x1000n, 0x1000));
    expect(lines(bench.space(root))).toEqual(['0-fff all @fffffffffffff000']);
  });
  it('T-5: ranges are half-open: neighbours do not overlap, and a zero-size region inside another yields nothing', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0, bench.io('a', 0x1000));
    root.addSubregion(0x1000, bench.io('b', 0x1000));
    root.addSubregion(0x800, bench.io('empty', 0), 5);
    expect(lines(bench.space(root))).toEqual(['0-fff a', '1000-1fff b']);
  });
  it('T-6: priorities are signed 32-bit, default 0; others are refused', () => {
    const bench = new Bench();
    const root = bench.container('root');
    for (const [name, priority] of [
      ['low', -0x8000_0000],
      ['high', 0x7fff_ffff],
    ] as const)
      root.addSubregion(0, bench.io(name, 4), priority);
    const usual = bench.io('usual', 4);
    root.addSubregion(0, usual);
    expect(usual.priority).toBe(0);
    expect(root.children.map((each) => each.name)).toEqual(['high', 'usual', 'low']);
    for (const bad of [0x8000_0000, -0x8000_0001, 0.5, Number.NaN])
      expect(() => root.addSubregion(0, bench.io('x', 4), bad)).toThrow(/priority must be a signed 32-bit integer/);
  });
});
