/** The owner: moves, adds and removes blocks as fast as it can, reclaims them after grace periods, and looks at dirty marks. */
import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { type AttachFaults, LocalRcu, MemoryCore, type MemoryRegion, type SharedSpace } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';
import {
  BAD_NAMES,
  COUNTER_PAGES,
  COUNTERS,
  DEVICE,
  FIRST_BAD,
  header,
  POISON,
  READY,
  type ReaderData,
  SLOT_BYTES,
  SLOTS,
  STOP,
} from './protocol.ts';

/** What is broken on purpose. */
export type Fault =
  | 'none'
  | 'early reclaim'
  | 'early table'
  | 'no wait'
  | 'no wake-up'
  | 'wrong order'
  | 'lost callback';

export interface StressOptions {
  readonly seconds: number;
  readonly readers: number;
  readonly fault: Fault;
}

export interface StressResult {
  readonly accesses: number;
  readonly commits: number;
  readonly gracePeriods: number;
  readonly publications: number;
  readonly overflows: number;
  readonly served: number;
  readonly reclaimed: number;
  readonly dirtyRounds: number;
  /** Median time of a blocking grace period, ms. */
  readonly syncMs: number;
  /** What was wrong, with counts. */
  readonly violations: readonly string[];
}

interface Block {
  readonly id: number;
  generation: number;
  region: MemoryRegion;
  slot: number;
  readonly buffer: SharedArrayBuffer;
}

/** What the readers do wrong, or do slowly enough for a fault of the owner to show. */
const FAULTY_READERS: Readonly<Record<Exclude<Fault, 'none'>, AttachFaults>> = {
  'early reclaim': {},
  'early table': {},
  'no wait': {},
  'no wake-up': { noWake: true },
  'wrong order': { tableBeforeSection: true, slowSection: 20_000 },
  'lost callback': {},
};

