import { describe, expect, it } from 'vitest';
import { parseFlatDump } from '../../src/mtree/flat-dump.ts';
import { inferFacts } from '../../src/mtree/infer.ts';
import { CAPTURES, factsOf, fullTree, textOf } from './captures.ts';

const hex = (value: number): string => value.toString(16).padStart(16, '0');
const row = (first: number, last: number, rest: string): string => `${hex(first)}-${hex(last)} ${rest}`;
const tree = (...lines: string[]): string =>
  `address-space: as\n  ${hex(0)}-${'f'.repeat(16)} (prio 0, i/o): root\n${lines.map((line) => `    ${line}\n`).join('')}\n`;
const flat = (...lines: string[]): ReturnType<typeof parseFlatDump> =>
  parseFlatDump(
    `FlatView #0\n AS "as", root: root\n Root memory region: root\n${lines.map((line) => `  ${line}\n`).join('') || '  No rendered FlatView\n'}\n`,
  );

describe('facts that a flat dump shows', () => {
  it('T-225: a region with children that a range shows answers', () => {
    const text = tree(row(0, 0xff, '(prio 0, i/o): io'), `  ${row(0x10, 0x1f, '(prio 0, i/o): dev')}`);
    const view = flat(
      row(0, 0xf, '(prio 0, i/o): io'),
      row(0x10, 0x1f, '(prio 0, i/o): dev'),
      `${row(0x20, 0xff, '(prio 0, i/o): io')} @${hex(0x20)}`,
    );
    expect(inferFacts(text, view)).toEqual({ answers: [3] });
  });

  it('T-225: a region without children where the view has a hole, or what lies below it, shows nothing', () => {
    const text = tree(
      row(0, 0xff, '(prio 0, i/o): below'),
      row(0x10, 0x1f, '(prio 1, i/o): bus'),
      row(0x200, 0x2ff, '(prio 0, i/o): other bus'),
    );
    expect(inferFacts(text, flat(row(0, 0xff, '(prio 0, i/o): below')))).toEqual({ empty: [4, 5] });
  });

  it('T-225: a ROM range of a RAM region makes the alias on the way read-only', () => {
    const text = `${tree(row(0, 0xff, `(prio 0, ram): alias low @ram ${hex(0)}-${hex(0xff)}`))}memory-region: ram\n  ${row(0, 0xff, '(prio 0, ram): ram')}\n\n`;
    expect(inferFacts(text, flat(row(0, 0xff, '(prio 0, rom): ram')))).toEqual({ readonly: [3] });
  });

  it('T-226: of two overlapping equals the one that the view shows is on top', () => {
    const text = tree(row(0, 0x1f, '(prio 0, i/o): low'), row(0x10, 0x2f, '(prio 0, i/o): high'));
    const view = flat(row(0, 0x1f, '(prio 0, i/o): low'), `${row(0x20, 0x2f, '(prio 0, i/o): high')} @${hex(0x10)}`);
    expect(inferFacts(text, view)).toEqual({ over: [[3, 4]] });
  });

  it('T-223: of sections of one name an alias means the one whose regions show through it', () => {
    const section = (name: string): string =>
      `memory-region: bus\n  ${row(0, 0xff, '(prio 0, i/o): bus')}\n    ${row(0, 0xf, `(prio 0, i/o): ${name}`)}\n\n`;
    const alias = `(prio 0, i/o): alias w @bus ${hex(0)}-${hex(0xf)}`;
    const text = tree(row(0x10, 0x1f, alias), row(0x20, 0x2f, alias)) + section('first') + section('second');
    const swapped = flat(row(0x10, 0x1f, '(prio 0, i/o): second'), row(0x20, 0x2f, '(prio 0, i/o): first'));
    expect(inferFacts(text, swapped).target).toEqual({ 3: 11, 4: 7 });
  });

  it('T-225: a space that the flat dump does not have tells nothing', () => {
    expect(inferFacts(tree(row(0, 1, '(prio 0, i/o): x')), { views: [] })).toEqual({});
  });
});

it.each(CAPTURES.filter((name) => factsOf(name).text === fullTree(name)))(
  'T-225: in %s the regions found to answer are those of its facts',
  (name) => {
    // Facts name every line of a region, inference the first of them.
    const { facts, text } = factsOf(name);
    const { answers = [] } = inferFacts(text, parseFlatDump(textOf(name, 'flat')));
    expect(answers.filter((line) => !facts.answers?.includes(line))).toEqual([]);
    expect(answers.length > 0).toBe((facts.answers ?? []).length > 0);
  },
);
