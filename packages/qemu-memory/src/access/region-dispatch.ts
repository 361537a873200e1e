/**
 * Hot. One dispatched access to a region: validate, match ioeventfds, guard, cut or widen into callbacks. Numbers here
 * are the device's own (region order); who calls converts. Compiled once per region, one class for all kinds, so
 * that call sites stay monomorphic. Allocates nothing unless a 64-bit bigint callback is used..
 */
import { type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import type { IoEventFd } from '../region/event-fd.ts';
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps, ValidAccess } from '../region/ops.ts';
import { accessRules, easySizes, opsOf, RAM_DEVICE_RULES, resultOf, UNASSIGNED_RULES } from './access-rules.ts';
import { readNarrow, readWide, writeNarrow, writeWide } from './callbacks.ts';
import type { AccessControl, RefusalReason } from './control.ts';
import { MAX_NESTING } from './control.ts';
import { DeviceError } from './device-error.ts';
import { EasyDispatch } from './easy-dispatch.ts';
import { eventMatches, type PreparedEvent, prepareEvents } from './io-event-fd.ts';
import { OwnerGuard } from './owner-guard.ts';

const { ACCESS_ERROR, ERROR, OK } = MemTxResult;
const NO_OPS: MemoryRegionOps = {};
const MASK = [0, 0xff, 0xffff, 0, 0xffff_ffff];

/** The compiled callbacks and rules of one region. `region.dispatch`. */
export class RegionDispatch extends EasyDispatch {
  readonly region: MemoryRegion;
  /** False: the unassigned operations, which refuse everything. */
  readonly hasOps: boolean;
  readonly validMin: number;
  readonly validMax: number;
  readonly validUnaligned: boolean;
  readonly implMin: number;
  readonly implMax: number;
  readonly implUnaligned: boolean;
  readonly #valid: ValidAccess | null;
  /** The sum of the sizes of accesses that need only their alignment checked. */
  readonly #easySizes: number;
  readonly #ownGuard: OwnerGuard;
  readonly #noGuard: OwnerGuard;
  #events: readonly PreparedEvent[] = [];
  #guardDisabled = false;

  /** @throws {MemoryRegionError | RangeError} see `accessRules`. */
  constructor(region: MemoryRegion, control: AccessControl) {
    const ops = opsOf(region);
    const order = ops?.endianness ?? 'native';
    const noGuard = new OwnerGuard(false);
    const guarded = region.owner !== null && region.kind === RegionKind.IO;
    const guard = guarded ? control.guardOf(region.owner as object) : noGuard;
    super(control, ops ?? NO_OPS, (order === 'native' ? region.core.targetOrder : order) === 'big', guard);
    this.region = region;
    this.#ownGuard = guard;
    this.#noGuard = noGuard;
    this.hasOps = ops !== null;
    const isRamDevice = region.kind === RegionKind.RAM_DEVICE;
    const rules = ops === null ? UNASSIGNED_RULES : isRamDevice ? RAM_DEVICE_RULES : accessRules(region.name, ops);
    this.validMin = rules.validMin;
    this.validMax = rules.validMax;
    this.validUnaligned = rules.validUnaligned;
    this.implMin = rules.implMin;
    this.implMax = rules.implMax;
    this.implUnaligned = rules.implUnaligned;
    this.#valid = this.ops.valid?.accepts === undefined ? null : this.ops.valid;
    this.#easySizes = this.#valid === null && this.hasOps ? easySizes(rules) : 0;
    this.guardChanged();
  }

  #compile(): void {
    this.setEasy(this.#easySizes, this.#events.length === 0 ? this.#easySizes : 0);
  }

  /** Is the owner's re-entrancy guard ignored by this region? Default false. */
  get guardDisabled(): boolean {
    return this.#guardDisabled;
  }
  set guardDisabled(off: boolean) {
    this.#guardDisabled = off;
    this.guardChanged();
  }

  /** @internal Read-only regions have no guard either. */
  guardChanged(): void {
    this.guard = this.#guardDisabled || this.region.readonly ? this.#noGuard : this.#ownGuard;
    this.#compile();
  }

  /** Drain the queue of coalesced writes before each access here? Default false. */
  get flushCoalesced(): boolean {
    return this.drains;
  }
  set flushCoalesced(on: boolean) {
    this.drains = on;
    this.#compile();
  }

  /** Replaces the ioeventfds, sorted as T-125 has it, data in device order. */
  setIoEventFds(events: readonly IoEventFd[]): void {
    this.#events = prepareEvents(events);
    this.#compile();
  }

