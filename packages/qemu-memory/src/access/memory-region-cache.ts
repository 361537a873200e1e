/**
 * A translation kept for many accesses, as a virtio ring wants it: the view of the moment it was made, a window on RAM
 * where there is one, the full path where there is not..
 */
import { MEMTXATTRS_UNSPECIFIED, type MemTx, MemTxResult } from '@guestmem/memtx';
import {
  badNumber,
  checkBuffer,
  checkCount,
  DisposableBase,
  type GuestAddress,
  hex,
  type ScalarCodec,
  toAddress,
} from '@guestmem/vm-memory';
import { MemoryRegionError } from '../region/error.ts';
import { advance, transfer } from './bulk.ts';
import { type AccessMode, isDirect, isWriteMode } from './chunks.ts';
import { loadSlow, storeSlow } from './scalar.ts';
import { type Slot, SlotKind } from './slot.ts';
import type { ViewAccess } from './view-access.ts';
import type { ViewMap } from './view-map.ts';

const { OK } = MemTxResult;
const EMPTY = new Uint8Array(0);
const NO_VIEW = new DataView(EMPTY.buffer);

/** A cached range. Addresses are relative to its start. It keeps seeing the map as it was: make it again after a commit. */
export class MemoryRegionCache extends DisposableBase {
  /** Bytes, at most what was asked for; 0 when empty or disposed of. */
  length = 0;
  #map: ViewMap | null = null;
  #space: ViewAccess | null = null;
  #slot: Slot | null = null;
  #addr: GuestAddress = 0;
  #at = 0;
  #view: DataView = NO_VIEW;
  #bytes: Uint8Array = EMPTY;
  #writes = false;

  /**
   * Opens it over [addr, addr + len) of `space`, in place of what it had.
   *
   * @returns bytes that are cached: to the end of the section that holds `addr`, at most.
   * @throws {MemoryRegionError} `disposed`: the space or view has been given back; the cache is empty.
   */
  init(space: ViewAccess, addr: GuestAddress, len: number, mode: AccessMode): number {
    this.dispose();
    const start = toAddress(addr);
    if (checkCount(len, 'length') === 0) throw new RangeError('a cache needs a length of 1 byte and more');
    const writes = isWriteMode(mode);
    const { map } = space;
    const slot = typeof start === 'bigint' ? map.slotAtBig(start) : map.slotAt(start);
    const at = typeof start === 'bigint' ? 0 : start - slot.first;
    space.getFlatView();
    this.#map = map; // From here on `dispose` gives the reference back.
    this.#space = space;
    this.#slot = slot;
    this.#addr = start;
    this.#at = at;
    this.#writes = writes;
    if (slot.kind === SlotKind.RAM && isDirect(slot, this.#writes, MEMTXATTRS_UNSPECIFIED) && at < slot.len) {
      this.length = Math.min(len, slot.len - at);
      this.#bytes = slot.bytes.subarray(at, at + this.length);
      this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.length);
    } else this.length = slot.kind === SlotKind.HOLE ? len : Math.min(len, Math.max(slot.tail - at, 1));
    return this.length;
  }

  /** Is there a window on RAM? */
  get direct(): boolean {
    return this.#bytes.length > 0;
  }

  /** Loads at `offset` of the cache. @param tx as `txLoad`; OK always with a window. */
  load<T>(offset: number, codec: ScalarCodec<T>, tx: MemTx | null = null): T {
    this.#check(offset, codec.size);
    if (this.#bytes.length === 0) {
      const { core } = this.#space!;
      const view = loadSlow(
        core,
        this.#map!,
        advance(this.#addr, offset),
        codec,
        MEMTXATTRS_UNSPECIFIED,
        tx,
        undefined,
      );
      return codec.get(view, core.access.found);
    }
    if (tx !== null) ok(tx, codec.size);
    return codec.get(this.#view, offset);
  }

  /** Stores at `offset`. With a window it marks nothing dirty: call `invalidate`. */
  store<T>(offset: number, codec: ScalarCodec<T>, value: T, tx: MemTx | null = null): void {
    this.#checkWrites();
    this.#check(offset, codec.size);
    if (this.#bytes.length === 0) {
      const { core } = this.#space!;
      storeSlow(core, this.#map!, advance(this.#addr, offset), codec, value, MEMTXATTRS_UNSPECIFIED, tx, undefined);
      return;
    }
    codec.set(this.#view, offset, value);
    if (tx !== null) ok(tx, codec.size);
  }

  /** Fills `buf` from `offset` on. */
  read(offset: number, buf: Uint8Array, tx: MemTx | null = null): void {
    checkBuffer(buf);
    this.#check(offset, buf.length);
    if (this.#bytes.length > 0) {
      buf.set(this.#bytes.subarray(offset, offset + buf.length));
      if (tx !== null) ok(tx, buf.length);
    } else this.#transfer(offset, buf, false, tx);
  }

  /** Writes `buf` from `offset` on. As `store`. */
  write(offset: number, buf: Uint8Array, tx: MemTx | null = null): void {
    this.#checkWrites();
    checkBuffer(buf);
    this.#check(offset, buf.length);
    if (this.#bytes.length > 0) {
      this.#bytes.set(buf, offset);
      if (tx !== null) ok(tx, buf.length);
    } else this.#transfer(offset, buf, true, tx);
  }

  /** Marks what was stored as dirty. @throws {MemoryRegionError} the cache was opened for reading. */
  invalidate(offset: number, accessLen: number): void {
    this.#checkWrites();
    this.#check(offset, checkCount(accessLen, 'accessLen'));
    if (this.#bytes.length > 0) this.#slot!.markSlow(this.#at + offset, accessLen);
  }

  /** Drops the view. On an empty cache: no effect. */
  dispose(): void {
    this.#map?.view.unref();
    this.#map = null;
    this.#space = null;
    this.#slot = null;
    this.#bytes = EMPTY;
    this.#view = NO_VIEW;
    this.length = 0;
  }

  #transfer(offset: number, buf: Uint8Array, isWrite: boolean, tx: MemTx | null): void {
    if (buf.length === 0) {
      if (tx !== null) ok(tx, 0); // An empty cache has no space to ask.
      return;
    }
    const { core } = this.#space!;
    const addr = advance(this.#addr, offset);
    transfer(core, this.#map!, addr, buf, isWrite, MEMTXATTRS_UNSPECIFIED, tx === null, tx);
  }

  #check(offset: number, size: number): void {
    if (Number.isSafeInteger(offset) && offset >= 0 && size <= this.length - offset) return;
    if (typeof offset !== 'number') throw badNumber('offset must be a number', offset);
    throw new RangeError(
      `offset ${Number.isSafeInteger(offset) && offset >= 0 ? hex(offset) : String(offset)} and ${size} bytes are not inside the cache of ${this.length} bytes`,
    );
  }

  #checkWrites(): void {
    if (!this.#writes && this.length > 0)
      throw new MemoryRegionError('read-only-cache', `the cache of ${hex(this.#addr)} was opened for reading`);
  }
}

function ok(tx: MemTx, done: number): void {
  tx.result = OK;
  tx.done = done;
}
