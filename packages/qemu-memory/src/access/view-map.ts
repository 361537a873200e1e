/**
 * Hot. Finds who answers for an address in one flat view: a table keyed by coarse bits (large RAM), one by pages (devices, and RAM
 * beside larger RAM), one by fine bits (many small devices), then a search. Entries are hints that are always checked against the slot's range. T-151, T-152.
 */

import { RegionKind } from '../region/kind.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import type { TapList } from '../taps/tap-list.ts';
import { SPACE_SIZE } from '../view/big.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { MemoryRegionSection } from '../view/section.ts';
import type { Blank } from './blank.ts';
import { entered } from './entered.ts';
import { Far } from './far.ts';
import { Slot, SlotKind } from './slot.ts';
import { Target } from './target.ts';

/** 2^53: from here on a slot is made per access and addresses are bigints. */
const SAFE_END = 2 ** 53;
const SAFE_END_BIG = 2n ** 53n;
/** RAM windows are at most this long, so that unsigned 32-bit arithmetic covers them. */
const WINDOW = 2 ** 31;
/** Views that may wait to be reclaimed before accesses see to it. */
const MOST_WAITING = 256;
/** Entries of the tables; far.ts and scalar-access.ts know the hash of `pages`. */
const COARSE = 256;
/** Bytes an entry of the coarse table for RAM from 2^32 on. */
const HIGH_GRANULE = 2 ** 28;
const FINE = 512;
const PAGES = 512;
const PAGE = 4096;

/** For who makes the tables (blank.ts). */
export const TABLE_ENTRIES: Readonly<Record<'coarse' | 'fine' | 'pages', number>> = {
  coarse: COARSE,
  fine: FINE,
  pages: PAGES,
};

/** The look-up of one view. Sections are shared by the views that show them, so slots hang on the sections. */
export class ViewMap extends Far {
  readonly core: MemoryCore;
  readonly view: FlatView;
  /** Where the last fast load and the last fast store went. */
  load: Slot;
  store: Slot;
  /** The RAM of the view; `coarse` is the same, but empty while an observer wants to see every load. */
  #ram: readonly Slot[];
  /** `#ram` from 2^32 on. */
  #highRam: readonly Slot[];
  coarse: readonly Slot[];
  readonly coarseShift: number;
  pages: readonly Slot[];
  #fine: readonly Slot[];
  readonly #blank: Blank;
  /** Who sees accesses of this space; null for nobody. */
  readonly taps: TapList | null;
  /** @internal Where `translate` answers; filled as its last act, read before anything else is called. */
  readonly target: Target;
  /** @internal What answers when an IOMMU refuses: nothing, at the offset that was refused. */
  readonly refused: Slot;

  constructor(view: FlatView, core: MemoryCore, taps: TapList | null = null) {
    const { blank } = core;
    const { never } = blank;
    super(never, core.access);
    this.core = core;
    this.view = view;
    this.#blank = blank;
    this.load = never;
    this.store = never;
    this.#ram = blank.coarse;
    this.#highRam = blank.coarse;
    this.coarse = blank.coarse;
    this.pages = blank.pages;
    this.#fine = blank.fine;
    this.coarseShift = coarseShift(view);
    this.refused = blank.refused;
    this.taps = taps;
    this.target = new Target(never);
  }

  /** Makes the next load and store look the address up. */
  forget(): void {
    this.load = this.#blank.never;
    this.store = this.#blank.never;
    this.coarse = this.#seen();
    this.forgetWindows();
  }

  /** Begins anew: what is kept marks for clients that are no longer those in force. */
  restart(): void {
    this.#ram = this.#blank.coarse;
    this.#highRam = this.#blank.coarse;
    this.pages = this.#blank.pages;
    this.#fine = this.#blank.fine;
    this.forget();
  }

