/**
 * Hot. A stretch of RAM that an attached space reaches directly: what the fast path tests and uses. The worker's
 * counterpart of access/slot.ts, made from a row of the shared table..
 */
import { DirtyClient } from '../dirty/client.ts';
import { fence } from '../dirty/fence.ts';

const CODE_BIT = 1 << DirtyClient.CODE;
/** Windows end here, so that an unsigned 32-bit compare covers them. */
export const WINDOW_BYTES: number = 2 ** 31;

/** One stretch; immutable. Valid while the table that it was made from is. */
export class Window {
  /** First address; Infinity for the window that covers nothing. */
  readonly first: number;
  /** Bytes from `first` on that loads may reach. */
  readonly loadLen: number;
  /** The same, or 0 where stores go to the owner. */
  readonly storeLen: number;
  /** Where the window begins below 2^32, the bits of `first`, and at how many offsets from 0 on a load and a store of 8 bytes may begin and end below it; else 0. */
  readonly bits: number;
  readonly loads: number;
  readonly stores: number;
  /** Offset 0 is `first`. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Clients whose pages a store marks; 0 for none. */
  readonly dirtyMask: number;
  /** Page states from the page of `first` on. */
  readonly pages: Uint8Array;
  readonly pageShift: number;
  /** Offset of `first` in its page. */
  readonly pageSkew: number;
  /** Id of the RAM block, and offset of `first` in it. */
  readonly block: number;
  readonly blockOffset: number;

  constructor(
    first: number,
    store: boolean,
    bytes: Uint8Array,
    dirtyMask: number,
    pages: Uint8Array,
    pageShift: number,
    block: number,
    blockOffset: number,
  ) {
    this.first = first;
    this.loadLen = bytes.length;
    this.storeLen = store ? bytes.length : 0;
    const below = first < 2 ** 32 ? Math.min(bytes.length, 2 ** 32 - first) : 0;
    this.bits = below > 0 ? first | 0 : 0;
    this.loads = Math.max(below - 7, 0);
    this.stores = store ? this.loads : 0;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.dirtyMask = dirtyMask;
    this.pages = pages;
    this.pageShift = pageShift;
    this.pageSkew = blockOffset % 2 ** pageShift;
    this.block = block;
    this.blockOffset = blockOffset;
  }

  /**
   * Marks the pages of [at, at + len), 1 byte and more; the bytes are in place already. A page that is dirty for all is not
   * touched, so that agents which write to it do not take the states from one another. The CODE client's bit is never set by a
   * write.
   *
   * The bytes have to be seen by others before the page is looked at: else the owner has it cleared and reads the bytes of before, this
   * agent finds it dirty, and the mark is lost.
   *
   * @returns is a page clean for CODE, so that its code has to be invalidated?
   */
  markDirty(at: number, len: number): boolean {
    const { pages, dirtyMask, pageShift } = this;
    const last = (at + this.pageSkew + len - 1) >>> pageShift;
    let hadCode = false;
    fence();
    for (let page = (at + this.pageSkew) >>> pageShift; page <= last; page++) {
      const missing = dirtyMask & ~Atomics.load(pages, page);
      if (missing === 0) continue;
      if ((missing & CODE_BIT) !== 0) hadCode = true;
      if ((missing & ~CODE_BIT) !== 0) Atomics.or(pages, page, missing & ~CODE_BIT);
    }
    return hadCode;
  }
}

/** Covers nothing. */
export const NO_WINDOW: Window = /* @__PURE__ */ new Window(
  Number.POSITIVE_INFINITY,
  false,
  new Uint8Array(0),
  0,
  new Uint8Array(0),
  0,
  0,
  0,
);
