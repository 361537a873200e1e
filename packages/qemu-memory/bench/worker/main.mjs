/**
 * Shared address spaces: what an attached space costs against the same access in one thread, two workers against one, a
 * device access from a worker, a commit with four workers attached. `node -C dist bench/worker/main.mjs`, after a build.
 * Times are the fastest of many short runs, because other programs share the machine.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { MemoryCore } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';

function machine() {
  const core = new MemoryCore();
  const root = core.container('root', 1n << 64n);
  const space = core.addressSpace(root, 'memory');
  const device = core.io('device', 0x1000, { read: () => 0xed, write: () => undefined });
  core.transaction(() => {
    root.addSubregion(0, core.ram('ram', bufferBacking(0x10_0000, { shared: true })));
    root.addSubregion(0x1000_0000, device);
    // A map of ordinary size: 30 more devices.
    for (let i = 1; i <= 30; i++)
      root.addSubregion(0x1000_0000 + 0x1_0000 * i, core.io(`device ${i}`, 0x1000, { read: () => i }));
  });
  return { core, root, space, device };
}

function start(shared, job, options = {}) {
  const control = options.control ?? new SharedArrayBuffer(64);
  const handle = shared.handle();
  const worker = new Worker(new URL('./agent.mjs', import.meta.url), {
    execArgv: ['-C', 'dist'],
    workerData: { job, handle, control, flavour: options.flavour ?? 'quiescent' },
  });
  worker.once('exit', () => shared.release(handle));
  return { control, done: once(worker, 'message').then(([value]) => value) };
}

const report = (name, value) => console.log(`${name.padEnd(52)} ${value}`);
console.log(`node ${process.version}`);

for (const flavour of ['quiescent', 'barrier']) {
  const { space } = machine();
  const shared = space.share();
  const { load, attachedLoad, store, attachedStore } = await start(shared, 'ram', { flavour }).done;
  const row = (alone, attached) =>
    `${attached.toFixed(2)} ns, alone ${alone.toFixed(2)} ns: ${(attached / alone).toFixed(2)}x`;
  report(`load le32/attached-${flavour}`, row(load, attachedLoad));
  report(`store le32/attached-${flavour}`, row(store, attachedStore));
  shared.close();
}

async function throughput(count) {
  const { space } = machine();
  const shared = space.share();
  const control = new SharedArrayBuffer(64);
  new Int32Array(control)[2] = count;
  const all = await Promise.all(Array.from({ length: count }, () => start(shared, 'throughput', { control }).done));
  shared.close();
  return all.reduce((sum, each) => sum + each, 0);
}
const ratios = [];
for (let i = 0; i < 3; i++) {
  const one = await throughput(1);
  const two = await throughput(2);
  ratios.push(two / one);
  report(
    'throughput/one-and-two-workers',
    `${one.toFixed(0)} and ${two.toFixed(0)} M accesses/s: ${(two / one).toFixed(2)}x`,
  );
}

for (const mode of ['serve', 'serveAsync']) {
  const { space } = machine();
  const shared = space.share();
  const { done } = start(shared, 'device');
  let result;
  void done.then((value) => {
    result = value;
  });
  if (mode === 'serveAsync') void shared.serveAsync();
  while (result === undefined) {
    if (mode === 'serve') shared.serve({ timeoutMs: 50 });
    await new Promise((resolve) => setTimeout(resolve, mode === 'serve' ? 0 : 20));
  }
  shared.close();
  report(`device load/${mode}`, `median ${result.median.toFixed(1)} us, p99 ${result.p99.toFixed(1)} us`);
}

/** us per commit: the fastest batch. `every`: moves RAM too, so that a table is published. */
function commits({ core, device, root }, moved, shared) {
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < 200; batch++) {
    const begin = performance.now();
    for (let i = 0; i < 50; i++) moved.setAddress(0x2000_0000 + 0x10_0000 * (i % 8));
    best = Math.min(best, ((performance.now() - begin) * 1000) / 50);
    shared?.poll();
    core.rcu.poll();
  }
  void device;
  void root;
  return best;
}
for (const kind of ['device', 'ram']) {
  const results = [];
  for (const workers of [0, 4]) {
    const made = machine();
    const moved =
      kind === 'device'
        ? made.core.io('moved', 0x1000, { read: () => 0 })
        : made.core.ram('moved', bufferBacking(0x1000, { shared: true }));
    made.root.addSubregion(0x2000_0000, moved);
    let shared;
    const control = new SharedArrayBuffer(64);
    const words = new Int32Array(control);
    let all = [];
    if (workers > 0) {
      shared = made.space.share();
      all = Array.from({ length: workers }, () => start(shared, 'idle', { control }).done);
      while (Atomics.load(words, 1) < workers) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    results.push(commits(made, moved, shared));
    if (shared !== undefined) {
      Atomics.store(words, 0, 1);
      Atomics.notify(words, 0);
      await Promise.all(all);
      const { publications, overflows, gracePeriods } = shared.stats;
      report(
        `commit/${kind}-moves, four workers`,
        `${publications} tables, ${overflows} overflows, ${gracePeriods} grace periods`,
      );
      shared.close();
    }
  }
  const [alone, four] = results;
  report(`commit/${kind}-moves`, `${four.toFixed(2)} us, alone ${alone.toFixed(2)} us: ${(four / alone).toFixed(2)}x`);
}
