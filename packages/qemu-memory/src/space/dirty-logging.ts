/**
 * Global dirty logging and the three requests that go out to listeners. The bitmaps themselves are in dirty/. T-24,
 * T-135 to T-139.
 */

import { badNumber } from '@guestmem/vm-memory';
import { throwCollected } from '../rcu/callback-queue.ts';
import { RegionKind } from '../region/kind.ts';
import { LogClient } from '../region/log-client.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { RamBlock } from '../region/ram-block.ts';
import { max, min } from '../view/big.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { MemoryRegionSection } from '../view/section.ts';
import { collector, throwAfter } from './committer.ts';
import type { Call, ListenerList, Registration } from './listener-list.ts';

/** Why all memory is logged. Bits. T-135. */
export const GlobalDirty = { MIGRATION: 1, DIRTY_RATE: 2, DIRTY_LIMIT: 4 } as const;

/** Our own reason beside QEMU's: `trackDirty`. No program starts or stops it, and it is not shown as a flag. */
const TRACKING = 8;

/** What it needs of the core. */
export interface DirtyLoggingHost {
  readonly listeners: ListenerList;
  /** Renders everything anew and commits. */
  rebuild(): void;
  /** Tells listeners with edits refused; throws what they threw. */
  telling(tell: (call: Call) => void): void;
}

/** Global dirty logging of one core. */
export class DirtyLogging {
  readonly #host: DirtyLoggingHost;
  readonly #translatesCode: boolean;
  #flags = 0;
  #postponed = 0;
  #running = true;
  /** Whom the end of logging is yet to be told: those that were there before its rebuild (T-136); null: nobody. */
  #ending: readonly Registration[] | null = null;

  constructor(host: DirtyLoggingHost, translatesCode: boolean) {
    this.#host = host;
    this.#translatesCode = translatesCode;
  }

  /** `GlobalDirty` bits in force. */
  get flags(): number {
    return this.#flags & ~TRACKING;
  }

  /** Is all memory logged, for whatever reason? */
  get on(): boolean {
    return this.#flags !== 0;
  }

  /** Does the machine run? Stops wait until it does (T-136). */
  get running(): boolean {
    return this.#running;
  }
  set running(on: boolean) {
    this.#running = on;
    if (!on || this.#postponed === 0) return;
    const flags = this.#postponed;
    this.#postponed = 0;
    this.#stop(flags);
  }

  /** T-24. */
  effectiveMask(region: MemoryRegion): number {
    let mask = region.dirtyLogMask;
    if (this.#flags !== 0 && (region.kind === RegionKind.IOMMU || (region.ram !== null && region.migratable)))
      mask |= 1 << LogClient.MIGRATION;
    if (this.#translatesCode && region.ram !== null) mask |= 1 << LogClient.CODE;
    return mask;
  }

  /** T-135, T-137. Where it throws, nothing is logged that was not before. */
  start(flags: number): void {
    checkFlags(flags);
    this.#start(flags);
  }

  /** T-136. */
  stop(flags: number): void {
    checkFlags(flags);
    this.#stopOrPostpone(flags);
  }

  /** Starts or stops logging for `trackDirty`. */
  track(on: boolean): void {
    if (on) this.#start(TRACKING);
    else this.#stopOrPostpone(TRACKING);
  }

  #start(flags: number): void {
    if (this.#postponed !== 0) {
      const rest = this.#postponed & ~flags;
      this.#postponed = 0;
      if (rest !== 0) this.#stop(rest);
    }
    const before = this.#flags;
    if (before === 0 && this.#ending !== null) this.#tellStop();
    this.#flags = before | flags;
    if (before !== 0 || this.#flags === 0) return;
    try {
      this.#tellStart();
    } catch (error) {
      this.#flags = before;
      throw error;
    }
    try {
      this.#host.rebuild();
    } catch (error) {
      throwAfter(error, () => this.#stop(this.#flags));
    }
  }

  #stopOrPostpone(flags: number): void {
    if (this.#running) this.#stop(flags);
    else this.#postponed |= flags;
  }

  /** T-138. @param of only the ranges of this region, or of all that show this block; null: all. */
  sync(of: MemoryRegion | RamBlock | null): void {
    this.#host.telling((call) =>
      this.#host.listeners.forward(call, (listener, { space }) => {
        if (listener.logSync !== undefined)
          for (const section of logged(space.view, of)) listener.logSync(section, space.view);
        else listener.logSyncGlobal?.();
      }),
    );
  }

  /** T-139. @param start in the region or block. */
  clear(of: MemoryRegion | RamBlock, start: bigint, len: bigint): void {
    if (!this.#host.listeners.has('logClear')) return;
    this.#host.telling((call) =>
      this.#host.listeners.forward(call, (listener, { space }) => {
        if (listener.logClear === undefined) return;
        for (const section of logged(space.view, of)) {
          const part = cut(section, start, start + len);
          if (part !== null) listener.logClear(part, space.view);
        }
      }),
    );
  }

  /** T-112. */
  afterSync(): void {
    this.#host.telling((call) => this.#host.listeners.forward(call, (listener) => listener.logGlobalAfterSync?.()));
  }

  #stop(flags: number): void {
    const before = this.#flags;
    this.#flags = before & ~flags;
    if (before === 0 || this.#flags !== 0) return;
    const errors: unknown[] = [];
    const each = collector(errors);
    this.#ending = this.#host.listeners.all;
    each(() => this.#host.rebuild());
    each(() => this.#tellStop());
    throwCollected(errors);
  }

  /** In reverse. A `commit` callback of the rebuild may have unregistered some; and begun anew, so that they were told before that. */
  #tellStop(): void {
    const told = this.#ending ?? [];
    this.#ending = null;
    this.#host.telling((call) => {
      for (let i = told.length - 1; i >= 0; i--)
        if (this.#host.listeners.all.includes(told[i]!)) call(() => told[i]!.listener.logGlobalStop?.());
    });
  }

  /** In order; the first that throws ends it, and those told before it are told to stop, in reverse (T-137). */
  #tellStart(): void {
    const all = this.#host.listeners.all;
    this.#host.telling((call) => {
      for (let i = 0; i < all.length; i++)
        try {
          all[i]!.listener.logGlobalStart?.();
        } catch (error) {
          for (let told = i - 1; told >= 0; told--) call(() => all[told]!.listener.logGlobalStop?.());
          throw error;
        }
    });
  }
}

/** The sections of `view` with a mask that is not 0, ascending. */
function* logged(view: FlatView, of: MemoryRegion | RamBlock | null): Generator<MemoryRegionSection, void, undefined> {
  for (const block of view.blocks)
    for (let row = 0; row < block.count; row++) {
      const region = block.regions[row]!;
      if (block.dirtyMask(row) !== 0 && (of === null || of === region || of === region.ram)) yield block.section(row);
    }
}

/** The part of `section` in [start, end) of its region; null where there is none. */
function cut(section: MemoryRegionSection, start: bigint, end: bigint): MemoryRegionSection | null {
  const from = max(section.offsetWithinRegion, start);
  const to = min(section.offsetWithinRegion + section.size, end);
  if (from >= to) return null;
  return section.part(from - section.offsetWithinRegion, to - from);
}

function checkFlags(flags: number): void {
  if (!(Number.isInteger(flags) && flags >= 1 && flags <= 7))
    throw badNumber('global dirty flags must be a set of GlobalDirty bits (1 to 7)', flags);
}
