/**
 * Hot. The windows that scalar accesses try before any table: home, the RAM below 2^32 that most accesses meet; high, the
 * same above; the port, the device that most accesses to devices meet. Plain fields, read by scalar-access.ts and
 * far.ts. A cached page of an IOMMU is RAM here, too (iommu/page-window.ts).
 *
 * Measured on Node 20 / 26, u32 load, hot, loop included (raw DataView 1.4 / 1.6 ns): home 1.9 / 2.1 wherever it lies; high 3.9 / 7.0;
 * the table, eight sections at random, 5.7 / 5.8 (eight DataViews 2.6 / 2.7). What was tried and lost is in tools/bench/src/variants; so is a window of its own for
 * RAM at 0, whose offsets are the addresses: 1.9 / 1.9 there, but 2.3 / 2.8 elsewhere, and every other way 0.2 to 0.6 longer.
 */

import { NO_TABLE, type PageTable } from '../iommu/page-table.ts';
import { pageTable, pageWindow } from '../iommu/page-window.ts';
import { Agreement } from './agreement.ts';
import type { AccessControl } from './control.ts';
import type { RegionDispatch } from './region-dispatch.ts';
import type { Slot } from './slot.ts';

const NO_VIEW = new DataView(new ArrayBuffer(0));
const NO_BYTES = new Uint8Array(0);

/** Accesses through the tables between two looks at where they go. */
const SAMPLE = 64;
/** So many looks come one access after the other when a view is new: V8 inlines what runs often at first, and slow paths should not. */
const EARLY = 32;
/** After so many looks home has to be found again: it may have been chance, or long ago. */
const KEEP = 16;

/** Where most accesses go. Part of a ViewMap, so that publishing a view replaces it with the same one store. */
export abstract class HotWindows {
  /** `bits`, `loads` and `view` of home; its `stores` in `homeMarked` where stores mark pages, else in `homeStores`. */
  homeBits = 0;
  homeLoads = 0;
  homeStores = 0;
  homeMarked = 0;
  homeView: DataView = NO_VIEW;
  /** `dirtyMask` of home where a store may mark its page in `homePages` itself (Slot.marksPlainly), else 0. */
  homeMarks = 0;
  homePages: Uint8Array = NO_BYTES;
  homePageShift = 0;
  /** Never a slot that must be looked up anew, or is tapped. */
  home: Slot;
  /** The RAM above 2^32, or across it, that most accesses there meet. */
  high: Slot;
  /** The device that most accesses to devices meet, from its first byte on: its first address's bits, how much of it is seen there, its dispatch. */
  portBits = 0;
  portSpan = 0;
  port: RegionDispatch;
  /** 1 where loads below 2^31 ask the table before the port: there was more RAM met by it than devices since the port was opened. */
  tableFirst = 0;
  /** The IOMMU whose cached pages most accesses meet: its first address's bits, its length (0: none), its pages. Its offset 0 is its first. */
  pagesBits = 0;
  pagesSpan = 0;
  table: PageTable = NO_TABLE;
  /** The fields of `table`. */
  pagesEntries: Int32Array = NO_TABLE.entries;
  pagesShift = 0;
  pagesMask = 0;
  pageMask = 0;
  pagesView: DataView = NO_VIEW;
  /** 1 where loads that met nothing else ask for the hole and the table below before any device: those were met last. */
  nearFirst = 0;
  /** The hole that was met last: its first address's bits, its length. */
  holeBits = 0;
  holeSpan = 0;
  private ticks = SAMPLE;
  private deviceTicks = SAMPLE;
  private pageTicks = SAMPLE;
  #early = EARLY;
  #looks = 0;
  readonly #slots = new Agreement();
  readonly #devices = new Agreement();
  readonly #iommuPages = new Agreement();
  #pagesSlot: Slot;
  readonly #none: Slot;

  /** @internal */
  readonly control: AccessControl;

  /** @param none a slot that covers nothing. */
  constructor(none: Slot, control: AccessControl) {
    this.control = control;
    this.home = none;
    this.high = none;
    this.#pagesSlot = none;
    this.port = none.dispatch;
    this.#none = none;
  }

