/**
 * Times every row of rows.mjs in fresh processes, rounds interleaved, and prints CPU time per access, the median of the
 * rounds, and the ratio to the first row of its group. Usage, after a build: node -C dist bench/access.mjs [--rounds 5] [--only text] [--call 16384]
 */
import { spawnSync } from 'node:child_process';
import { argv, cpuUsage, execArgv, execPath, exit, memoryUsage, stdout, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { rows } from './rows.mjs';

const option = (name, fallback) => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : fallback);

/** Accesses per call of a row's loop: all of the 64 KiB, 4 bytes at a time. */
const CALL = Number(option('--call', '16384'));

if (argv[2] === 'row') stdout.write(JSON.stringify(timeRow(rows[Number(argv[3])])));
else main();

function main() {
  const rounds = Number(option('--rounds', '5'));
  const only = option('--only', '');
  const picked = rows.map((row, index) => ({ ...row, index, ns: [], heap: [], sum: undefined }));
  const wanted = picked.filter((row) => row.group.includes(only) || row.name.includes(only));
  for (let round = 0; round < rounds; round++)
    for (const row of wanted) {
      const child = spawnSync(
        execPath,
        [...execArgv, fileURLToPath(import.meta.url), 'row', String(row.index), '--call', String(CALL)],
        {
          encoding: 'utf8',
        },
      );
      if (child.status !== 0) {
        console.error(child.stderr);
        exit(1);
      }
      const { ns, heap, sum } = JSON.parse(child.stdout);
      row.ns.push(ns);
      row.heap.push(heap);
      row.sum = sum;
    }
  console.log(`Node ${version}, ${rounds} rounds, CPU time per access, median (loop included)\n`);
  for (const group of new Set(wanted.map((row) => row.group))) {
    const members = wanted.filter((row) => row.group === group);
    const base = median(members[0].ns);
    if (new Set(members.map((row) => row.sum)).size > 1) {
      console.error(
        `the rows of "${group}" do not agree: ${members.map((row) => `${row.name}: ${row.sum}`).join('; ')}`,
      );
      exit(1);
    }
    console.log(`${group.padEnd(58)}      ns   ratio   bytes`);
    for (const row of members) {
      const ns = median(row.ns);
      const heap = Math.min(...row.heap);
      console.log(
        `  ${row.name.padEnd(56)}${ns.toFixed(2).padStart(8)}${(ns / base).toFixed(2).padStart(8)}${heap.toFixed(1).padStart(8)}`,
      );
    }
    console.log('');
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Warm up, then the best of ten batches; garbage is counted over a batch in which no collection ran. */
function timeRow(row) {
  const loop = row.make();
  const sum = loop(65536);
  let calls = 4;
  while (cpuTime(loop, calls) < 20e6 && calls < 1024) calls *= 2;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) best = Math.min(best, cpuTime(loop, calls) / (calls * CALL));
  let heap = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    const before = memoryUsage().heapUsed;
    loop(CALL);
    const grown = memoryUsage().heapUsed - before;
    if (grown >= 0) heap = Math.min(heap, grown / CALL);
  }
  return { ns: best, heap: Math.round(heap * 10) / 10, sum };
}

/** Nanoseconds of user CPU time, in calls of CALL accesses: a function that only ever runs one long loop may stay in a lower tier (seen on Node 26). */
function cpuTime(loop, calls) {
  const before = cpuUsage();
  for (let i = 0; i < calls; i++) loop(CALL);
  return cpuUsage(before).user * 1000;
}
