/**
 * Everything one can do with the memory that a flat view shows: what AddressSpace (the current view) and PinnedView (one
 * view) are made of. Scalars are in its base (scalar-access.ts), transfers in bulk.ts. D4, D5, A-60 to A-91.
 */
import {
  MEMTXATTRS_UNSPECIFIED,
  type MemTx,
  type MemTxAttrs,
  type MemTxView,
  type MemTxViewOptions,
  memTxView,
  NOT_DIRECT,
  nativeCodecs,
  type OnError,
  type ReportingMemTxView,
  type ReportingOptions,
  type TxMemory,
} from '@guestmem/memtx';
import type {
  Codec,
  DisposableHandle,
  GuestAddress,
  GuestMemory,
  GuestMemorySlices,
  ReadVolatile,
  WriteVolatile,
} from '@guestmem/vm-memory';
import { disposable, Permissions } from '@guestmem/vm-memory';
import type { IommuTlbEntry } from '../iommu/iommu-ops.ts';
import { throwCollected } from '../rcu/callback-queue.ts';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { makeTap, NO_TAPS, type TapEvent, type TapList, type TapOptions } from '../taps/tap-list.ts';
import type { FlatView } from '../view/flat-view.ts';
import { copyInRam, transfer } from './bulk.ts';
import { type AccessMode, type Chunk, chunksOf, isWriteMode } from './chunks.ts';
import { readInPage, writeInPage, writeInPlace } from './direct-objects.ts';
import { BounceBudget, type Mapping, mapRam, mapRange } from './mapping.ts';
import { MemoryRegionCache } from './memory-region-cache.ts';
import type { PinnedView } from './pinned-view.ts';
import { fillRange, iotlbEntryAt, isIoAt, rangeIsValid, writeRomRange } from './range-ops.ts';
import { storeNotdirty } from './scalar.ts';
import { ScalarAccess } from './scalar-access.ts';
import { rangePermitted, slicesOf } from './slices.ts';
import { pull, push } from './streams.ts';
import { ViewMap } from './view-map.ts';

const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;

/** Access to one view of memory. Extended by AddressSpace and PinnedView. */
export abstract class ViewAccess extends ScalarAccess implements TxMemory, GuestMemory {
  #plain: MemTxView | null = null;
  #taps: TapList | null = null;
  #bounce: BounceBudget | null = null;
  #followers: readonly (() => void)[] = [];

  /** @hideconstructor */
  constructor(core: MemoryCore, view: FlatView) {
    super(core, mapOf(core, view, null));
  }

  /** The view that an access beginning now would use. It never changes; hold it as long as you like. */
  get view(): FlatView {
    return this.map.view;
  }

  /** Has it been given back? Accesses still work then, but nothing is kept for them, and nothing more can be held. */
  abstract get disposed(): boolean;

  /**
   * The current view with a reference: its regions stay until `unref` (T-94). `memory()` does the same with accesses.
   * @throws {MemoryRegionError} `disposed`: the view may be on its way to be reclaimed.
   */
  getFlatView(): FlatView {
    const { view } = this;
    if (!this.disposed && view.ref()) return view;
    throw new MemoryRegionError('disposed', `${this.title} has been disposed of: its view can no longer be held`);
  }

  /** @internal For messages. */
  abstract get title(): string;

  /** @internal Accesses that begin from now on see `view`. */
  setView(view: FlatView): void {
    if (view !== this.map.view) this.map = mapOf(this.core, view, this.#taps);
  }

  /** The same memory with attributes, a byte order, a place for results or an error policy bound to it. */
  with(options: ReportingOptions): ReportingMemTxView;
  with(options: MemTxViewOptions): MemTxView;
  with(options: MemTxViewOptions): MemTxView {
    return memTxView(this, { order: this.core.targetOrder, ...options });
  }

  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    // what is copied at once may be a ROM device, which is no RAM to those who ask for memory only.
    if (attrs.memory || !copyInRam(this.map, addr, buf, false, tx))
      transfer(this.core, this.map, addr, buf, false, attrs, tx === null || onError === 'stop', tx);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    if (!copyInRam(this.map, addr, buf, true, tx))
      transfer(this.core, this.map, addr, buf, true, attrs, tx === null || onError === 'stop', tx);
  }

