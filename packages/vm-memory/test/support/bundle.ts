/** Makes worker files: Node 20 runs no TypeScript in a worker, so the agent and what it imports become one file of JavaScript. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll } from 'vitest';

const folders: string[] = [];

// Not when the process ends: the runner ends it by a signal.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The bundled file of `entry`. Removed after the tests of the file. */
export function bundle(entry: URL): string {
  const folder = mkdtempSync(join(tmpdir(), 'guestmem-worker-'));
  folders.push(folder);
  const outfile = join(folder, 'worker.mjs');
  buildSync({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outfile,
    logLevel: 'error',
    // Optional parts of the test runner that a suite may pull in.
    external: ['vitest', 'fast-check'],
  });
  return outfile;
}
