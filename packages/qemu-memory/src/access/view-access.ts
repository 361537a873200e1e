/**
 * Everything one can do with the memory that a flat view shows: what AddressSpace (the current view) and PinnedView (one
 * view) are made of. Hot: `load`, `store`, `txLoad`, `txStore`; their fast path is one range check against the slot that was
 * used last, and everything else is in scalar.ts and bulk.ts. D4, D5, A-60 to A-91.
 */
import {
  MEMTXATTRS_UNSPECIFIED,
  type MemTx,
  type MemTxAttrs,
  MemTxResult,
  type MemTxView,
  type MemTxViewOptions,
  memTxView,
  type OnError,
  type TxMemory,
} from '@guestmem/memtx';
import type {
  Bytes,
  Codec,
  GuestAddress,
  Ordering,
  ReadVolatile,
  ScalarCodec,
  WriteVolatile,
} from '@guestmem/vm-memory';
import { getScalar, setScalar } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import type { FlatView } from '../view/flat-view.ts';
import { readBulk, writeBulk } from './bulk.ts';
import { loadSlow, storeSlow } from './scalar.ts';
import { ViewMap } from './view-map.ts';

/** Access to one view of memory. Extended by AddressSpace and PinnedView. */
export abstract class ViewAccess implements TxMemory, Bytes<GuestAddress> {
  readonly core: MemoryCore;
  /** @internal The look-up of the view; replaced by one store when a view is published (T-92). */
  map: ViewMap;
  #plain: MemTxView | null = null;

  /** @internal */
  constructor(core: MemoryCore, view: FlatView) {
    this.core = core;
    this.map = mapOf(core, view);
  }

  /** The view that an access beginning now would use. It never changes; hold it as long as you like. */
  get view(): FlatView {
    return this.map.view;
  }

  /** @internal Accesses that begin from now on see `view`. */
  setView(view: FlatView): void {
    if (view !== this.map.view) this.map = mapOf(this.core, view);
  }

  /** The same memory with attributes, a byte order, a place for results or an error policy bound to it. */
  with(options: MemTxViewOptions): MemTxView {
    return memTxView(this, { order: this.core.targetOrder, ...options });
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T {
    const { map } = this;
    const slot = map.load;
    if (typeof addr === 'number' && ordering === undefined) {
      const off = addr - slot.first;
      if (off >>> 0 === off && off + codec.size <= slot.loadLen) {
        if (tx !== null) {
          tx.result = MemTxResult.OK;
          tx.done = codec.size;
        }
        return getScalar(slot.view, off, codec);
      }
    }
    return loadSlow(this.core, map, addr, codec, attrs, tx, ordering);
  }

  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    const { map } = this;
    const slot = map.store;
    if (typeof addr === 'number' && ordering === undefined) {
      const off = addr - slot.first;
      if (off >>> 0 === off && off + codec.size <= slot.storeLen) {
        setScalar(slot.view, off, codec, value);
        if (slot.dirtyMask !== 0) slot.markDirty(off, codec.size);
        if (tx !== null) {
          tx.result = MemTxResult.OK;
          tx.done = codec.size;
        }
        return;
      }
    }
    storeSlow(this.core, map, addr, codec, value, attrs, tx, ordering);
  }

  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    readBulk(this.core, this.map, addr, buf, attrs, tx === null || onError === 'stop', tx);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    writeBulk(this.core, this.map, addr, buf, attrs, tx === null || onError === 'stop', tx);
  }

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    return this.txLoad(addr, codec, MEMTXATTRS_UNSPECIFIED, null, ordering);
  }
  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    this.txStore(addr, codec, value, MEMTXATTRS_UNSPECIFIED, null, ordering);
  }
  read(buf: Uint8Array, addr: GuestAddress): number {
    return this.#view.read(buf, addr);
  }
  write(buf: Uint8Array, addr: GuestAddress): number {
    return this.#view.write(buf, addr);
  }
  readSlice(buf: Uint8Array, addr: GuestAddress): void {
    this.txRead(addr, buf, MEMTXATTRS_UNSPECIFIED, 'stop', null);
  }
  writeSlice(buf: Uint8Array, addr: GuestAddress): void {
    this.txWrite(addr, buf, MEMTXATTRS_UNSPECIFIED, 'stop', null);
  }
  readObj<T>(addr: GuestAddress, codec: Codec<T>): T {
    const slot = this.map.load;
    if (typeof addr === 'number') {
      const off = addr - slot.first;
      if (off >>> 0 === off && off + codec.size <= slot.loadLen) return codec.get(slot.view, off);
    }
    return this.#view.readObj(addr, codec);
  }
  writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    this.#view.writeObj(addr, codec, value);
  }
  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): number {
    return this.#view.readVolatileFrom(addr, src, count);
  }
  readExactVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): void {
    this.#view.readExactVolatileFrom(addr, src, count);
  }
  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): number {
    return this.#view.writeVolatileTo(addr, dst, count);
  }
  writeAllVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): void {
    this.#view.writeAllVolatileTo(addr, dst, count);
  }

  get #view(): MemTxView {
    this.#plain ??= memTxView(this, { order: this.core.targetOrder });
    return this.#plain;
  }
}

function mapOf(core: MemoryCore, view: FlatView): ViewMap {
  view.map ??= new ViewMap(view, core.unassigned);
  return view.map;
}
