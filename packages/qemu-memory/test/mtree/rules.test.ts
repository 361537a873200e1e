/** Every rule of the text of `info mtree` is in a test title, or below with the reason why not. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Rules 180 to 229 and 260, without the numbers that name none. */
const RULES = [180, 229];
const NO_RULE = new Set([198, 199, 207, 208, 209, 214, 218, 219]);

const NOT_OBSERVED: Readonly<Record<number, string>> = {
  180: 'how the monitor takes its options; here they are properties, and the command line takes them in any order',
  196: 'children of an alias: refused when they are added (T-20), so there are none to print',
  216: 'what two versions of QEMU have in common; says nothing that other rules do not',
  217: 'what later versions changed outside the text',
  228: 'asking a running emulator for object properties; a dump is all there is here',
};

it('T-180 to T-229: each rule has a test, or a reason for having none', () => {
  const folders = ['./', '../map/'].map((folder) => new URL(folder, import.meta.url));
  const files = folders.flatMap((folder) => readdirSync(folder).map((file) => new URL(file, folder)));
  const titles = files
    .filter(({ pathname }) => pathname.endsWith('.test.ts') && !pathname.endsWith('/rules.test.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const missing: number[] = [];
  for (let rule = RULES[0]!; rule <= RULES[1]!; rule++) {
    if (NO_RULE.has(rule) || NOT_OBSERVED[rule] !== undefined) continue;
    if (!new RegExp(`\\bT-${rule}\\b`).test(titles)) missing.push(rule);
  }
  expect(missing).toEqual([]);
});
