import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the table of facts is what the titles of the tests say, and no fact is missing', () => {
  const script = fileURLToPath(new URL('../scripts/conformance-table.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect([status, stdout]).toEqual([0, expect.stringMatching(/of 144 facts tested/)]);
});
