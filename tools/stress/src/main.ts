/**
 * Stress of shared address spaces with real threads.
 *
 *   node -C dist dist/main.js [--seconds N] [--readers N] [--fault NAME | --no-faults]
 *
 * Runs the library as it is for N seconds (default 10), which must show no violation, then each broken variant for up to
 * 4 seconds, which must show one. Exit code 1 if either is not so.
 */
import { parseArgs } from 'node:util';
import { type Fault, stress } from './owner.ts';
import { probeDelayedReader, probeSwappedOrder } from './probe.ts';

const FAULTS: readonly Fault[] = [
  'early reclaim',
  'early table',
  'no wait',
  'no wake-up',
  'wrong order',
  'lost callback',
];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    readers: { type: 'string', default: '3' },
    fault: { type: 'string' },
    'no-faults': { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const readers = Number(values.readers);
if (!(seconds > 0) || !(Number.isInteger(readers) && readers > 0 && readers <= 64)) {
  console.error('--seconds takes a number above 0, --readers 1 to 64');
  process.exit(2);
}
if (values.fault !== undefined && !FAULTS.includes(values.fault as Fault)) {
  console.error(`--fault takes one of: ${FAULTS.join(', ')}`);
  process.exit(2);
}

let wrong = 0;
if (values.fault === undefined) {
  const result = await stress({ seconds, readers, fault: 'none' });
  const per = (count: number): string => `${count} (${Math.round(count / seconds)}/s)`;
  console.log(`${readers} readers, ${seconds} s`);
  console.log(`  accesses       ${per(result.accesses)}, ${result.served} of them by the owner`);
  console.log(
    `  commits        ${per(result.commits)}, ${result.publications} tables published, ${result.overflows} overflows`,
  );
  console.log(
    `  grace periods  ${per(result.gracePeriods)}, ${result.reclaimed} blocks reclaimed, ${result.syncMs.toFixed(3)} ms median wait`,
  );
  console.log(`  dirty rounds   ${result.dirtyRounds}`);
  console.log(`  violations     ${result.violations.length === 0 ? 'none' : result.violations.join('; ')}`);
  if (result.violations.length > 0) wrong++;
  const delayed = await probeDelayedReader(false);
  console.log(`  delayed reader ${delayed.length === 0 ? 'waited for' : delayed.join('; ')}`);
  if (delayed.length > 0) wrong++;
  const early = await probeSwappedOrder(false);
  console.log(`  early reader   ${early.length === 0 ? 'waited for' : early.join('; ')}`);
  if (early.length > 0) wrong++;
}
if (!values['no-faults'] && values.fault === undefined) {
  const caught = await probeDelayedReader(true);
  console.log(`  broken: one phase: ${caught.length > 0 ? `caught (${caught.join('; ')})` : 'NOT CAUGHT'}`);
  if (caught.length === 0) wrong++;
}
if (!values['no-faults'])
  for (const fault of values.fault === undefined ? FAULTS : [values.fault as Fault]) {
    let caught: readonly string[] = [];
    for (let attempt = 0; attempt < 4 && caught.length === 0; attempt++)
      caught = (await stress({ seconds: 2, readers, fault })).violations;
    if (fault === 'wrong order' && caught.length === 0) caught = await probeSwappedOrder(true); // Chance may miss it.
    console.log(`  broken: ${fault}: ${caught.length > 0 ? `caught (${caught.join('; ')})` : 'NOT CAUGHT'}`);
    if (caught.length === 0) wrong++;
  }
process.exitCode = wrong === 0 ? 0 : 1;
