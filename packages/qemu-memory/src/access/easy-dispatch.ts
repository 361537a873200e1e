/**
 * Hot. Accesses of a size that the device takes as it is: one callback, plain or with attributes, and no rule to check but alignment.
 * What is quicker still is quick-dispatch.ts, the rest region-dispatch.ts..
 *
 * Node 20, one device in 4 KiB, on a busy machine: plain by `readEasily` 26 to 35 ns, with attributes 28 to 39, and in pieces 85 to 99.
 */
import { type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import type { MemoryRegionOps } from '../region/ops.ts';
import type { AccessControl } from './control.ts';
import type { OwnerGuard } from './owner-guard.ts';
import { QuickDispatch } from './quick-dispatch.ts';

const { OK } = MemTxResult;
const MASK = [0, 0xff, 0xffff, 0, 0xffff_ffff];

/** The part of a RegionDispatch that far.ts uses. */
export abstract class EasyDispatch extends QuickDispatch {
  /** @internal Drain the queue of coalesced writes before each access? */
  protected drains = false;
  /** The sum of the sizes whose accesses are one plain callback, or one with attributes. */
  private easyRead = 0;
  private easyWrite = 0;
  private easyReadWithAttrs = 0;
  private easyWriteWithAttrs = 0;
  private readonly readOp: MemoryRegionOps['read'] | null;
  private readonly writeOp: MemoryRegionOps['write'] | null;

  constructor(control: AccessControl, ops: MemoryRegionOps, bigEndian: boolean, guard: OwnerGuard) {
    super(control, ops, bigEndian, guard);
    this.readOp = ops.read ?? null;
    this.writeOp = ops.write ?? null;
  }

  /** @param reads the sum of the sizes that need only their alignment checked; `writes` likewise. */
  protected setEasy(reads: number, writes: number): void {
    const { ops } = this;
    this.easyRead = this.readOp === null ? 0 : reads;
    this.easyWrite = this.writeOp === null ? 0 : writes;
    this.easyReadWithAttrs = this.readOp === null && ops.readWithAttrs !== undefined ? reads : 0;
    this.easyWriteWithAttrs = this.writeOp === null && ops.writeWithAttrs !== undefined ? writes : 0;
    this.setQuick(this.drains ? 0 : this.easyRead, this.drains ? 0 : this.easyWrite);
  }

  /** May `readEasily` do it: one plain callback of this size, alignment checked, nothing in the way? */
  isEasyRead(offset: number, size: number): boolean {
    return (this.easyRead & size) !== 0 && this.isFree(offset, size);
  }

  /** As `isEasyRead`, for `readWithAttrs`. */
  isEasyReadWithAttrs(offset: number, size: number): boolean {
    return (this.easyReadWithAttrs & size) !== 0 && this.isFree(offset, size);
  }

  private isFree(offset: number, size: number): boolean {
    const control = this.control;
    return (offset & (size - 1)) === 0 && this.guard.busy === 0 && control.depth < control.easyDepth && !this.drains;
  }

  /** `read` where `isEasyRead` says so. @returns the value's bits, signed where 32 do not fit. @throws {DeviceError} */
  readEasily(offset: number, size: number): number {
    const control = this.control;
    const guard = this.guard;
    guard.busy = this.guarded;
    control.depth++;
    try {
      const value = this.readOp!.call(this.ops, offset, size);
      return size === 4 ? value | 0 : value & MASK[size]!;
    } catch (cause) {
      throw this.failed(offset, size, false, cause);
    } finally {
      control.depth--;
      guard.busy = 0;
    }
  }

  /** `readEasily` by the callback with attributes. Sets `control.result`. */
  readWithAttrs(offset: number, size: number, attrs: MemTxAttrs): number {
    const control = this.control;
    const guard = this.guard;
    guard.busy = this.guarded;
    control.depth++;
    try {
      const { tx } = control.frames[control.depth]!;
      tx.result = OK;
      const value = this.ops.readWithAttrs!(offset, size, attrs, tx);
      const bits = size === 4 ? value | 0 : value & MASK[size]!;
      control.result = tx.result >>> 0;
      return bits;
    } catch (cause) {
      throw this.failed(offset, size, false, cause);
    } finally {
      control.depth--;
      guard.busy = 0;
    }
  }

  /** As `isEasyRead`, for `writeEasily`. */
  isEasyWrite(offset: number, size: number): boolean {
    return (this.easyWrite & size) !== 0 && this.isFree(offset, size);
  }

  /** As `isEasyRead`, for `writeWithAttrs`. */
  isEasyWriteWithAttrs(offset: number, size: number): boolean {
    return (this.easyWriteWithAttrs & size) !== 0 && this.isFree(offset, size);
  }

  /** `write` where `isEasyWrite` says so; `bits` as `readEasily` gives them. @throws {DeviceError} */
  writeEasily(offset: number, bits: number, size: number): void {
    const control = this.control;
    const guard = this.guard;
    guard.busy = this.guarded;
    control.depth++;
    try {
      this.writeOp!.call(this.ops, offset, size === 4 ? bits >>> 0 : bits & MASK[size]!, size);
    } catch (cause) {
      throw this.failed(offset, size, true, cause);
    } finally {
      control.depth--;
      guard.busy = 0;
    }
  }

  /** `writeEasily` by the callback with attributes. Sets `control.result`. */
  writeWithAttrs(offset: number, bits: number, size: number, attrs: MemTxAttrs): void {
    const control = this.control;
    const guard = this.guard;
    guard.busy = this.guarded;
    control.depth++;
    try {
      const { tx } = control.frames[control.depth]!;
      tx.result = OK;
      this.ops.writeWithAttrs!(offset, size === 4 ? bits >>> 0 : bits & MASK[size]!, size, attrs, tx);
      control.result = tx.result >>> 0;
    } catch (cause) {
      throw this.failed(offset, size, true, cause);
    } finally {
      control.depth--;
      guard.busy = 0;
    }
  }
}
