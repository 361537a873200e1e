/**
 * What one can do with the memory of another agent: RAM directly, by windows of a table; all else by asking the owner. Base
 * of AttachedSpace (the current view) and AttachedView (a pinned one), as access/view-access.ts is in the owner. The hot
 * half is attached-scalars.ts and direct-scalars.ts. D4, D8, A-60 to.
 *
 * What the owner's spaces have beside this has no counterpart here, because it hands out the owner's own objects: `view`,
 * `chunks`, `getIotlbEntry` (sections and regions), `tap` and observers (callbacks in the middle of an access), `mapRange`,
 * `mapRam` and `cache` (mappings that a commit has to be told of; slices and `memory()` do their work).
 */
import {
  MEMTXATTRS_UNSPECIFIED,
  type MemTx,
  type MemTxAttrs,
  MemTxResult,
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
import {
  type ByteOrder,
  type Codec,
  checkBuffer,
  checkCount,
  type GuestAddress,
  type GuestMemory,
  type GuestMemorySlices,
  Permissions,
  type ReadVolatile,
  ScalarCodec,
  toAddress,
  type WriteVolatile,
} from '@guestmem/vm-memory';
import { type AccessMode, isWriteMode, walkable } from '../access/chunks.ts';
import { checkFillByte } from '../access/range-ops.ts';
import { AttachedScalars, scalarFlags, tell } from './attached-scalars.ts';
import { slicesOf } from './attached-slices.ts';
import { pull, push } from './attached-streams.ts';
import type { RingClient } from './ring-client.ts';
import { FOR_WRITE, GO_ON, Op, THROW } from './ring-layout.ts';
import type { TableReader } from './table-reader.ts';
import type { Window } from './window.ts';

const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;
const EMPTY = new Uint8Array(0);

/** Access to memory of another agent. Extended by AttachedSpace and AttachedView. */
export abstract class AttachedAccess extends AttachedScalars implements TxMemory, GuestMemory {
  /** Of the address space. */
  readonly name: string;
  /** The target's byte order, for `with`. */
  readonly order: ByteOrder;
  #plain: MemTxView | null = null;

  /** @hideconstructor */
  constructor(name: string, order: ByteOrder, reader: TableReader, client: RingClient) {
    super(reader, client);
    this.name = name;
    this.order = order;
  }

  /** The same memory with attributes, a byte order, a place for results or an error policy bound to it. */
  with(options: ReportingOptions): ReportingMemTxView;
  with(options: MemTxViewOptions): MemTxView;
  with(options: MemTxViewOptions): MemTxView {
    return memTxView(this, { order: this.order, ...options });
  }

  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    if (!(buf instanceof Uint8Array)) checkBuffer(buf);
    const where = toAddress(addr);
    const done = typeof where === 'number' && this.#direct(where, buf, false);
    if (done) tell(tx, MemTxResult.OK, buf.length);
    else this.ask(tx, Op.READ, where, attrs, bulkFlags(onError, tx), buf, buf);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    if (!(buf instanceof Uint8Array)) checkBuffer(buf);
    const where = toAddress(addr);
    const done = typeof where === 'number' && this.#direct(where, buf, true);
    if (done) tell(tx, MemTxResult.OK, buf.length);
    else this.ask(tx, Op.WRITE, where, attrs, bulkFlags(onError, tx), buf);
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
  readObj<T>(addr: GuestAddress, codec: Codec<T>): T {
    const value = this.txReadDirect(addr, codec);
    return value === NOT_DIRECT ? this.#view.readObj(addr, codec) : value;
  }
  writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    if (!this.txWriteDirect(addr, codec, value)) this.#view.writeObj(addr, codec, value);
  }
  /** @internal The object at `addr` when an open window holds it; for readObj of views. */
  txReadDirect<T>(addr: GuestAddress, codec: Codec<T>): T | typeof NOT_DIRECT {
    if (!Number.isSafeInteger(addr)) return NOT_DIRECT;
    const window = this.near(addr as number);
    const at = (addr as number) - window.first;
    return at >= 0 && at + codec.size <= window.loadLen ? codec.get(window.view, at) : NOT_DIRECT;
  }
  /** @internal As `txReadDirect`, of codecs that refuse a value before half of it is written. */
  txWriteDirect<T>(addr: GuestAddress, codec: Codec<T>, value: T): boolean {
    if (!Number.isSafeInteger(addr) || codec.checksFirst !== true) return false;
    const window = this.near(addr as number);
    const at = (addr as number) - window.first;
    if (!(at >= 0 && at + codec.size <= window.storeLen)) return false;
    if (codec instanceof ScalarCodec) {
      codec.set(window.view, at, value);
      this.wrote(window, at, codec.size);
      return true;
    }
    this.hold(); // Getters of the value are part of the access: they end no quantum in which it began (T-97).
    try {
      codec.set(window.view, at, value);
      this.wrote(window, at, codec.size);
    } finally {
      this.release();
    }
    return true;
  }
  /** Streams: RAM is shown to the other end as it lies; what the owner answers for is copied, in pieces of at most 4 KiB. */
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

  /** A-77, by the owner: fills [addr, addr + len) with `byte`, going on after failures. @param tx null: throw MemTxError at the end. */
  set(addr: GuestAddress, byte: number, len: number, attrs: MemTxAttrs = UNSPECIFIED, tx: MemTx | null = null): void {
    checkFillByte(byte);
    const count = checkCount(len, 'length');
    this.ask(tx, Op.FILL, toAddress(addr), attrs, bulkFlags('continue', tx), Uint8Array.of(byte), EMPTY, count);
  }
  /** A-78, by the owner: writes RAM, ROM and ROM devices in ROMD mode; passes over all else. Never fails. */
  writeRom(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs = UNSPECIFIED): void {
    checkBuffer(buf);
    this.forward(Op.WRITE_ROM, toAddress(addr), attrs, THROW, buf);
  }
  /** A-73, by the owner: 4 bytes in target order that leave translated code alone. */
  stlNotdirty(addr: GuestAddress, value: number, attrs: MemTxAttrs = UNSPECIFIED, tx: MemTx | null = null): void {
    const codec = nativeCodecs(this.order).u32;
    const where = toAddress(addr);
    codec.set(this.scratch, 0, value);
    this.ask(tx, Op.STORE_NOTDIRTY, where, attrs, scalarFlags(codec, tx, undefined), this.scratches[4]!);
  }
  /** would a transfer be let through? Asks the owner unless all of it is RAM that is reached directly. */
  accessValid(addr: GuestAddress, len: number, mode: AccessMode, attrs: MemTxAttrs = UNSPECIFIED): boolean {
    const where = toAddress(addr);
    const count = checkCount(len, 'length');
    if (typeof where === 'number' && this.#reaches(where, count, isWriteMode(mode))) return true;
    this.forward(Op.VALID, where, attrs, questionFlags(mode), EMPTY, EMPTY, count);
    return this.client.result === 1;
  }
  /** anything else than RAM and ROM devices in ROMD mode? True in holes. Asks the owner. */
  isIo(addr: GuestAddress): boolean {
    const where = toAddress(addr);
    if (typeof where === 'number' && this.#reaches(where, 1, false)) return false;
    this.forward(Op.IS_IO, where, UNSPECIFIED, THROW);
    return this.client.result === 1;
  }

  /** vm-memory's question: is all of the range there, and may it be accessed so? Devices count. */
  checkRange(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): boolean {
    const start = toAddress(addr);
    const count = walkable(start, len);
    if (count <= 0) return count === 0;
    if ((access & Permissions.WRITE) !== 0 && !this.accessValid(start, count, 'write')) return false;
    return access === Permissions.WRITE || this.accessValid(start, count, 'read');
  }
  /**
   * vm-memory's slices of host memory: RAM that this agent reaches itself, dirty marks included. A slice shows the bytes for
   * as long as it is kept; that they are still the guest's memory at `addr` is sure until the end of the section or
   * quantum, or for as long as a pinned view (`memory()`) is held. Without one of them each slice is of the view at its own step, and
   * marks for the clients that were in force then: one that is kept for longer is not seen by a dirty log that begins meanwhile.
   *
   * @throws {GuestMemoryError} while iterating: `invalid-guest-address` at what is no RAM, `host-address-not-available` at RAM
   *   that is not shared or has not arrived.
   */
  getSlices(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): GuestMemorySlices {
    return slicesOf(this, addr, len, access);
  }
  /** Never: addresses may be translated, and what answers is not only RAM. */
  physicalMemory(): undefined {
    return undefined;
  }

  /** @internal The window at `addr` for this kind of access; between `hold` and `release`. */
  windowAt(addr: GuestAddress, isWrite: boolean): Window | null {
    if (typeof addr !== 'number') return null;
    const window = this.reader.window(addr);
    return window === null || (isWrite && window.storeLen === 0) ? null : window;
  }
  /** @internal What answers at `addr` in the owner, of Extent, and for how many bytes. */
  extentAt(addr: GuestAddress, len: number, mode: AccessMode): { readonly kind: number; readonly length: number } {
    this.forward(Op.EXTENT, addr, UNSPECIFIED, questionFlags(mode), EMPTY, EMPTY, len);
    return { kind: this.client.result, length: this.client.done };
  }
  get #view(): MemTxView {
    this.#plain ??= memTxView(this, { order: this.order });
    return this.#plain;
  }

  /** Copies if all of the range is RAM that is reached directly; else does nothing: one access, one view. */
  #direct(addr: number, buf: Uint8Array, isWrite: boolean): boolean {
    const end = addr + buf.length;
    this.enter();
    try {
      if (!this.#covers(addr, end, isWrite)) return false;
      this.dawdle();
      for (let pos = addr; pos < end; ) {
        const window = this.reader.window(pos)!;
        const at = pos - window.first;
        const len = Math.min(end - pos, window.loadLen - at);
        const part = len === buf.length ? buf : buf.subarray(pos - addr, pos - addr + len);
        if (isWrite) {
          window.bytes.set(part, at);
          this.wrote(window, at, len);
        } else part.set(window.bytes.subarray(at, at + len));
        pos += len;
      }
      return true;
    } finally {
      this.leave();
    }
  }

  /** Is all of the range RAM that this agent reaches itself? */
  #reaches(addr: number, len: number, isWrite: boolean): boolean {
    this.enter();
    try {
      return this.#covers(addr, addr + len, isWrite);
    } finally {
      this.leave();
    }
  }

  /** The same, in a section. */
  #covers(addr: number, end: number, isWrite: boolean): boolean {
    if (!Number.isSafeInteger(end)) return false;
    for (let pos = addr; pos < end; ) {
      const window = this.reader.window(pos);
      if (window === null || (isWrite && window.storeLen === 0)) return false;
      pos = window.first + window.loadLen;
    }
    return true;
  }
}

function bulkFlags(onError: OnError, tx: MemTx | null): number {
  return tx === null ? THROW : onError === 'continue' ? GO_ON : 0;
}

function questionFlags(mode: AccessMode): number {
  return THROW | (isWriteMode(mode) ? FOR_WRITE : 0);
}
