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

/* What an access met, as `look` is told, by literals, which are shorter code: RAM (0), a device, a cached page of the IOMMU that has the table, or of one that might. */
const DEVICE = 1;
const PAGE = 2;
const TABLE = 3;

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
    if (ticks >= SAMPLE) this.lookRam(slot);
  }

  /** An access met `device`, which no tap watches, through the table. */
  metDevice(device: Slot): void {
    const ticks = (this.deviceTicks + 1) | 0;
    this.deviceTicks = ticks;
    if (ticks >= SAMPLE) this.look(device, 1, 0);
  }

  /**
   * An access met the cached page of the offset `iova` of the IOMMU at `slot`, with RAM behind it, but not `table`.
   * @returns may the page be entered there?
   */
  metIommu(slot: Slot, iova: number): boolean {
    if (this.pagesSpan === 0 && ++this.pageTicks >= SAMPLE) this.look(slot, 3, iova);
    if (slot !== this.#pagesSlot || iova > 0xffff_ffff) return false;
    this.nearFirst = 1;
    this.metPage(iova);
    return true;
  }

  /** An access met the page of the offset `iova` of the IOMMU that has the table. */
  metPage(iova: number): void {
    const ticks = (this.pageTicks + 1) | 0;
    this.pageTicks = ticks;
    if (ticks >= SAMPLE) this.lookPage(iova);
  }

  private lookRam(slot: Slot): void {
    this.look(slot, 0, 0);
  }

  private lookPage(iova: number): void {
    this.look(this.home, 2, iova);
  }

  /**
   * Every SAMPLE-th access: is what it met where most go? One function for all of them, above 460 bytes of bytecode, so that
   * V8 inlines it nowhere: Node 26 took the look at RAM into `load`, which was then too large to be inlined itself whenever
   * it had been compiled before its caller. Eight pieces of RAM took 6 ns or 12 to 30.
   */
  private look(slot: Slot, what: number, iova: number): void {
    const { seesLoads } = this.control;
    const rest = --this.#early > 0 ? SAMPLE : 0;
    let found: Slot | null = slot;
    if (what === DEVICE) {
      this.deviceTicks = rest;
      this.nearFirst = 0;
      if (!this.#devices.on(slot) || slot.deviceOffset !== 0) return;
      this.portBits = slot.bits;
      this.portSpan = slot.span;
      this.port = slot.dispatch;
      this.tableFirst = 0;
      return;
    }
    if (what === TABLE) {
      this.pageTicks = rest;
      if (seesLoads || slot.offset !== 0 || slot.first >= 2 ** 32) return;
      const table = pageTable(slot, iova, this);
      if (table === null) return;
      this.#pagesSlot = slot;
      this.pagesBits = slot.first | 0;
      this.pagesSpan = Math.min(slot.len, 2 ** 32 - slot.first, 0xffff_ffff) | 0;
      this.table = table;
      this.pagesEntries = table.entries;
      this.pagesShift = table.shift;
      this.pagesMask = table.mask;
      this.pageMask = table.pageMask;
      this.pagesView = table.view;
      return;
    }
    if (what === PAGE) {
      this.pageTicks = rest;
      if (seesLoads || !this.#iommuPages.on(iova >>> this.pagesShift)) return;
      found = pageWindow(this.#pagesSlot, iova, this);
      if (found === null) return;
    } else {
      this.ticks = rest;
      this.tableFirst = 1;
      if (seesLoads) return;
      if (++this.#looks >= KEEP) {
        this.#looks = 0;
        this.#closeHome();
      }
      if (!this.#slots.on(slot)) return;
      this.#looks = 0;
    }
    if (found.first + found.len > 2 ** 32) this.high = found;
    if (found.loads === 0) return;
    this.home = found;
    this.homeBits = found.bits;
    this.homeLoads = found.loads;
    this.homeStores = found.dirtyMask === 0 ? found.stores : 0;
    this.homeMarked = found.dirtyMask === 0 ? 0 : found.stores;
    this.homeView = found.view;
    this.homeMarks = found.marksPlainly && found.pageSkew === 0 ? found.dirtyMask : 0;
    this.homePages = found.pages;
    this.homePageShift = found.pageShift;
  }

  #closeHome(): void {
    this.home = this.#none;
    this.homeLoads = 0;
    this.homeStores = 0;
    this.homeMarked = 0;
  }
}
