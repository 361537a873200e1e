/**
 * Hot. The windows of one table that were met, by address: RAM by coarse bits, and RAM that shares its entry with more RAM by
 * page, as access/view-map.ts has them. What it answers is a hint: who asked looks whether it covers the address.
 */
import { entered } from '../access/entered.ts';
import { NO_WINDOW, type Window } from './window.ts';

const COARSE = 256;
const PAGES = 512;
/** Bytes an entry, from 2^32 on. */
const HIGH_GRANULE = 2 ** 28;

const NO_COARSE: readonly Window[] = /* @__PURE__ */ new Array<Window>(COARSE).fill(NO_WINDOW);
const NO_PAGES: readonly Window[] = /* @__PURE__ */ new Array<Window>(PAGES).fill(NO_WINDOW);

/** Windows by address. */
export class WindowCache {
  /* Ordinary fields, for the engine; the shared empty ones until something is entered. */
  private low = NO_COARSE;
  private high = NO_COARSE;
  private pages = NO_PAGES;

  /** The window that may cover `addr`, any number. */
  find(addr: number): Window {
    const coarse = addr < 2 ** 32 ? this.low[addr >>> 24]! : this.high[(addr / HIGH_GRANULE) & (COARSE - 1)]!;
    if (addr >= coarse.first && addr - coarse.first < coarse.loadLen) return coarse;
    return this.pages[((addr >>> 12) ^ (addr >>> 21)) & (PAGES - 1)]!;
  }

  /** `window` covers `addr`, a safe integer. */
  enter(addr: number, window: Window): void {
    const isLow = addr < 2 ** 32;
    const table = isLow ? this.low : this.high;
    const at = isLow ? addr >>> 24 : (addr / HIGH_GRANULE) & (COARSE - 1);
    if (table[at]!.loadLen >= window.loadLen)
      this.pages = entered(this.pages, NO_PAGES, ((addr >>> 12) ^ (addr >>> 21)) & (PAGES - 1), window);
    else if (isLow) this.low = entered(table, NO_COARSE, at, window);
    else this.high = entered(table, NO_COARSE, at, window);
  }

  clear(): void {
    this.low = NO_COARSE;
    this.high = NO_COARSE;
    this.pages = NO_PAGES;
  }
}

/** Where nothing is entered, ever. */
export const NO_WINDOWS: WindowCache = /* @__PURE__ */ new WindowCache();
