/**
 * Hot. One dispatched access to a region: validate, match ioeventfds, guard, cut or widen into callbacks. Numbers here
 * are the device's own (region order); who calls converts. Compiled once per region, one class for all kinds, so
 * that call sites stay monomorphic. Allocates nothing unless a 64-bit bigint callback is used..
 */
import { type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps, ValidAccess } from '../region/ops.ts';
import { accessRules, easySizes, opsOf, RAM_DEVICE_RULES, resultOf, UNASSIGNED_RULES } from './access-rules.ts';
import { readNarrow, readWide, writeNarrow, writeWide } from './callbacks.ts';
import type { AccessControl, RefusalReason } from './control.ts';
import { MAX_NESTING } from './control.ts';
import { DeviceError } from './device-error.ts';
import { eventMatches, type IoEventFd, type PreparedEvent, prepareEvents } from './io-event-fd.ts';
import { OwnerGuard } from './owner-guard.ts';

const NO_OPS: MemoryRegionOps = {};
const MASK = [0, 0xff, 0xffff, 0, 0xffff_ffff];

/** The compiled callbacks and rules of one region. `region.dispatch`. */
export class RegionDispatch {
  readonly region: MemoryRegion;
  readonly control: AccessControl;
  /** False: the unassigned operations, which refuse everything. */
  readonly hasOps: boolean;
  /** The region's order, `native` resolved. */
  readonly bigEndian: boolean;
  readonly validMin: number;
  readonly validMax: number;
  readonly validUnaligned: boolean;
  readonly implMin: number;
  readonly implMax: number;
  readonly implUnaligned: boolean;
  /** @internal Its callbacks; empty for the unassigned operations. */
  readonly ops: MemoryRegionOps;
  readonly #valid: ValidAccess | null;
  /** Bit n: an access of n bytes needs only its alignment checked and one plain callback of its own size. */
  readonly #easyRead: number;
  #easyWrite: number;
  /** @internal Offsets below which an aligned access of a size in `quickReads` or `quickWrites` may take `readQuick` or `writeQuick`, where `control` is at its `quickDepth`; 0: none. */
  quickSpan = 0;
  /** @internal Bit n: n bytes. */
  quickReads = 0;
  quickWrites = 0;
  /** @internal `quickSpan` for little-endian reads, and writes, of 4 bytes. */
  quickReads32 = 0;
  quickWrites32 = 0;
  readonly #easyWriteRule: number;
  readonly #read: MemoryRegionOps['read'] | null;
  readonly #write: MemoryRegionOps['write'] | null;
  readonly #ownGuard: OwnerGuard;
  readonly #noGuard = new OwnerGuard(false);
  #guard: OwnerGuard;
  /** 1 where the guard is to be set, else 0. */
  #guarded = 0;
  #events: readonly PreparedEvent[] = [];
  #flushCoalesced = false;
  #guardDisabled = false;

  /** @throws {MemoryRegionError | RangeError} see `accessRules`. */
  constructor(region: MemoryRegion, control: AccessControl) {
    this.region = region;
    this.control = control;
    const ops = opsOf(region);
    this.hasOps = ops !== null;
    this.ops = ops ?? NO_OPS;
    const isRamDevice = region.kind === RegionKind.RAM_DEVICE;
    const rules = ops === null ? UNASSIGNED_RULES : isRamDevice ? RAM_DEVICE_RULES : accessRules(region.name, ops);
    const order = this.ops.endianness ?? 'native';
    this.bigEndian = (order === 'native' ? region.core.targetOrder : order) === 'big';
    this.validMin = rules.validMin;
    this.validMax = rules.validMax;
    this.validUnaligned = rules.validUnaligned;
    this.implMin = rules.implMin;
    this.implMax = rules.implMax;
    this.implUnaligned = rules.implUnaligned;
    this.#valid = this.ops.valid?.accepts === undefined ? null : this.ops.valid;
    this.#read = this.ops.read ?? null;
    this.#write = this.ops.write ?? null;
    const easy = this.#valid === null && this.hasOps ? easySizes(rules) : 0;
    this.#easyRead = this.#read === null ? 0 : easy;
    this.#easyWriteRule = this.#write === null ? 0 : easy;
    this.#easyWrite = this.#easyWriteRule;
    const guarded = region.owner !== null && region.kind === RegionKind.IO;
    this.#ownGuard = guarded ? control.guardOf(region.owner as object) : this.#noGuard;
    this.#guard = this.#ownGuard;
    this.#setQuick();
  }

