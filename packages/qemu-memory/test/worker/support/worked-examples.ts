/** The worked examples of the access path in a file that has put machines of `worker` in the place of the plain ones. */
import { afterAll, beforeEach, expect } from 'vitest';
import { NOT_THROUGH } from './through-machine.ts';
import type { ThroughWorker } from './through-worker.ts';

/** Adds them to the file that calls. */
export async function workedExamples(worker: { readonly current: ThroughWorker | undefined }): Promise<void> {
  beforeEach(({ task, skip }) => {
    const why = NOT_THROUGH[task.name];
    if (why !== undefined) skip(why);
  });

  await import('../../access/worked-examples-bulk.test.ts');
  await import('../../access/worked-examples-scalar.test.ts');
  await import('../../access/dispatch.test.ts');
  await import('../../access/entry-points.test.ts');
  await import('../../access/iommu.test.ts');
  await import('../../access/dirty.test.ts');

  afterAll(async () => {
    const { accesses, forwarded } = worker.current!;
    await worker.current!.stop();
    // Both ways were taken, often.
    expect(accesses - forwarded).toBeGreaterThan(50);
    expect(forwarded).toBeGreaterThan(100);
  });
}