  /** Makes the next accesses look their addresses up. */
  forgetWindows(): void {
    this.#closeHome();
    this.high = this.#none;
    this.#early = EARLY;
    this.port = this.#none.dispatch;
    this.portSpan = 0;
    this.nearFirst = 0;
    this.holeSpan = 0;
    this.pagesSpan = 0;
    this.#pagesSlot = this.#none;
    this.table = NO_TABLE;
  }

  /** An access met `slot` through the table. */
  met(slot: Slot): void {
    const ticks = (this.ticks + 1) | 0;
    this.ticks = ticks;
    if (ticks >= SAMPLE) this.#look(slot);
  }

  /** An access met `device`, which no tap watches, through the table. */
  metDevice(device: Slot): void {
    const ticks = (this.deviceTicks + 1) | 0;
    this.deviceTicks = ticks;
    if (ticks >= SAMPLE) this.#lookDevice(device);
  }

  /**
   * An access met the cached page of the offset `iova` of the IOMMU at `slot`, with RAM behind it, but not `table`.
   * @returns may the page be entered there?
   */
  metIommu(slot: Slot, iova: number): boolean {
    if (this.pagesSpan === 0 && ++this.pageTicks >= SAMPLE) this.#openTable(slot, iova);
    if (slot !== this.#pagesSlot || iova > 0x7fff_ffff) return false;
    this.nearFirst = 1;
    this.metPage(iova);
    return true;
  }

  /** An access met the page of the offset `iova` of the IOMMU that has the table. */
  metPage(iova: number): void {
    const ticks = (this.pageTicks + 1) | 0;
    this.pageTicks = ticks;
    if (ticks >= SAMPLE) this.#lookPage(iova);
  }

  /** Ticks to begin with until the next look. */
  #rest(): number {
    return --this.#early > 0 ? SAMPLE : 0;
  }

  #lookDevice(device: Slot): void {
    this.deviceTicks = this.#rest();
    this.nearFirst = 0;
    if (!this.#devices.on(device)) return;
    if (device.deviceOffset !== 0) return;
    this.portBits = device.bits;
    this.portSpan = device.span;
    this.port = device.dispatch;
    this.tableFirst = 0;
  }

  #lookPage(iova: number): void {
    this.pageTicks = this.#rest();
    if (this.control.seesLoads || !this.#iommuPages.on(iova >>> this.pagesShift)) return;
    const window = pageWindow(this.#pagesSlot, iova, this);
    if (window !== null) this.#open(window);
  }

  #openTable(slot: Slot, iova: number): void {
    this.pageTicks = this.#rest();
    if (this.control.seesLoads || slot.offset !== 0 || slot.first >= 2 ** 32) return;
    const table = pageTable(slot, iova, this);
    if (table === null) return;
    this.#pagesSlot = slot;
    this.pagesBits = slot.first | 0;
    this.pagesSpan = Math.min(slot.len, 2 ** 32 - slot.first, 0x7fff_ffff);
    this.table = table;
    this.pagesEntries = table.entries;
    this.pagesShift = table.shift;
    this.pagesMask = table.mask;
    this.pageMask = table.pageMask;
    this.pagesView = table.view;
  }

  #look(slot: Slot): void {
    this.ticks = this.#rest();
    this.tableFirst = 1;
    if (this.control.seesLoads) return;
    if (++this.#looks >= KEEP) {
      this.#looks = 0;
      this.#closeHome();
    }
    if (!this.#slots.on(slot)) return;
    this.#looks = 0;
    this.#open(slot);
  }

  #open(slot: Slot): void {
    if (slot.first + slot.len > 2 ** 32) this.high = slot;
    if (slot.loads === 0) return;
    this.home = slot;
    this.homeBits = slot.bits;
    this.homeLoads = slot.loads;
    this.homeStores = slot.dirtyMask === 0 ? slot.stores : 0;
    this.homeMarked = slot.dirtyMask === 0 ? 0 : slot.stores;
    this.homeView = slot.view;
    this.homeMarks = slot.marksPlainly && slot.pageSkew === 0 ? slot.dirtyMask : 0;
    this.homePages = slot.pages;
    this.homePageShift = slot.pageShift;
  }

  #closeHome(): void {
    this.home = this.#none;
    this.homeLoads = 0;
    this.homeStores = 0;
    this.homeMarked = 0;
  }
}
