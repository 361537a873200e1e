/**
 * Hot. Loads and stores of LE32 below 2^32 that met no window of RAM and tell nobody their outcome: the device that
 * most of them meet, then the tables of the view, to a device, RAM or a cached page of an IOMMU. What is left is far.ts.
 *
 * All that can be told before an access is worked out before: the port in hot-windows.ts, `quickReads32` in the dispatch. One
 * device, Node 20 / 26: 8.2 / 8.4 ns through the port, 11.7 / 11.0 through the table, 18 / 19 by far.ts's loadFar with a
 * MemTx, which has more to ask. Methods, as one argument more costs 0.4 ns. Too long to be inlined (460 bytes of bytecode), which
 * is wanted: inlined, `load` is not, and the same read takes 14 ns.
 */
import { le32, MEMTXATTRS_UNSPECIFIED } from '@guestmem/memtx';
import type { MemoryCore } from '../space/memory-core.ts';
import type { TapList } from '../taps/tap-list.ts';
import { loadFar, storeFar } from './far.ts';
import { HotWindows } from './hot-windows.ts';
import type { Slot } from './slot.ts';
import { SlotKind } from './slot.ts';
import type { ViewMap } from './view-map.ts';

const { RAM, IOMMU } = SlotKind;

/** The half of a ViewMap that these accesses are. */
export abstract class Far32 extends HotWindows {
  abstract readonly core: MemoryCore;
  abstract readonly taps: TapList | null;
  /** By page: the device met there last, or another slot that is no RAM. */
  abstract readonly pages: Slot[];

  /** Who answers for `addr`, a safe integer. */
  abstract slotAt(addr: number): Slot;

  /**
   * @param at the address from the port on, its 32 bits as a signed integer.
   * @returns the value, its 32 bits as a signed integer.
   */
  loadFar32(at: number): number {
    const control = this.control;
    const port = this.port;
    if ((at & 3) === 0 && at >>> 0 < port.quickReads32 >>> 0 && control.depth === control.quickDepth)
      return port.readQuick(at, 4);
    const low = (at + this.portBits) | 0;
    const iova = (low - this.pagesBits) | 0;
    if (iova >= 0 && iova < this.pagesSpan && (iova & 3) === 0) {
      const page = iova >>> this.pagesShift;
      const entries = this.pagesEntries;
      const entry = (page & this.pagesMask) << 1;
      if (entries[entry] === page) {
        this.metPage(iova);
        return this.pagesView.getInt32(entries[entry + 1]! + (iova & this.pageMask), true);
      }
    }
    const device = this.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
    const inDevice = (low - device.bits) | 0;
    if (inDevice >= 0 && inDevice < device.span) {
      const { dispatch } = device;
      const offset = device.deviceOffset + inDevice;
      if (dispatch.quickReads32 !== 0 && this.taps === null && dispatch.isEasyRead(offset, 4)) {
        this.metDevice(device);
        return dispatch.readEasily(offset, 4);
      }
    }
    if (!control.seesLoads) {
      const addr = low >>> 0;
      const slot = this.slotAt(addr);
      const off = addr - slot.first;
      if (slot.kind === RAM) {
        if (off + 4 <= slot.loadLen) {
          this.met(slot);
          return slot.view.getInt32(off, true);
        }
      }
    }
    return loadFar(this.core, this as unknown as ViewMap, low, le32, MEMTXATTRS_UNSPECIFIED, null);
  }

  /** `loadFar32` for a store of the 32 bits `value`, as a signed integer. */
  storeFar32(at: number, value: number): void {
    const control = this.control;
    const port = this.port;
    if ((at & 3) === 0 && at >>> 0 < port.quickWrites32 >>> 0 && control.depth === control.quickDepth) {
      port.writeQuick(at, value, 4);
      return;
    }
    const low = (at + this.portBits) | 0;
    const device = this.pages[((low >>> 12) ^ (low >>> 21)) & 0x1ff]!;
    const inDevice = (low - device.bits) | 0;
    if (inDevice >= 0 && inDevice < device.span) {
      const { dispatch } = device;
      const offset = device.deviceOffset + inDevice;
      if (dispatch.quickWrites32 !== 0 && this.taps === null && dispatch.isEasyWrite(offset, 4)) {
        this.metDevice(device);
        dispatch.writeEasily(offset, value, 4);
        return;
      }
    }
    const addr = low >>> 0;
    const slot = this.slotAt(addr);
    const off = addr - slot.first;
    if (slot.kind === RAM) {
      if (off + 4 <= slot.storeLen) {
        this.met(slot);
        slot.view.setInt32(off, value, true);
        if (slot.dirtyMask !== 0) slot.markDirty(off, 4);
        return;
      }
    } else if (slot.kind === IOMMU && slot.pageIommu !== null && slot.exact && this.taps === null) {
      // far.ts's storePage, written out: without it V8 inlines all of this into `store`, and a device's goes from 11.7 to 15.3 ns.
      const model = slot.pageIommu;
      const iova = slot.offset + off;
      const next = model.hit(iova, 2, MEMTXATTRS_UNSPECIFIED);
      if (next >= 0 && model.pageRoom(iova) >= 4) {
        const behind = model.targetAs.map.slotAt(next);
        const there = next - behind.first;
        if (behind.kind === RAM && there + 4 <= behind.storeLen) {
          this.metIommu(slot, iova);
          behind.view.setInt32(there, value, true);
          if (behind.dirtyMask !== 0) behind.markDirty(there, 4);
          return;
        }
      }
    }
    storeFar(this.core, this as unknown as ViewMap, low, le32, value, MEMTXATTRS_UNSPECIFIED, null);
  }
}
