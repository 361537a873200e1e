/**
 * Hot. The cached pages of an IOMMU that lead into one piece of RAM, as two small integers each: which page, and where its
 * bytes are in the window of that RAM. What page-iommu.ts knows, in the form that a load needs: short enough for the
 * processor to have several under way. At random among 16384 pages, Node 20 / 26: 83 / 81 ns, by the model 210 / 190. Reads only.
 */
import type { Slot } from '../access/slot.ts';

const NO_VIEW = new DataView(new ArrayBuffer(0));

/** One table. Emptied and used again when the windows of its model close (page-window.ts). */
export class PageTable {
  /** Page number (-1 for none) and byte in `view`, by page number modulo the number of pages. */
  readonly entries: Int32Array;
  readonly shift: number;
  readonly mask: number;
  readonly pageMask: number;
  /** The bytes that all of its pages lead to. */
  view: DataView = NO_VIEW;
  #behind: Slot | null = null;

  /** @param pageMask page size - 1. @param pages a power of two. */
  constructor(pageMask: number, pages: number) {
    this.entries = new Int32Array(2 * pages).fill(-1);
    this.shift = 31 - Math.clz32(pageMask + 1);
    this.mask = pages - 1;
    this.pageMask = pageMask;
  }

  /** Is `behind` what its pages lead to? It becomes so while nothing is. */
  leadsTo(behind: Slot): boolean {
    if (this.#behind === null) {
      this.#behind = behind;
      this.view = behind.view;
    }
    return this.#behind === behind;
  }

  /** A load at `offset` met byte `there` of the RAM at `behind`. */
  enter(offset: number, behind: Slot, there: number): void {
    if (behind !== this.#behind || offset > 0xffff_ffff) return;
    const start = there - (offset & this.pageMask);
    if (start < 0 || start + this.pageMask >= behind.loadLen) return;
    const page = offset >>> this.shift;
    const entry = (page & this.mask) << 1;
    this.entries[entry] = page;
    this.entries[entry + 1] = start;
  }

  /** Forgets the page at `offset`, or what is in its place. */
  forget(offset: number): void {
    const page = Math.floor(offset / (this.pageMask + 1));
    this.entries[(page % (this.mask + 1)) << 1] = -1;
  }

  /** Forgets everything. */
  clear(): void {
    this.entries.fill(-1);
    this.#behind = null;
    this.view = NO_VIEW;
  }
}

/** A table that nothing is entered in. */
export const NO_TABLE: PageTable = new PageTable(0xfff, 1);
