import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';

it('the example of the README runs, and prints what it says', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  const expected = [...code.matchAll(/console\.log\(.*\/\/ -> (.*)$/gm)].map(([, line]) => line);
  expect(expected.length).toBeGreaterThan(3);
  const folder = mkdtempSync(join(tmpdir(), 'vm-memory-readme-'));
  const file = join(folder, 'example.mjs');
  try {
    const { outputFiles } = buildSync({
      stdin: { contents: code, loader: 'ts', resolveDir: root },
      bundle: true,
      format: 'esm',
      platform: 'node',
      write: false,
      logLevel: 'error',
    });
    writeFileSync(file, outputFiles[0]!.text);
    const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toEqual(expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
