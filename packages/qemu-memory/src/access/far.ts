/**
 * Hot. Scalar loads and stores of up to 32 bits, and of 64 as two halves, at addresses below 2^32 that met neither window
 * of scalar-access.ts: through the table of the view, to RAM or straight to a device's callback; the rest is scalar.ts.
 *
 * V8 does not inline functions as long as these, and that is wanted: the slow paths inlined into `load` would make it too
 * big to be inlined itself (3 ns become 7.5). All arguments and results are small integers (addresses and values as
 * signed 32 bits, a second half in `control.hi`), because a call boxes any other number.
 */
import { type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { getScalar, type ScalarCodec } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import type { AccessControl } from './control.ts';
import type { RegionDispatch } from './region-dispatch.ts';
import { loadSlow, storeSlow } from './scalar.ts';
import { type Slot, SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

/* Kinds of ScalarCodec, as literals. */
const U8 = 0;
const I8 = 1;
const U16 = 2;
const U32 = 4;
const I32 = 5;
const U64_NUMBER = 8;
const { RAM, DEVICE, IOMMU } = SlotKind;
/** No 32-bit integer. */
const MISSED = 0x1_0000_0000;

/**
 * @param low the address, its 32 bits as a signed integer.
 * @returns the value's low 32 bits, signed where they do not fit; U64_NUMBER's high ones are in `core.access.hi`.
 */
export function loadFar<T>(
  core: MemoryCore,
  map: ViewMap,
  low: number,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): number {
  const { kind, size } = codec;
  const isPlain = kind <= U32 && (kind & 1) === 0 && map.taps === null && !attrs.debug;
  const device = map.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
  const at = (low - device.deviceBits) | 0;
  if (isPlain && at >= 0 && at < device.deviceSpan) {
    const { dispatch } = device;
    const offset = device.deviceOffset + at;
    // `loadDevice`, written out: the call costs 3 ns.
    if (dispatch.isEasyRead(offset, size)) {
      if (tx !== null) {
        tx.result = MemTxResult.ERROR;
        tx.done = 0;
      }
      const value = dispatch.readEasily(offset, size);
      if (tx !== null) {
        tx.result = MemTxResult.OK;
        tx.done = size;
      }
      if (size === 1 || (codec.littleEndian === true) !== dispatch.bigEndian) return value;
      return reversed(value, size);
    }
  }
  const addr = low >>> 0;
  const control = core.access;
  const slot = map.slotAt(addr);
  const off = addr - slot.first;
  if (slot.kind === RAM) {
    if (off + size <= slot.loadLen && !control.seesLoads && kind <= U64_NUMBER) {
      map.met(slot);
      return loadRam(control, slot, off, codec, tx);
    }
  } else if (slot.kind === IOMMU) {
    const bits = loadPage(control, map, slot, off, codec, attrs, tx);
    if (bits !== MISSED) return bits;
  } else if (isPlain) {
    if (slot.kind === DEVICE) {
      const offset = (slot.deviceOffset + off) | 0;
      if (off < slot.deviceSpan && slot.dispatch.isEasyRead(offset, size))
        return loadDevice(slot.dispatch, offset, codec, tx);
    } else if (tx !== null && control.observer === null) {
      tx.result = MemTxResult.DECODE_ERROR;
      tx.done = 0;
      return 0;
    }
  }
  const value = loadSlow(core, map, addr, codec, attrs, tx, undefined) as number;
  if (kind === U64_NUMBER) control.hi = Math.floor(value / 0x1_0000_0000);
  return value | 0;
}

/** One plain callback of the access's own size. */
function loadDevice<T>(dispatch: RegionDispatch, offset: number, codec: ScalarCodec<T>, tx: MemTx | null): number {
  const { size } = codec;
  if (tx !== null) {
    tx.result = MemTxResult.ERROR;
    tx.done = 0;
  }
  const value = dispatch.readEasily(offset, size);
  if (tx !== null) {
    tx.result = MemTxResult.OK;
    tx.done = size;
  }
  if (size === 1 || (codec.littleEndian === true) !== dispatch.bigEndian) return value;
  return reversed(value, size);
}

/** The bits of a 2- or 4-byte number in the other byte order. */
function reversed(value: number, size: number): number {
  if (size === 2) return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

/** A load inside one window. */
function loadRam<T>(control: AccessControl, slot: Slot, off: number, codec: ScalarCodec<T>, tx: MemTx | null): number {
  const { view } = slot;
  const { kind } = codec;
  const little = codec.littleEndian === true;
  let value = 0;
  if (kind === U32 || kind === I32) value = little ? view.getInt32(off, true) : view.getInt32(off, false);
  else if (kind === U64_NUMBER) {
    const high = little ? view.getUint32(off + 4, true) : view.getUint32(off, false);
    // A RangeError, made there.
    if (high > 0x1f_ffff) getScalar(view, off, codec);
    value = little ? view.getInt32(off, true) : view.getInt32(off + 4, false);
    control.hi = high;
  } else if (kind === U8) value = view.getUint8(off);
  else if (kind === U16) value = little ? view.getUint16(off, true) : view.getUint16(off, false);
  else if (kind === I8) value = view.getInt8(off);
  else value = little ? view.getInt16(off, true) : view.getInt16(off, false);
  if (tx !== null) {
    tx.result = MemTxResult.OK;
    tx.done = codec.size;
  }
  return value;
}

/** Through one cached page of a PageIommu to RAM; MISSED where it is anything else. */
function loadPage<T>(
  control: AccessControl,
  map: ViewMap,
  slot: Slot,
  off: number,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): number {
  const model = slot.pageIommu;
  if (model === null || !slot.exact || map.taps !== null || control.seesLoads || codec.kind > I32) return MISSED;
  const iova = slot.offset + off;
  const next = model.hit(iova, 1, attrs);
  if (next < 0 || model.pageRoom(iova) < codec.size) return MISSED;
  const behind = model.targetAs.map.slotAt(next);
  const at = next - behind.first;
  if (behind.kind !== RAM || at + codec.size > behind.loadLen) return MISSED;
  if (map.metIommu(slot, iova)) map.table.enter(iova, behind, at);
  return loadRam(control, behind, at, codec, tx);
}

/**
 * @param low as for `loadFar`.
 * @param value the low 32 bits of a value that the codec takes, signed; `high` the upper ones of U64_NUMBER.
 */
export function storeFar<T>(
  core: MemoryCore,
  map: ViewMap,
  low: number,
  codec: ScalarCodec<T>,
  value: number,
  high: number,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): void {
  const { kind, size } = codec;
  const device = map.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
  const at = (low - device.deviceBits) | 0;
  if (at >= 0 && at < device.deviceSpan && kind <= I32 && map.taps === null) {
    const { dispatch } = device;
    const offset = device.deviceOffset + at;
    if (dispatch.isEasyWrite(offset, size)) {
      let raw = value;
      if ((codec.littleEndian === true) === dispatch.bigEndian && size > 1) raw = reversed(raw, size);
      if (tx !== null) {
        tx.result = MemTxResult.ERROR;
        tx.done = 0;
      }
      dispatch.writeEasily(offset, raw, size);
      if (tx !== null) {
        tx.result = MemTxResult.OK;
        tx.done = size;
      }
      return;
    }
  }
  const addr = low >>> 0;
  const slot = map.slotAt(addr);
  const off = addr - slot.first;
  if (slot.kind === RAM) {
    if (off + size <= slot.storeLen) {
      map.met(slot);
      storeRam(slot, off, codec, value, high, tx);
      return;
    }
  } else if (slot.kind === IOMMU && storePage(map, slot, off, codec, value, high, attrs, tx)) return;
  let whole = value;
  if (kind === U32) whole = value >>> 0;
  else if (kind === U64_NUMBER) whole = (value >>> 0) + high * 0x1_0000_0000;
  storeSlow(core, map, addr, codec, whole as T, attrs, tx, undefined);
}

/** A store inside one window. */
function storeRam<T>(
  slot: Slot,
  off: number,
  codec: ScalarCodec<T>,
  value: number,
  high: number,
  tx: MemTx | null,
): void {
  const { view } = slot;
  const { size } = codec;
  const little = codec.littleEndian === true;
  if (size === 4) {
    if (little) view.setInt32(off, value, true);
    else view.setInt32(off, value, false);
  } else if (size === 8) {
    if (little) {
      view.setInt32(off, value, true);
      view.setInt32(off + 4, high, true);
    } else {
      view.setInt32(off + 4, value, false);
      view.setInt32(off, high, false);
    }
  } else if (size === 1) view.setInt8(off, value);
  else if (little) view.setInt16(off, value, true);
  else view.setInt16(off, value, false);
  if (slot.dirtyMask !== 0) slot.markDirty(off, size);
  if (tx !== null) {
    tx.result = MemTxResult.OK;
    tx.done = size;
  }
}

/** Through one cached page of a PageIommu to RAM. @returns false where it is anything else; then nothing is done. */
function storePage<T>(
  map: ViewMap,
  slot: Slot,
  off: number,
  codec: ScalarCodec<T>,
  value: number,
  high: number,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): boolean {
  const model = slot.pageIommu;
  if (model === null || !slot.exact || map.taps !== null) return false;
  const iova = slot.offset + off;
  const next = model.hit(iova, 2, attrs);
  if (next < 0 || model.pageRoom(iova) < codec.size) return false;
  const behind = model.targetAs.map.slotAt(next);
  const at = next - behind.first;
  if (behind.kind !== RAM || at + codec.size > behind.storeLen) return false;
  map.metIommu(slot, iova);
  storeRam(behind, at, codec, value, high, tx);
  return true;
}

/** A load of any codec that has no path of its own. `low` as for `loadFar`. */
export function loadAny<T>(
  core: MemoryCore,
  map: ViewMap,
  low: number,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): T {
  const { kind } = codec;
  if (kind > I32 && kind !== U64_NUMBER) return loadSlow(core, map, low >>> 0, codec, attrs, tx, undefined);
  const bits = loadFar(core, map, low, codec, attrs, tx);
  if (kind === U64_NUMBER) return (core.access.hi * 0x1_0000_0000 + (bits >>> 0)) as T;
  return (kind === U32 ? bits >>> 0 : bits) as T;
}
