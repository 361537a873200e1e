/** A worker of the bench: one job, named in its data, driven by words of shared memory (see shared.mjs). */
import { parentPort, workerData } from 'node:worker_threads';
import { le32 } from '@guestmem/memtx';
import { attach } from '@guestmem/qemu-memory';
import {
  ACTIVE,
  counts,
  FINISHED,
  loops,
  machine,
  PHASE,
  pairs,
  READY,
  ROUNDS,
  STOP,
  threadCpu,
  WINDOW_MS,
} from './shared.mjs';

const { job, handle, control, flavour, id } = workerData;
const words = new Int32Array(control);
const results = counts(control);

/** Sleeps until `word` is no longer `value`. */
function whileEqual(word, value, timeoutMs) {
  if (Atomics.load(words, word) === value) Atomics.wait(words, word, value, timeoutMs);
}

function ready() {
  Atomics.add(words, READY, 1);
}

const jobs = {
  /** The same loops over an attached space and over one of this thread, in turn. */
  ram() {
    const space = attach(handle, { flavour });
    const isQuiescent = flavour === 'quiescent';
    const rounds = isQuiescent ? ROUNDS : 50_000; // A few ms each, so that few are disturbed.
    const alone = loops(machine().space, () => undefined, 0, rounds);
    const attached = loops(space, isQuiescent ? () => space.quiescent() : () => undefined, 0, rounds);
    return { load: pairs(alone.load, attached.load, rounds), store: pairs(alone.store, attached.store, rounds) };
  },

  /** Loads, or stores to its own part of RAM, for a window of time whenever its bit is set. */
  window() {
    const space = attach(handle, { flavour: 'quiescent' });
    const { load, store } = loops(space, () => space.quiescent(), id * 0x4_0000);
    for (let i = 0; i < 5; i++) {
      load();
      store();
    }
    space.goOffline();
    ready();
    for (let phase = 0; ; phase++) {
      while (Atomics.load(words, PHASE) === phase) whileEqual(PHASE, phase, 1000);
      if (Atomics.load(words, STOP) === 1) return null;
      const active = Atomics.load(words, ACTIVE);
      if ((active & (1 << id)) !== 0) {
        const run = (active & 0x100) === 0 ? load : store;
        space.goOnline();
        let count = 0;
        let longest = 0;
        const cpu = threadCpu();
        const start = performance.now();
        for (let last = start; last - start < WINDOW_MS; ) {
          run();
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
          count += ROUNDS;
        }
        results.set([count, performance.now() - start, longest, threadCpu() - cpu], 4 * id);
        space.goOffline();
      }
      Atomics.add(words, FINISHED, 1);
    }
  },

  /** Asks the device; batches, because a quiet moment and a busy one tell different things. */
  device() {
    const space = attach(handle, { flavour: 'quiescent' });
    const batches = [];
    for (let batch = 0; batch < 6; batch++) {
      const times = [];
      for (let i = 0; i < 5000; i++) {
        const start = performance.now();
        space.load(0x1000_0000, le32);
        times.push((performance.now() - start) * 1000);
      }
      times.sort((a, b) => a - b);
      if (batch > 0) batches.push({ median: times[2500], p99: times[4950] });
    }
    return batches;
  },

  /** Attached, with a short quantum each millisecond. */
  idle() {
    const space = attach(handle, { flavour: 'quiescent' });
    ready();
    while (Atomics.load(words, STOP) === 0) {
      for (let i = 0; i < 1000; i++) space.load((i * 68) & 0xf_fffc, le32);
      space.goOffline();
      whileEqual(STOP, 0, 1);
      space.goOnline();
    }
    return null;
  },
};

parentPort.postMessage(jobs[job]());
