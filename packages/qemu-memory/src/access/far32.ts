/**
 * Hot. Loads and stores of LE32 below 2^32 that met neither window of RAM and tell nobody their outcome: the device that most of them
 * meet, then the tables of the view, to a device, RAM or a cached page of an IOMMU. What is left is far.ts.
 *
 * Two arguments, all that can be told from them worked out before (the window of the device in the view, `quickSizes` in
 * the dispatch). One device, Node 20 / 26: 8.3 / 8.2 ns through the port, 11.7 / 11.0 through the table, 23.4 / 22.7 by far.ts's
 * loadFar, which has everything to ask. Too long to be inlined, which is wanted: inlined, `load` is not, and the same read takes 16 ns.
 */
import { le32, MEMTXATTRS_UNSPECIFIED } from '@guestmem/memtx';
import { loadFar, storeFar } from './far.ts';
import { SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

const { RAM, IOMMU } = SlotKind;

/**
 * @param low the address, its 32 bits as a signed integer.
 * @returns the value, its 32 bits as a signed integer.
 */
export function loadFar32(map: ViewMap, low: number): number {
  const at = (low - map.portBits) | 0;
  const control = map.control;
  if (at >= 0 && at < map.portSpan && (at & 3) === 0) {
    const port = map.port;
    if ((port.quickSizes & 4) !== 0 && control.depth === control.quickDepth) return port.readQuick32(at);
  }
  const iova = (low - map.pagesBits) | 0;
  if (iova >= 0 && iova < map.pagesSpan && (iova & 3) === 0) {
    const page = iova >>> map.pagesShift;
    const entries = map.pagesEntries;
    const entry = (page & map.pagesMask) << 1;
    if (entries[entry] === page) {
      map.metPage(iova);
      return map.pagesView.getInt32(entries[entry + 1]! + (iova & map.pageMask), true);
    }
  }
  const device = map.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
  const inDevice = (low - device.deviceBits) | 0;
  if (inDevice >= 0 && inDevice < device.deviceSpan) {
    const { dispatch } = device;
    const offset = device.deviceOffset + inDevice;
    if ((dispatch.quickSizes & 4) !== 0 && map.taps === null && dispatch.isEasyRead(offset, 4)) {
      map.metDevice(device);
      return dispatch.readEasily(offset, 4);
    }
  }
  if (!control.seesLoads) {
    const addr = low >>> 0;
    const slot = map.slotAt(addr);
    const off = addr - slot.first;
    if (slot.kind === RAM) {
      if (off + 4 <= slot.loadLen) {
        map.met(slot);
        return slot.view.getInt32(off, true);
      }
    }
  }
  return loadFar(map.core, map, low, le32, MEMTXATTRS_UNSPECIFIED, null);
}

/** `loadFar32` for a store of the 32 bits `value`, as a signed integer. */
export function storeFar32(map: ViewMap, low: number, value: number): void {
  const at = (low - map.portBits) | 0;
  const control = map.control;
  if (at >= 0 && at < map.portSpan && (at & 3) === 0) {
    const port = map.port;
    if ((port.quickWrites & 4) !== 0 && control.depth === control.quickDepth) {
      port.writeQuick32(at, value);
      return;
    }
  }
  const device = map.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
  const inDevice = (low - device.deviceBits) | 0;
  if (inDevice >= 0 && inDevice < device.deviceSpan) {
    const { dispatch } = device;
    const offset = device.deviceOffset + inDevice;
    if ((dispatch.quickWrites & 4) !== 0 && map.taps === null && dispatch.isEasyWrite(offset, 4)) {
      map.metDevice(device);
      dispatch.writeEasily(offset, value, 4);
      return;
    }
  }
  const addr = low >>> 0;
  const slot = map.slotAt(addr);
  const off = addr - slot.first;
  if (slot.kind === RAM) {
    if (off + 4 <= slot.storeLen) {
      map.met(slot);
      slot.view.setInt32(off, value, true);
      if (slot.dirtyMask !== 0) slot.markDirty(off, 4);
      return;
    }
  } else if (slot.kind === IOMMU && slot.pageIommu !== null && slot.exact && map.taps === null) {
    const model = slot.pageIommu;
    const iova = slot.offset + off;
    const next = model.hit(iova, 2, MEMTXATTRS_UNSPECIFIED);
    if (next >= 0 && model.pageRoom(iova) >= 4) {
      const behind = model.targetAs.map.slotAt(next);
      const there = next - behind.first;
      if (behind.kind === RAM && there + 4 <= behind.storeLen) {
        map.metIommu(slot, iova);
        behind.view.setInt32(there, value, true);
        if (behind.dirtyMask !== 0) behind.markDirty(there, 4);
        return;
      }
    }
  }
  storeFar(map.core, map, low, le32, value, 0, MEMTXATTRS_UNSPECIFIED, null);
}
