/**
 * Hot. Accesses that are one plain callback of their own size and nothing else: no rule to check but alignment, no event, no
 * coalesced write, no callback running that could find a guard busy. They are short enough for V8 to inline them, with the
 * callback of a device that is hot, into the caller's loop: 4.3 / 4.8 ns; by a call 8.2 / 8.4. The rest is region-dispatch.ts..
 *
 * Plain fields, no private names: of those V8 (11 and 14) does not learn what they hold, and asks at every access (7.0 / 7.2
 * ns instead of 6.0 / 6.4).
 */
import { type MemTx, MemTxResult } from '@guestmem/memtx';
import type { ScalarInfo } from '@guestmem/vm-memory';
import type { MemoryRegionOps } from '../region/ops.ts';
import type { AccessControl } from './control.ts';
import type { OwnerGuard } from './owner-guard.ts';

const { ERROR, OK } = MemTxResult;
/** Set in the kind of a codec of signed integers. */
const SIGNED = 1;

/** The half of a RegionDispatch that the fast paths inline. */
export abstract class QuickDispatch {
  readonly control: AccessControl;
  /** @internal Its callbacks; empty for the unassigned operations. */
  readonly ops: MemoryRegionOps;
  /** The region's order, `native` resolved. */
  readonly bigEndian: boolean;
  /** @internal Set while a callback runs. */
  protected guard: OwnerGuard;
  /** 1 where entering sets the guard, else 0. */
  protected guarded = 0;
  /** @internal Aligned accesses that are quick while `control` is at its `quickDepth`: the sum of n for little-endian ones of n bytes and 16n for big-endian ones; of 1 byte both or none. */
  quickReads = 0;
  quickWrites = 0;

  constructor(control: AccessControl, ops: MemoryRegionOps, bigEndian: boolean, guard: OwnerGuard) {
    this.control = control;
    this.ops = ops;
    this.bigEndian = bigEndian;
    this.guard = guard;
  }

  /** @param reads the sum of the sizes whose reads are plain, in the region's order; `writes` likewise. */
  protected setQuick(reads: number, writes: number): void {
    this.guarded = this.guard.enabled ? 1 : 0;
    this.quickReads = this.#inOrder(reads);
    this.quickWrites = this.#inOrder(writes);
  }

  #inOrder(sizes: number): number {
    return this.bigEndian ? (sizes << 4) | (sizes & 1) : sizes | ((sizes & 1) << 4);
  }

  /**
   * @internal A load that is quick (`quickReads`) while `control` is at its `quickDepth`. The callback is called as a method,
   * so that V8 inlines it while one device is hot here; where many devices meet, `readEasily` is faster. There is no
   * `finally`: it costs 1 ns more than writing the end twice.
   * @returns the value; of 32 bits, signed. @throws {DeviceError}
   */
  loadQuick(at: number, codec: ScalarInfo, tx: MemTx | null): number {
    const { control, guard } = this; // Kept: the callback may take the guard off, which must not leave it busy.
    const { size } = codec;
    control.depth = 1;
    guard.busy = this.guarded;
    let value = 0;
    try {
      value = this.ops.read!(at, size) | 0;
    } catch (cause) {
      throw this.endQuick(guard, at, codec, tx, false, cause);
    }
    control.depth = 0;
    guard.busy = 0;
    if (tx !== null) succeed(tx, size);
    return size === 4 ? value : this.cut(value, codec);
  }

  /** The codec's value in the low bits of `value`. */
  private cut(value: number, codec: ScalarInfo): number {
    const unused = 32 - (codec.size << 3);
    const bits = value << unused;
    return (codec.kind & SIGNED) === 0 ? bits >>> unused : bits >> unused;
  }

  /** @internal `loadQuick` for a store of one of the codec's values. @throws {DeviceError} */
  storeQuick(at: number, codec: ScalarInfo, value: number, tx: MemTx | null): void {
    const { control, guard } = this;
    const { size } = codec;
    const unused = 32 - (size << 3);
    control.depth = 1;
    guard.busy = this.guarded;
    try {
      this.ops.write!(at, (value << unused) >>> unused, size);
    } catch (cause) {
      throw this.endQuick(guard, at, codec, tx, true, cause);
    }
    control.depth = 0;
    guard.busy = 0;
    if (tx !== null) succeed(tx, size);
  }

  /** @returns what is to be thrown. */
  private endQuick(
    guard: OwnerGuard,
    at: number,
    codec: ScalarInfo,
    tx: MemTx | null,
    isWrite: boolean,
    cause: unknown,
  ): unknown {
    this.control.depth = 0;
    guard.busy = 0;
    if (tx !== null) {
      tx.result = ERROR;
      tx.done = 0;
    }
    return this.failed(at, codec.size, isWrite, cause);
  }

  /** @returns the error for what a callback threw. */
  protected abstract failed(offset: number, size: number, isWrite: boolean, cause: unknown): unknown;
}

const succeed = (tx: MemTx, size: number): void => {
  tx.result = OK;
  tx.done = size;
};
