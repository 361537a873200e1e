/**
 * Scalar loads and stores that the fast path did not take: another slot, a device, a hole, an IOMMU, an atomic, a tap. One
 * translation, one action, never a loop: an access that crosses an end is refused as a whole..
 */
import { type MemTx, type MemTxAttrs, MemTxError, MemTxResult } from '@guestmem/memtx';
import {
  checkLoadOrdering,
  checkStoreOrdering,
  type GuestAddress,
  GuestMemoryError,
  hex,
  type Ordering,
  type ScalarCodec,
  type ScalarInfo,
  toAddress,
} from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import { atomicLoad, atomicStore, misaligned } from './atomic.ts';
import type { AccessControl } from './control.ts';
import type { RegionDispatch } from './region-dispatch.ts';
import { type Slot, SlotKind } from './slot.ts';
import { translate } from './target.ts';
import type { ViewMap } from './view-map.ts';

/**
 * The load of `ViewAccess.txLoad`, but for decoding.
 *
 * @returns a view that has the scalar at `core.access.found`: the RAM, or `core.access.scratch`.
 */
export function loadSlow<T>(
  core: MemoryCore,
  map: ViewMap,
  where: GuestAddress,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx | null,
  ordering: Ordering | undefined,
): DataView {
  const addr = Number.isSafeInteger(where) && (where as number) >= 0 ? where : toAddress(where);
  if (ordering !== undefined) checkLoadOrdering(ordering); // Whatever answers.
  const control = core.access;
  const { target } = map;
  const { size } = codec;
  translate(map, addr, size, false, attrs, target);
  const { slot, at } = target;
  let view = control.scratch;
  let found = 0;
  let result: number = MemTxResult.OK;
  if (slot.kind === SlotKind.RAM && slot.section.directRead && blockHolds(slot, at, size, target.length)) {
    if (control.seesLoads) control.observer!.dmaRead!(addr, size, slot.section.region);
    else if (target.map === map && slot.loadLen !== 0) {
      map.load = slot;
      map.met(slot);
    }
    if (ordering !== undefined) {
      if (!atomicLoad(slot.bytes, at, size, ordering, control.scratch)) {
        if (tx === null) throw misaligned(addr, size);
        control.scratchBytes.fill(0);
        result = MemTxResult.DECODE_ERROR;
      }
    } else if (at + size <= slot.len) {
      view = slot.view;
      found = at;
    } else gather(slot, at, size, control);
  } else {
    if (tx !== null) failTx(tx);
    loadDispatched(control, slot, at, target.offset, codec, attrs);
    result = control.result;
  }
  if (map.taps !== null) {
    const { scratch } = control;
    for (let i = 0; i < size; i++) scratch.setUint8(i, view.getUint8(found + i));
    view = scratch;
    found = 0;
    // Kept: a tap may access memory itself.
    const low = scratch.getInt32(0);
    const high = scratch.getInt32(4);
    map.taps.loaded(addr, size, codec.get(scratch, 0), attrs);
    scratch.setInt32(0, low);
    scratch.setInt32(4, high);
  }
  if (tx !== null) {
    // Before it says OK: a codec may refuse what is there.
    codec.get(view, found);
    tx.result = result;
    tx.done = result === MemTxResult.OK ? size : 0;
  } else if (result !== MemTxResult.OK) throw failed('load', result, where, size, slot);
  control.found = found;
  return view;
}

/** The store of `ViewAccess.txStore`. */
export function storeSlow<T>(
  core: MemoryCore,
  map: ViewMap,
  where: GuestAddress,
  codec: ScalarCodec<T>,
  value: T,
  attrs: MemTxAttrs,
  tx: MemTx | null,
  ordering: Ordering | undefined,
): void {
  const addr = Number.isSafeInteger(where) && (where as number) >= 0 ? where : toAddress(where);
  if (ordering !== undefined) checkStoreOrdering(ordering);
  const control = core.access;
  const { target } = map;
  const { size } = codec;
  if (map.taps !== null) {
    codec.set(control.scratch, 0, value); // A value that is refused is no access.
    map.taps.stored(addr, size, value, attrs);
  }
  translate(map, addr, size, true, attrs, target);
  const { slot, at } = target;
  let result: number = MemTxResult.OK;
  if (slot.kind === SlotKind.RAM && slot.takesWrites(attrs) && blockHolds(slot, at, size, target.length)) {
    if (target.map === map && slot.storeLen !== 0) {
      map.store = slot;
      map.met(slot);
    }
    if (ordering !== undefined) {
      if (!atomicStore(slot.bytes, at, codec, value, ordering, control.scratch)) {
        if (tx === null) throw misaligned(addr, size);
        result = MemTxResult.DECODE_ERROR;
      }
    } else if (at + size <= slot.len) codec.set(slot.view, at, value);
    else {
      codec.set(control.scratch, 0, value);
      scatter(slot, at, size, control);
    }
    if (result === MemTxResult.OK) slot.markSlow(at, size);
  } else {
    if (tx !== null) failTx(tx);
    storeDispatched(control, slot, at, target.offset, codec, value, attrs);
    result = control.result;
  }
  if (tx !== null) {
    tx.result = result;
    tx.done = result === MemTxResult.OK ? size : 0;
  } else if (result !== MemTxResult.OK) throw failed('store', result, where, size, slot);
}