  #seen(): readonly Slot[] {
    return this.control.seesLoads ? this.#blank.coarse : this.#ram;
  }

  /** Who answers for `addr`, a safe integer. */
  slotAt(addr: number): Slot {
    const coarse =
      addr < 2 ** 32
        ? this.#ram[(addr >>> this.coarseShift) & (COARSE - 1)]!
        : this.#highRam[(addr / HIGH_GRANULE) & (COARSE - 1)]!;
    let off = addr - coarse.first;
    if (off >= 0 && off < coarse.len) return coarse;
    const page = this.pages[((addr >>> 12) ^ (addr >>> 21)) & (PAGES - 1)]!;
    off = addr - page.first;
    if (off >= 0 && off < page.len) return page;
    const fine = this.#fine[((addr >>> 2) ^ (addr >>> 12)) & (FINE - 1)]!;
    off = addr - fine.first;
    if (off >= 0 && off < fine.len) return fine;
    return this.#search(addr);
  }

  /** Who answers for `addr`, 2^53 to 2^64 - 1: a new slot that starts there. */
  slotAtBig(addr: bigint): Slot {
    const index = this.view.find(addr);
    if (index < 0) {
      const next = this.#gapEnd(addr);
      return new Slot({
        first: Number.POSITIVE_INFINITY,
        len: clipped(next - addr, SAFE_END),
        kind: SlotKind.HOLE,
        section: this.#blank.unassigned,
        offset: addr,
      });
    }
    const section = this.view.section(index);
    const slot = makeSlot(section, addr, Number.POSITIVE_INFINITY, addr, section.last);
    return this.taps === null ? slot : this.taps.guard(slot, addr, addr);
  }

  #search(addr: number): Slot {
    // Each new view is searched at least once, so that this is met however a guest has the map changed. Not while an access
    // goes on with a view that a callback of it has replaced (T-97).
    if (this.core.rcu.pending > MOST_WAITING && this.view.references > 0) this.core.reclaim();
    const section = this.view.lookup(addr);
    let slot = section === null ? this.#hole(BigInt(addr)) : slotOf(section, addr);
    if (this.taps !== null) slot = this.taps.guard(slot, BigInt(slot.first), BigInt(addr));
    // A window that may be replaced is looked up anew each time.
    if (slot.section.region.ram?.backing.detachable === true) return slot;
    if (slot.kind === SlotKind.RAM) this.#enterRam(addr, slot);
    else {
      // A small device goes into both tables: the last one met in a page has its fast way, its neighbours the other.
      if (slot.len >= PAGE || (slot.kind === SlotKind.DEVICE && slot.span > 0)) this.#enterPage(addr, slot);
      if (slot.len < PAGE)
        this.#fine = entered(this.#fine, this.#blank.fine, ((addr >>> 2) ^ (addr >>> 12)) & (FINE - 1), slot);
    }
    return slot;
  }

  /**
   * RAM that shares its entry with more RAM goes by page: eight pieces in one entry 15 / 17 ns (Node 20 / 26), where each that
   * was met put the last one out 107.
   */
  #enterRam(addr: number, slot: Slot): void {
    const { coarse } = this.#blank;
    const isLow = addr < 2 ** 32;
    const ram = isLow ? this.#ram : this.#highRam;
    const at = (isLow ? addr >>> this.coarseShift : addr / HIGH_GRANULE) & (COARSE - 1);
    const { loadLen } = ram[at]!;
    if (loadLen !== 0 && loadLen >= slot.loadLen) this.#enterPage(addr, slot);
    else if (isLow) {
      this.#ram = entered(ram, coarse, at, slot);
      this.coarse = this.#seen();
    } else this.#highRam = entered(ram, coarse, at, slot);
  }

  #enterPage(addr: number, slot: Slot): void {
    this.pages = entered(this.pages, this.#blank.pages, ((addr >>> 12) ^ (addr >>> 21)) & (PAGES - 1), slot);
  }

  /** The gap around `addr`. */
  #hole(addr: bigint): Slot {
    const first = this.#gapStart(addr);
    return new Slot({
      first: Number(first),
      len: clipped(this.#gapEnd(addr) - first, SAFE_END - Number(first)),
      kind: SlotKind.HOLE,
      section: this.#blank.unassigned,
      offset: first,
    });
  }

  #gapStart(addr: bigint): bigint {
    const before = this.#firstAfter(addr) - 1;
    return before < 0 ? 0n : this.view.range(before).last + 1n;
  }

  #gapEnd(addr: bigint): bigint {
    const after = this.#firstAfter(addr);
    return after < this.view.length ? this.view.range(after).first : SPACE_SIZE;
  }

  /** Index of the first range that starts after `addr`. */
  #firstAfter(addr: bigint): number {
    let lo = 0;
    let hi = this.view.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (this.view.range(mid).first > addr) hi = mid;
      else lo = mid + 1;
    }
    return lo;
  }
}

/** The slot of `section` for `offset` of its region: a cached one where it lies in the section, else one made for this. */
export function slotOfOffset(section: MemoryRegionSection, offset: bigint): Slot {
  const at = offset - section.offsetWithinRegion;
  const addr = section.offsetWithinAddressSpace + at;
  if (at >= 0n && at < section.size && addr < SAFE_END_BIG) return slotOf(section, Number(addr));
  return makeSlot(section, addr, Number.POSITIVE_INFINITY, addr, later(section.last, addr));
}

