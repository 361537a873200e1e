/** The child process of the bench: builds one row, checks or times it, prints one JSON line. */
import { argv } from 'node:process';
import { kernel } from './harness/kernel.ts';
import { check, heapGrowth, type Measured, sample, warmUp } from './harness/measure.ts';
import { type Sample, Surroundings } from './harness/quiet.ts';
import { findRow } from './rows/index.ts';

const [, , id = '', mode = 'time', wanted = '5', milliseconds = '8', quiet = 'Infinity'] = argv;

const row = await findRow(id);
const built = await row.build?.();
if (built === undefined) throw new Error(`${id} has no build`);
const run = kernel(row, built);
const checked = check(row, built, run);
const per = warmUp(built, run, mode === 'check' ? 200 : 160);
const surroundings = new Surroundings(Number(quiet));
let samples: readonly Sample[] = [];
let heap: number | null = null;
if (mode === 'check') heap = heapGrowth(built, run, per);
else {
  const count = Math.max(4, Math.ceil((Number(milliseconds) * 1e6) / per));
  sample(built, run, count);
  samples = surroundings.samples(Number(wanted), () => sample(built, run, count));
}
const measured: Measured = { ...checked, samples, quiet: surroundings.quiet, heap };
process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0));