  /** The size of the next step of a bulk transfer of `len` bytes at `offset`. */
  accessSize(offset: number, len: number): number {
    let max = this.validMax === 0 ? 4 : this.validMax;
    if (!this.implUnaligned && offset !== 0) {
      // The lowest set bit; offsets from 2^32 on are multiples of 8 exactly when their low word is.
      const low = offset % 8;
      const bit = low === 0 ? 8 : low & -low;
      if (bit < max) max = bit;
    }
    if (len < max) max = len;
    return max >= 8 ? 8 : max >= 4 ? 4 : max >= 2 ? 2 : 1;
  }

  /** @internal Has the region an `accepts` of its own to ask? */
  get hasAccepts(): boolean {
    return this.#valid !== null;
  }

  /** Asks `accepts`; calls no data callback. */
  accessValid(offset: number, size: number, isWrite: boolean, attrs: MemTxAttrs): boolean {
    return this.#whyInvalid(offset, size, isWrite, attrs) === null;
  }

  /**
   * Reads `size` (1, 2 or 4) bytes at `offset` of the region. Sets `control.result`.
   * @returns the device's number, unsigned; 0 where refused.
   * @throws {DeviceError} the callback threw.
   */
  read(offset: number, size: number, attrs: MemTxAttrs): number {
    if (this.isEasyRead(offset, size)) {
      const bits = this.readEasily(offset, size);
      this.control.result = OK;
      return bits >>> 0;
    }
    if (this.isEasyReadWithAttrs(offset, size)) return this.readWithAttrs(offset, size, attrs) >>> 0;
    return this.#readPieces(offset, size, attrs);
  }

  /** Reads 8 bytes at `offset`. Sets `control.result`, `control.lo` and `control.hi`. */
  read64(offset: number, attrs: MemTxAttrs): void {
    this.#readPieces(offset, 8, attrs);
  }

  /** Writes the device's number `value` of `size` (1, 2 or 4) bytes. Sets `control.result`. @throws {DeviceError} */
  write(offset: number, value: number, size: number, attrs: MemTxAttrs): void {
    if (this.isEasyWrite(offset, size)) {
      this.writeEasily(offset, value, size);
      this.control.result = OK;
    } else if (this.isEasyWriteWithAttrs(offset, size)) this.writeWithAttrs(offset, value, size, attrs);
    else this.#writePieces(offset, value, 0, size, attrs);
  }

  /** Writes 8 bytes, given as unsigned halves. Sets `control.result`. */
  write64(offset: number, lo: number, hi: number, attrs: MemTxAttrs): void {
    this.#writePieces(offset, lo, hi, 8, attrs);
  }

  /** What a debugger reads: `peek`, never `read` (D13). @returns false when the region is opaque; else the out registers hold the number. */
  peek(offset: number, size: number): boolean {
    const control = this.control;
    control.result = ACCESS_ERROR;
    control.lo = 0;
    control.hi = 0;
    if (this.ops.peek === undefined || control.depth >= MAX_NESTING) return false;
    let value: bigint;
    control.depth++;
    try {
      value = BigInt.asUintN(8 * size, BigInt(this.ops.peek(offset, size)));
    } catch (cause) {
      throw this.failed(offset, size, false, cause);
    } finally {
      control.depth--;
    }
    control.lo = Number(value & 0xffff_ffffn);
    control.hi = Number(value >> 32n);
    control.result = OK;
    return true;
  }

  /** Reports and answers a refusal. @returns 0 */
  refuse(offset: number | bigint, size: number, isWrite: boolean, reason: RefusalReason, result: MemTxResult): number {
    const control = this.control;
    const observer = control.observer;
    if (observer !== null) observer.refused?.(this.region, offset, size, isWrite, reason);
    control.result = result;
    control.lo = 0;
    control.hi = 0;
    return 0;
  }

  #whyInvalid(offset: number, size: number, isWrite: boolean, attrs: MemTxAttrs): RefusalReason | null {
    if (!this.hasOps) return 'rejected';
    if (this.#valid !== null && !this.#valid.accepts!(offset, size, isWrite, attrs)) return 'rejected';
    if (!this.validUnaligned && (offset & (size - 1)) !== 0) return 'unaligned';
    if (this.validMax === 0) return null;
    return size > this.validMax || size < this.validMin ? 'invalid size' : null;
  }

