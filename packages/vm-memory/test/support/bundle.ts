/** Makes worker files: Node 20 runs no TypeScript in a worker, so the agent and what it imports become one file of JavaScript. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** The bundled file of `entry`. Removed when the process ends. */
export function bundle(entry: URL): string {
  const folder = mkdtempSync(join(tmpdir(), 'guestmem-worker-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
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
