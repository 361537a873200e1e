/** Starts agent.ts in worker threads. */
import { Worker } from 'node:worker_threads';
import type { AgentData } from './agent.ts';
import { bundle } from './bundle.ts';

let file: string | undefined;

/** A worker at work, and its end. */
export function start(data: AgentData): Promise<void> {
  file ??= bundle(new URL('./agent.ts', import.meta.url));
  const worker = new Worker(file, { workerData: data });
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
}
