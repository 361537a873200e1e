/** The hostile campaign at length: more than a million accesses, reported. Run with `npm run test:long`. */
import { expect, it } from 'vitest';
import { campaign } from '../support/hostile.ts';

const { HOSTILE_ACCESSES, HOSTILE_SEED } = process.env;
const ACCESSES = Number(HOSTILE_ACCESSES ?? 1_200_000);
const SEED = Number(HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 31));

it(`D10: ${ACCESSES} hostile accesses end with documented outcomes only (HOSTILE_SEED=${SEED})`, {
  timeout: 3_600_000,
}, () => {
  const report = campaign(SEED, ACCESSES);
  console.log(JSON.stringify({ seed: SEED, ...report }));
  expect(report.faults).toEqual([]);
  expect(report.accesses).toBe(ACCESSES);
});
