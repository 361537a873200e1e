/** The short form of the hostile campaign; the long one is in test/long. */
import { expect, it } from 'vitest';
import { campaign } from '../support/hostile.ts';

it('D10: 20000 hostile accesses end with documented outcomes only, and no byte outside RAM changes', () => {
  const report = campaign(20261122, 20_000);
  expect(report.faults).toEqual([]);
  expect(report.accesses).toBe(20_000);
  expect(
    Math.min(report.callbacks, report.deviceErrors, report.reentries, report.edits, report.refused),
  ).toBeGreaterThan(100);
});
