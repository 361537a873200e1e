/** The worked examples of the access path, made by a worker that is attached with the barrier flavour. Issue 7, point 7. */
import { afterAll, beforeEach, expect, vi } from 'vitest';
import type * as machines from '../support/machine.ts';
import { NOT_THROUGH, throughMachine } from './support/through-machine.ts';
import { ThroughWorker } from './support/through-worker.ts';

const worker = vi.hoisted(() => ({ current: undefined as ThroughWorker | undefined }));

vi.mock('../support/machine.ts', async (importActual) => {
  const actual = await importActual<typeof machines>();
  worker.current = new ThroughWorker('barrier');
  return { ...actual, TestMachine: throughMachine(actual.TestMachine, worker.current) };
});

beforeEach(({ task, skip }) => {
  const why = NOT_THROUGH[task.name];
  if (why !== undefined) skip(why);
});

await import('../access/worked-examples-bulk.test.ts');
await import('../access/worked-examples-scalar.test.ts');
await import('../access/dispatch.test.ts');
await import('../access/entry-points.test.ts');
await import('../access/iommu.test.ts');
await import('../access/dirty.test.ts');

afterAll(async () => {
  const { accesses, forwarded } = worker.current!;
  await worker.current!.stop();
  // Both ways were taken, often.
  expect(accesses - forwarded).toBeGreaterThan(50);
  expect(forwarded).toBeGreaterThan(100);
});
