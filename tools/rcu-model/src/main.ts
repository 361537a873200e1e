/** Checks every model, then every broken variant, which must be caught. Prints states, steps and time; exit code 1 if anything is not as it should be. */
import { callbackQueue } from './callback-queue.ts';
import { dirtyPage } from './dirty-page.ts';
import { explore, type Model } from './explorer.ts';
import { gracePeriod } from './grace-period.ts';
import { requestRing } from './request-ring.ts';
import { tableArena } from './table-arena.ts';
import { viewLife } from './view-life.ts';

interface Case {
  /** Rules that it proves, or what the variant lacks. */
  readonly about: string;
  readonly model: Model;
}

const RIGHT: readonly Case[] = [
  { about: 'A-240 A-243 2x2x2', model: gracePeriod({ readers: [2, 2], objects: 2 }) },
  { about: 'A-240 A-243', model: gracePeriod({ readers: [3], objects: 3 }) },
  { about: 'A-240 two agents step', model: gracePeriod({ readers: [1], objects: 1, helper: 1 }) },
  { about: 'A-240 two agents step', model: gracePeriod({ readers: [1], objects: 2, polls: 1 }) },
  {
    about: 'A-217 who steps dies',
    model: gracePeriod({ readers: [1], objects: 2, polls: 1, pollerDies: true }),
  },
  { about: 'A-240 quiescent state', model: gracePeriod({ readers: [], vcpus: [2, 2], objects: 2 }) },
  { about: 'A-240 both flavours', model: gracePeriod({ readers: [2], vcpus: [2], objects: 2 }) },
  { about: 'A-244', model: gracePeriod({ readers: [1], objects: 2, busy: true }) },
  { about: 'A-245', model: gracePeriod({ readers: [2, 1], objects: 2, register: true }) },
  { about: 'A-245 death', model: gracePeriod({ readers: [1, 1], objects: 2, register: true, dies: true }) },
  { about: 'A-246', model: callbackQueue({ callbacks: [2, 1], others: 1 }) },
  { about: 'A-246', model: callbackQueue({ callbacks: [4], others: 2 }) },
  { about: 'A-240 arena', model: tableArena({ readers: [3, 3], tables: 2, commits: 5 }) },
  { about: 'A-240 arena', model: tableArena({ readers: [2, 1, 1], tables: 2, commits: 3 }) },
  { about: 'A-247', model: viewLife({ users: [2, 2], commits: 3 }) },
  { about: 'A-187 A-196', model: dirtyPage({ workers: [3], copies: 3 }) },
  { about: 'A-187 A-196', model: dirtyPage({ workers: [2, 2], copies: 3 }) },
  { about: 'ring', model: requestRing({ callers: [2, 2, 2], entries: 2 }) },
  { about: 'ring, time-outs', model: requestRing({ callers: [2, 2], entries: 1, impatient: true }) },
  { about: 'ring, death', model: requestRing({ callers: [2, 2], entries: 1, dies: true }) },
];

