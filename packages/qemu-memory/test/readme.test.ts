/** Every ts block of the README, and that of the project's README, is a file of examples/, which is type-checked, runs here, and prints what its comments say. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';

const NAMES = ['machine', 'map', 'watch', 'atomic', 'iommu', 'flash', 'banks', 'dirty', 'display', 'share'] as const;
const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** Imports an example. @returns the lines that it prints. */
async function run(name: string): Promise<string[]> {
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((...values) => void printed.push(values.join(' ')));
  await import(/* @vite-ignore */ fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url)));
  return printed;
}

describe('README', () => {
  afterEach(() => vi.restoreAllMocks());

  it('shows the examples as they are, and no other code', () => {
    const blocks = [...read('README.md').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
    expect(blocks).toEqual(NAMES.map((name) => read(`examples/${name}.ts`)));
  });

  it('of the project shows examples/glance.ts as it is', () => {
    expect(read('../../README.md')).toContain(`\`\`\`ts\n${read('examples/glance.ts')}\`\`\``);
  });

  it('examples/machine.ts prints the map, the values and what a listener hears', async () => {
    expect(await run('machine')).toEqual([
      '0-ffff ram',
      'fe000000-fe000fff counter',
      '12345678',
      '42',
      'true',
      '+ ram at 0',
      '+ counter at fe000000',
      '- counter at fe000000',
      '+ counter at fd000000',
      '- ram at 0',
      '- counter at fd000000',
    ]);
  });

  it.each(['glance', ...NAMES.slice(1)])('examples/%s.ts prints what its comments say', async (name) => {
    const promised = [...read(`examples/${name}.ts`).matchAll(/ \/\/ -> (.+)$/gm)].map(([, line]) => line);
    expect(promised.length).toBeGreaterThan(0);
    expect(await run(name)).toEqual(promised);
  });
});
