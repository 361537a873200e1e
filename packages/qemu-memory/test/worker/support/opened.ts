/** Spaces and workers that end with the test that opened them. */
import { afterEach } from 'vitest';
import type { SharedSpace, ShareOptions } from '../../../src/worker/shared-space.ts';
import { type Run, type StartOptions, start } from './harness.ts';
import type { Machine } from './machine.ts';

const opened: SharedSpace[] = [];
const runs: Run[] = [];

afterEach(async () => {
  for (const { worker } of runs.splice(0)) await worker.terminate();
  for (const shared of opened.splice(0)) shared.close();
});

export function share(made: Pick<Machine, 'space'>, options: ShareOptions = {}): SharedSpace {
  const shared = made.space.share(options);
  opened.push(shared);
  return shared;
}

/** `start`. */
export function run(shared: SharedSpace, scenario: string, options: StartOptions = {}): Run {
  const started = start(shared, scenario, options);
  runs.push(started);
  return started;
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 50_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited 50 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
