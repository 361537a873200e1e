import { describe, expect, it } from 'vitest';
import { buildMap } from '../../src/map/build.ts';
import type { MapRegion } from '../../src/map/memory-map.ts';
import { MtreeError } from '../../src/mtree/error.ts';
import type { MtreeFacts } from '../../src/mtree/facts.ts';
import { printFlatDump } from '../../src/mtree/flat-dump.ts';
import { flatDump } from '../../src/mtree/flat-text.ts';
import { type ParseMtreeOptions, parseMtree } from '../../src/mtree/parse-mtree.ts';
import { printMtree } from '../../src/mtree/print-mtree.ts';

/** A block of one address space with a root of 2^64 bytes and these lines in it, indented by two levels here. */
const dump = (...lines: string[]): string =>
  ['address-space: as', `  ${line(0n, (1n << 64n) - 1n, 'root')}`, ...lines, '', ''].join('\n');
const hex = (value: bigint | number): string => value.toString(16).padStart(16, '0');
const line = (first: bigint | number, last: bigint | number, name: string, prio = 0, type = 'i/o'): string =>
  `${hex(first)}-${hex(last)} (prio ${prio}, ${type}): ${name}`;
const child = (first: bigint | number, last: bigint | number, name: string, prio = 0, type = 'i/o'): string =>
  `    ${line(first, last, name, prio, type)}`;
const regionsOf = (text: string, options?: ParseMtreeOptions): readonly MapRegion[] =>
  parseMtree(text, options).regions;
const named = (text: string, name: string): MapRegion => regionsOf(text).find((region) => region.name === name)!;
const ranges = (text: string, options?: ParseMtreeOptions): string[] =>
  printFlatDump(flatDump(buildMap(parseMtree(text, options)).core))
    .split('\n')
    .filter((text) => /^ {2}[0-9a-f]/.test(text))
    .map((text) => text.trim());
