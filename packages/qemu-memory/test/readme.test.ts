/** The README's example is examples/machine.ts, and prints what it says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

describe('README', () => {
  it('shows the example as it is', () => {
    const [, block] = /^```ts\n([\s\S]*?)^```$/m.exec(read('README.md'))!;
    expect(block).toBe(read('examples/machine.ts'));
  });
  it('shows what the example prints', async () => {
    const printed: string[] = [];
    const spy = vi.spyOn(console, 'log').mockImplementation((value) => printed.push(String(value)));
    await import('../examples/machine.ts');
    spy.mockRestore();
    expect(printed).toEqual([
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
});
