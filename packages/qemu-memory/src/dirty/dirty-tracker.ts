/**
 * "Dirty since": what has changed in a machine's RAM since one looked last, as runs of pages. Take a base copy, then a
 * delta now and then; base and deltas give the memory back. Trackers are independent of each other and of a migration. A-184.
 */
import { DisposableBase, type OwnBytes, shown } from '@guestmem/vm-memory';
import { throwCollected } from '../rcu/callback-queue.ts';
import type { RamBlock } from '../region/ram-block.ts';
import { collector, throwAfter } from '../space/committer.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { coresOf } from './block-log.ts';
import { TRACKER } from './client.ts';

/** Consecutive pages that were written. */
export interface DirtyRun {
  readonly block: RamBlock;
  /** Of the first byte in the block. */
  readonly offset: number;
  /** Bytes: whole pages, but for the end of the block. */
  readonly length: number;
  /** A copy, taken after the bits were cleared: what is written later shows in the next delta. */
  readonly bytes: OwnBytes;
}

/** All trackers of one core: bits are collected once and given to each, those of other cores that show the block included. */
export class DirtyTrackers {
  readonly #core: MemoryCore;
  readonly #trackers = new Set<DirtyTracker>();

  constructor(core: MemoryCore) {
    this.#core = core;
  }

  /** Starts logging for the first one, and brings all up to date. Where that throws, `tracker` is not added. */
  add(tracker: DirtyTracker): void {
    const isFirst = this.#trackers.size === 0;
    if (isFirst) this.#core.logForTrackers(true);
    this.#trackers.add(tracker);
    try {
      this.collect(isFirst);
    } catch (error) {
      throwAfter(error, () => this.remove(tracker));
    }
  }

  /** @internal */
  get all(): ReadonlySet<DirtyTracker> {
    return this.#trackers;
  }

  /** Is it one of them still? */
  has(tracker: DirtyTracker): boolean {
    return this.#trackers.has(tracker);
  }