/** A-73 without its quirks: a 4-byte store that leaves translated code as it is. It takes the full path. */
export function storeNotdirty(
  core: MemoryCore,
  map: ViewMap,
  addr: GuestAddress,
  codec: ScalarCodec<number>,
  value: number,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): void {
  const control = core.access;
  const { size } = codec;
  const start = toAddress(addr);
  translate(map, start, size, true, attrs, map.target);
  const { slot, at, length } = map.target;
  if (slot.kind !== SlotKind.RAM || !slot.takesWrites(attrs) || !blockHolds(slot, at, size, length)) {
    storeSlow(core, map, addr, codec, value, attrs, tx, undefined);
    return;
  }
  codec.set(control.scratch, 0, value); // A value that is refused is no access.
  map.taps?.stored(start, size, value, attrs);
  if (at + size <= slot.len) codec.set(slot.view, at, value);
  else {
    codec.set(control.scratch, 0, value);
    scatter(slot, at, size, control);
  }
  // For the marks alone: what taps and models store by themselves is not to be kept from the translator.
  const invalidate = control.invalidateCode;
  control.invalidateCode = null;
  slot.markSlow(at, size);
  control.invalidateCode = invalidate;
  if (tx !== null) {
    tx.result = MemTxResult.OK;
    tx.done = size;
  }
}

/** One dispatch of the whole load to the first byte's region. Sets `control.result`, and `control.scratch` to its bytes in the codec's order. */
export function loadDispatched(
  control: AccessControl,
  slot: Slot,
  at: number,
  offset: number,
  codec: ScalarInfo,
  attrs: MemTxAttrs,
): void {
  const { dispatch } = slot;
  const { size } = codec;
  const { scratch } = control;
  // the orders agree, or the number is reversed; in bytes, the device's order is what counts.
  const little = !dispatch.bigEndian;
  if (size === 8) {
    readHalves(dispatch, slot, at, offset, attrs);
    scratch.setUint32(little ? 0 : 4, control.lo, little);
    scratch.setUint32(little ? 4 : 0, control.hi, little);
    return;
  }
  const value = readNumber(dispatch, slot, at, offset, size, attrs);
  if (size === 4) scratch.setUint32(0, value, little);
  else if (size === 2) scratch.setUint16(0, value, little);
  else scratch.setUint8(0, value);
}

/** One dispatch of the whole store to the first byte's region. Sets `control.result`. */
export function storeDispatched<T>(
  control: AccessControl,
  slot: Slot,
  at: number,
  offset: number,
  codec: ScalarCodec<T>,
  value: T,
  attrs: MemTxAttrs,
): void {
  const { dispatch } = slot;
  const { size } = codec;
  const { scratch } = control;
  codec.set(scratch, 0, value);
  const little = !dispatch.bigEndian;
  if (isOut(slot, offset)) dispatch.refuse(slot.offsetAt(at), size, true, 'rejected', MemTxResult.DECODE_ERROR);
  else if (size === 8) {
    const lo = scratch.getUint32(little ? 0 : 4, little);
    const hi = scratch.getUint32(little ? 4 : 0, little);
    dispatch.write64(offset, lo, hi, attrs);
  } else {
    const raw =
      size === 4 ? scratch.getUint32(0, little) : size === 2 ? scratch.getUint16(0, little) : scratch.getUint8(0);
    dispatch.write(offset, raw, size, attrs);
  }
}

