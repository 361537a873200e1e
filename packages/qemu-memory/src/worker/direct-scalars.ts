/**
 * Hot. The scalar accesses of an attached space that meet RAM at once: home, the window below 2^32 that was opened last, and
 * the one before it or above. Only filled while nothing can be reclaimed under it (quiescent flavour, online), so that no
 * access pays for protection. Same shape as access/scalar-access.ts, and for the same reasons: the codec's own `get` and
 * `set`, every way out typed by the codec's kind, slow paths out of line.
 */
import { MEMTXATTRS_UNSPECIFIED, type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import type { GuestAddress, Ordering, ScalarCodec, ScalarInfo } from '@guestmem/vm-memory';
import { NO_WINDOW, type Window } from './window.ts';

const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;

/* Kinds of ScalarCodec, as literals: see access/scalar-access.ts. */
const U32 = 4;
const I32 = 5;
const I64_NUMBER = 9;
const U64 = 10;

/** The scalar half of an attached space. */
export abstract class DirectScalars {
  /** `bits`, `loads` and `view` of home; its `stores` in `homeMarked` where stores mark pages, else in `homeStores`. */
  private homeBits = 0;
  private homeLoads = 0;
  private homeStores = 0;
  private homeMarked = 0;
  private homeView: DataView = NO_WINDOW.view;
  private home: Window = NO_WINDOW;
  private second: Window = NO_WINDOW;

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    return this.txLoad(addr, codec, UNSPECIFIED, null, ordering);
  }

  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    this.txStore(addr, codec, value, UNSPECIFIED, null, ordering);
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T;
  txLoad(
    addr: number,
    codec: ScalarCodec<number | bigint>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): number | bigint {
    if (
      ordering === undefined &&
      typeof addr === 'number' &&
      addr >= 0 &&
      addr <= 0xffff_ffff &&
      Math.floor(addr) === addr
    ) {
      const off = ((addr | 0) - this.homeBits) >>> 0;
      if (off < this.homeLoads >>> 0) {
        const value = codec.get(this.homeView, off);
        if (tx !== null) succeed(tx, codec);
        return value;
      }
    }
    const value = this.loadMore(addr, codec, attrs, tx, ordering);
    const { kind } = codec;
    if (kind <= I32) return kind === U32 ? (value as number) >>> 0 : (value as number) | 0;
    if (kind <= I64_NUMBER) return +(value as number);
    return kind === U64 ? BigInt.asUintN(64, value as bigint) : value;
  }

  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void;
  txStore(
    addr: number,
    codec: ScalarCodec<number>,
    value: number,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    if (
      ordering === undefined &&
      typeof addr === 'number' &&
      addr >= 0 &&
      addr <= 0xffff_ffff &&
      Math.floor(addr) === addr
    ) {
      const off = ((addr | 0) - this.homeBits) >>> 0;
      if (off < this.homeStores >>> 0) {
        codec.set(this.homeView, off, value);
        if (tx !== null) succeed(tx, codec);
        return;
      }
      if (off < this.homeMarked >>> 0) {
        codec.set(this.homeView, off, value);
        if (this.home.markDirty(off, codec.size)) this.codeChanged(this.home, off, codec.size);
        if (tx !== null) succeed(tx, codec);
        return;
      }
    }
    this.storeMore(addr, codec, value, attrs, tx, ordering);
  }

  /** Accesses may use `window` from now on without asking, until `closeWindows`. */
  protected openWindow(window: Window): void {
    if (window === this.home) return;
    if (window.loads === 0) {
      this.second = window;
      return;
    }
    this.second = this.home;
    this.home = window;
    this.homeBits = window.bits;
    this.homeLoads = window.loads;
    this.homeStores = window.dirtyMask === 0 ? window.stores : 0;
    this.homeMarked = window.dirtyMask === 0 ? 0 : window.stores;
    this.homeView = window.view;
  }

  /** Every access asks again. */
  protected closeWindows(): void {
    this.homeLoads = 0;
    this.homeStores = 0;
    this.homeMarked = 0;
    this.homeView = NO_WINDOW.view;
    this.home = NO_WINDOW;
    this.second = NO_WINDOW;
  }

  /** The window that may hold `addr`, of those that are open. */
  protected near(addr: number): Window {
    const { home } = this;
    return addr >= home.first && addr < home.first + home.loadLen ? home : this.second;
  }

  /** Tells the owner that what was written may have been code. */
  protected abstract codeChanged(window: Window, at: number, len: number): void;

  /** A load that met neither window, or is atomic. */
  protected abstract loadSlow<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): T;
  protected abstract storeSlow<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void;

  /** A load that is not at home, or in its last bytes. */
  private loadMore(
    addr: number,
    codec: ScalarCodec<number | bigint>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): number | bigint {
    if (typeof addr === 'number' && ordering === undefined) {
      const window = this.near(addr);
      const off = addr - window.first;
      if (off >= 0 && off + codec.size <= window.loadLen && Math.floor(off) === off) {
        const value = codec.get(window.view, off);
        if (tx !== null) succeed(tx, codec);
        return value;
      }
    }
    return this.loadSlow(addr, codec, attrs, tx, ordering);
  }

  private storeMore(
    addr: number,
    codec: ScalarCodec<number>,
    value: number,
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

function succeed(tx: MemTx, codec: ScalarInfo): void {
  tx.result = MemTxResult.OK;
  tx.done = codec.size;
}
