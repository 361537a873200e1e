/** The examples run and print what their comments say; the README shows them as they are. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** What the comments of an example promise, in order: of a line that prints, or of one that makes an observer print. */
function promised(source: string): string[] {
  return [...source.matchAll(/; \/\/ (.+)$/gm)].map((match) => match[1]!);
}

describe.each(['hpet', 'scratch', 'scratch-by-hand'])('examples/%s.ts', (name) => {
  const source = read(`examples/${name}.ts`);

  afterEach(() => vi.restoreAllMocks());

  it('prints what it says', async () => {
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((...values) => void printed.push(values.join(' ')));
    await import(/* @vite-ignore */ fileURLToPath(new URL(`../examples/${name}.ts`, import.meta.url)));
    expect(printed).toEqual(promised(source));
    expect(printed.length).toBeGreaterThan(1);
  });

  it('is in the README as it is', () => {
    expect(read('README.md')).toContain(`\`\`\`ts\n${source}\`\`\``);
  });
});
