/** A worker of the bench: measures RAM accesses, keeps a core busy, asks the device, or just sits there attached. */
import { parentPort, workerData } from 'node:worker_threads';
import { le32 } from '@guestmem/memtx';
import { attach, MemoryCore } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';

const { job, handle, control, flavour } = workerData;
const words = new Int32Array(control);
const STOP = 0;
const READY = 1;
const ROUNDS = 2_000_000;
const MASK = 0xf_fffc;

/** ns per access of the fastest of `times` runs of each, taken in turn. */
function fastest(runs, times) {
  const best = runs.map(() => Number.POSITIVE_INFINITY);
  for (let i = 0; i < times; i++)
    for (const [n, run] of runs.entries()) {
      const start = performance.now();
      run();
      best[n] = Math.min(best[n], ((performance.now() - start) * 1e6) / ROUNDS);
    }
  return best;
}

// Each subject has loops of its own, compiled for it alone, as a program with one kind of memory has.
function loops(memory, quantum) {
  const make = new Function(
    'memory',
    'codec',
    'quantum',
    'ROUNDS',
    'MASK',
    `return {
      load() { let sum = 0; for (let i = 0; i < ROUNDS; i++) { sum = (sum + memory.load((i * 68) & MASK, codec)) | 0; if ((i & 1023) === 0) quantum(); } return sum; },
      store() { for (let i = 0; i < ROUNDS; i++) { memory.store((i * 68) & MASK, codec, i); if ((i & 1023) === 0) quantum(); } },
    };`,
  );
  return make(memory, le32, quantum, ROUNDS, MASK);
}

function singleThread() {
  const core = new MemoryCore();
  const root = core.container('root', 1n << 64n);
  const space = core.addressSpace(root, 'alone');
  root.addSubregion(0, core.ram('ram', bufferBacking(0x10_0000, { shared: true })));
  return space;
}

const jobs = {
  ram() {
    const space = attach(handle, { flavour });
    const alone = loops(singleThread(), () => undefined);
    const attached = loops(space, flavour === 'quiescent' ? () => space.quiescent() : () => undefined);
    const [load, attachedLoad, store, attachedStore] = fastest(
      [alone.load, attached.load, alone.store, attached.store],
      25,
    );
    return { load, attachedLoad, store, attachedStore };
  },
  /** Loads until told to stop. @returns millions of accesses a second. */
  throughput() {
    const space = attach(handle, { flavour: 'quiescent' });
    const { load } = loops(space, () => space.quiescent());
    load();
    Atomics.add(words, READY, 1);
    while (Atomics.load(words, READY) < words[2]);
    let count = 0;
    const start = performance.now();
    while (performance.now() - start < 1500) {
      load();
      count += ROUNDS;
    }
    return count / (performance.now() - start) / 1000;
  },
  device() {
    const space = attach(handle, { flavour: 'quiescent' });
    const times = [];
    for (let i = 0; i < 30_000; i++) {
      const start = performance.now();
      space.load(0x1000_0000, le32);
      times.push((performance.now() - start) * 1000);
    }
    times.splice(0, 5000);
    times.sort((a, b) => a - b);
    return { median: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] };
  },
  /** Attached, with a short quantum each millisecond. */
  idle() {
    const space = attach(handle, { flavour: 'quiescent' });
    Atomics.add(words, READY, 1);
    while (Atomics.load(words, STOP) === 0) {
      for (let i = 0; i < 1000; i++) space.load((i * 68) & MASK, le32);
      space.goOffline();
      Atomics.wait(words, STOP, 0, 1);
      space.goOnline();
    }
    return null;
  },
};

parentPort.postMessage(jobs[job]());