  #setQuick(): void {
    this.#guarded = this.#guard.enabled ? 1 : 0;
    const span = this.#flushCoalesced ? 0 : Math.min(Number(this.region.size), 0x7fff_fffc);
    this.quickReads = this.#easyRead;
    this.quickWrites = this.#easyWrite;
    this.quickSpan = (this.#easyRead | this.#easyWrite) === 0 ? 0 : span;
    this.quickReads32 = (this.#easyRead & 4) === 0 || this.bigEndian ? 0 : span;
    this.quickWrites32 = (this.#easyWrite & 4) === 0 || this.bigEndian ? 0 : span;
  }

  /** Is the owner's re-entrancy guard ignored by this region? Default false. */
  get guardDisabled(): boolean {
    return this.#guardDisabled;
  }
  set guardDisabled(off: boolean) {
    this.#guardDisabled = off;
    this.#guard = off ? this.#noGuard : this.#ownGuard;
    this.#setQuick();
  }

  /** Drain the queue of coalesced writes before each access here? Default false. */
  get flushCoalesced(): boolean {
    return this.#flushCoalesced;
  }
  set flushCoalesced(on: boolean) {
    this.#flushCoalesced = on;
    this.#setQuick();
  }

  /** Replaces the ioeventfds, sorted as T-125 has it, data in device order. */
  setIoEventFds(events: readonly IoEventFd[]): void {
    this.#events = prepareEvents(events);
    this.#easyWrite = events.length === 0 ? this.#easyWriteRule : 0;
    this.#setQuick();
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
    if (!this.isEasyRead(offset, size)) return this.#readPieces(offset, size, attrs);
    const bits = this.readEasily(offset, size);
    this.control.result = MemTxResult.OK;
    return bits >>> 0;
  }

  /** May `readEasily` do it: alignment checked, one plain callback of this size, nothing in the way? */
  isEasyRead(offset: number, size: number): boolean {
    const control = this.control;
    return (
      (this.#easyRead & size) !== 0 &&
      (offset & (size - 1)) === 0 &&
      !this.#guard.busy &&
      control.depth < control.easyDepth &&
      !this.#flushCoalesced
    );
  }

  /** `read` where `isEasyRead` says so. @returns the value's bits, signed where 32 do not fit. @throws {DeviceError} */
  readEasily(offset: number, size: number): number {
    const control = this.control;
    const guard = this.#guard;
    guard.busy = guard.enabled;
    control.depth++;
    try {
      const value = this.#read!.call(this.ops, offset, size);
      return size === 4 ? value | 0 : value & MASK[size]!;
    } catch (cause) {
      throw this.#failed(offset, size, false, cause);
    } finally {
      control.depth--;
      guard.busy = false;
    }
  }

  /**
   * @internal `readEasily` where nothing else runs: no guard can be busy, and the depth is known. The callback is
   * called as a method, so that V8 inlines it while one device is hot here (a read 18 ns, else 23); where many devices meet,
   * `readEasily` is faster. There is no `finally`: it costs 1 ns more than writing the end twice.
   */
  readQuick(offset: number, size: number): number {
    const control = this.control;
    // Kept: the callback may take the guard off, which must not leave it busy.
    const guard = this.#guard;
    const guarded = this.#guarded;
    control.depth = 1;
    if (guarded !== 0) guard.busy = true;
    let value = 0;
    try {
      value = this.ops.read!(offset, size) | 0;
    } catch (cause) {
      control.depth = 0;
      guard.busy = false;
      throw this.#failed(offset, size, false, cause);
    }
    control.depth = 0;
    if (guarded !== 0) guard.busy = false;
    return size === 4 ? value : value & MASK[size]!;
  }

  /** As `isEasyRead`, for `writeEasily`. */
  isEasyWrite(offset: number, size: number): boolean {
    const control = this.control;
    return (
      (this.#easyWrite & size) !== 0 &&
      (offset & (size - 1)) === 0 &&
      !this.#guard.busy &&
      control.depth < control.easyDepth &&
      !this.#flushCoalesced
    );
  }

  /** `write` where `isEasyWrite` says so; `bits` as `readEasily` gives them. @throws {DeviceError} */
  writeEasily(offset: number, bits: number, size: number): void {
    const control = this.control;
    const guard = this.#guard;
    guard.busy = guard.enabled;
    control.depth++;
    try {
      this.#write!.call(this.ops, offset, size === 4 ? bits >>> 0 : bits & MASK[size]!, size);
    } catch (cause) {
      throw this.#failed(offset, size, true, cause);
    } finally {
      control.depth--;
      guard.busy = false;
    }
  }

  /** @internal `readQuick` for a write; `bits` as for `writeEasily`. */
  writeQuick(offset: number, bits: number, size: number): void {
    const control = this.control;
    const guard = this.#guard;
    const guarded = this.#guarded;
    control.depth = 1;
    if (guarded !== 0) guard.busy = true;
    try {
      this.ops.write!(offset, size === 4 ? bits >>> 0 : bits & MASK[size]!, size);
    } catch (cause) {
      control.depth = 0;
      guard.busy = false;
      throw this.#failed(offset, size, true, cause);
    }
    control.depth = 0;
    if (guarded !== 0) guard.busy = false;
  }

  /** Reads 8 bytes at `offset`. Sets `control.result`, `control.lo` and `control.hi`. */
  read64(offset: number, attrs: MemTxAttrs): void {
    this.#readPieces(offset, 8, attrs);
  }

  /** Writes the device's number `value` of `size` (1, 2 or 4) bytes. Sets `control.result`. @throws {DeviceError} */
  write(offset: number, value: number, size: number, attrs: MemTxAttrs): void {
    if (!this.isEasyWrite(offset, size)) {
      this.#writePieces(offset, value, 0, size, attrs);
      return;
    }
    this.writeEasily(offset, value, size);
    this.control.result = MemTxResult.OK;
  }

  /** Writes 8 bytes, given as unsigned halves. Sets `control.result`. */
  write64(offset: number, lo: number, hi: number, attrs: MemTxAttrs): void {
    this.#writePieces(offset, lo, hi, 8, attrs);
  }

  /** What a debugger reads: `peek`, never `read` (D13). @returns false when the region is opaque; else the out registers hold the number. */
  peek(offset: number, size: number): boolean {
    const control = this.control;
    control.result = MemTxResult.ACCESS_ERROR;
    control.lo = 0;
    control.hi = 0;
    if (this.ops.peek === undefined || control.depth >= MAX_NESTING) return false;
    let value: number | bigint;
    control.depth++;
    try {
      value = this.ops.peek(offset, size);
    } catch (cause) {
      throw this.#failed(offset, size, false, cause);
    } finally {
      control.depth--;
    }
    const wide = BigInt.asUintN(8 * size, BigInt(value));
    control.lo = Number(wide & 0xffff_ffffn);
    control.hi = Number(wide >> 32n);
    control.result = MemTxResult.OK;
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
      if (this.#flushCoalesced && control.flushCoalescedMmio !== null) control.flushCoalescedMmio();
      return this.#whyInvalid(offset, size, isWrite, attrs);
    } catch (cause) {
      throw this.#failed(offset, size, isWrite, cause);
    } finally {
      control.depth--;
    }
  }

  #readPieces(offset: number, n: number, attrs: MemTxAttrs): number {
    const control = this.control;
    const why = this.#checked(offset, n, false, attrs);
    if (why !== null) return this.refuse(offset, n, false, why, resultOf(why));
    const guard = this.#guard;
    if (guard.busy) return this.#blocked(offset, n, false);
    const size = this.#pieceSize(n);
    let result = 0;
    let lo = 0;
    let hi = 0;
    let at = 0;
    guard.busy = guard.enabled;
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
      throw this.#failed(offset + at, size, false, cause);
    } finally {
      control.depth--;
      guard.busy = false;
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
    const guard = this.#guard;
    if (guard.busy) {
      this.#blocked(offset, n, true);
      return;
    }
    const size = this.#pieceSize(n);
    let result = 0;
    let at = 0;
    guard.busy = guard.enabled;
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
      throw this.#failed(offset + at, size, true, cause);
    } finally {
      control.depth--;
      guard.busy = false;
    }
    control.result = result >>> 0;
  }

  #pieceSize(n: number): number {
    return Math.max(Math.min(n, this.implMax), this.implMin);
  }

  #signal(offset: number, size: number, lo: number, hi: number): boolean {
    for (const event of this.#events) {
      if (!eventMatches(event, offset, size, lo, hi)) continue;
      try {
        event.notify();
      } catch (cause) {
        throw this.#failed(offset, size, true, cause);
      }
      this.control.result = MemTxResult.OK;
      return true;
    }
    return false;
  }

  #blocked(offset: number, size: number, isWrite: boolean): number {
    this.#guard.blocked++;
    return this.refuse(offset, size, isWrite, 'blocked re-entrant', MemTxResult.ACCESS_ERROR);
  }

  #failed(offset: number, size: number, isWrite: boolean, cause: unknown): unknown {
    this.control.result = MemTxResult.ERROR;
    return new DeviceError(this.region, offset, size, isWrite, cause);
  }
}
