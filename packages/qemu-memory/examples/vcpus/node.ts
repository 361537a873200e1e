/** The example in Node. Bundled with its worker beside it as `node-worker.mjs`; prints a summary as JSON. */
import { Worker } from 'node:worker_threads';
import { runMachine, type VcpuReport } from './machine.ts';

const summary = await runMachine(
  (start, shared) =>
    new Promise<VcpuReport>((resolve, reject) => {
      const worker = new Worker(new URL('./node-worker.mjs', import.meta.url), { workerData: start });
      worker.once('message', resolve);
      worker.once('error', reject);
      // Frees what a worker that dies would hold.
      worker.once('exit', () => shared.release(start.handle));
    }),
  20_000,
);
console.log(JSON.stringify(summary));
