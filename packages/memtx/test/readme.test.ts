/** Runs the README. After a change of it: README_UPDATE=1 npx vitest run test/readme.test.ts */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readmeModules } from './support/readme.ts';

const folder = new URL('generated/', import.meta.url);
const modules = readmeModules(readFileSync(new URL('../README.md', import.meta.url), 'utf8'));

const { README_UPDATE } = env;
if (README_UPDATE) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { name, source } of modules) writeFileSync(new URL(name, folder), source);
}

describe('README', () => {
  it('has the sections that are checked here, and no stale ones are left', () => {
    expect(modules.length).toBeGreaterThan(5);
    expect(readdirSync(folder).sort()).toEqual(modules.map(({ name }) => name).sort());
  });

  it.each(modules)('test/generated/$name is what the README says (else: README_UPDATE=1)', ({ name, source }) => {
    expect(readFileSync(new URL(name, folder), 'utf8')).toBe(source);
  });

  it.each(modules)('$name runs, and every value is as stated', async ({ name }) => {
    await import(/* @vite-ignore */ fileURLToPath(new URL(name, folder)));
  });
});
