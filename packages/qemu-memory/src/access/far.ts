/**
 * Hot. Loads and stores of integers of up to 32 bits at addresses below 2^32 that met no window of scalar-access.ts:
 * through the tables of the view, to RAM or straight to a device's callback; the rest is scalar.ts.
 *
 * V8 does not inline functions as long as these, and that is wanted: the slow paths inlined into `load` would make it too
 * big to be inlined itself (3 ns become 7.5). All arguments and results are small integers (addresses and values as
 * signed 32 bits), because a call boxes any other number.
 */
import { type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import type { ScalarCodec } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import type { AccessControl } from './control.ts';
import type { RegionDispatch } from './region-dispatch.ts';
import { loadSlow, storeSlow } from './scalar.ts';
import { type Slot, SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

/* Kinds of ScalarCodec, as literals. Only integers of up to 32 bits come here. */
const U8 = 0;
const I8 = 1;
const U16 = 2;
const I16 = 3;
const U32 = 4;
const I32 = 5;
const { RAM, DEVICE, IOMMU } = SlotKind;
/** No 32-bit integer. */
const MISSED = 0x1_0000_0000;

/**
 * @param low the address, its 32 bits as a signed integer.
 * @returns the value; of 32 bits, signed.
 */
export function loadFar<T>(
  core: MemoryCore,
  map: ViewMap,
  low: number,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): number {
  const { size } = codec;
  const isPlain = map.taps === null && !attrs.debug;
  const control = core.access;
  const { port } = map;
  const inPort = (low - map.portBits) | 0;
  if (
    isPlain &&
    inPort >>> 0 < port.quickSpan >>> 0 &&
    (port.quickReads & size) !== 0 &&
    (inPort & (size - 1)) === 0 &&
    control.depth === control.quickDepth
  ) {
    // `loadDevice`, written out: 18.3 / 19.3 ns, by a call 19.5 / 20.1.
    if (tx !== null) {
      tx.result = MemTxResult.ERROR;
      tx.done = 0;
    }
    const value = port.readQuick(inPort, size);
    if (tx !== null) {
      tx.result = MemTxResult.OK;
      tx.done = size;
    }
    return codecValue(value, codec, port);
  }
  const page = map.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
  const at = (low - page.bits) | 0;
  if (isPlain && at >= 0 && at < page.span) {
    if (page.kind === DEVICE) {
      const { dispatch } = page;
      const offset = page.deviceOffset + at;
      if (dispatch.isEasyRead(offset, size)) {
        map.metDevice(page);
        return loadDevice(dispatch, offset, codec, tx);
      }
    } else if (tx !== null && control.observer === null) {
      tx.result = MemTxResult.DECODE_ERROR;
      tx.done = 0;
      return 0;
    }
  }
  const addr = low >>> 0;
  const slot = map.slotAt(addr);
  const off = addr - slot.first;
  if (slot.kind === RAM) {
    if (off + size <= slot.loadLen && !control.seesLoads) {
      map.met(slot);
      return loadRam(slot, off, codec, tx);
    }
  } else if (slot.kind === IOMMU) {
    const bits = loadPage(control, map, slot, off, codec, attrs, tx);
    if (bits !== MISSED) return bits;
  } else if (isPlain && slot.kind === DEVICE) {
    const offset = (slot.deviceOffset + off) | 0;
    if (off < slot.span && slot.dispatch.isEasyRead(offset, size)) return loadDevice(slot.dispatch, offset, codec, tx);
  }
  const view = loadSlow(core, map, addr, codec, attrs, tx, undefined);
  return (codec.get(view, control.found) as number) | 0;
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
  return codecValue(value, codec, dispatch);
}

/** The codec's value of what `dispatch` answered; of 32 bits, signed. */
function codecValue<T>(answer: number, codec: ScalarCodec<T>, dispatch: RegionDispatch): number {
  const { kind, size } = codec;
  const bits = size > 1 && (codec.littleEndian === true) === dispatch.bigEndian ? reversed(answer, size) : answer;
  if (kind === I8) return (bits << 24) >> 24;
  return kind === I16 ? (bits << 16) >> 16 : bits;
}

/** The bits of a 2- or 4-byte number in the other byte order. */
function reversed(value: number, size: number): number {
  if (size === 2) return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

/** A load inside one window. */
function loadRam<T>(slot: Slot, off: number, codec: ScalarCodec<T>, tx: MemTx | null): number {
  const { view } = slot;
  const { kind } = codec;
  const little = codec.littleEndian === true;
  let value = 0;
  if (kind === U32 || kind === I32) value = little ? view.getInt32(off, true) : view.getInt32(off, false);
  else if (kind === U8) value = view.getUint8(off);
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
  if (model === null || !slot.exact || map.taps !== null || control.seesLoads) return MISSED;
  const iova = slot.offset + off;
  const next = model.hit(iova, 1, attrs);
  if (next < 0 || model.pageRoom(iova) < codec.size) return MISSED;
  const behind = model.targetAs.map.slotAt(next);
  const at = next - behind.first;
  if (behind.kind !== RAM || at + codec.size > behind.loadLen) return MISSED;
  if (map.metIommu(slot, iova)) map.table.enter(iova, behind, at);
  return loadRam(behind, at, codec, tx);
}

/**
 * @param low as for `loadFar`.
 * @param value a number of 32 bits, signed; all that a codec of 32 bits takes, else a value that may not be the codec's.
 */
export function storeFar<T>(
  core: MemoryCore,
  map: ViewMap,
  low: number,
  codec: ScalarCodec<T>,
  value: number,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): void {
  const { kind, size } = codec;
  const addr = low >>> 0;
  if (size < 4 && !isOne(value, kind)) {
    // Says what the codec takes.
    storeSlow(core, map, addr, codec, value as T, attrs, tx, undefined);
    return;
  }
  const { port } = map;
  const inPort = (low - map.portBits) | 0;
  if (
    inPort >>> 0 < port.quickSpan >>> 0 &&
    (port.quickWrites & size) !== 0 &&
    (inPort & (size - 1)) === 0 &&
    core.access.depth === core.access.quickDepth
  ) {
    storeDevice(port, true, inPort, codec, value, tx);
    return;
  }
  const device = map.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
  const at = (low - device.bits) | 0;
  if (at >= 0 && at < device.span && map.taps === null) {
    const { dispatch } = device;
    const offset = device.deviceOffset + at;
    if (dispatch.isEasyWrite(offset, size)) {
      map.metDevice(device);
      storeDevice(dispatch, false, offset, codec, value, tx);
      return;
    }
  }
  const slot = map.slotAt(addr);
  const off = addr - slot.first;
  if (slot.kind === RAM) {
    if (off + size <= slot.storeLen) {
      map.met(slot);
      storeRam(slot, off, codec, value, tx);
      return;
    }
  } else if (slot.kind === IOMMU && storePage(map, slot, off, codec, value, attrs, tx)) return;
  const whole = kind === U32 ? value >>> 0 : value;
  storeSlow(core, map, addr, codec, whole as T, attrs, tx, undefined);
}

/** One plain callback of the access's own size. @param isQuick by the quick way? */
function storeDevice<T>(
  dispatch: RegionDispatch,
  isQuick: boolean,
  offset: number,
  codec: ScalarCodec<T>,
  value: number,
  tx: MemTx | null,
): void {
  const { size } = codec;
  const isReversed = size > 1 && (codec.littleEndian === true) === dispatch.bigEndian;
  const raw = isReversed ? reversed(value, size) : value;
  if (tx !== null) {
    tx.result = MemTxResult.ERROR;
    tx.done = 0;
  }
  if (isQuick) dispatch.writeQuick(offset, raw, size);
  else dispatch.writeEasily(offset, raw, size);
  if (tx !== null) {
    tx.result = MemTxResult.OK;
    tx.done = size;
  }
}

/** Is `value` one of a kind of 8 or 16 bits? */
function isOne(value: number, kind: number): boolean {
  if (kind === U8) return (value & 0xff) === value;
  if (kind === I8) return (value << 24) >> 24 === value;
  return kind === U16 ? (value & 0xffff) === value : (value << 16) >> 16 === value;
}

/** A store inside one window. */
function storeRam<T>(slot: Slot, off: number, codec: ScalarCodec<T>, value: number, tx: MemTx | null): void {
  const { view } = slot;
  const { size } = codec;
  const little = codec.littleEndian === true;
  if (size === 4) {
    if (little) view.setInt32(off, value, true);
    else view.setInt32(off, value, false);
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
  storeRam(behind, at, codec, value, tx);
  return true;
}
