import { sparseBacking } from '@guestmem/vm-memory';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeExplanation, explainAddress } from '../../src/map/explain.ts';
import type { MemoryRegion } from '../../src/region/memory-region.ts';
import { MemoryCore } from '../../src/space/memory-core.ts';

let core: MemoryCore;
let root: MemoryRegion;
beforeEach(() => {
  core = new MemoryCore();
  root = core.container('system', 1n << 64n);
});
const answer = (address: bigint): string | null => {
  const found = explainAddress(root, address).answer;
  return found === null ? null : `${found.name}+${found.offset} ${found.type}`;
};

describe('what answers at an address, and why', () => {
  it('D1: an address is a number or a bigint, and nothing outside the space', () => {
    root.addSubregion(0x1000, core.ram('ram', sparseBacking(0x1000)));
    expect(explainAddress(root, 0x1234)).toEqual(explainAddress(root, 0x1234n));
    expect(answer((1n << 64n) - 1n)).toBeNull();
    for (const addr of [-1n, 1n << 64n, -1, 0.5, Number.NaN])
      expect(() => explainAddress(root, addr)).toThrow(RangeError);
  });

  it('T-61: the way through containers and aliases, with the window each leaves', () => {
    const pci = core.container('pci', 1n << 64n);
    const rom = core.rom('pc.rom', sparseBacking(0x2_0000));
    pci.addSubregion(0xc_0000, rom, 1);
    root.addSubregion(0, pci, -1);
    root.addSubregion(0xc_0000, core.alias('pam', pci, 0xc_0000, 0x4000), 1);
    expect(describeExplanation(explainAddress(root, 0xc_0010n))).toEqual([
      '0xc0010: pc.rom + 0x10 (rom)',
      '  system [0x0, 0xffffffffffffffff]',
      '    pam, alias of pci at 0xc0000 [0xc0000, 0xc3fff], priority 1',
      '      pci [0xc0000, 0xc3fff], priority -1',
      '        pc.rom [0xc0000, 0xc3fff], priority 1, read-only',
      '  hides pc.rom + 0x10 (rom), by way of system > pci > pc.rom: "pam" has priority 1, "pci" has -1',
    ]);
  });

  it('T-65: priority decides among siblings only; the message names the siblings that decided', () => {
    const box = core.container('box', 0x100);
    box.addSubregion(0, core.reservation('low', 0x100), -1000);
    root.addSubregion(0, box, 1);
    root.addSubregion(0, core.reservation('high', 0x100), 0);
    const { answer, hidden } = explainAddress(root, 0n);
    expect(answer?.name).toBe('low');
    expect(hidden.map(({ name, because }) => [name, because])).toEqual([
      ['high', '"box" has priority 1, "high" has 0'],
    ]);
  });

  it('T-42, T-61: of equals the one mapped later, and a child over its own parent', () => {
    const parent = core.reservation('parent', 0x100);
    parent.addSubregion(0, core.reservation('child', 0x10));
    root.addSubregion(0, core.reservation('older', 0x100));
    root.addSubregion(0, parent);
    expect(explainAddress(root, 0n).hidden.map(({ because }) => because)).toEqual([
      '"child" is inside it',
      '"parent" was mapped later than "older", at equal priority 0',
    ]);
  });

  it('T-66, T-69: a hole tells what would answer there if it were enabled', () => {
    const off = core.container('off', 0x100);
    off.addSubregion(0, core.reservation('in', 0x10));
    root.addSubregion(0x1000, off);
    off.setEnabled(false);
    expect(describeExplanation(explainAddress(root, 0x1000n))).toEqual([
      '0x1000: nothing answers',
      '  disabled here: off + 0x0 (i/o), by way of system > off',
    ]);
    expect(answer(0x1100n)).toBeNull();
  });

  it('T-63: flags on the way make what answers read-only or non-volatile', () => {
    const ram = core.ram('ram', sparseBacking(0x100));
    const alias = core.alias('rom', ram, 0, 0x100);
    alias.setReadonly(true);
    alias.setNonvolatile(true);
    root.addSubregion(0, alias);
    expect(answer(0xffn)).toBe('ram+0xff nv-rom');
  });

  it('T-61: agrees with the rendered view on both sides of every border, to the last byte of the space', () => {
    root.addSubregion((1n << 64n) - 0x10n, core.reservation('top', 0x10));
    root.addSubregion(0x10, core.reservation('low', 0x10));
    expect([0xfn, 0x10n, 0x1fn, 0x20n, (1n << 64n) - 0x11n, (1n << 64n) - 1n].map(answer)).toEqual([
      null,
      'low+0x0 i/o',
      'low+0xf i/o',
      null,
      null,
      'top+0xf i/o',
    ]);
  });

  it('T-52: an alias that leads back to its own container ends', () => {
    const box = core.container('box', 0x1000);
    box.addSubregion(0x100, core.alias('self', box, 0x100, 0x100));
    box.addSubregion(0x200, core.alias('mirror', box, 0, 0x100));
    box.addSubregion(0, core.reservation('dev', 0x10));
    expect(explainAddress(box, 0x100n)).toMatchObject({ answer: null, hidden: [] });
    expect(explainAddress(box, 0x208n).answer).toMatchObject({ name: 'dev', offset: '0x8' });
  });

  it('T-61: among more siblings than anybody would list, the one that answers is found', () => {
    const pci = core.container('pci', 1n << 64n);
    root.addSubregion(0, pci);
    core.transaction(() => {
      for (let i = 0; i < 30_000; i++) pci.addSubregion(i * 0x1000, core.reservation(`bar${i}`, 0x1000));
    });
    for (const i of [0, 15_000, 29_999]) expect(answer(BigInt(i * 0x1000))).toBe(`bar${i}+0x0 i/o`);
  });

  it('T-61: an answer as deep as rendering goes is found, one that is deeper is refused', () => {
    const boxes = (depth: number): MemoryRegion => {
      let inner = core.ram('ram', 0x1000);
      core.transaction(() => {
        for (let i = 1; i < depth; i++) {
          const box = core.container(`box${i}`, 0x1000);
          box.addSubregion(0, inner);
          inner = box;
        }
      });
      return inner;
    };
    const deepest = boxes(4096);
    expect(core.addressSpace(deepest).view.lookup(0x123)?.region.name).toBe('ram');
    expect(explainAddress(deepest, 0x123)).toMatchObject({ answer: { name: 'ram', offset: '0x123' } });
    const deeper = boxes(4097);
    expect(() => core.addressSpace(deeper)).toThrow(expect.objectContaining({ code: 'too-complex' }));
    expect(() => explainAddress(deeper, 0x123)).toThrow(expect.objectContaining({ code: 'too-complex' }));
  });

  it('T-61: an answer below more empty ways than are listed is found', () => {
    let empty = core.container('empty', 0x1000);
    for (let i = 0; i < 15; i++) {
      const twice = core.container(`twice${i}`, 0x1000);
      for (const name of ['a', 'b']) twice.addSubregion(0, core.alias(name, empty, 0, 0x1000));
      empty = twice;
    }
    root.addSubregion(0, empty, 1);
    root.addSubregion(0, core.ram('ram', 0x1000));
    expect(answer(0n)).toBe('ram+0x0 ram');
  });
});
