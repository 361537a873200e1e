/**
 * Hot. The scalar accesses of an attached space that meet RAM at once: the window at address 0, whose offsets are the
 * addresses, then the window that was used last. Only filled while nothing can be reclaimed under it (quiescent flavour,
 * online), so that no access pays for protection. Same shape as access/scalar-access.ts, and for the same reasons: `le32`
 * by identity, literal byte order, every way out of a u32 load unsigned, slow paths out of line.
 *
 * Measured, Node 20, u32 load, loop included: before this shape (one window, codec by kind) 5.5 ns; now see bench/worker.
 */
import { le32, MEMTXATTRS_UNSPECIFIED, type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { type GuestAddress, getScalar, type Ordering, type ScalarCodec, setScalar } from '@guestmem/vm-memory';
import { NO_WINDOW, type Window } from './window.ts';

const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;
const LE32 = le32 as ScalarCodec<number | bigint>;

/** The scalar half of an attached space. */
export abstract class DirectScalars {
  /** Last address of a load, or store, of up to 8 bytes in `zero`; -1: none. */
  private zeroLoad = -1;
  private zeroStore = -1;
  private zeroView: DataView = NO_WINDOW.view;
  private zero: Window = NO_WINDOW;
  /** `zero` where stores mark pages, else null. */
  private zeroDirty: Window | null = null;
  private hot: Window = NO_WINDOW;

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
    if (codec !== LE32) return this.loadOther(addr, codec, attrs, tx, ordering);
    if (ordering === undefined && tx === null && typeof addr === 'number' && (addr | 0) === addr && addr >= 0) {
      if (addr <= this.zeroLoad) return this.zeroView.getUint32(addr, true);
      const { hot } = this;
      const off = (addr - hot.low) | 0;
      if (off >= 0 && off <= hot.load8) return hot.view.getUint32(off, true);
    }
    return this.load32(addr, attrs, tx, ordering) >>> 0;
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
      codec === LE32 &&
      ordering === undefined &&
      tx === null &&
      typeof addr === 'number' &&
      (addr | 0) === addr &&
      addr >= 0 &&
      typeof value === 'number' &&
      value >>> 0 === value
    ) {
      if (addr <= this.zeroStore) {
        const { zeroDirty } = this; // Before the store: after it V8 14 checks the shape of all it reads again.
        this.zeroView.setUint32(addr, value, true);
        if (zeroDirty?.markDirty(addr, 4) === true) this.codeChanged(zeroDirty, addr, 4);
        return;
      }
      const { hot } = this;
      const off = (addr - hot.low) | 0;
      if (off >= 0 && off <= hot.store8) {
        const { dirtyMask } = hot;
        hot.view.setUint32(off, value, true);
        if (dirtyMask !== 0 && hot.markDirty(off, 4)) this.codeChanged(hot, off, 4);
        return;
      }
    }
    this.storeOther(addr, codec, value, attrs, tx, ordering);
  }

  /** Accesses may use `window` from now on without asking, until `closeWindows`. */
  protected openWindow(window: Window): void {
    if (window.first !== 0) {
      this.hot = window;
      return;
    }
    this.zero = window;
    this.zeroDirty = window.dirtyMask === 0 ? null : window;
    this.zeroView = window.view;
    this.zeroLoad = window.load8;
    this.zeroStore = window.store8;
  }

  /** Every access asks again. */
  protected closeWindows(): void {
    this.zeroLoad = -1;
    this.zeroStore = -1;
    this.zeroView = NO_WINDOW.view;
    this.zero = NO_WINDOW;
    this.zeroDirty = null;
    this.hot = NO_WINDOW;
  }

  /** The window that may hold `addr`, of those that are open. */
  protected near(addr: number): Window {
    return addr <= this.zeroLoad ? this.zero : this.hot;
  }

  /** Tells the owner that what was written may have been code. */
  protected abstract codeChanged(window: Window, at: number, len: number): void;

  /** A load that met neither window, or is atomic, or of an address that is no small integer. */
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

  private load32(addr: number, attrs: MemTxAttrs, tx: MemTx | null, ordering: Ordering | undefined): number {
    return this.loadOther(addr, LE32, attrs, tx, ordering) as number;
  }

  private loadOther(
    addr: number,
    codec: ScalarCodec<number | bigint>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): number | bigint {
    if (typeof addr === 'number' && ordering === undefined) {
      const window = this.near(addr);
      const off = addr - window.first;
      if (off >>> 0 === off && off + codec.size <= window.loadLen) {
        const value = getScalar(window.view, off, codec);
        if (tx !== null) succeed(tx, codec.size);
        return value;
      }
    }
    return this.loadSlow(addr, codec, attrs, tx, ordering);
  }

  private storeOther(
    addr: number,
    codec: ScalarCodec<number>,
    value: number,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void {
    if (typeof addr === 'number' && ordering === undefined) {
      const window = addr <= this.zeroStore ? this.zero : this.hot;
      const off = addr - window.first;
      if (off >>> 0 === off && off + codec.size <= window.storeLen) {
        setScalar(window.view, off, codec, value);
        if (window.dirtyMask !== 0 && window.markDirty(off, codec.size)) this.codeChanged(window, off, codec.size);
        if (tx !== null) succeed(tx, codec.size);
        return;
      }
    }
    this.storeSlow(addr, codec, value, attrs, tx, ordering);
  }
}

function succeed(tx: MemTx, size: number): void {
  tx.result = MemTxResult.OK;
  tx.done = size;
}
