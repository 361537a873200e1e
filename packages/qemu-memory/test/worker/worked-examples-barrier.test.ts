/** The worked examples of the access path, made by a worker that is attached with the barrier flavour. D8. */
import { vi } from 'vitest';
import type * as machines from '../support/machine.ts';
import { throughMachine } from './support/through-machine.ts';
import { ThroughWorker } from './support/through-worker.ts';
import { workedExamples } from './support/worked-examples.ts';

const worker = vi.hoisted(() => ({ current: undefined as ThroughWorker | undefined }));

vi.mock('../support/machine.ts', async (importActual) => {
  const actual = await importActual<typeof machines>();
  worker.current = new ThroughWorker('barrier');
  return { ...actual, TestMachine: throughMachine(actual.TestMachine, worker.current) };
});

await workedExamples(worker);
