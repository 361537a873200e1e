/**
 * Hot. Loads and stores of integers of up to 32 bits at addresses below 2^32 that met no window of scalar-access.ts:
 * through the tables of the view, to RAM, a cached page of an IOMMU or straight to a device's callback; the rest is scalar.ts.
 * Node 20 / 26: eight devices in turn 24 to 26 ns, with a MemTx 24 to 28; a store through an IOMMU 37 / 45.
 *
 * V8 does not inline functions of more than 460 bytes of bytecode, as `loadFar` and `storeFar` are, and that is wanted: inlined,
 * `load` is too big to be inlined itself (3 ns become 7.5). Therefore the store through an IOMMU is written out, and not the load.
 * All arguments and results are small integers (addresses and values as signed 32 bits), because a call boxes any other number.
 */
import { type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import type { ScalarCodec, ScalarInfo } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import type { TapList } from '../taps/tap-list.ts';
import { HotWindows } from './hot-windows.ts';
import type { RegionDispatch } from './region-dispatch.ts';
import { failed, failTx, loadSlow, storeSlow } from './scalar.ts';
import { type Slot, SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

/* Kinds of ScalarCodec, as literals. Only integers of up to 32 bits come here. */
const U8 = 0;
const I8 = 1;
const U16 = 2;
const I16 = 3;
const U32 = 4;
const I32 = 5;
const { DECODE_ERROR, OK } = MemTxResult;
const { RAM, DEVICE, IOMMU } = SlotKind;
/** No 32-bit integer. */
const MISSED = 0x1_0000_0000;

/** The half of a ViewMap that these accesses are. */
export abstract class Far extends HotWindows {
  abstract readonly core: MemoryCore;
  abstract readonly taps: TapList | null;
  /** By page: what was met there last and is not in the coarse table. */
  abstract readonly pages: readonly Slot[];

  /** Who answers for `addr`, a safe integer. */
  abstract slotAt(addr: number): Slot;

  /**
   * `loadFar`, but tries first the hole that was met last and the table of an IOMMU's cached pages. Short, to be inlined: a
   * hole takes 5.3 / 5.8 ns, by loadFar 13.4 / 13.7; a page among 16384 64 to 82, there 98 to 116.
   */
  loadNear<T>(low: number, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null): number {
    const { size } = codec;
    const iova = (low - this.pagesBits) >>> 0;
    if (iova < this.pagesSpan >>> 0 && (iova & (size - 1)) === 0) {
      const page = iova >>> this.pagesShift;
      const entries = this.pagesEntries;
      const entry = (page & this.pagesMask) << 1;
      if (entries[entry] === page) {
        // Before the page is met, which may empty the table.
        const view = this.pagesView;
        const off = entries[entry + 1]! + (iova & this.pageMask);
        this.metPage(iova);
        const bits = (codec.get(view, off) as number) | 0;
        if (tx !== null) succeed(tx, size);
        return bits;
      }
    }
    if (tx !== null && (low - this.holeBits) >>> 0 < this.holeSpan >>> 0 && this.isSilent(attrs)) {
      tx.result = DECODE_ERROR;
      tx.done = 0;
      return 0;
    }
    return this.loadFar(low, codec, attrs, tx);
  }

  /** Does nobody want to know of a refusal, and is it no debugger who asks? */
  private isSilent(attrs: MemTxAttrs): boolean {
    return this.control.observer === null && !attrs.debug;
  }

  /**
   * @param low the address, its 32 bits as a signed integer.
   * @returns the value; of 32 bits, signed.
   */
  loadFar<T>(low: number, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null): number {
    const { control } = this;
    const { size } = codec;
    const isPlain = !attrs.debug;
    const near = this.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
    const at = (low - near.bits) | 0;
    if (isPlain && at >= 0 && at < near.span) {
      if (near.kind === DEVICE) {
        const { dispatch } = near;
        const offset = near.deviceOffset + at;
        if (dispatch.isEasyRead(offset, size)) {
          this.metDevice(near);
          // The port, in the order that is not its own or after the table: 14 to 19 ns, as any device 24.
          if (dispatch === this.port && control.depth === control.quickDepth)
            return inOrder(dispatch.loadQuick(offset, codec, tx), codec, dispatch.bigEndian);
          return loadDevice(dispatch, offset, codec, tx);
        }
        if (dispatch.isEasyReadWithAttrs(offset, size)) return loadWithAttrs(near, offset, low, codec, attrs, tx);
      } else if (tx !== null && control.observer === null) {
        this.nearFirst = 1;
        this.holeBits = near.bits;
        this.holeSpan = near.span;
        tx.result = DECODE_ERROR;
        tx.done = 0;
        return 0;
      }
    } else if (at >>> 0 < near.loads >>> 0 && !control.seesLoads) {
      this.met(near);
      return loadRam(near.view, at >>> 0, codec, tx);
    }
    const addr = low >>> 0;
    const slot = this.slotAt(addr);
    const off = addr - slot.first;
    if (slot.kind === RAM) {
      if (off + size <= slot.loadLen && !control.seesLoads) {
        this.met(slot);
        return loadRam(slot.view, off, codec, tx);
      }
    } else if (slot.kind === IOMMU) {
      const bits = this.loadPage(slot, off, codec, attrs, tx);
      if (bits !== MISSED) return bits;
    } else if (isPlain && slot.kind === DEVICE) {
      const offset = (slot.deviceOffset + off) | 0;
      if (off < slot.span && slot.dispatch.isEasyRead(offset, size))
        return loadDevice(slot.dispatch, offset, codec, tx);
    }
    const view = loadSlow(this.core, this as unknown as ViewMap, addr, codec, attrs, tx, undefined);
    return (codec.get(view, control.found) as number) | 0;
  }

  /** Through one cached page of a PageIommu to RAM; MISSED where it is anything else. */
  private loadPage<T>(slot: Slot, off: number, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null): number {
    const model = slot.pageIommu;
    if (model === null || !slot.exact || this.taps !== null || this.control.seesLoads) return MISSED;
    const iova = slot.offset + off;
    const next = model.hit(iova, 1, attrs);
    if (next < 0 || model.pageRoom(iova) < codec.size) return MISSED;
    const behind = model.targetAs.map.slotAt(next);
    const at = next - behind.first;
    if (behind.kind !== RAM || at + codec.size > behind.loadLen) return MISSED;
    if (this.metIommu(slot, iova)) this.table.enter(iova, behind, at);
    return loadRam(behind.view, at, codec, tx);
  }

  /**
   * @param low as for `loadFar`.
   * @param value one of the codec's; of 32 bits, signed.
   */
  storeFar<T>(low: number, codec: ScalarCodec<T>, value: number, attrs: MemTxAttrs, tx: MemTx | null): void {
    const { kind, size } = codec;
    const near = this.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
    const at = (low - near.bits) | 0;
    if (at >= 0 && at < near.span) {
      const { dispatch } = near;
      const offset = near.deviceOffset + at;
      if (dispatch.isEasyWrite(offset, size)) {
        this.metDevice(near);
        if (dispatch === this.port && this.control.depth === this.control.quickDepth) {
          dispatch.storeQuick(offset, codec, inOrder(value, codec, dispatch.bigEndian), tx);
          return;
        }
        storeDevice(dispatch, offset, codec, value, tx);
        return;
      }
      if (dispatch.isEasyWriteWithAttrs(offset, size)) {
        storeWithAttrs(near, offset, low, codec, value, attrs, tx);
        return;
      }
    } else if (at >>> 0 < near.stores >>> 0) {
      this.met(near);
      storeRam(near, at >>> 0, codec, value, tx);
      return;
    }
    const addr = low >>> 0;
    const slot = this.slotAt(addr);
    const off = addr - slot.first;
    if (slot.kind === RAM) {
      if (off + size <= slot.storeLen) {
        this.met(slot);
        storeRam(slot, off, codec, value, tx);
        return;
      }
    } else if (slot.kind === IOMMU && slot.pageIommu !== null && slot.exact && this.taps === null) {
      const model = slot.pageIommu;
      const iova = slot.offset + off;
      const next = model.hit(iova, 2, attrs);
      if (next >= 0 && model.pageRoom(iova) >= size) {
        const behind = model.targetAs.map.slotAt(next);
        const there = next - behind.first;
        if (behind.kind === RAM && there + size <= behind.storeLen) {
          this.metIommu(slot, iova);
          storeRam(behind, there, codec, value, tx);
          return;
        }
      }
    } else if (slot.kind === DEVICE) {
      const { dispatch } = slot;
      const offset = slot.deviceOffset + off;
      if (off < slot.span && dispatch.isEasyWrite(offset, size)) {
        storeDevice(dispatch, offset, codec, value, tx);
        return;
      }
    }
    const whole = kind === U32 ? value >>> 0 : value;
    storeSlow(this.core, this as unknown as ViewMap, addr, codec, whole as T, attrs, tx, undefined);
  }
}

/** One plain callback of the access's own size. */
const loadDevice = <T>(dispatch: RegionDispatch, offset: number, codec: ScalarCodec<T>, tx: MemTx | null): number => {
  const { size } = codec;
  if (tx !== null) failTx(tx);
  const answer = dispatch.readEasily(offset, size);
  if (tx !== null) succeed(tx, size);
  return inOrder(answer, codec, dispatch.bigEndian);
};

/** `loadDevice` by the callback with attributes, which may answer a result. */
const loadWithAttrs = <T>(
  slot: Slot,
  offset: number,
  low: number,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): number => {
  const { dispatch } = slot;
  const { size } = codec;
  if (tx !== null) failTx(tx);
  const answer = dispatch.readWithAttrs(offset, size, attrs);
  const { result } = dispatch.control;
  if (tx !== null) {
    tx.result = result;
    tx.done = result === OK ? size : 0;
  } else if (result !== OK) throw failed('load', result, low >>> 0, size, slot);
  return inOrder(answer, codec, dispatch.bigEndian);
};

/** A value of the codec, of 32 bits signed, from or for a device of this order. */
const inOrder = (value: number, codec: ScalarInfo, bigEndian: boolean): number => {
  const { kind, size } = codec;
  const bits = size === 1 || (codec.littleEndian === true) !== bigEndian ? value : reversed(value, size);
  if (kind === I8) return (bits << 24) >> 24;
  return kind === I16 ? (bits << 16) >> 16 : bits;
};

/** One plain callback of the access's own size. */
const storeDevice = <T>(
  dispatch: RegionDispatch,
  offset: number,
  codec: ScalarCodec<T>,
  value: number,
  tx: MemTx | null,
): void => {
  const { size } = codec;
  if (tx !== null) failTx(tx);
  dispatch.writeEasily(offset, inOrder(value, codec, dispatch.bigEndian), size);
  if (tx !== null) succeed(tx, size);
};

/** `storeDevice` by the callback with attributes, which may answer a result. */
const storeWithAttrs = <T>(
  slot: Slot,
  offset: number,
  low: number,
  codec: ScalarCodec<T>,
  value: number,
  attrs: MemTxAttrs,
  tx: MemTx | null,
): void => {
  const { dispatch } = slot;
  const { size } = codec;
  if (tx !== null) failTx(tx);
  dispatch.writeWithAttrs(offset, inOrder(value, codec, dispatch.bigEndian), size, attrs);
  const { result } = dispatch.control;
  if (tx !== null) {
    tx.result = result;
    tx.done = result === OK ? size : 0;
  } else if (result !== OK) throw failed('store', result, low >>> 0, size, slot);
};

/** The bits of a 2- or 4-byte number in the other byte order. */
const reversed = (value: number, size: number): number => {
  if (size === 2) return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
};

/** A load inside one window. By the codec's own `get`, which is another function for each codec, it would be a slow call. */
const loadRam = <T>(view: DataView, off: number, codec: ScalarCodec<T>, tx: MemTx | null): number => {
  const { kind } = codec;
  const little = codec.littleEndian === true;
  let value = 0;
  if (kind === U32 || kind === I32) value = little ? view.getInt32(off, true) : view.getInt32(off, false);
  else if (kind === U8) value = view.getUint8(off);
  else if (kind === U16) value = little ? view.getUint16(off, true) : view.getUint16(off, false);
  else if (kind === I8) value = view.getInt8(off);
  else value = little ? view.getInt16(off, true) : view.getInt16(off, false);
  if (tx !== null) succeed(tx, codec.size);
  return value;
};

/** A store inside one window. */
const storeRam = <T>(slot: Slot, off: number, codec: ScalarCodec<T>, value: number, tx: MemTx | null): void => {
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
  if (tx !== null) succeed(tx, size);
};

const succeed = (tx: MemTx, size: number): void => {
  tx.result = OK;
  tx.done = size;
};
