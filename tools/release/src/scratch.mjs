/** A scratch folder and the things that must be gone when the program ends, however it ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAll } from './run.mjs';

/** Runs `job` with a fresh folder; folder and everything given to `onEnd` are gone afterwards, on failure and signals too. */
export async function withScratch(job) {
  const folder = mkdtempSync(join(tmpdir(), 'guestmem-release-'));
  const endings = [];
  const end = () => {
    killAll();
    for (const ending of endings.splice(0).reverse()) ending();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  const onSignal = () => {
    end();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, onSignal);
  process.once('exit', end);
  try {
    return await job(folder, (ending) => endings.push(ending));
  } finally {
    end();
  }
}
