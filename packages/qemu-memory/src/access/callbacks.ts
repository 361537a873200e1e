/**
 * One callback of a device, by its width and by the form that its ops have: plain, with attributes, as bigint or as halves.
 * Which offsets and sizes is region-dispatch.ts..
 */
import { type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { Halves, MemoryRegionOps } from '../region/ops.ts';
import type { AccessControl } from './control.ts';

const { OK } = MemTxResult;

/** Whose callbacks. One object per region. */
export interface CallbackSite {
  readonly region: MemoryRegion;
  readonly control: AccessControl;
  readonly ops: MemoryRegionOps;
}

/** One callback of up to 4 bytes. Sets `control.result`. @returns its value cut to `size`. */
export function readNarrow(at: CallbackSite, offset: number, size: number, attrs: MemTxAttrs): number {
  const { control } = at;
  const { ops } = at;
  let value = 0;
  let result = 0;
  if (ops.read !== undefined) value = ops.read(offset, size);
  else if (ops.readWithAttrs !== undefined) {
    const tx = control.frames[control.depth]!.tx;
    tx.result = OK;
    value = ops.readWithAttrs(offset, size, attrs, tx);
    result = tx.result;
  } else throw noCallback(at.region, 'read');
  control.observer?.called?.(at.region, offset, size, false, value);
  value = size === 4 ? value >>> 0 : value & sizeMask(size);
  control.result = result;
  return value;
}

/** One 8-byte callback. Sets `control.lo` and `control.hi`. @returns result bits. */
export function readWide(at: CallbackSite, offset: number, attrs: MemTxAttrs): number {
  const { control } = at;
  const { ops } = at;
  const frame = control.frames[control.depth]!;
  let result = 0;
  let value: bigint;
  if (ops.readHalves !== undefined) {
    const halves: Halves = frame.halves;
    halves.lo = 0;
    halves.hi = 0;
    ops.readHalves(offset, halves);
    if (control.observer !== null)
      control.observer.called?.(at.region, offset, 8, false, joined(halves.lo >>> 0, halves.hi >>> 0));
    control.lo = halves.lo >>> 0;
    control.hi = halves.hi >>> 0;
    return 0;
  }
  if (ops.read64 !== undefined) value = ops.read64(offset);
  else if (ops.read64WithAttrs !== undefined) {
    frame.tx.result = OK;
    value = ops.read64WithAttrs(offset, attrs, frame.tx);
    result = frame.tx.result;
  } else throw noCallback(at.region, 'read64');
  control.observer?.called?.(at.region, offset, 8, false, value);
  WIDE.setBigUint64(0, value, true);
  control.lo = WIDE.getUint32(0, true);
  control.hi = WIDE.getUint32(4, true);
  return result;
}

/** One callback of up to 4 bytes. @returns result bits. */
export function writeNarrow(at: CallbackSite, offset: number, value: number, size: number, attrs: MemTxAttrs): number {
  const { ops } = at;
  const { control } = at;
  control.observer?.called?.(at.region, offset, size, true, value);
  if (ops.write !== undefined) {
    ops.write(offset, value, size);
    return 0;
  }
  if (ops.writeWithAttrs === undefined) throw noCallback(at.region, 'write');
  const tx = control.frames[control.depth]!.tx;
  tx.result = OK;
  ops.writeWithAttrs(offset, value, size, attrs, tx);
  return tx.result;
}

/** One 8-byte callback. @returns result bits. */
export function writeWide(at: CallbackSite, offset: number, lo: number, hi: number, attrs: MemTxAttrs): number {
  const { ops } = at;
  const { control } = at;
  if (control.observer !== null) control.observer.called?.(at.region, offset, 8, true, joined(lo, hi));
  if (ops.writeHalves !== undefined) {
    ops.writeHalves(offset, lo, hi);
    return 0;
  }
  if (ops.write64 !== undefined) {
    ops.write64(offset, joined(lo, hi));
    return 0;
  }
  if (ops.write64WithAttrs === undefined) throw noCallback(at.region, 'write64');
  const tx = control.frames[control.depth]!.tx;
  tx.result = OK;
  ops.write64WithAttrs(offset, joined(lo, hi), attrs, tx);
  return tx.result;
}

function sizeMask(size: number): number {
  return size === 1 ? 0xff : 0xffff;
}

function joined(lo: number, hi: number): bigint {
  WIDE.setUint32(0, lo, true);
  WIDE.setUint32(4, hi, true);
  return WIDE.getBigUint64(0, true);
}

/** A number of 64 bits on its way between its forms; by shifts of bigints it took 50 ns more. */
const WIDE = new DataView(new ArrayBuffer(8));

function noCallback(region: MemoryRegion, what: string): MemoryRegionError {
  return new MemoryRegionError(
    'missing-callback',
    `region "${region.name}" has no ${what} callback, and a guest used it; add one (an empty one ignores the access), or refuse it by valid.accepts`,
  );
}