/** Grace periods that are broken as `fault` says. */
class FaultyRcu extends LocalRcu {
  readonly #fault: Fault;
  #count = 0;
  constructor(fault: Fault) {
    super();
    this.#fault = fault;
  }
  override callRcu(fn: () => void): void {
    this.#count++;
    if (this.#fault === 'lost callback' && this.#count % 100 === 0) return;
    if (this.#fault === 'early reclaim') fn();
    else super.callRcu(fn);
  }
}

/** Runs the stress. */
export async function stress(options: StressOptions): Promise<StressResult> {
  const { fault } = options;
  const core = new MemoryCore();
  const rcu = fault === 'early reclaim' || fault === 'lost callback' ? new FaultyRcu(fault) : core.rcu;
  const root = core.container('root', 1n << 64n);
  const space = core.addressSpace(root, 'stress');
  const control = new Int32Array(new SharedArrayBuffer(4 * 64));
  const counts = new Float64Array(new SharedArrayBuffer(8 * options.readers));

  const background = core.ram('background', bufferBacking(SLOTS * SLOT_BYTES, { shared: true }));
  stamp(background.ram!.backing.segmentAt(0).view, SLOTS * SLOT_BYTES, 9999, 0);
  const counters = core.ram('counters', bufferBacking(COUNTER_PAGES * 0x1000, { shared: true }));
  const expected = new Array<number>(options.readers).fill(0);
  let wrongSequence = 0;
  const device = core.io('sequence', 0x1000, {
    read: () => 0,
    write(offset, value) {
      const reader = offset / 4;
      expected[reader]!++;
      if (value !== expected[reader]) wrongSequence++;
    },
  });
  core.transaction(() => {
    root.addSubregion(0, background, -1);
    root.addSubregion(COUNTERS, counters);
    root.addSubregion(DEVICE, device);
    counters.setLog(true, 0);
  });

  const shared = space.share({
    tables: 8,
    workers: options.readers,
    faults: { noWait: fault === 'no wait', earlyReclaim: fault === 'early table' },
  });
  if (rcu !== core.rcu) rcu.waitAlso(shared.readers);
  const workers = Array.from({ length: options.readers }, (_, id) => startReader(id, shared, control, counts, fault));
  while (Atomics.load(control, READY) < options.readers) {
    shared.poll();
    await turn();
  }

  // Grace periods are long where readers are slow on purpose: the owner goes on committing instead of waiting for them.
  const slow = fault !== 'none' && FAULTY_READERS[fault].slowSection !== undefined;
  const free: Block[] = [];
  const mapped: Block[] = [];
  for (let id = 0; id < 12; id++) free.push(fresh(core, id));
  let commits = 0;
  let reclaimed = 0;
  let retired = 0;
  const syncs: number[] = [];
  const dirty = new DirtyCheck(counters, options.readers);
  dirty.start(() => core.rcu.synchronize(20_000));
  const end = Date.now() + 1000 * options.seconds;
  for (let turns = 1; Date.now() < end; turns++) {
    for (let i = 0; i < 50; i++) {
      const dice = Math.random();
      // A reclaimed block rests for a while, so that whoever still looks at it sees that it is gone.
      if (dice < 0.3 && free.length > 4) {
        const block = free.shift()!;
        block.slot = randomSlot();
        stamp(new DataView(block.buffer), SLOT_BYTES, block.id, block.generation);
        root.addSubregion(block.slot * SLOT_BYTES, block.region, block.id);
        mapped.push(block);
        commits++;
      } else if (dice < 0.6 && mapped.length > 0) {
        const [block] = mapped.splice(Math.floor(Math.random() * mapped.length), 1) as [Block];
        retired++;
        // Queued before the commit: its grace period is then the one that the commit itself begins.
        core.transaction(() => {
          root.delSubregion(block.region);
          rcu.callRcu(() => {
            reclaimed++;
            reclaim(core, block);
            free.push(block);
          });
        });
        commits++;
      } else if (mapped.length > 0) {
        const block = mapped[Math.floor(Math.random() * mapped.length)]!;
        block.slot = randomSlot();
        block.region.setAddress(block.slot * SLOT_BYTES);
        commits++;
      }
      shared.poll();
      rcu.poll();
    }
    if (turns % 20 === 0 && !slow) {
      const start = performance.now();
      const ticket = shared.domain.request();
      // A reader may wait for this agent inside a section, so each wait is cut short and followed by serving.
      while (!shared.domain.pause(ticket, 50)) shared.poll();
      syncs.push(performance.now() - start);
    }
    if (turns % 10 === 0 && !slow) dirty.round(() => core.rcu.synchronize(20_000));
    await turn();
  }
  Atomics.store(control, STOP, 1);
  const exits = workers.map(({ done }) => done);
  let running = true;
  void Promise.all(exits).then(() => {
    running = false;
  });
  while (running) {
    shared.poll();
    await turn();
  }
  rcu.drain();
  core.rcu.drain();
  const { gracePeriods, publications, overflows, served } = shared.stats;
  const violations = BAD_NAMES.flatMap((name, kind) => {
    const count = Atomics.load(control, FIRST_BAD + kind);
    return count > 0 ? [`${name}: ${count}`] : [];
  });
  if (wrongSequence > 0) violations.push(`device accesses out of sequence: ${wrongSequence}`);
  if (dirty.missed > 0) violations.push(`writes without a dirty mark: ${dirty.missed}`);
  if (retired !== reclaimed) violations.push(`callbacks lost: ${retired - reclaimed}`);
  const syncMs = syncs.sort((a, b) => a - b)[syncs.length >> 1] ?? 0;
  // Without wake-ups a waiter only looks again after its slice of 50 ms.
  if (syncMs > 30) violations.push(`grace periods are not woken up: median ${syncMs.toFixed(1)} ms`);
  shared.close();
  const accesses = counts.reduce((sum, count) => sum + count, 0);
  const dirtyRounds = dirty.rounds;
  return {
    accesses,
    commits,
    gracePeriods,
    publications,
    overflows,
    served,
    reclaimed,
    dirtyRounds,
    syncMs,
    violations,
  };
}

function startReader(id: number, shared: SharedSpace, control: Int32Array, counts: Float64Array, fault: Fault) {
  const { port1, port2 } = new MessageChannel();
  const connection = shared.connect(port1);
  const handle = shared.handle();
  const data: ReaderData = {
    id,
    handle,
    port: port2,
    flavour: fault === 'wrong order' || fault === 'no wake-up' || id % 2 === 1 ? 'barrier' : 'quiescent',
    control: control.buffer as SharedArrayBuffer,
    counts: counts.buffer as SharedArrayBuffer,
    faults: fault === 'none' ? undefined : FAULTY_READERS[fault],
  };
  const worker = new Worker(new URL('./reader.js', import.meta.url), { workerData: data, transferList: [port2] });
  const done = once(worker, 'exit').then(() => {
    shared.release(handle);
    connection.dispose();
    port1.close();
  });
  return { worker, done };
}

/** A write that a read of the data did not show must have left its mark: clear, grace period, read. */
class DirtyCheck {
  rounds = 0;
  missed = 0;
  readonly #counters: MemoryRegion;
  readonly #readers: number;
  readonly #last: number[];
  /** Pages whose data changed before their mark was set: it must come before the next round. */
  readonly #owed = new Array<boolean>(COUNTER_PAGES).fill(false);

  constructor(counters: MemoryRegion, readers: number) {
    this.#counters = counters;
    this.#readers = readers;
    this.#last = new Array<number>(COUNTER_PAGES * readers).fill(0);
  }

  /** What is there before the first round. */
  start(gracePeriod: () => void): void {
    this.round(gracePeriod);
    this.round(gracePeriod);
    this.rounds = 0;
    this.missed = 0;
  }

  round(gracePeriod: () => void): void {
    this.rounds++;
    const { dirty, backing } = this.#counters.ram!;
    const marked = Array.from({ length: COUNTER_PAGES }, (_, page) => dirty.testAndClear(page * 0x1000, 1, 0) > 0);
    gracePeriod();
    const { view } = backing.segmentAt(0);
    for (let page = 0; page < COUNTER_PAGES; page++) {
      if (this.#owed[page] && !marked[page]) this.missed++;
      this.#owed[page] = false;
      for (let reader = 0; reader < this.#readers; reader++) {
        const index = page * this.#readers + reader;
        const value = view.getUint32(page * 0x1000 + 4 * reader, true);
        // Changed since the last look: marked before this clear, or during the grace period, which shows now.
        if (value !== this.#last[index] && !marked[page] && !dirty.get(page * 0x1000, 1, 0)) this.#owed[page] = true;
        this.#last[index] = value;
      }
    }
  }
}

function fresh(core: MemoryCore, id: number): Block {
  const buffer = new SharedArrayBuffer(SLOT_BYTES);
  const block: Block = { id, generation: 0, region: core.ram(`block ${id}`, bufferBacking(buffer)), slot: 0, buffer };
  stamp(new DataView(buffer), SLOT_BYTES, id, 0);
  return block;
}

/** The block's memory is used for something else until it is mapped again, as the next generation of it. */
function reclaim(core: MemoryCore, block: Block): void {
  new Uint32Array(block.buffer).fill(POISON);
  block.generation++;
  block.region = core.ram(`block ${block.id}`, bufferBacking(block.buffer));
}

function stamp(view: DataView, length: number, id: number, generation: number): void {
  const words = header(id, generation);
  for (let page = 0; page < length; page += 0x1000)
    for (const [i, word] of words.entries()) view.setUint32(page + 4 * i, word, true);
}

function randomSlot(): number {
  return Math.floor(Math.random() * SLOTS);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
