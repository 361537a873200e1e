/** What the workers of concurrency.test.ts do, by name, over memory that the test shares with them. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  AtomicBitmap,
  type AtomicBitmapHandle,
  guestMemory,
  Ordering,
  struct,
  u16,
  u32,
  u64,
  VolatileSlice,
} from '../../src/index.ts';

/** Two 4 KiB regions that touch at 0x1000; the u16 `last` is the end of the first. */
export const Crossing = struct({ before: u32, last: u16, next: u16, after: u32 }, { layout: 'packed' });
/** Where `Crossing` begins. */
export const CROSSING = 0x1000 - 6;

/** What a worker is given. */
export interface AgentData {
  readonly scenario: 'write-crossing' | 'store-once' | 'increment' | 'mark' | 'echo' | 'store-u64';
  readonly buffers: readonly SharedArrayBuffer[];
  readonly bitmap?: AtomicBitmapHandle;
  readonly rounds: number;
  readonly id: number;
}

/** The memory over the shared buffers. */
export function sharedMemory(buffers: readonly SharedArrayBuffer[]) {
  return guestMemory(buffers.map((memory, i) => ({ startAddr: i * 0x1000, memory })));
}

if (parentPort !== null) {
  run(workerData as AgentData);
  parentPort.postMessage('done');
}

function run({ scenario, buffers, bitmap, rounds, id }: AgentData): void {
  const memory = sharedMemory(buffers);
  if (scenario === 'write-crossing') {
    const [a, b] = [
      { before: 0, last: 0, next: 0, after: 0 },
      { before: 0xffff_ffff, last: 0xffff, next: 0xffff, after: 0xffff_ffff },
    ];
    for (let i = 0; i < rounds; i++) memory.writeObj(CROSSING, Crossing, i % 2 === 0 ? a : b);
  } else if (scenario === 'store-once') memory.store(0x100, u32, 0x1234_5678, Ordering.RELEASE);
  else if (scenario === 'increment') {
    const cell = memory.getSlice(0x200, 4).getAtomicRef(0, u32);
    for (let i = 0; i < rounds; i++) cell.update((value) => value + 1);
  } else if (scenario === 'store-u64') {
    for (let i = 0; i < rounds; i++) memory.store(0x300, u64, i % 2 === 0 ? 0n : 2n ** 64n - 1n, Ordering.SEQ_CST);
  } else if (bitmap !== undefined) {
    const slice = new VolatileSlice(new Uint8Array(buffers[0]!), AtomicBitmap.attach(bitmap));
    if (scenario === 'echo') echo(slice, new Int32Array(buffers[1]!), rounds);
    else for (let i = id; i < slice.length; i += 4) slice.write(Uint8Array.of(1), i);
  }
}

/** Stores the number of each turn that the test calls. */
function echo(slice: VolatileSlice, turns: Int32Array, rounds: number): void {
  for (let turn = 1; turn <= rounds; turn++) {
    while (Atomics.load(turns, 0) < turn);
    slice.store(0, u32, turn);
    Atomics.store(turns, 1, turn);
  }
}