const BROKEN: readonly Case[] = [
  { about: 'A-241 one phase', model: gracePeriod({ readers: [2], objects: 2, variant: 'one phase' }) },
  { about: 'one phase, vcpu', model: gracePeriod({ readers: [], vcpus: [2], objects: 2, variant: 'one phase' }) },
  { about: 'A-242 wrong order', model: gracePeriod({ readers: [1], objects: 1, variant: 'pointer before counter' }) },
  { about: 'A-243 no wake-up', model: gracePeriod({ readers: [1], objects: 1, variant: 'no wake-up' }) },
  { about: 'early reclaim', model: gracePeriod({ readers: [1], objects: 1, variant: 'early reclaim' }) },
  { about: 'A-237 order', model: gracePeriod({ readers: [1], objects: 1, variant: 'waiting set after the look' }) },
  { about: 'A-237 order', model: gracePeriod({ readers: [1], objects: 1, variant: 'event read after the look' }) },
  {
    about: 'a step taken twice',
    model: gracePeriod({ readers: [1], objects: 2, polls: 1, variant: 'step without compare' }),
  },
  {
    about: 'A-217 dies between two halves of a step',
    model: gracePeriod({
      readers: [1],
      objects: 2,
      polls: 1,
      pollerDies: true,
      variant: 'parity apart from the phase',
    }),
  },
  {
    about: 'vcpu keeps its pointer',
    model: gracePeriod({ readers: [], vcpus: [3], objects: 1, variant: 'quiescent without a store' }),
  },
  { about: 'A-246 lost callback', model: callbackQueue({ callbacks: [3], others: 1, variant: 'lost callback' }) },
  { about: 'A-246 too early', model: callbackQueue({ callbacks: [2], others: 1, variant: 'batch closed too late' }) },
  {
    about: 'A-246 too early',
    model: callbackQueue({ callbacks: [1], others: 1, variant: 'ticket of a running grace period' }),
  },
  { about: 'A-246 order', model: callbackQueue({ callbacks: [2], others: 0, variant: 'last first' }) },
  { about: 'early reclaim', model: tableArena({ readers: [1], tables: 2, commits: 2, variant: 'early reclaim' }) },
  {
    about: 'table used again',
    model: tableArena({ readers: [2], tables: 1, commits: 3, variant: 'index without publication number' }),
  },
  {
    about: 'no free table',
    model: tableArena({ readers: [2], tables: 1, commits: 2, variant: 'rewrite while published' }),
  },
  { about: 'A-247 revived', model: viewLife({ users: [1], commits: 1, variant: 'reference without a test' }) },
  { about: 'A-247 too early', model: viewLife({ users: [1], commits: 1, variant: 'destroyed at once' }) },
  { about: 'A-247 unprotected', model: viewLife({ users: [1], commits: 1, variant: 'no section around the look-up' }) },
  { about: 'A-187 order', model: dirtyPage({ workers: [1], copies: 1, variant: 'mark before the store' }) },
  { about: 'A-196 no fence', model: dirtyPage({ workers: [1], copies: 1, variant: 'look before the store is seen' }) },
  { about: 'A-187 order', model: dirtyPage({ workers: [1], copies: 1, variant: 'copy before the clearing' }) },
  { about: 'A-196 order', model: dirtyPage({ workers: [1], copies: 1, variant: 'copy before the clearing is seen' }) },
  { about: 'lost ring', model: requestRing({ callers: [1], entries: 1, variant: 'doorbell not looked at again' }) },
  { about: 'lost wake-up', model: requestRing({ callers: [1, 1], entries: 1, variant: 'freed entry not told' }) },
  {
    about: 'withdrawn, yet performed',
    model: requestRing({ callers: [1], entries: 1, impatient: true, variant: 'withdrawn without compare' }),
  },
  {
    about: 'dead caller',
    model: requestRing({ callers: [1, 1], entries: 1, dies: true, variant: 'entry of the dead kept' }),
  },
];

const showTraces = process.argv.includes('--trace');
const only = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
let wrong = 0;
let total = 0;

function report(check: Case, mustHold: boolean): void {
  if (only !== undefined && !`${check.about} ${check.model.name}`.includes(only)) return;
  const start = Date.now();
  const { states, steps, violation, trace } = explore(check.model);
  total += states;
  const asWanted = (violation === null) === mustHold;
  if (!asWanted) wrong++;
  const verdict = mustHold ? (violation ?? 'holds') : (violation ?? 'NOT CAUGHT');
  const numbers = `${states} states, ${steps} steps, ${((Date.now() - start) / 1000).toFixed(1)} s`;
  console.log(`${asWanted ? 'ok  ' : 'FAIL'} ${check.about}: ${check.model.name}\n       ${verdict} (${numbers})`);
  if (violation !== null && (showTraces || !asWanted)) for (const step of trace) console.log(`         ${step}`);
}

console.log('The algorithms as they are:');
for (const check of RIGHT) report(check, true);
console.log('Broken on purpose, to be caught:');
for (const check of BROKEN) report(check, false);
console.log(`${total} states in all; ${wrong === 0 ? 'everything as it should be' : `${wrong} not as it should be`}`);
process.exitCode = wrong === 0 ? 0 : 1;
