/** Every topology rule is in a test title, or in rules-not-observed.ts with the reason. T-180 to T-229: test/mtree/rules.test.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { NOT_OBSERVED } from './rules-not-observed.ts';

/** First and last numbers of the rules, without those of the text of `info mtree`. */
const RULES = [
  ...[
    1, 6, 10, 36, 40, 52, 60, 72, 75, 78, 80, 80, 85, 133, 135, 148, 150, 160, 170, 176, 260, 260, 300, 311, 320, 320,
  ],
];

function* testFiles(folder: URL): Generator<URL> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* testFiles(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith('.test.ts')) yield new URL(entry.name, folder);
  }
}

it('T-1 to T-176, T-260 to T-311: each rule has a test, or a reason for having none', () => {
  const cited = new Set<number>();
  for (const file of testFiles(new URL('../', import.meta.url))) {
    if (file.pathname.endsWith('/topology/rules.test.ts')) continue;
    for (const [, title] of readFileSync(file, 'utf8').matchAll(/\bit(?:\.\w+)*\(\s*(['"`].*)/g))
      for (const [, first, last] of title!.matchAll(/\bT-(\d+)(?: to T-(\d+))?/g))
        for (let rule = Number(first); rule <= Number(last ?? first); rule++) cited.add(rule);
  }
  const missing: number[] = [];
  for (let i = 0; i < RULES.length; i += 2)
    for (let rule = RULES[i]!; rule <= RULES[i + 1]!; rule++)
      if (!cited.has(rule) && NOT_OBSERVED[rule] === undefined) missing.push(rule);
  expect(missing).toEqual([]);
  expect(Object.keys(NOT_OBSERVED).filter((rule) => cited.has(Number(rule)))).toEqual([]);
});
