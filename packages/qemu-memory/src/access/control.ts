/**
 * What all accesses of one core share: the out registers of a dispatch, the frames of nested device callbacks, the
 * re-entrancy guards, and the hooks a program may attach. Hot: its fields are read on every device access..
 */
import { MemTx } from '@guestmem/memtx';
import type { DirtyTrackers } from '../dirty/dirty-tracker.ts';
import type { CodeInvalidator } from '../dirty/mark.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { Halves } from '../region/ops.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { OwnerGuard } from './owner-guard.ts';

/** Why an access was refused before it reached a device. */
export type RefusalReason =
  | 'rejected'
  | 'unaligned'
  | 'invalid size'
  | 'blocked re-entrant'
  | 'nested too deep'
  | 'not memory'
  | 'opaque';

/** Callbacks that see what the access path does. They must not access memory or edit the topology. */
export interface AccessObserver {
  /** An access did not reach a device or memory. `offset` is within `region`; in a hole it is the address (A-33, T-154). */
  refused?(region: MemoryRegion, offset: number | bigint, size: number, isWrite: boolean, reason: RefusalReason): void;
  /** One device callback: before it on a write, after it on a read. `value` is the callback's own, unmasked. */
  called?(region: MemoryRegion, offset: number, size: number, isWrite: boolean, value: number | bigint): void;
  /** Direct reads are about to happen, `len` bytes at bus address `addr`. */
  dmaRead?(addr: number | bigint, len: number, region: MemoryRegion): void;
}

/** Nested callbacks a core allows before it answers ACCESS_ERROR: a guest must not overflow the host's stack. */
export const MAX_NESTING = 64;

/** One nesting level's scratch objects: a callback that accesses memory itself uses the next level's. */
export class Frame {
  readonly tx: MemTx = new MemTx();
  readonly halves: Halves = { lo: 0, hi: 0 };
}

/** Per-core state of the access path. `core.access`. */
export class AccessControl {
  /**
   * @internal Out registers of the last dispatch: set as its very last step, after all callbacks, so that the caller may read
   * them as its next step though callbacks nest.
   */
  result = 0;
  /** @internal */
  lo = 0;
  /** @internal */
  hi = 0;
  /** @internal Device callbacks running now, one inside the other. */
  depth = 0;
  /** @internal Transfers, streams and taps running now: what they are part of goes on with its view after a callback. */
  transfers = 0;
  #nested = 0;
  /** @internal From this depth on a dispatch takes the careful path: MAX_NESTING, or 0 while an observer wants every call. */
  easyDepth: number = MAX_NESTING;
  /** @internal The depth at which a dispatch may take its quick path: 0, or none (-1) while an observer wants every call. */
  quickDepth = 0;
  /** Drains the accelerator's queue of coalesced writes; called before a dispatch to a region that asks for it. */
  flushCoalescedMmio: (() => void) | null = null;
  /** Told when a write meets a page that is clean for the CODE client. */
  invalidateCode: CodeInvalidator | null = null;
  /** @internal Who follows dirty pages; made with the first tracker. */
  trackers: DirtyTrackers | null = null;
  /** @internal Does an observer want direct loads? Then none is taken on the fast path. */
  seesLoads = false;
  /** @internal */
  readonly frames: readonly Frame[];
  /** @internal Eight bytes in which a value and its byte string are exchanged; nothing calls out while it is in use. */
  readonly scratch: DataView = new DataView(new ArrayBuffer(8));
  /** @internal */
  readonly scratchBytes: Uint8Array = new Uint8Array(this.scratch.buffer);
  /** @internal Where a scalar that was looked for lies, in the view that was given for it; set as the last act, read before anything else is called. */
  found = 0;
  readonly #guards = new WeakMap<object, OwnerGuard>();
  readonly #core: MemoryCore;
  #observer: AccessObserver | null = null;

  /** @hideconstructor */
  constructor(core: MemoryCore) {
    this.#core = core;
    const frames: Frame[] = [];
    for (let i = 0; i <= MAX_NESTING; i++) frames.push(new Frame());
    this.frames = frames;
  }

  /** Who watches refusals and calls; null for nobody, which costs nothing. `dmaRead` also sees pinned views made later. */
  get observer(): AccessObserver | null {
    return this.#observer;
  }
  set observer(observer: AccessObserver | null) {
    this.#observer = observer;
    this.easyDepth = observer?.called === undefined ? MAX_NESTING : 0;
    this.quickDepth = observer?.called === undefined ? 0 : -1;
    const sawLoads = this.seesLoads;
    this.seesLoads = observer?.dmaRead !== undefined;
    if (this.seesLoads === sawLoads) return;
    for (const space of this.#core.addressSpaces) {
      space.map.forget();
      // Workers reach RAM themselves only while nobody wants to see it.
      space.changed();
    }
  }

  /** @internal Is no access running that may still use a view that a callback of it has replaced (A-60, T-97)? */
  get idle(): boolean {
    return this.depth === 0 && this.transfers === 0;
  }

  /**
   * @internal Runs a callback that is neither a device's nor part of a transfer, in the middle of an access: no view is reclaimed
   * meanwhile (T-97).
   *
   * @throws {RangeError} it is MAX_NESTING deep in itself; and what it throws.
   */
  whileAccessing<T>(run: () => T): T {
    if (this.#nested >= MAX_NESTING)
      throw new RangeError(`a tap accesses what it watches itself, ${MAX_NESTING} calls deep`);
    this.transfers++;
    this.#nested++;
    try {
      return run();
    } finally {
      this.#nested--;
      this.transfers--;
    }
  }

  /** @internal The guard that all regions of `owner` share. */
  guardOf(owner: object): OwnerGuard {
    let guard = this.#guards.get(owner);
    if (guard === undefined) {
      guard = new OwnerGuard(true);
      this.#guards.set(owner, guard);
    }
    return guard;
  }
}