  #checked(offset: number, size: number, isWrite: boolean, attrs: MemTxAttrs): RefusalReason | null {
    const control = this.control;
    if (!this.hasOps) return 'rejected';
    if (control.depth >= MAX_NESTING) return 'nested too deep';
    control.depth++;
    try {
      if (this.drains && control.flushCoalescedMmio !== null) control.flushCoalescedMmio();
      return this.#whyInvalid(offset, size, isWrite, attrs);
    } catch (cause) {
      throw this.failed(offset, size, isWrite, cause);
    } finally {
      control.depth--;
    }
  }

  #readPieces(offset: number, n: number, attrs: MemTxAttrs): number {
    const control = this.control;
    const why = this.#checked(offset, n, false, attrs);
    if (why !== null) return this.refuse(offset, n, false, why, resultOf(why));
    const guard = this.guard;
    if (guard.busy !== 0) return this.#blocked(offset, n, false);
    const size = this.#pieceSize(n);
    let result = 0;
    let lo = 0;
    let hi = 0;
    let at = 0;
    guard.busy = this.guarded;
    control.depth++;
    try {
      for (; at < n; at += size) {
        if (size === 8) {
          result |= readWide(this, offset + at, attrs);
          if (n === 8) {
            lo = control.lo;
            hi = control.hi;
          } else lo = this.bigEndian ? control.hi >>> (8 * (4 - n)) : control.lo;
        } else {
          const value = readNarrow(this, offset + at, size, attrs);
          result |= control.result;
          const shift = this.bigEndian ? 8 * (n - size - at) : 8 * at;
          if (shift >= 32) hi |= value << (shift - 32);
          else if (shift >= 0) lo |= value << shift;
          else lo |= value >>> -shift;
        }
      }
    } catch (cause) {
      throw this.failed(offset + at, size, false, cause);
    } finally {
      control.depth--;
      guard.busy = 0;
    }
    // Widening leaves bits above n bytes; each entry point is narrower, so they end here.
    lo = n >= 4 ? lo >>> 0 : lo & MASK[n]!;
    control.result = result >>> 0;
    control.lo = lo;
    control.hi = hi >>> 0;
    return lo;
  }

  #writePieces(offset: number, lo: number, hi: number, n: number, attrs: MemTxAttrs): void {
    const control = this.control;
    const why = this.#checked(offset, n, true, attrs);
    if (why !== null) {
      this.refuse(offset, n, true, why, resultOf(why));
      return;
    }
    if (this.#events.length !== 0 && this.#signal(offset, n, lo, hi)) return;
    const guard = this.guard;
    if (guard.busy !== 0) {
      this.#blocked(offset, n, true);
      return;
    }
    const size = this.#pieceSize(n);
    let result = 0;
    let at = 0;
    guard.busy = this.guarded;
    control.depth++;
    try {
      for (; at < n; at += size) {
        if (size === 8) {
          if (n === 8 || !this.bigEndian) result |= writeWide(this, offset + at, lo, n === 8 ? hi : 0, attrs);
          else result |= writeWide(this, offset + at, 0, (lo << (8 * (4 - n))) >>> 0, attrs);
        } else {
          const shift = this.bigEndian ? 8 * (n - size - at) : 8 * at;
          const value = shift >= 32 ? hi >>> (shift - 32) : shift >= 0 ? lo >>> shift : lo << -shift;
          result |= writeNarrow(this, offset + at, size === 4 ? value >>> 0 : value & MASK[size]!, size, attrs);
        }
      }
    } catch (cause) {
      throw this.failed(offset + at, size, true, cause);
    } finally {
      control.depth--;
      guard.busy = 0;
    }
    control.result = result >>> 0;
  }

  #pieceSize(n: number): number {
    return Math.max(Math.min(n, this.implMax), this.implMin);
  }

  #signal(offset: number, size: number, lo: number, hi: number): boolean {
    for (const event of this.#events) {
      if (!eventMatches(event, offset, size, lo, hi)) continue;
      this.control.depth++;
      try {
        event.notify();
      } catch (cause) {
        throw this.failed(offset, size, true, cause);
      } finally {
        this.control.depth--;
      }
      this.control.result = OK;
      return true;
    }
    return false;
  }

  #blocked(offset: number, size: number, isWrite: boolean): number {
    this.guard.blocked++;
    return this.refuse(offset, size, isWrite, 'blocked re-entrant', ACCESS_ERROR);
  }

  protected failed(offset: number, size: number, isWrite: boolean, cause: unknown): unknown {
    this.control.result = ERROR;
    return new DeviceError(this.region, offset, size, isWrite, cause);
  }
}
