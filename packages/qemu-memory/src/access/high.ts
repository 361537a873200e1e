/**
 * Hot. Scalars that met no window of scalar-access.ts and are not for far.ts: those from 2^32 on, where UEFI puts BARs of 64 bits
 * and large machines have most of their RAM, and those of 64 bits anywhere. RAM and devices, by the tables; the rest is scalar.ts,
 * which translates first.
 *
 * Node 20 / 26, ns, a load and a store: a device above 4 GiB 33 / 38 and 33 / 40, by scalar.ts 46 / 52 and 52 / 52; eight pieces of RAM there
 * 21 / 26 and 23 / 30, by scalar.ts 33 / 42 and 36 / 45. Both functions have more than 460 bytes of bytecode, so that V8 inlines them nowhere:
 * one of 350 bytes was inlined into `find`, which then was not, and RAM in the window `high` took 18 ns instead of 13. Two easy callbacks for 8 bytes
 * of a device were not quicker than a loop over pieces (58 to 72 instead of 58).
 */
import { type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import type { GuestAddress, Ordering, ScalarCodec } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import { failed, failTx, loadDispatched, loadSlow, storeDispatched, storeSlow } from './scalar.ts';
import { SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

const { OK } = MemTxResult;
const { DEVICE, RAM } = SlotKind;
/** Offsets in a device above this are no small integers. */
const LAST = 0x3fff_ffff;

/** As `loadSlow`. */
export function loadHigh<T>(
  core: MemoryCore,
  map: ViewMap,
  where: GuestAddress,
  codec: ScalarCodec<T>,
  attrs: MemTxAttrs,
  tx: MemTx | null,
  ordering: Ordering | undefined,
): DataView {
  if (ordering === undefined && typeof where === 'number' && where >= 0 && Number.isSafeInteger(where)) {
    const control = core.access;
    const { size } = codec;
    const slot = map.slotAt(where);
    const off = where - slot.first;
    if (slot.kind === RAM && off + size <= slot.loadLen && !control.seesLoads) {
      map.met(slot);
      if (tx !== null) {
        // Before it says OK: a codec may refuse what is there.
        codec.get(slot.view, off);
        tell(tx, OK, size);
      }
      control.found = off;
      return slot.view;
    }
    if (slot.kind === DEVICE && map.taps === null) {
      const { scratch } = control;
      const { dispatch } = slot;
      const offset = slot.offset + off;
      if (tx !== null) failTx(tx);
      let result: number = OK;
      if (offset <= LAST && !attrs.debug && dispatch.isEasyRead(offset, size)) {
        const bits = dispatch.readEasily(offset, size);
        const little = !dispatch.bigEndian;
        if (size === 4) scratch.setInt32(0, bits, little);
        else if (size === 2) scratch.setInt16(0, bits, little);
        else scratch.setInt8(0, bits);
      } else {
        loadDispatched(control, slot, off, offset, codec, attrs);
        result = control.result;
      }
      if (tx !== null) {
        codec.get(scratch, 0);
        tell(tx, result, size);
      } else if (result !== OK) throw failed('load', result, where, size, slot);
      control.found = 0;
      return scratch;
    }
  }
  return loadSlow(core, map, where, codec, attrs, tx, ordering);
}

/** As `storeSlow`. */
export function storeHigh<T>(
  core: MemoryCore,
  map: ViewMap,
  where: GuestAddress,
  codec: ScalarCodec<T>,
  value: T,
  attrs: MemTxAttrs,
  tx: MemTx | null,
  ordering: Ordering | undefined,
): void {
  if (ordering === undefined && typeof where === 'number' && where >= 0 && Number.isSafeInteger(where)) {
    const control = core.access;
    const { size } = codec;
    const slot = map.slotAt(where);
    const off = where - slot.first;
    if (slot.kind === RAM && off + size <= slot.storeLen) {
      map.met(slot);
      codec.set(slot.view, off, value);
      if (slot.dirtyMask !== 0) slot.markDirty(off, size);
      if (tx !== null) tell(tx, OK, size);
      return;
    }
    if (slot.kind === DEVICE && map.taps === null) {
      const { dispatch } = slot;
      const offset = slot.offset + off;
      if (tx !== null) failTx(tx);
      let result: number = OK;
      if (offset <= LAST && dispatch.isEasyWrite(offset, size)) {
        const { scratch } = control;
        const little = !dispatch.bigEndian;
        codec.set(scratch, 0, value);
        if (size === 4) dispatch.writeEasily(offset, scratch.getInt32(0, little), 4);
        else if (size === 2) dispatch.writeEasily(offset, scratch.getInt16(0, little), 2);
        else dispatch.writeEasily(offset, scratch.getInt8(0), 1);
      } else {
        storeDispatched(control, slot, off, offset, codec, value, attrs);
        result = control.result;
      }
      if (tx !== null) tell(tx, result, size);
      else if (result !== OK) throw failed('store', result, where, size, slot);
      return;
    }
  }
  storeSlow(core, map, where, codec, value, attrs, tx, ordering);
}

function tell(tx: MemTx, result: number, size: number): void {
  tx.result = result;
  tx.done = result === OK ? size : 0;
}
