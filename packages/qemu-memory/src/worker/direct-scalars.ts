/**
 * Hot. The scalar accesses of an attached space that meet RAM at once: home, the window below 2^32 that most accesses meet, and
 * those of the table in use that were met (window-cache.ts). Only filled while nothing can be reclaimed under it (quiescent flavour, online), so that no
 * access pays for protection. Same shape as access/scalar-access.ts, and for the same reasons: the codec's own `get` and
 * `set` do all, on every way out, and `load` and `store` are short.
 */
import { MEMTXATTRS_UNSPECIFIED, type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import type { GuestAddress, Ordering, ScalarCodec, ScalarInfo } from '@guestmem/vm-memory';
import { NO_WINDOW, type Window } from './window.ts';
import { NO_WINDOWS, type WindowCache } from './window-cache.ts';

const { OK } = MemTxResult;
const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;
/** Accesses that are not at home between two that make where they go home. */
const SAMPLE = 64;

/** The scalar half of an attached space. */
export abstract class DirectScalars {
  /** `bits`, `loads`, `view` and `stores` of home; no stores where they mark pages. */
  private homeBits = 0;
  private homeLoads = 0;
  private homeStores = 0;
  private homeView: DataView = NO_WINDOW.view;
  private home: Window = NO_WINDOW;
  /** As home, from 2^32 on. */
  private high: Window = NO_WINDOW;
  private windows: WindowCache = NO_WINDOWS;
  private ticks = SAMPLE;

  /** Where a scalar that was looked for lies, in the view that was given for it. */
  protected found = 0;

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    if (ordering === undefined && typeof addr === 'number' && addr >>> 0 === addr) {
      const off = (addr - this.homeBits) >>> 0;
      if (off < this.homeLoads >>> 0) return codec.get(this.homeView, off);
    }
    return codec.get(this.find(addr, codec, UNSPECIFIED, null, ordering), this.found);
  }

  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    if (ordering === undefined && typeof addr === 'number' && addr >>> 0 === addr) {
      const off = (addr - this.homeBits) >>> 0;
      if (off < this.homeStores >>> 0) {
        codec.set(this.homeView, off, value);
        return;
      }
    }
    this.put(addr, codec, value, UNSPECIFIED, null, ordering);
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T {
    return codec.get(this.find(addr, codec, attrs, tx, ordering), this.found);
  }

  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    this.put(addr, codec, value, attrs, tx, ordering);
  }

  /** Accesses may use `window`, and all others of `windows`, from now on without asking, until `closeWindows`. */
  protected openWindow(window: Window, windows: WindowCache): void {
    this.windows = windows;
    const hot = window.loads === 0 ? this.high : this.home;
    if (hot === NO_WINDOW) this.#moveHome(window);
  }

  #moveHome(window: Window): void {
    if (window.loads === 0) {
      this.high = window;
      return;
    }
    this.home = window;
    this.homeBits = window.bits;
    this.homeLoads = window.loads;
    this.homeStores = window.dirtyMask === 0 ? window.stores : 0;
    this.homeView = window.view;
  }

  /** Every access asks again. */
  protected closeWindows(): void {
    this.homeLoads = 0;
    this.homeStores = 0;
    this.homeView = NO_WINDOW.view;
    this.home = NO_WINDOW;
    this.high = NO_WINDOW;
    this.windows = NO_WINDOWS;
  }

  /** The window that may hold `addr`, of those that are open. */
  protected near(addr: number): Window {
    const { home, high } = this;
    if (addr >= home.first && addr < home.first + home.loadLen) return home;
    if (addr >= high.first && addr - high.first < high.loadLen) return high;
    const window = this.windows.find(addr);
    const ticks = (this.ticks - 1) | 0;
    this.ticks = ticks;
    if (ticks === 0) this.#sample(window);
    return window;
  }

  #sample(window: Window): void {
    this.ticks = SAMPLE;
    this.#moveHome(window);
  }

  /** @internal Tells the owner that what was written may have been code. */
  protected abstract codeChanged(window: Window, at: number, len: number): void;

  /** @internal A load that met neither window, or is atomic. @returns a view that has the scalar at `this.found`. */
  protected abstract loadSlow<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): DataView;
  /** @internal */
  protected abstract storeSlow<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void;

  /** A load that is not at home, in its last bytes, or tells its outcome. @returns as `loadSlow`. */
  private find<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): DataView {
    if (typeof addr === 'number' && ordering === undefined) {
      const window = this.near(addr);
      const off = addr - window.first;
      if (off >= 0 && off + codec.size <= window.loadLen && Math.floor(off) === off) {
        if (tx !== null) {
          // Before it says OK: a codec may refuse what is there.
          codec.get(window.view, off);
          succeed(tx, codec);
        }
        this.found = off;
        return window.view;
      }
    }
    return this.loadSlow(addr, codec, attrs, tx, ordering);
  }

  /** A store that is not at home, has to mark its page, or tells its outcome. */
  private put<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void {
    if (typeof addr === 'number' && ordering === undefined) {
      const window = this.near(addr);
      const off = addr - window.first;
      if (off >= 0 && off + codec.size <= window.storeLen && Math.floor(off) === off) {
        codec.set(window.view, off, value);
        if (window.dirtyMask !== 0 && window.markDirty(off, codec.size)) this.codeChanged(window, off, codec.size);
        if (tx !== null) succeed(tx, codec);
        return;
      }
    }
    this.storeSlow(addr, codec, value, attrs, tx, ordering);
  }
}

const succeed = (tx: MemTx, codec: ScalarInfo): void => {
  tx.result = OK;
  tx.done = codec.size;
};
