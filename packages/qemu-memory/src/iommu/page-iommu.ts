/**
 * A page-table IOMMU in a few lines: give it the walk, it caches what the walk found, page by page, and tells notifiers what
 * goes. Hot: `translate`, which on a hit is a load, a compare and four stores into one entry that is used again and again.
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import {
  badNumber,
  type GuestAddress,
  hex,
  type Iotlb,
  LAST_ADDRESS,
  Permissions,
  toAddress,
  toBigAddress,
  toLength,
} from '@guestmem/vm-memory';
import type { ViewAccess } from '../access/view-access.ts';
import { IommuNotifierFlag } from './iommu-notifier.ts';
import { IommuAccess, type IommuMemoryRegionOps, type IommuTlbEntry } from './iommu-ops.ts';
import type { IommuRegion } from './iommu-region.ts';
import { PageWindows } from './page-window.ts';

/** What a walk found for a page. */
export interface PageTranslation {
  /** Where the page of `addrMask + 1` bytes that holds the offset begins in the target space. */
  readonly translatedAddr: GuestAddress;
  /** Page size - 1, a page of `pageSize` or a larger power of two; default the smallest page. */
  readonly addrMask?: number;
  /** What the page may be used for: RO, WO or RW. */
  readonly perm: IommuAccess;
}

/**
 * Walks the tables for the page that holds `offset`. @returns null where nothing is mapped.
 *
 * Asked at each access that its page, as cached, does not allow: by looks without an access too (`checkRange`, `accessValid`, `getSlices`,
 * `mapRange`, `mapRam`), and twice by a mapping. So a model that reports faults to its guest counts a page once until the guest has
 * taken the report, or reports where the access failed.
 */
export type PageWalk = (offset: GuestAddress, access: IommuAccess, index: number) => PageTranslation | null;

/** Options of a PageIommu. */
export interface PageIommuOptions {
  /** Smallest page in bytes, a power of two to 2^30; default 4096. */
  readonly pageSize?: number;
  /** Cached pages per index, a power of two; default 1024. */
  readonly entries?: number;
  /** How many tables there are. Default 1. */
  readonly numIndexes?: number;
  /** Which of several tables attributes use, 0 to `numIndexes` - 1. Only with `numIndexes`; default always 0. */
  readonly attrsToIndex?: (attrs: MemTxAttrs) => number;
}

/** Beside a page's permissions: it is cached as a part of a larger one. */
const PART = 4;

interface MutableEntry extends IommuTlbEntry {
  iova: GuestAddress;
  translatedAddr: GuestAddress;
  addrMask: GuestAddress;
  perm: IommuAccess;
}

/** The model of an IOMMU region with pages. Pass it to `core.iommu`. */
export class PageIommu implements IommuMemoryRegionOps {
  readonly targetAs: ViewAccess;
  readonly #walk: PageWalk;
  readonly #pageMask: number;
  readonly #pageShift: number;
  readonly #slots: number;
  readonly #indexes: number;
  readonly attrsToIndex: (attrs: MemTxAttrs) => number;
  /**
   * Two numbers per slot, index after index, side by side as they are read: the first offset of the cached page, -1 for
   * none, and where it goes.
   */
  readonly #pages: Float64Array;
  readonly #perms: Uint8Array;
  /** @internal The windows that look-ups hold on pages that are cached here. */
  readonly windows: PageWindows;
  readonly #entry: MutableEntry;
  /** How often something was forgotten: what a walk finds meanwhile may be of before. */
  #forgotten = 0;

  /**
   * @throws {RangeError} a size is not a power of two, `numIndexes` is no count, or `attrsToIndex` has nothing to choose from.
   * @throws {TypeError} no space, or no walk.
   */
  constructor(targetAs: ViewAccess, walk: PageWalk, options: PageIommuOptions = {}) {
    if ((targetAs as ViewAccess | undefined)?.map === undefined)
      throw new TypeError(`targetAs must be an AddressSpace or a pinned view, not ${String(targetAs)}`);
    if (typeof walk !== 'function') throw new TypeError(`walk must be a function, not ${String(walk)}`);
    const pageSize = powerOfTwo(options.pageSize ?? 4096, 'pageSize');
    const { numIndexes = 1, attrsToIndex } = options;
    if (!Number.isSafeInteger(numIndexes) || numIndexes < 1)
      throw badNumber('numIndexes must be an integer of 1 or more', numIndexes);
    if (attrsToIndex !== undefined && numIndexes === 1)
      throw new RangeError('attrsToIndex has one index to choose from; give numIndexes, 2 or more, too');
    this.targetAs = targetAs;
    this.#walk = walk;
    this.#pageMask = pageSize - 1;
    this.#pageShift = Math.log2(pageSize);
    this.#slots = powerOfTwo(options.entries ?? 1024, 'entries');
    this.#indexes = numIndexes;
    this.attrsToIndex = attrsToIndex ?? (() => 0);
    this.#pages = new Float64Array(2 * this.#slots * this.#indexes).fill(-1);
    this.#perms = new Uint8Array(this.#slots * this.#indexes);
    this.windows = new PageWindows(targetAs);
    this.#entry = { targetAs, iova: 0, translatedAddr: 0, addrMask: this.#pageMask, perm: IommuAccess.NONE };
  }