/** The cached slot of `section` for `addr`. A section of several windows keeps them by start of the window. */
function slotOf(section: MemoryRegionSection, addr: number): Slot {
  const known = section.slots;
  const { logStamp } = section.region.core;
  if (known instanceof Slot) {
    if (known.logStamp === logStamp) return known;
  } else if (known !== null) {
    const start = windowStart(section, addr);
    const found = known.get(start);
    if (found?.logStamp === logStamp && !isDetachable(section)) return found;
  }
  const first = section.offsetWithinAddressSpace;
  const last = section.last < SAFE_END_BIG ? section.last : SAFE_END_BIG - 1n;
  const start = hasBytes(section) ? BigInt(windowStart(section, addr)) : first;
  const slot = makeSlot(section, start, Number(start), BigInt(addr), last);
  if (isDetachable(section)) return slot;
  if (start === first && slot.first + slot.len - 1 === Number(last)) section.slots = slot;
  else {
    const map = known instanceof Map ? known : new Map<number, Slot>();
    map.set(slot.first, slot);
    section.slots = map;
  }
  return slot;
}

/** First address of the window of a RAM section that holds `addr`. */
function windowStart(section: MemoryRegionSection, addr: number): number {
  if (!hasBytes(section)) return Number(section.offsetWithinAddressSpace);
  const first = Number(section.offsetWithinAddressSpace);
  const regionFirst = Number(section.offsetWithinRegion);
  const blockLength = section.region.ram!.length;
  const at = regionFirst + (addr - first);
  if (at >= blockLength) return first + Math.max(blockLength - regionFirst, 0);
  const segment = section.region.ram!.backing.segmentAt(at);
  const inSegment = Math.floor((at - segment.start) / WINDOW) * WINDOW;
  const start = segment.start + inSegment;
  return start > regionFirst ? first + (start - regionFirst) : first;
}

/**
 * A slot of `section` from address `start` on, as long as one window goes and at most to `last`.
 * @param first what the slot says it starts at: `start`, or Infinity from 2^53 on.
 */
function makeSlot(section: MemoryRegionSection, start: bigint, first: number, addr: bigint, last: bigint): Slot {
  const offset = start - section.offsetWithinAddressSpace + section.offsetWithinRegion;
  const kind = kindOf(section);
  const room = last - start + 1n;
  if (!hasBytes(section)) {
    const len = clipped(room, first === Number.POSITIVE_INFINITY ? SAFE_END : SAFE_END - first);
    return new Slot({ first, len, kind, section, offset });
  }
  const { backing } = section.region.ram!;
  const at = Number(offset);
  if (at >= backing.length)
    // The region was made larger than its block (T-46): nothing is there.
    return new Slot({ first, len: clipped(room, SAFE_END), kind: SlotKind.DEVICE, section, offset });
  const segment = backing.segmentAt(at + Number(addr - start));
  const inSegment = at - segment.start;
  const len = Math.min(clipped(room, WINDOW), segment.bytes.length - inSegment, backing.length - at, WINDOW);
  const { buffer, byteOffset } = segment.bytes;
  const direct = !isDetachable(section) && first !== Number.POSITIVE_INFINITY;
  return new Slot({
    first,
    len,
    kind,
    section,
    offset,
    view: new DataView(buffer, byteOffset + inSegment, len),
    bytes: new Uint8Array(buffer, byteOffset + inSegment, len),
    load: direct && section.directRead,
    store: direct && section.directWrite,
  });
}

function kindOf(section: MemoryRegionSection): SlotKind {
  const { kind } = section.region;
  if (kind === RegionKind.IOMMU) return SlotKind.IOMMU;
  if (kind === RegionKind.RAM || kind === RegionKind.ROM_DEVICE) return SlotKind.RAM;
  return SlotKind.DEVICE;
}

/** RAM, ROM and ROM devices: there is a block whose bytes may be reached. */
function hasBytes(section: MemoryRegionSection): boolean {
  const { kind } = section.region;
  return kind === RegionKind.RAM || kind === RegionKind.ROM_DEVICE;
}

function isDetachable(section: MemoryRegionSection): boolean {
  return section.region.ram?.backing.detachable === true;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function clipped(value: bigint, most: number): number {
  return value < BigInt(most) ? Number(value) : most;
}

/** Puts the whole span below 4 GiB that holds sections into the coarse table; at least a page an entry. */
function coarseShift(view: FlatView): number {
  const top = view.length === 0 ? 0n : view.range(view.length - 1).last;
  const span = top >= 0xffff_ffffn ? 32 : Math.ceil(Math.log2(Number(top) + 2));
  return Math.max(span - 8, 4);
}