  read(buf: Uint8Array, addr: GuestAddress): number {
    return this.#view.read(buf, addr);
  }
  write(buf: Uint8Array, addr: GuestAddress): number {
    return this.#view.write(buf, addr);
  }
  readSlice(buf: Uint8Array, addr: GuestAddress): void {
    this.txRead(addr, buf, UNSPECIFIED, 'stop', null);
  }
  writeSlice(buf: Uint8Array, addr: GuestAddress): void {
    this.txWrite(addr, buf, UNSPECIFIED, 'stop', null);
  }
  /** @internal */
  override readObjFar<T>(addr: GuestAddress, codec: Codec<T>): T {
    const value = this.txReadDirect(addr, codec);
    return value === NOT_DIRECT ? this.#view.readObj(addr, codec) : value;
  }
  /** @internal */
  override writeObjFar<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    if (!this.txWriteDirect(addr, codec, value)) this.#view.writeObj(addr, codec, value);
  }
  /** @internal The object at `addr` when one window of RAM holds it; for readObj of views. */
  txReadDirect<T>(addr: GuestAddress, codec: Codec<T>): T | typeof NOT_DIRECT {
    if (!Number.isSafeInteger(addr)) return NOT_DIRECT;
    const { map } = this;
    let slot = map.load;
    let off = (addr as number) - slot.first;
    if (!(off >= 0 && off + codec.size <= slot.loadLen)) {
      if ((addr as number) < 0 || this.core.access.seesLoads) return NOT_DIRECT;
      slot = map.slotAt(addr as number);
      off = (addr as number) - slot.first;
      if (off + codec.size > slot.loadLen) return readInPage(map, slot, addr as number, codec);
      map.load = slot;
    }
    map.met(slot);
    return codec.get(slot.view, off);
  }
  /** @internal As `txReadDirect`, of codecs that refuse a value before half of it is written. */
  txWriteDirect<T>(addr: GuestAddress, codec: Codec<T>, value: T): boolean {
    if (!Number.isSafeInteger(addr) || codec.checksFirst !== true) return false;
    const { map } = this;
    let slot = map.store;
    let off = (addr as number) - slot.first;
    if (!(off >= 0 && off + codec.size <= slot.storeLen)) {
      if ((addr as number) < 0) return false;
      slot = map.slotAt(addr as number);
      off = (addr as number) - slot.first;
      if (off + codec.size > slot.storeLen) return writeInPage(map, slot, addr as number, codec, value);
      map.store = slot;
    }
    map.met(slot);
    writeInPlace(slot, off, codec, value);
    return true;
  }
  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): number {
    return pull(this, addr, src, count, false);
  }
  readExactVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): void {
    pull(this, addr, src, count, true);
  }
  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): number {
    return push(this, addr, dst, count, false);
  }
  writeAllVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): void {
    push(this, addr, dst, count, true);
  }

  /** fills [addr, addr + len) with `byte`, going on after failures. @param tx null: throw MemTxError at the end. */
  set(addr: GuestAddress, byte: number, len: number, attrs: MemTxAttrs = UNSPECIFIED, tx: MemTx | null = null): void {
    fillRange(this, addr, byte, len, attrs, tx);
  }
  /** writes RAM, ROM and ROM devices in ROMD mode, as a loader or debugger does; passes over all else. Never fails. */
  writeRom(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs = UNSPECIFIED): void {
    writeRomRange(this.map, addr, buf, attrs);
  }
  /** 4 bytes in target order that mark their page dirty and leave translated code alone: a CPU's own page tables. */
  stlNotdirty(addr: GuestAddress, value: number, attrs: MemTxAttrs = UNSPECIFIED, tx: MemTx | null = null): void {
    storeNotdirty(this.core, this.map, addr, nativeCodecs(this.core.targetOrder).u32, value, attrs, tx);
  }
  /** would a transfer be let through? Calls no data callback; says nothing of what devices would answer. */
  accessValid(addr: GuestAddress, len: number, mode: AccessMode, attrs: MemTxAttrs = UNSPECIFIED): boolean {
    return rangeIsValid(this.map, addr, len, isWriteMode(mode), attrs);
  }
  /** anything else than RAM and ROM devices in ROMD mode? True in holes. */
  isIo(addr: GuestAddress): boolean {
    return isIoAt(this.map, addr, UNSPECIFIED);
  }
  /** The pieces that answer for a range, one after the other, each found when it is asked for (D5, A-143). */
  chunks(
    addr: GuestAddress,
    len: number,
    mode: AccessMode,
    attrs: MemTxAttrs = UNSPECIFIED,
  ): Generator<Chunk, void, void> {
    return chunksOf(this.map, addr, len, mode, attrs);
  }
  /** the whole chain of IOMMUs at `addr` as one entry; permission NONE where it fails. */
  getIotlbEntry(addr: GuestAddress, mode: AccessMode, attrs: MemTxAttrs = UNSPECIFIED): IommuTlbEntry {
    return iotlbEntryAt(this.core, this, addr, isWriteMode(mode), attrs);
  }

  /**
   * Host memory for a range: RAM itself, or a bounce buffer. @returns null: length 0, or no bounce budget left. A bounce buffer does
   * not tell what failed: where nothing answers, or an IOMMU refuses, it reads as 0 and what is written to it is lost. Where a
   * guest chose the address, `mapRam`, `readSlice` and `writeSlice` tell.
   */
  mapRange(addr: GuestAddress, len: number, mode: AccessMode, attrs: MemTxAttrs = UNSPECIFIED): Mapping | null {
    return mapRange(this, addr, len, mode, attrs);
  }
  /** Zero-copy windows on the whole range, which must be RAM. Unmapping a write window marks it dirty. @throws {MemTxError} */
  mapRam(addr: GuestAddress, len: number, mode: AccessMode, attrs: MemTxAttrs = UNSPECIFIED): Mapping[] {
    return mapRam(this, addr, len, mode, attrs);
  }
  /** calls `wake` once when bounce budget is free; soon if it is now. Dispose to take it back. */
  registerMapClient(wake: () => void): DisposableHandle {
    return this.bounceBudget.register(wake);
  }
  /** Bytes that may be in bounce buffers at one time. Default 4096. Raising it wakes map clients. */
  get maxBounceBufferSize(): number {
    return this.bounceBudget.limit;
  }
  set maxBounceBufferSize(bytes: number) {
    this.bounceBudget.limit = bytes;
  }
  /** @internal */
  get bounceBudget(): BounceBudget {
    this.#bounce ??= new BounceBudget();
    return this.#bounce;
  }
  /**
   * A translation kept for many accesses to [addr, addr + len). Dispose of it; make it anew after a commit.
   * @throws {MemoryRegionError} `disposed`.
   */
  cache(addr: GuestAddress, len: number, mode: AccessMode): MemoryRegionCache {
    const cache = new MemoryRegionCache();
    cache.init(this, addr, len, mode);
    return cache;
  }
  /** This view held fast: what comes later does not show in it. Dispose of it. @throws {MemoryRegionError} `disposed`. */
  memory(): PinnedView {
    const view = this.getFlatView();
    try {
      return this.core.pin(view);
    } finally {
      view.unref(); // The pinned view has a reference of its own.
    }
  }

  /** vm-memory's question: is all of the range there, and may it be accessed so? Devices count. */
  checkRange(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): boolean {
    return rangePermitted(this, addr, len, access, UNSPECIFIED);
  }
  /**
   * vm-memory's slices of host memory: RAM only, dirty marks included. Found one by one, all in the view of the first: what is
   * committed between two of them does not show. Iterate in a section, or over `memory()`, where RAM may be removed meanwhile.
   *
   * @throws {GuestMemoryError} while iterating, at what is no RAM.
   */
  getSlices(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): GuestMemorySlices {
    return slicesOf(this, addr, len, access, UNSPECIFIED);
  }
  /** Never: addresses may be translated, and what answers is not only RAM. */
  physicalMemory(): undefined {
    return undefined;
  }

  /**
   * Calls `seen` for each access through this space that meets [addr, addr + len): once for the caller's whole access,
   * before a write and after a read (D15). RAM and devices elsewhere cost what they did; holes and IOMMUs of this space
   * take the full path while there is a tap (some 70 ns an access). Not seen: what is read and written through mappings, caches,
   * slices (`getSlices`), the bytes of `chunks`, pinned views (`memory()`), and other spaces.
   */
  tap(addr: GuestAddress, len: number, seen: (event: TapEvent) => void, options: TapOptions = {}): DisposableHandle {
    const tap = makeTap(this.core.access, addr, len, seen, options);
    this.#setTaps((this.#taps ?? NO_TAPS).plus(tap));
    return disposable(() => this.#setTaps((this.#taps ?? NO_TAPS).minus(tap)));
  }

  #setTaps(taps: TapList): void {
    this.#taps = taps.length === 0 ? null : taps;
    this.map = mapOf(this.core, this.view, this.#taps);
    this.changed();
  }

  /** @internal Calls `follower` whenever what an access sees has changed (a view was published, taps came or went). @returns ends it. */
  follow(follower: () => void): () => void {
    this.#followers = [...this.#followers, follower];
    return () => {
      this.#followers = this.#followers.filter((each) => each !== follower);
    };
  }

  /** @internal Tells the followers, all of them. @throws what they threw. */
  changed(): void {
    const errors: unknown[] = [];
    for (const follower of this.#followers)
      try {
        follower();
      } catch (error) {
        errors.push(error);
      }
    throwCollected(errors);
  }

  get #view(): MemTxView {
    this.#plain ??= memTxView(this, { order: this.core.targetOrder });
    return this.#plain;
  }
}

function mapOf(core: MemoryCore, view: FlatView, taps: TapList | null): ViewMap {
  if (taps !== null) return new ViewMap(view, core, taps);
  view.map ??= new ViewMap(view, core);
  if (core.access.seesLoads) view.map.forget();
  return view.map;
}