  /** Stops logging after the last one. Twice is fine. @throws {MemoryRegionError} `in-callback`: it stays. */
  remove(tracker: DirtyTracker): void {
    if (!this.has(tracker)) return;
    if (this.#trackers.size === 1) this.#core.checkTracking(false);
    this.#trackers.delete(tracker);
    if (this.#trackers.size === 0) this.#core.logForTrackers(false);
  }

  /**
   * Moves the bits of all blocks into every tracker, then tells listeners that the pages are clean, before any is read.
   * Those of other cores that track a block, too: of what is collected here their own collecting sees nothing more.
   *
   * @param begins what listeners have reported before, for a display perhaps, these trackers do not know: all is to be told again.
   */
  collect(begins = false): void {
    const blocks = ramBlocks(this.#core);
    const cores = tracking(this.#core, blocks);
    for (const core of cores) core.dirtyLogSync(null);
    const errors: unknown[] = [];
    for (const block of blocks) {
      if (begins) collector(errors)(() => this.#core.dirtyLogClear(block, 0, block.length));
      for (const tracker of this.#trackers) tracker.meet(block);
      const { pageSize } = block.dirty;
      block.dirty.forEachRun(TRACKER, true, (first, pages) => {
        for (const core of cores) {
          for (const tracker of trackersOf(core)) tracker.note(block, first, pages);
          collector(errors)(() => core.dirtyLogClear(block, first * pageSize, pages * pageSize));
        }
      });
    }
    for (const core of cores) collector(errors)(() => core.dirtyLogAfterSync());
    throwCollected(errors);
  }
}

/**
 * Follows what is written to the RAM of `core`'s address spaces from now on; dispose of it to stop the cost.
 *
 * A worker that shares a space marks for it from its next quantum or section on: `core.rcu.synchronize()` waits for that. Without it a
 * base copy made at once lacks what such a worker stores afterwards, and no delta tells.
 *
 * @throws {TypeError} `core` is no MemoryCore. @throws what listeners threw, and as `core.transaction`: then nothing is followed.
 */
export function trackDirty(core: MemoryCore): DirtyTracker {
  if (typeof (core as MemoryCore | undefined)?.logForTrackers !== 'function')
    throw new TypeError(`trackDirty takes a MemoryCore (of a space: space.core), not ${shown(core)}`);
  core.access.trackers ??= new DirtyTrackers(core);
  return new DirtyTracker(core, core.access.trackers);
}

/** One reader of changes. Make it with `trackDirty`; dispose of it to stop the cost. */
export class DirtyTracker extends DisposableBase {
  readonly #trackers: DirtyTrackers;
  readonly #core: MemoryCore;
  /** Pages not yet given out, one byte each, per block. */
  #pending: Map<RamBlock, Uint8Array> = new Map();
  /** Blocks that were there when it began, or that it has given out whole since. */
  readonly #known: WeakSet<RamBlock> = new WeakSet();

  /** @hideconstructor Everything is clean from now on, but blocks that appear later start dirty. */
  constructor(core: MemoryCore, trackers: DirtyTrackers) {
    super();
    this.#core = core;
    this.#trackers = trackers;
    trackers.add(this);
    this.#pending = new Map();
  }

  /** @internal `block` is in the machine. All of it is dirty the first time: whoever tracked it before has cleared its bits. */
  meet(block: RamBlock): void {
    if (this.#known.has(block)) return;
    this.#known.add(block);
    this.note(block, 0, block.dirty.count);
  }

  /** @internal Of what it has not met it learns then. */
  note(block: RamBlock, firstPage: number, pages: number): void {
    if (!this.#known.has(block)) return;
    let set = this.#pending.get(block);
    if (set === undefined) {
      set = new Uint8Array(block.dirty.count);
      this.#pending.set(block, set);
    }
    set.fill(1, firstPage, firstPage + pages);
  }

  /**
   * What was written since the last call, in order of blocks and offsets. A run counts as seen once it is given out: who
   * leaves the loop early gets the rest from the next call. More than 64 MiB in a row come as several runs.
   */
  *since(): Generator<DirtyRun, void, void> {
    if (!this.#trackers.has(this)) throw new TypeError('this dirty tracker was disposed of');
    this.#trackers.collect();
    for (const [block, pages] of [...this.#pending]) {
      yield* takeRuns(block, pages);
      // Else noted behind us, or there are other pages by now, while a run was out.
      if (this.#pending.get(block) === pages && !pages.includes(1)) this.#pending.delete(block);
    }
  }

  /** The RAM blocks that the machine's address spaces show now, each once. */
  blocks(): RamBlock[] {
    return ramBlocks(this.#core);
  }

  dispose(): void {
    this.#trackers.remove(this);
  }
}

const NO_TRACKERS: ReadonlySet<DirtyTracker> = /* @__PURE__ */ new Set();

const trackersOf = (core: MemoryCore): ReadonlySet<DirtyTracker> => core.access.trackers?.all ?? NO_TRACKERS;

/** `core`, and those that show one of its blocks and have trackers. */
function tracking(core: MemoryCore, blocks: readonly RamBlock[]): ReadonlySet<MemoryCore> {
  const cores = new Set([core]);
  for (const block of blocks) for (const each of coresOf(block)) if (trackersOf(each).size > 0) cores.add(each);
  return cores;
}

/**
 * A copy of `length` bytes of `block`; a sparse backing is allocated by it. Copy a block of several GiB in pieces: how long an array may
 * be is the engine's matter (4 GiB in Node 20). To put bytes back: `new GuestRegionBuffer(0, block.backing).writeSlice(bytes, offset)`,
 * then `memoryRegionSetDirty`.
 *
 * @throws {RangeError} the range is not inside the block, or longer than an array may be.
 */
export function copyBlock(block: RamBlock, offset = 0, length: number = block.length - offset): OwnBytes {
  const out = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const segment = block.backing.segmentAt(offset + done);
    const from = offset + done - segment.start;
    const count = Math.min(length - done, segment.bytes.length - from);
    out.set(segment.bytes.subarray(from, from + count), done);
    done += count;
  }
  return out;
}

/** The blocks of all RAM, ROM and ROM device ranges of a core's current views, each once. */
function ramBlocks(core: MemoryCore): RamBlock[] {
  const blocks = new Set<RamBlock>();
  for (const space of core.addressSpaces)
    for (const { region } of space.view.ranges) if (region.ram !== null && region.migratable) blocks.add(region.ram);
  return [...blocks];
}

/** Bytes that a run has at most, or one page: a copy must not be longer than an array may be in any engine. */
const LONGEST_RUN = 0x400_0000;

/** The runs of the pages that are set; each is cleared when it is given out, and stays where the engine has no memory for the copy. */
function* takeRuns(block: RamBlock, pages: Uint8Array): Generator<DirtyRun, void, void> {
  const { pageSize } = block.dirty;
  for (let page = 0; ; ) {
    // By the engine's search, as most pages are clean.
    const first = pages.indexOf(1, page);
    if (first < 0) return;
    const end = pages.indexOf(0, first);
    page = Math.min(end < 0 ? pages.length : end, first + Math.max(1, LONGEST_RUN / pageSize));
    const offset = first * pageSize;
    const length = Math.min(page * pageSize, block.length) - offset;
    const bytes = copyBlock(block, offset, length);
    pages.fill(0, first, page);
    yield { block, offset, length, bytes };
  }
}
