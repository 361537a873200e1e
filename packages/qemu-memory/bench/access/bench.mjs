/**
 * Times the rows of rows.mjs: `node -C dist bench/access/bench.mjs [ROW...]` after a build. Each row in a process of its own,
 * CPU time, the median of 9 rounds after warming up; growth of the heap per access beside it (0 where nothing is allocated).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ROWS } from './rows.mjs';

const N = 2_000_000;
/** The row without a memory around it that `name` is held against. */
const floorOf = (name) =>
  /store/.test(name) ? 'store' : /4096/.test(name) ? 'copy-4096' : /eight-sections/.test(name) ? 'load-eight' : 'load';

const self = fileURLToPath(import.meta.url);
const [first, ...names] = process.argv.slice(2);

if (first === '--row') {
  const loop = ROWS[names[0]]();
  // Many short calls, then few long ones: else V8 times code that it made while the first call was running (V8 14: 6.7 ns for 1.9).
  for (let i = 0; i < 2000; i++) loop(1000);
  for (let i = 0; i < 2; i++) loop(N);
  const times = [];
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < 9; round++) {
    const start = process.cpuUsage();
    loop(N);
    const { user, system } = process.cpuUsage(start);
    times.push(((user + system) * 1000) / N);
  }
  const grown = Math.max(process.memoryUsage().heapUsed - before, 0) / (9 * N);
  times.sort((a, b) => a - b);
  process.stdout.write(JSON.stringify({ ns: times[4], best: times[0], worst: times[8], grown }));
} else {
  const wanted = first === undefined ? Object.keys(ROWS) : [first, ...names];
  console.log(
    `node ${process.version}, ns per access (per 64th of a copy), median [best worst], heap bytes per access`,
  );
  const floors = new Map();
  for (const name of wanted) {
    const child = spawnSync(process.execPath, ['-C', 'dist', self, '--row', name], { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    const { ns, best, worst, grown } = JSON.parse(child.stdout);
    if (name.startsWith('floor/')) floors.set(name.slice(6), ns);
    const floor = floors.get(floorOf(name));
    const ratio = floor === undefined ? '' : `${(ns / floor).toFixed(2)}x floor`;
    console.log(
      `${name.padEnd(30)} ${ns.toFixed(2).padStart(8)} [${best.toFixed(2)} ${worst.toFixed(2)}]  ${ratio.padEnd(12)} ${grown.toFixed(3)}`,
    );
  }
}
