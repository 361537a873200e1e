/** Captures of QEMU 10.0.13 and 11.1.3; each JSON tells the version and the command line. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildMap } from '../../src/map/build.ts';
import { diffFlatDumps } from '../../src/map/diff.ts';
import { compareFlatDumps } from '../../src/mtree/compare.ts';
import { type FlatDump, parseFlatDump, printFlatDump } from '../../src/mtree/flat-dump.ts';
import { flatDump } from '../../src/mtree/flat-text.ts';
import { inferFacts } from '../../src/mtree/infer.ts';
import { parseMtree } from '../../src/mtree/parse-mtree.ts';
import { printMtree } from '../../src/mtree/print-mtree.ts';
import { mtreeStyle } from '../../src/mtree/region-text.ts';
import type { MemoryCore } from '../../src/space/memory-core.ts';

const FOLDER = new URL('../fixtures/mtree-later/', import.meta.url);
const FILES = readdirSync(FOLDER);
const NAMES = FILES.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
const textOf = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');
const fullTree = (name: string): string =>
  textOf(FILES.includes(`${name}.disabled`) ? `${name}.disabled` : `${name}.mtree`);

/** The machine of a tree, with what the flat dump of the same moment tells. */
function machineOf(name: string): { core: MemoryCore; flat: FlatDump } {
  const flat = parseFlatDump(textOf(`${name}.flat`));
  const text = fullTree(name);
  return { core: buildMap(parseMtree(text, { facts: inferFacts(text, flat), siblings: 'smaller' })).core, flat };
}

describe.each(NAMES)('capture %s', (name) => {
  const style = name.startsWith('11.') ? '11.1' : '7.2';

  it('T-190: the style is told from the text, tree or flat', () => {
    expect(mtreeStyle(fullTree(name))).toBe(style);
    expect(mtreeStyle(textOf(`${name}.flat`))).toBe(style);
  });

  it('T-185 to T-197, T-227: trees print again as the same bytes', () => {
    for (const [ending, options] of [
      ['mtree', {}],
      ['disabled', { disabled: true }],
      ['owners', { disabled: true, owners: true }],
    ] as const) {
      if (!FILES.includes(`${name}.${ending}`)) continue;
      const text = textOf(`${name}.${ending}`);
      expect(printMtree(buildMap(parseMtree(text)).core, { ...options, style: mtreeStyle(text) })).toBe(text);
    }
  });

  it('T-200 to T-213: flat and dispatch dumps parse and print as the same bytes', () => {
    for (const ending of ['flat', 'dispatch']) {
      const text = textOf(`${name}.${ending}`);
      expect(printFlatDump(parseFlatDump(text))).toBe(text);
    }
  });

  it('T-190: in either style the tree renders as QEMU printed it', () => {
    const { core, flat } = machineOf(name);
    for (const each of ['7.2', '11.1'] as const) {
      const dump = flatDump(core, { style: each, canonical: true });
      expect(compareFlatDumps(flat, dump)).toMatchObject({ sharing: 'same', difference: '' });
      expect(diffFlatDumps(flat, dump).spaces).toEqual([]);
    }
  });
});

it('T-189, T-190: one board is `i/o` in 10.0 where it is `container` in 11.1, aliases and ranges too', () => {
  const lines = (version: string, ending: string): string[] =>
    textOf(`${version}-or1k-virt.${ending}`)
      .split('\n')
      .filter((line) => line.includes('pcie-mmcfg-mmio') && line.includes('(prio'));
  const older = [...lines('10.0', 'mtree'), ...lines('10.0', 'flat')];
  expect(older.every((line) => line.includes('(prio 0, i/o): '))).toBe(true);
  expect([...lines('11.1', 'mtree'), ...lines('11.1', 'flat')]).toEqual(
    older.map((line) => line.replace('i/o', 'container')),
  );
});

it('T-86, T-89: QEMU shows device-memory from its only module, at 0; here it stands at its own address', () => {
  const { core, flat } = machineOf('10.0-ppc64-pseries-nvdimm');
  const first = (dump: FlatDump): string[] =>
    dump.views
      .filter(({ spaces }) => spaces.some((space) => space.name === 'device-memory'))
      .map(({ root, ranges }) => `${root} ${ranges[0]!.name} 0x${ranges[0]!.first.toString(16)}`);
  expect(first(flat)).toEqual(['nvdimm-memory m1 0x0']);
  expect(first(flatDump(core, { canonical: true }))).toEqual(['nvdimm-memory m1 0x0']);
  expect(first(flatDump(core))).toEqual(['nvdimm-memory m1 0x40000000']);
});

const unpacked = (file: string): string => gunzipSync(readFileSync(new URL(`${file}.gz`, FOLDER))).toString('utf8');

/**
 * QEMU 10.0.13 and 11.1.3, after 3.5 s of SeaBIOS: `-M q35 -m 256M`, a root port, and behind it two x3130 switches, a pcie-pci-bridge and
 * a pci-bridge, with an e1000e, an e1000 and an edu. Three of the bridges look alike, and which is which only the order of the blocks tells.
 */
it.each(['10.0', '11.1'])(
  'T-195, T-223: bridges in bridges of %s render and print as in QEMU, from -D and -f',
  (version) => {
    const [text, flatText] = ['disabled', 'flat'].map((ending) =>
      unpacked(`${version}-q35-nested-ports-ran.${ending}`),
    ) as [string, string];
    const flat = parseFlatDump(flatText);
    const style = mtreeStyle(text);
    expect(printMtree(buildMap(parseMtree(text)).core, { disabled: true, style })).toBe(text);
    const { core } = buildMap(parseMtree(text, { facts: inferFacts(text, flat), siblings: 'smaller' }));
    expect(compareFlatDumps(flat, flatDump(core))).toMatchObject({ total: 35, equal: 35, difference: '' });
  },
);

/** QEMU 11.1.3, `-M virt`, a pci-bridge in a pci-bridge, BARs and windows scattered by hand; without -D. */
it('T-223: no flat dump makes an alias mean the bridge that it stands in', () => {
  const [text, flatText] = ['mtree', 'flat'].map((ending) => unpacked(`11.1-aarch64-virt-scatter-3.${ending}`)) as [
    string,
    string,
  ];
  const flat = parseFlatDump(flatText);
  const { core } = buildMap(parseMtree(text, { facts: inferFacts(text, flat), siblings: 'smaller' }));
  expect(compareFlatDumps(flat, flatDump(core))).toMatchObject({ total: 25, equal: 25, difference: '' });
});