const errorOf = (text: string, options?: ParseMtreeOptions): MtreeError => {
  try {
    parseMtree(text, options);
  } catch (error) {
    if (error instanceof MtreeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('lines', () => {
  it('T-184, T-220: names are free text and are taken whole', () => {
    for (const name of [
      'bus master container',
      'CMSDK AHB peripheral region @0x40010000',
      'tz-ppc-port[0]',
      'usb2 port #1',
    ])
      expect(named(dump(child(0, 0xff, name)), name)).toMatchObject({ kind: 'io', size: '0x100' });
  });

  it('T-220: a region may be called `alias` something', () => {
    expect(named(dump(child(0, 0xff, 'alias 1')), 'alias 1').kind).toBe('io');
  });

  it('T-220: of several ` @` the split counts behind which the name of a section stands', () => {
    const text = `${dump(child(0, 0xff, `alias a @b @c @d ${hex(0)}-${hex(0xff)}`))}memory-region: c @d\n  ${line(0, 0xff, 'c @d')}\n\n`;
    const map = parseMtree(text);
    const alias = map.regions.find(({ kind }) => kind === 'alias')!;
    expect([alias.name, map.regions[alias.target!]!.name]).toEqual(['a @b', 'c @d']);
  });

  it('T-220: ` [disabled]` and the owner are taken off from the right', () => {
    const region = named(dump(child(0, 0xff, 'dev [disabled] owner:{dev path=/machine/a b}')), 'dev');
    expect(region).toMatchObject({ enabled: false, owner: 'owner:{dev path=/machine/a b}' });
    expect(named(dump(child(0, 0xff, 'x owner:{obj type=t} parent:{obj path=/p}')), 'x').owner).toBe(
      'owner:{obj type=t} parent:{obj path=/p}',
    );
    expect(named(dump(child(0, 0xff, 'y orphan')), 'y').owner).toBe('orphan');
  });

  it('T-189, T-220: types give kinds and flags', () => {
    const kinds = ['ram', 'rom', 'romd', 'ramd', 'nv-ram', 'nv-rom', 'i/o'].map((type, i) => {
      const { kind, readonly, nonvolatile } = named(dump(child(i * 16, i * 16 + 15, 'x', 0, type)), 'x');
      return [kind, readonly ?? false, nonvolatile ?? false];
    });
    expect(kinds).toEqual([
      ['ram', false, false],
      ['ram', true, false],
      ['rom-device', false, false],
      ['ram-device', false, false],
      ['ram', false, true],
      ['ram', true, true],
      ['io', false, false],
    ]);
  });

  it('T-181: CR LF, an echoed command before and a prompt behind the dump change nothing', () => {
    const text = dump(child(0, 0xff, 'dev'));
    const monitor = `QEMU 7.2.22 monitor - type 'help'\r\n(qemu) info mtree\r\n${text.replaceAll('\n', '\r\n')}(qemu) `;
    expect(parseMtree(monitor).regions.map(({ name }) => name)).toEqual(['root', 'dev']);
  });

  it('T-194, T-222: a marker is accepted, and places are differences modulo 2^64', () => {
    const text = [
      'address-space: as',
      `[DETECTED OVERFLOW!]   ${line(0x1000n, 0xfffn, 'root')}`,
      `[DETECTED OVERFLOW!]     ${line(0, 0xff, 'wrapped')}`,
      '',
      '',
    ].join('\n');
    expect(named(text, 'wrapped').addr).toBe('0xfffffffffffff000');
    expect(printMtree(buildMap(parseMtree(text)).core)).toBe(text);
  });

  it('T-194: without the marker a region that ends before it starts is refused, with the line', () => {
    expect(() => parseMtree(dump(child(0x2000, 0xfff, 'dev')))).toThrow(
      expect.objectContaining({ code: 'inconsistent', line: 3 }),
    );
  });
});

describe('trees', () => {
  it('T-186: several spaces with one root share it', () => {
    const { spaces } = parseMtree(`address-space: b\n${dump()}`);
    expect(spaces).toEqual([
      { name: 'b', root: 0 },
      { name: 'as', root: 0 },
    ]);
  });

  it('T-215: the tree repeated for each space, as older versions print it, makes a region for each', () => {
    expect(parseMtree(dump() + dump()).spaces.map(({ root }) => root)).toEqual([0, 1]);
  });

  it('T-221: lines that skip a level hang under a hidden disabled region and are not seen', () => {
    const text = dump(`      ${line(0x10, 0x1f, 'in')}`, child(0x20, 0x2f, 'dev'));
    expect(ranges(text)).toEqual([line(0x20, 0x2f, 'dev')]);
    expect(regionsOf(text).filter(({ hidden }) => hidden)).toHaveLength(1);
    expect(printMtree(buildMap(parseMtree(text)).core)).toBe(text);
  });

  it('T-193, T-221: a line that cannot be the next child of what stands above it belongs to a hidden region', () => {
    const text = dump(
      child(0x100, 0x1ff, 'box'),
      `      ${line(0x180, 0x18f, 'b')}`,
      `      ${line(0x110, 0x11f, 'a')}`,
    );
    expect(ranges(text)).toEqual([line(0x180, 0x18f, 'b')]);
    expect(printMtree(buildMap(parseMtree(text)).core)).toBe(text);
  });

  it('T-224: a region printed in its own section and under its container is one region, and its parts join', () => {
    const text = `${dump(child(0, 0xff, `alias low @ram ${hex(0)}-${hex(0xff)}`, 1, 'ram'), child(0, 0x1ff, 'ram', 0, 'ram'))}memory-region: ram\n  ${line(0, 0x1ff, 'ram', 0, 'ram')}\n\n`;
    expect(ranges(text)).toEqual([line(0, 0x1ff, 'ram', 0, 'ram')]);
  });

  it('T-223: sections of one name are queued in the order in which aliases of them are met', () => {
    const alias = (first: number, name: string): string =>
      child(first, first + 15, `alias ${name} @bus ${hex(0)}-${hex(15)}`);
    const section = (name: string): string =>
      `memory-region: bus\n  ${line(0, 0xff, 'bus')}\n    ${line(0, 0xf, name)}\n\n`;
    const text = dump(alias(0, 'w'), alias(0x100, 'w')) + section('first') + section('second');
    expect(ranges(text)).toEqual([line(0, 0xf, 'first'), line(0x100, 0x10f, 'second')]);
  });

  it('T-195: a section that no visible alias means is there because of a hidden one', () => {
    const text = `${dump(child(0, 0xf, 'dev'))}memory-region: lost\n  ${line(0, 0xff, 'lost')}\n\n`;
    expect(printMtree(buildMap(parseMtree(text)).core)).toBe(text);
  });
});

describe('guesses and facts', () => {
  it('T-225: an i/o region without children answers, one with children does not, unless a fact says so', () => {
    const text = dump(child(0, 0xff, 'box'), `      ${line(0x10, 0x1f, 'in')}`, child(0x100, 0x1ff, 'leaf'));
    const [box, leaf] = [line(0, 0xf, 'box'), line(0x100, 0x1ff, 'leaf')];
    const inner = line(0x10, 0x1f, 'in');
    expect(ranges(text)).toEqual([inner, leaf]);
    expect(ranges(text, { facts: { answers: [3] } })).toEqual([
      box,
      inner,
      `${line(0x20, 0xff, 'box')} @${hex(0x20)}`,
      leaf,
    ]);
    expect(ranges(text, { facts: { empty: [5] } })).toEqual([inner]);
  });

  it('T-225: a read-only alias shows as ROM in the flat view', () => {
    const text = `${dump(child(0, 0xff, `alias low @ram ${hex(0)}-${hex(0xff)}`, 0, 'ram'))}memory-region: ram\n  ${line(0, 0xff, 'ram', 0, 'ram')}\n\n`;
    expect(ranges(text, { facts: { readonly: [3] } })).toEqual([line(0, 0xff, 'ram', 0, 'rom')]);
  });

  it('T-225: a page-aligned alias of one byte or none is taken for a closed window, unless a fact says so', () => {
    const text = `${dump(child(0x1000, 0x1000, `alias w @dev ${hex(0)}-${hex(0)}`))}memory-region: dev\n  ${line(0, 0xff, 'dev')}\n\n`;
    expect(ranges(text)).toEqual([]);
    expect(ranges(text, { facts: { oneByte: { 3: true } } })).toEqual([line(0x1000, 0x1000, 'dev')]);
  });

  it('T-226: of overlapping equals the one printed first at one start, else the smaller, else the higher start is on top', () => {
    expect(ranges(dump(child(0, 0xf, 'a'), child(0, 0xf, 'b')))).toEqual([line(0, 0xf, 'a')]);
    expect(ranges(dump(child(0, 0x3f, 'big'), child(0x10, 0x1f, 'small')))[1]).toBe(line(0x10, 0x1f, 'small'));
    expect(ranges(dump(child(0, 0x1f, 'low'), child(0x10, 0x2f, 'high')))).toEqual([
      line(0, 0xf, 'low'),
      line(0x10, 0x2f, 'high'),
    ]);
    expect(ranges(dump(child(0, 0xf, 'small'), child(0x8, 0x7f, 'big')))[0]).toBe(line(0, 0xf, 'small'));
  });

  it('T-226: a fact says which of two equals is on top', () => {
    const text = dump(child(0, 0x1f, 'low'), child(0x10, 0x2f, 'high'));
    expect(ranges(text, { facts: { over: [[3, 4]] } })[0]).toBe(line(0, 0x1f, 'low'));
  });

  it('T-223: a fact says which section an alias means', () => {
    const section = (name: string): string =>
      `memory-region: bus\n  ${line(0, 0xff, 'bus')}\n    ${line(0, 0xf, name)}\n\n`;
    const text = dump(child(0, 0xf, `alias w @bus ${hex(0)}-${hex(15)}`)) + section('first') + section('second');
    expect(ranges(text, { facts: { target: { 3: 10 } } })).toEqual([line(0, 0xf, 'second')]);
  });
});

describe('refusals tell the line and the reason, and nothing is built', () => {
  it.each([
    ['', 1, 'no-dump', /no line begins/],
    ['hello\n', 1, 'no-dump', /no line begins/],
    [`  ${line(0, 1, 'x')}\n${dump()}`, 1, 'bad-line', /before any address-space/],
    [dump('    garbage'), 3, 'bad-line', /not a region line: " {4}garbage"/],
    [dump(`   ${line(0, 1, 'odd indent')}`), 3, 'bad-line', /not a region line/],
    [dump('    00000000-00000001 (prio 0, i/o): short'), 3, 'bad-line', /not a region line/],
    [dump(child(0, 1, 'x', 3_000_000_000)), 3, 'inconsistent', /does not fit in 32 bits/],
    [dump(`  ${line(0, 1, 'second root')}`), 3, 'inconsistent', /second region at the level of the root/],
    [dump(child(0, 0xff, `alias a @b ${hex(0)}-${hex(0x7f)}`)), 3, 'inconsistent', /more or less of its target/],
    [dump(child(0, 0xff, `alias a @b ${hex(0)}-${hex(0xff)}`)), 3, 'inconsistent', /no section "memory-region: b"/],
    [dump(child(0, 1, 'off [disabled]'), `        ${line(0, 1, 'deep')}`), 4, 'inconsistent', /nested 4 deep/],
    [`${dump().trimEnd()}\naddress-space: next\n`, 3, 'bad-line', /expected an empty line/],
    [`${dump()}nonsense\n`, 4, 'bad-line', /expected "address-space: "/],
  ])('T-220, T-221: %j', (text, number, code, reason) => {
    const error = errorOf(text);
    expect([error.line, error.code]).toEqual([number, code]);
    expect(error.reason).toMatch(reason);
    expect(error.message).toContain(`line ${number}: `);
  });

  it('T-225: facts that name no region, or the wrong ones', () => {
    const text = dump(child(0, 0xf, 'a'), child(0x10, 0x1f, 'b', 1));
    for (const facts of [7, [], { answers: 'x' }, { over: [[1]] }, { target: { a: 1 } }, { oneByte: { 3: 1 } }])
      expect(errorOf(text, { facts: facts as MtreeFacts }).code).toBe('bad-facts');
    expect(errorOf(text, { facts: { empty: [99] } })).toMatchObject({ code: 'bad-facts', line: 99 });
    expect(errorOf(text, { facts: { answers: [3] } })).toMatchObject({ code: 'bad-facts', line: 3 });
    expect(errorOf(text, { facts: { over: [[3, 4]] } })).toMatchObject({ code: 'bad-facts', line: 3 });
  });
});