  /**
   * @internal Hot. The translated address of `offset` where its page is cached with `access`, else -1. Answers as `translate`
   * would, without an entry: an IOMMU hit costs about a third of one through it.
   */
  hit(offset: number, access: number, attrs: MemTxAttrs): number {
    const index = this.#indexes === 1 ? 0 : this.#indexOf(attrs);
    const slot = index * this.#slots + ((offset >>> this.#pageShift) & (this.#slots - 1));
    const low = (offset & this.#pageMask) >>> 0;
    if (this.#pages[2 * slot] !== offset - low || (this.#perms[slot]! & access) === 0) return -1;
    return this.#pages[2 * slot + 1]! + low;
  }

  /** -1, under which nothing is cached, where the program's function throws: the way without the cache asks it again, and names the region. */
  #indexOf(attrs: MemTxAttrs): number {
    try {
      return this.attrsToIndex(attrs);
    } catch {
      return -1;
    }
  }

  /** @internal What accesses the page that begins at `offset` allows, of index 0; NONE where it is not cached. */
  allows(offset: number): IommuAccess {
    const slot = (offset >>> this.#pageShift) & (this.#slots - 1);
    return this.#pages[2 * slot] === offset ? this.#perms[slot]! & IommuAccess.RW : IommuAccess.NONE;
  }

  /** @internal Where the page that begins at `offset` goes, of index 0; -1 where it is not cached. */
  targetOf(offset: number): number {
    const slot = (offset >>> this.#pageShift) & (this.#slots - 1);
    return this.#pages[2 * slot] === offset ? this.#pages[2 * slot + 1]! : -1;
  }

  /**
   * @internal Forgets the page of `offset` where it is cached as a part of a larger one: an access of `len` bytes that passes the part's
   * end is inside the larger page perhaps, and how far that goes only the walk can tell. Parts that are cached beside it cannot:
   * the larger page may have been split since, and only what is no longer mapped have been invalidated.
   * @returns was it?
   */
  forgetPart(offset: number, len: number, attrs: MemTxAttrs): boolean {
    if (len <= this.pageRoom(offset)) return false;
    const index = this.#indexes === 1 ? 0 : this.#indexOf(attrs);
    const slot = index * this.#slots + ((offset >>> this.#pageShift) & (this.#slots - 1));
    const page = offset - ((offset & this.#pageMask) >>> 0);
    if (this.#pages[2 * slot] !== page || (this.#perms[slot]! & PART) === 0) return false;
    this.#pages[2 * slot] = -1;
    return true;
  }

  /** @internal Bytes from `offset` to the end of its page. */
  pageRoom(offset: number): number {
    return this.#pageMask - ((offset & this.#pageMask) >>> 0) + 1;
  }

  /** @internal Cached pages per index. */
  get entries(): number {
    return this.#slots;
  }

  /** @internal */
  get pageMask(): number {
    return this.#pageMask;
  }

  translate(offset: GuestAddress, access: IommuAccess, index: number): IommuTlbEntry {
    const entry = this.#entry;
    if (typeof offset === 'number') {
      const slot = index * this.#slots + ((offset >>> this.#pageShift) & (this.#slots - 1));
      const page = offset - ((offset & this.#pageMask) >>> 0);
      if (this.#pages[2 * slot] === page && (this.#perms[slot]! & access) === access && access !== IommuAccess.NONE) {
        entry.iova = page;
        entry.translatedAddr = this.#pages[2 * slot + 1]!;
        entry.addrMask = this.#pageMask;
        entry.perm = this.#perms[slot]! & IommuAccess.RW;
        return entry;
      }
    }
    return this.#miss(offset, access, index);
  }

  numIndexes(): number {
    return this.#indexes;
  }

  minPageSize(): number {
    return this.#pageMask + 1;
  }

  /**
   * Forgets [iova, iova + len) and tells `region`'s notifiers that it is unmapped. Call it when a table entry goes or narrows.
   * @throws {RangeError} no such index; no bytes, or a range that passes 2^64 - 1.
   */
  invalidate(region: IommuRegion | null, iova: GuestAddress, len: GuestAddress, index = 0): void {
    this.#checkIndex(index);
    const first = toBigAddress(iova);
    const bytes = BigInt(toLength(len));
    if (bytes === 0n) throw new RangeError('a range to invalidate has at least one byte; its length is 0');
    const last = first + bytes - 1n;
    if (last > LAST_ADDRESS) throw new RangeError(`${hex(len)} bytes at ${hex(iova)} pass 2^64 - 1; shorten the range`);
    for (let slot = index * this.#slots; slot < (index + 1) * this.#slots; slot++) {
      const page = this.#pages[2 * slot]!;
      if (page >= 0 && BigInt(page) <= last && BigInt(page + this.#pageMask) >= first) this.#pages[2 * slot] = -1;
    }
    this.#forgotten++;
    this.windows.close();
    region?.notify(index, {
      type: IommuNotifierFlag.UNMAP,
      entry: {
        targetAs: this.targetAs,
        iova: toAddress(first),
        translatedAddr: 0,
        addrMask: toAddress(last - first),
        perm: IommuAccess.NONE,
      },
    });
  }

  /** Forgets everything of `index` that is cached; tells nobody. @throws {RangeError} no such index. */
  flush(index = 0): void {
    this.#checkIndex(index);
    this.#pages.fill(-1, 2 * index * this.#slots, 2 * (index + 1) * this.#slots);
    this.#forgotten++;
    this.windows.close();
  }

  #miss(offset: GuestAddress, access: IommuAccess, index: number): IommuTlbEntry {
    this.#checkIndex(index); // Enough here: nothing is cached under an index that there is not.
    const entry = this.#entry;
    const before = this.#forgotten;
    const found = this.#walk(offset, access, index);
    if (found === null) {
      entry.iova = offset;
      entry.translatedAddr = 0;
      entry.addrMask = this.#pageMask;
      entry.perm = IommuAccess.NONE;
      return entry;
    }
    const mask = found.addrMask ?? this.#pageMask;
    if (mask !== this.#pageMask) this.#checkMask(mask);
    const wide = BigInt(mask);
    const iova = toAddress(BigInt(offset) & ~wide);
    const target = toAddress(BigInt(found.translatedAddr) & ~wide);
    if (typeof offset === 'number' && typeof target === 'number' && before === this.#forgotten)
      this.#fill(offset, target, mask, found.perm, index);
    entry.iova = iova;
    entry.translatedAddr = target;
    entry.addrMask = mask;
    entry.perm = found.perm;
    return entry;
  }

  #checkIndex(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.#indexes) return;
    throw badNumber(`an IOMMU index must be 0 to ${this.#indexes - 1}`, index);
  }

  /** What is cached is one smallest page, whole: a walk may find larger ones. */
  #checkMask(mask: number): void {
    if (Number.isSafeInteger(mask) && mask > this.#pageMask && (BigInt(mask) & (BigInt(mask) + 1n)) === 0n) return;
    const shown = Number.isSafeInteger(mask) && mask >= 0 ? hex(mask) : String(mask);
    throw new RangeError(
      `the walk found a page with addrMask ${shown}; it must be 2^k - 1 and at least ${hex(this.#pageMask)}: give the smallest page as pageSize`,
    );
  }

  /** Caches the smallest page at `offset`, out of a page of `mask + 1` bytes that goes to `target`. */
  #fill(offset: number, target: number, mask: number, perm: IommuAccess, index: number): void {
    const slot = index * this.#slots + ((offset >>> this.#pageShift) & (this.#slots - 1));
    const page = offset - ((offset & this.#pageMask) >>> 0);
    const inPage = Number(BigInt(page) & BigInt(mask));
    if (!Number.isSafeInteger(target + inPage)) return;
    this.windows.relearn(page);
    this.#pages[2 * slot] = page;
    this.#pages[2 * slot + 1] = target + inPage;
    this.#perms[slot] = (perm & IommuAccess.RW) | (mask > this.#pageMask ? PART : 0);
  }
}

/** A walk that looks into vm-memory's IOTLB, an interval map without pages; the cache in front of it must be told what goes. */
export function iotlbWalk(iotlb: Iotlb, pageSize = 4096): PageWalk {
  return (offset) => {
    const page = toAddress(BigInt(offset) - (BigInt(offset) % BigInt(pageSize)));
    const found = iotlb.lookup(page, pageSize, Permissions.NO);
    if (!found.ok || found.ranges.length !== 1) return null;
    let perm: IommuAccess = IommuAccess.NONE;
    if (iotlb.lookup(page, pageSize, Permissions.READ).ok) perm |= IommuAccess.RO;
    if (iotlb.lookup(page, pageSize, Permissions.WRITE).ok) perm |= IommuAccess.WO;
    return { translatedAddr: found.ranges[0]!.base, addrMask: pageSize - 1, perm };
  };
}

function powerOfTwo(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 1 && value <= 2 ** 30 && Number.isInteger(Math.log2(value))) return value;
  throw badNumber(`${what} must be a power of two from 1 to 2^30`, value);
}
