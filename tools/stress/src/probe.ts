/**
 * The faults that chance finds seldom or never: a reader that fetches the parity, sleeps through a whole grace period, and
 * stores what it fetched; and one that takes the table before it enters the section. Owner and reader take
 * turns here, in two threads, so that they happen every time.
 */
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { type AttachFaults, attach, MemoryCore, type SharedSpaceHandle } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';
import { POISON } from './protocol.ts';

const ABOUT_TO_ENTER = 0;
const INSIDE = 1;
const LOOK_AGAIN = 2;
const SEEN = 3;

interface ProbeData {
  readonly probe: 'delayed' | 'swapped';
  readonly faults: AttachFaults;
  readonly handle: SharedSpaceHandle;
  readonly signals: SharedArrayBuffer;
}

/** Runs it once. @returns what was wrong. */
export async function probeDelayedReader(onePhase: boolean): Promise<readonly string[]> {
  const core = new MemoryCore();
  const root = core.container('root', 0x1_0000);
  const space = core.addressSpace(root, 'probe');
  const buffer = new SharedArrayBuffer(0x1000);
  const block = core.ram('block', bufferBacking(buffer));
  root.addSubregion(0, block);
  const shared = space.share({ faults: { onePhase } });
  const signals = new Int32Array(new SharedArrayBuffer(16));
  const data: ProbeData = {
    probe: 'delayed',
    faults: { slowEnter: 2 ** 31 },
    handle: shared.handle(),
    signals: signals.buffer as SharedArrayBuffer,
  };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const exit = once(worker, 'exit');
  await raised(signals, ABOUT_TO_ENTER);
  // The reader has fetched the parity, or will before it has looked for long; it goes on when this has ended.
  await new Promise((resolve) => setTimeout(resolve, 50));
  core.rcu.synchronize(5000);
  await raised(signals, INSIDE);
  core.transaction(() => {
    root.delSubregion(block);
    core.rcu.callRcu(() => new Uint32Array(buffer).fill(POISON));
  });
  raise(signals, LOOK_AGAIN);
  await raised(signals, SEEN);
  const seen = new Uint32Array(signals.buffer)[SEEN];
  await exit;
  shared.close();
  return seen === POISON ? ['a reader delayed on its way in used reclaimed memory'] : [];
}

/** A reader that stays between its table and its access until the RAM that the table shows was given up. @returns what was wrong. */
export async function probeSwappedOrder(tableBeforeSection: boolean): Promise<readonly string[]> {
  const core = new MemoryCore();
  const root = core.container('root', 0x1_0000);
  const space = core.addressSpace(root, 'probe');
  const buffer = new SharedArrayBuffer(0x1000);
  const block = core.ram('block', bufferBacking(buffer));
  root.addSubregion(0, block);
  const shared = space.share();
  const signals = new Int32Array(new SharedArrayBuffer(16));
  // In the right order no grace period ends while it stays: then for 0.1 s, else until three have ended.
  const faults = { tableBeforeSection, slowSection: tableBeforeSection ? 2 ** 31 : 10_000_000 };
  const handle = shared.handle();
  const data: ProbeData = { probe: 'swapped', faults, handle, signals: signals.buffer as SharedArrayBuffer };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const exit = once(worker, 'exit');
  await raised(signals, ABOUT_TO_ENTER);
  await new Promise((resolve) => setTimeout(resolve, 50));
  core.transaction(() => {
    root.delSubregion(block);
    core.rcu.callRcu(() => new Uint32Array(buffer).fill(POISON));
  });
  for (let i = 0; i < 4; i++) core.rcu.synchronize(5000);
  core.rcu.drain();
  await raised(signals, SEEN);
  const seen = new Uint32Array(signals.buffer)[SEEN];
  await exit;
  shared.close();
  return seen === POISON ? ['a reader that took its table too early used reclaimed memory'] : [];
}

function early({ handle, signals: memory, faults }: ProbeData): void {
  const signals = new Int32Array(memory);
  const space = attach(handle, { faults });
  const bytes = new Uint8Array(4);
  raise(signals, ABOUT_TO_ENTER);
  space.readSlice(bytes, 0);
  Atomics.store(signals, SEEN, new Uint32Array(bytes.buffer)[0] === POISON ? POISON | 0 : 1);
  Atomics.notify(signals, SEEN);
  space.detach();
}

function reader({ handle, signals: memory, faults }: ProbeData): void {
  const signals = new Int32Array(memory);
  const space = attach(handle, { faults });
  const words = new Uint32Array(handle.blocks[0]!.segments[0]!.buffer);
  raise(signals, ABOUT_TO_ENTER);
  space.rcu.readLock();
  raise(signals, INSIDE);
  Atomics.wait(signals, LOOK_AGAIN, 0, 5000);
  Atomics.store(signals, SEEN, words[0] === POISON ? POISON | 0 : 1);
  Atomics.notify(signals, SEEN);
  space.rcu.readUnlock();
  space.detach();
}

function raise(signals: Int32Array, flag: number): void {
  Atomics.store(signals, flag, 1);
  Atomics.notify(signals, flag);
}

async function raised(signals: Int32Array, flag: number): Promise<void> {
  for (let i = 0; Atomics.load(signals, flag) === 0; i++) {
    if (i > 10_000) throw new Error('the probe does not go on');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

if (!isMainThread) {
  const data = workerData as ProbeData;
  if (data.probe === 'swapped') early(data);
  else reader(data);
}
