/** Starts agent.ts in worker threads: Node 20 runs no TypeScript there, so it becomes one file of JavaScript first. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import type { AgentData } from './agent.ts';

let file: string | undefined;

/** A worker at work, and its end. */
export function start(data: AgentData): Promise<void> {
  file ??= bundle();
  const worker = new Worker(file, { workerData: data });
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
}

function bundle(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vm-memory-agent-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'agent.mjs');
  buildSync({
    entryPoints: [fileURLToPath(new URL('./agent.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
