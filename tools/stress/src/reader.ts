/** One reader: looks at blocks through an attached space as fast as it can, and checks everything it sees. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import { type AttachedSpace, attach } from '@guestmem/qemu-memory';
import {
  Bad,
  COUNTER_PAGES,
  COUNTERS,
  check,
  DEVICE,
  FIRST_BAD,
  POISON,
  READY,
  type ReaderData,
  SLOT_BYTES,
  SLOTS,
  STOP,
} from './protocol.ts';

const data = workerData as ReaderData;
const control = new Int32Array(data.control);
const counts = new Float64Array(data.counts);
const space: AttachedSpace = attach(data.handle, {
  flavour: data.flavour,
  receive: () => receiveMessageOnPort(data.port)?.message,
  timeoutMs: 20_000,
  ...(data.faults === undefined ? {} : { faults: data.faults }),
});
let accesses = 0;
let sequence = 0;
let seed = 12345 + 7919 * data.id;

function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 0x1_0000_0000) * below);
}

function bad(kind: number): void {
  Atomics.add(control, FIRST_BAD + kind, 1);
}

function verify(magic: number, block: number, generation: number, sum: number): void {
  if (magic === POISON || block === POISON || generation === POISON || sum === POISON) bad(Bad.POISON);
  else if (sum !== check(block, generation)) bad(Bad.HEADER);
}

const bytes = new Uint8Array(16);
const words = new DataView(bytes.buffer);

/**
 * One view for the whole quantum: what is at an address stays the same in it. An access that the owner had to perform, to
 * RAM that has not arrived yet, ends the view early; what was begun before it is then not compared.
 */
function quantum(): void {
  const addr = random(SLOTS) * SLOT_BYTES + random(16) * 0x1000;
  const started = space.forwarded;
  const first = space.load(addr + 8, le32);
  for (let i = 0; i < 40; i++) {
    const at = random(SLOTS) * SLOT_BYTES + random(16) * 0x1000;
    const { forwarded } = space;
    const magic = space.load(at, le32);
    const block = space.load(at + 4, le32);
    const generation = space.load(at + 8, le32);
    const sum = space.load(at + 12, le32);
    if (space.forwarded === forwarded) verify(magic, block, generation, sum);
    else if (magic === POISON || block === POISON || generation === POISON || sum === POISON) bad(Bad.POISON);
    accesses += 4;
  }
  const last = space.load(addr + 8, le32);
  if (space.forwarded === started && last !== first) bad(Bad.CHANGED);
  accesses += 2;
  space.quiescent();
}

/** Each access may meet another view, but a single one meets one. */
function sections(): void {
  for (let i = 0; i < 20; i++) {
    space.readSlice(bytes, random(SLOTS) * SLOT_BYTES + random(16) * 0x1000);
    verify(words.getUint32(0, true), words.getUint32(4, true), words.getUint32(8, true), words.getUint32(12, true));
    accesses++;
  }
  // In one section nothing that was seen is reclaimed, whatever is committed meanwhile.
  space.rcu.read(() => {
    for (let i = 0; i < 10; i++) {
      if (space.load(random(SLOTS) * SLOT_BYTES, le32) === POISON) bad(Bad.POISON);
      accesses++;
    }
  });
}

/** A view held fast shows the same block at an address for as long as it is held; its bytes may be reclaimed, they are no part of the view. */
function pinned(): void {
  const view = space.memory();
  const at = random(SLOTS) * SLOT_BYTES + random(16) * 0x1000 + 4;
  let first = POISON;
  for (let i = 0; i < 200; i++) {
    const block = view.load(at, le32);
    if (first === POISON) first = block;
    else if (block !== first && block !== POISON) bad(Bad.PINNED);
    accesses++;
    if (i % 50 === 0 && data.flavour === 'quiescent') space.quiescent();
  }
  view.dispose();
}

/** Counts up a word in a dirty-logged page; tells the device what comes next. */
function writes(): void {
  const page = random(COUNTER_PAGES);
  const at = COUNTERS + page * 0x1000 + 4 * data.id;
  space.store(at, le32, space.load(at, le32) + 1);
  accesses += 2;
  if (random(20) !== 0) return;
  const tx = new MemTx();
  space.txStore(DEVICE + 4 * data.id, le32, ++sequence, MEMTXATTRS_UNSPECIFIED, tx);
  accesses++;
  if (tx.result !== 0) bad(Bad.DEVICE);
}

Atomics.add(control, READY, 1);
Atomics.notify(control, READY);
try {
  while (Atomics.load(control, STOP) === 0) {
    if (data.flavour === 'quiescent') quantum();
    else sections();
    writes();
    if (random(100) === 0) pinned();
    counts[data.id] = accesses;
  }
} catch (error) {
  if (Atomics.load(control, STOP) === 0) {
    bad(Bad.ERROR);
    if (data.faults === undefined) console.error(`reader ${data.id}:`, error);
  }
}
space.detach();
