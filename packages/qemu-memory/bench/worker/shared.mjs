/** What the bench's threads share: the machine, the loops, the words, and figures that hold on a machine with other work. */
import { readFileSync } from 'node:fs';
import { le32 } from '@guestmem/memtx';
import { MemoryCore } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';

/** Words of the control memory. */
export const STOP = 0;
export const READY = 1;
export const PHASE = 2;
export const ACTIVE = 3;
export const FINISHED = 4;
export const CONTROL_BYTES = 256;
/** Accesses in one call of a loop: 2 to 5 ms. */
export const ROUNDS = 1_000_000;
export const WINDOW_MS = 300;

/** Where workers leave their results: four numbers each, accesses, time and longest loop and CPU time in ms. */
export const counts = (control) => new Float64Array(control, 64, 16);

/** CPU time of this thread in ms, to a few ms; NaN where the system does not tell. */
export function threadCpu() {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** RAM, a device, and thirty more: a map of ordinary size. */
export function machine() {
  const core = new MemoryCore();
  const root = core.container('root', 1n << 64n);
  const space = core.addressSpace(root, 'memory');
  core.transaction(() => {
    root.addSubregion(0, core.ram('ram', bufferBacking(0x10_0000, { shared: true })));
    root.addSubregion(0x1000_0000, core.io('device', 0x1000, { read: () => 0xed, write: () => undefined }));
    for (let i = 1; i <= 30; i++)
      root.addSubregion(0x1000_0000 + 0x1_0000 * i, core.io(`device ${i}`, 0x1000, { read: () => i }));
  });
  return { core, root, space };
}

/** Quanta of a thousand accesses. Each subject has loops of its own, compiled for it alone, as a program with one kind of memory has. */
export function loops(memory, quantum, base, rounds = ROUNDS) {
  const make = new Function(
    'memory',
    'codec',
    'quantum',
    'ROUNDS',
    'BASE',
    `return {
      load() { let sum = 0; for (let i = 0; i < ROUNDS; quantum()) for (let end = i + 1000; i < end; i++) sum = (sum + memory.load(BASE + ((i * 68) & 0x3fffc), codec)) | 0; return sum; },
      store() { for (let i = 0; i < ROUNDS; quantum()) for (let end = i + 1000; i < end; i++) memory.store(BASE + ((i * 68) & 0x3fffc), codec, i); },
    };`,
  );
  return make(memory, le32, quantum, rounds, base);
}

/**
 * ns per access of two runs, taken in turn, and the ratios of neighbours. Only this thread works meanwhile, so a run whose CPU
 * time is less than its time was pushed off its core: that pair does not count.
 */
export function pairs(first, second, rounds = ROUNDS, wanted = 60) {
  for (let i = 0; i < 12; i++) {
    first();
    second();
  }
  const a = [];
  const b = [];
  const ratios = [];
  let disturbed = 0;
  const deadline = performance.now() + 6000;
  while (ratios.length < wanted && performance.now() < deadline) {
    const one = timed(first, rounds);
    const two = timed(second, rounds);
    if (one === null || two === null) {
      disturbed++;
      continue;
    }
    a.push(one);
    b.push(two);
    ratios.push(two / one);
  }
  return { first: spread(a), second: spread(b), ratio: spread(ratios), pairs: ratios.length, disturbed };
}

function timed(run, rounds) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  run();
  const us = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  return user + system < 0.93 * us ? null : (us * 1000) / rounds;
}

/** Median and the tenths at both ends. */
export function spread(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}