/** Reads 1, 2 or 4 bytes in region order, or what a debugger sees. Sets `control.result`. */
export function readNumber(
  dispatch: RegionDispatch,
  slot: Slot,
  at: number,
  offset: number,
  size: number,
  attrs: MemTxAttrs,
): number {
  if (isOut(slot, offset)) return dispatch.refuse(slot.offsetAt(at), size, false, 'rejected', MemTxResult.DECODE_ERROR);
  if (!attrs.debug) return dispatch.read(offset, size, attrs);
  return dispatch.hasOps && dispatch.peek(offset, size) ? dispatch.control.lo : opaque(dispatch, offset, size);
}

/** `readNumber` for 8 bytes: `control.lo` and `control.hi`. */
export function readHalves(dispatch: RegionDispatch, slot: Slot, at: number, offset: number, attrs: MemTxAttrs): void {
  if (isOut(slot, offset)) dispatch.refuse(slot.offsetAt(at), 8, false, 'rejected', MemTxResult.DECODE_ERROR);
  else if (!attrs.debug) dispatch.read64(offset, attrs);
  else if (!dispatch.hasOps || !dispatch.peek(offset, 8)) opaque(dispatch, offset, 8);
}

/** A region without `peek` shows a debugger nothing, rather than a side effect (D13). */
function opaque(dispatch: RegionDispatch, offset: number, size: number): number {
  if (!dispatch.hasOps) return dispatch.refuse(offset, size, false, 'rejected', MemTxResult.DECODE_ERROR);
  return dispatch.refuse(offset, size, false, 'opaque', MemTxResult.ACCESS_ERROR);
}

/** Nobody, or an offset that callbacks cannot be given exactly. */
export function isOut(slot: Slot, offset: number): boolean {
  return slot.kind === SlotKind.HOLE || offset > Number.MAX_SAFE_INTEGER;
}

/** What `tx` says when the device throws: nothing after the callback will set it. */
export function failTx(tx: MemTx): void {
  tx.result = MemTxResult.ERROR;
  tx.done = 0;
}

/** Do the section, the page and the block hold all of it, in one window or in several? */
export function blockHolds(slot: Slot, at: number, size: number, length: number): boolean {
  return length >= size && (at + size <= slot.len || slot.blockOffset + at + size <= slot.section.region.ram!.length);
}

/** Bytes of a scalar that lies in two windows of one block. */
export function gather(slot: Slot, at: number, size: number, control: AccessControl): void {
  const { backing } = slot.section.region.ram!;
  for (let i = 0; i < size; i++) {
    const offset = slot.blockOffset + at + i;
    const segment = backing.segmentAt(offset);
    control.scratchBytes[i] = segment.bytes[offset - segment.start]!;
  }
}

export function scatter(slot: Slot, at: number, size: number, control: AccessControl): void {
  const { backing } = slot.section.region.ram!;
  for (let i = 0; i < size; i++) {
    const offset = slot.blockOffset + at + i;
    const segment = backing.segmentAt(offset);
    segment.bytes[offset - segment.start] = control.scratchBytes[i]!;
  }
}

/** The error of the throwing vocabulary; its cause names who refused. A RAM region that does was crossed at its end, or is read-only. */
export function failed(
  what: string,
  result: MemTxResult,
  addr: GuestAddress,
  expected: number,
  slot: Slot,
): GuestMemoryError {
  const crosses = slot.kind === SlotKind.RAM && result === MemTxResult.DECODE_ERROR;
  if (slot.kind === SlotKind.DEVICE) {
    const why = result === MemTxResult.DECODE_ERROR ? 'does not take this access' : 'failed it';
    const cause = new GuestMemoryError(
      'invalid-backend-address',
      `${hex(addr)} is in "${slot.section.region.name}", which ${why}; core.access.observer is told of refusals and calls`,
      { addr },
    );
    return new MemTxError(what, result, { addr, expected, completed: 0, cause });
  }
  if (!crosses) return new MemTxError(what, result, { addr, expected, completed: 0 });
  const cause = new GuestMemoryError(
    'invalid-backend-address',
    `${hex(addr)} is in "${slot.section.region.name}", which ${slot.section.directWrite ? 'ends before the access does' : 'does not take it'}`,
    { addr },
  );
  return new MemTxError(what, result, { addr, expected, completed: 0, code: 'invalid-backend-address', cause });
}
