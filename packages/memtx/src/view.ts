/**
 * The bound view: attributes, byte order and error policy said once, then vm-memory's plain methods. One class over every
 * TxMemory. A view is cheap and immutable and holds no map: each access meets the memory as it is then (A-251, A-252, D4).
 * Hot: `load`, `store` and the short names without a last argument; all else is in view-call.ts and view-bulk.ts.
 */
import type {
  ByteOrder,
  Bytes,
  Codec,
  GuestAddress,
  ReadVolatile,
  ScalarCodec,
  WriteVolatile,
} from '@guestmem/vm-memory';
import type { Access, BulkAccess, MemTxViewOptions, ReportingOptions, ShortAccess } from './access-options.ts';
import type { MemTxAttrs } from './attrs.ts';
import { u8 } from './codecs.ts';
import { Scratch } from './internal/scratch.ts';
import type { MemTx } from './mem-tx.ts';
import type { OnError, TxMemory } from './memory.ts';
import type { NativeCodecs } from './native.ts';
import {
  pullExactly,
  pullFrom,
  pushAll,
  pushTo,
  readObject,
  readShort,
  readWhole,
  writeObject,
  writeShort,
  writeWhole,
} from './view-bulk.ts';
import { bind, boundCodecs, byteCodec, loadAs, loadShort, shortCodecs, storeAs, storeShort } from './view-call.ts';

/** A memory seen through attributes, a byte order and an error policy. Make it with `memTxView` or `with`. */
export class MemTxView implements Bytes<GuestAddress> {
  /** What it looks at. */
  readonly memory: TxMemory;
  /** What its accesses carry. */
  readonly attrs: MemTxAttrs;
  /** The codecs of the short names; null where no order is bound. */
  readonly native: NativeCodecs | null;
  readonly onError: OnError;
  /** Where outcomes go; null: failures are thrown. */
  readonly tx: MemTx | null;
  /** @internal Bytes on their way in or out of objects; see scratch.ts. */
  readonly scratch: Scratch;

  /** @hideconstructor */
  constructor(memory: TxMemory, attrs: MemTxAttrs, native: NativeCodecs | null, onError: OnError, tx: MemTx | null) {
    this.memory = memory;
    this.attrs = attrs;
    this.native = native;
    this.onError = onError;
    this.tx = tx;
    this.scratch = new Scratch();
  }

  /** The byte order of the short names, if one is bound. */
  get order(): ByteOrder | undefined {
    return this.native?.order;
  }

  /**
   * A view that differs from this one in what `options` say. Attributes merge field by field; any given field clears
   * `unspecified`.
   *
   * @throws {TypeError | RangeError} an unknown order or policy, an attribute that its field cannot hold, or `continue`
   *   together with `tx: null`.
   */
  with(options: ReportingOptions): ReportingMemTxView;
  with(options: MemTxViewOptions): MemTxView;
  with(options: MemTxViewOptions): MemTxView {
    const { attrs, native, onError, tx } = bind(this, options);
    return new MemTxView(this.memory, attrs, native, onError, tx);
  }

  /**
   * One access of 1, 2, 4 or 8 bytes, never split. A device sees one access of this size or, where it takes none such, nothing.
   *
   * @param access what differs from the view; `Access`.
   * @throws {MemTxError} the access failed, and there is no MemTx to tell it to.
   * @throws {TypeError | RangeError} `addr` is no address.
   */
  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, access?: Access): T {
    return access === undefined
      ? this.memory.txLoad(addr, codec, this.attrs, this.tx)
      : loadAs(this, addr, codec, access);
  }

  /** As `load`. @throws {TypeError | RangeError} `value` is not one of the codec's, too; nothing is stored then. */
  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, access?: Access): void {
    if (access === undefined) this.memory.txStore(addr, codec, value, this.attrs, this.tx);
    else storeAs(this, addr, codec, value, access);
  }

  /**
   * Fills `buf` from `addr` on, in as many accesses as it takes. @returns bytes read before the first failure.
   * @throws {MemTxError} nothing could be read, or it failed in another way than by memory's end; not with a MemTx.
   */
  read(buf: Uint8Array, addr: GuestAddress, access?: BulkAccess): number {
    return readShort(this, buf, addr, access);
  }

  /** Writes `buf` from `addr` on. As `read`. */
  write(buf: Uint8Array, addr: GuestAddress, access?: BulkAccess): number {
    return writeShort(this, buf, addr, access);
  }

  /** `read`, all or a MemTxError with `expected` and `completed`. With a MemTx its `done` tells how far it got. */
  readSlice(buf: Uint8Array, addr: GuestAddress, access?: BulkAccess): void {
    readWhole(this, buf, addr, access);
  }

  /** `write`, all or a MemTxError with `expected` and `completed`. With a MemTx its `done` tells how far it got. */
  writeSlice(buf: Uint8Array, addr: GuestAddress, access?: BulkAccess): void {
    writeWhole(this, buf, addr, access);
  }

  /** Reads an object of any size with `readSlice`; bytes that could not be read count as 0. */
  readObj<T>(addr: GuestAddress, codec: Codec<T>, access?: BulkAccess): T {
    return readObject(this, addr, codec, access);
  }

  /** Writes an object of any size with `writeSlice`. */
  writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T, access?: BulkAccess): void {
    writeObject(this, addr, codec, value, access);
  }

  /** One call of `src` for at most `count` bytes (64 KiB at a time), written at `addr`. @returns bytes moved. */
  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number, access?: BulkAccess): number {
    return pullFrom(this, addr, src, count, access);
  }

  /** `readVolatileFrom` until `count` bytes have moved. @throws {GuestMemoryError} `io-error` when the source ends. */
  readExactVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number, access?: BulkAccess): void {
    pullExactly(this, addr, src, count, access);
  }

  /** One call of `dst` for at most `count` bytes (64 KiB at a time) read from `addr` on. @returns bytes moved. */
  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number, access?: BulkAccess): number {
    return pushTo(this, addr, dst, count, access);
  }

  /** `writeVolatileTo` until `count` bytes have moved. @throws {GuestMemoryError} `io-error` when the sink takes no more. */
  writeAllVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number, access?: BulkAccess): void {
    pushAll(this, addr, dst, count, access);
  }

  /** Loads a byte. */
  ldub(addr: GuestAddress, access?: ShortAccess): number {
    return access === undefined ? this.load(addr, u8) : loadShort(this, addr, byteCodec(access), access);
  }
  /** Loads 2 bytes, unsigned, in the view's order. @throws {TypeError} no order is bound. */
  lduw(addr: GuestAddress, access?: ShortAccess): number {
    return access === undefined
      ? this.load(addr, boundCodecs(this).u16)
      : loadShort(this, addr, shortCodecs(this, access).u16, access);
  }
  /** Loads 4 bytes, unsigned, in the view's order. @throws {TypeError} no order is bound. */
  ldl(addr: GuestAddress, access?: ShortAccess): number {
    return access === undefined
      ? this.load(addr, boundCodecs(this).u32)
      : loadShort(this, addr, shortCodecs(this, access).u32, access);
  }
  /** Loads 8 bytes, unsigned, as a bigint, in the view's order. @throws {TypeError} no order is bound. */
  ldq(addr: GuestAddress, access?: ShortAccess): bigint {
    return access === undefined
      ? this.load(addr, boundCodecs(this).u64)
      : loadShort(this, addr, shortCodecs(this, access).u64, access);
  }
  /** Stores a byte, 0 to 0xff. */
  stb(addr: GuestAddress, value: number, access?: ShortAccess): void {
    if (access === undefined) this.store(addr, u8, value);
    else storeShort(this, addr, byteCodec(access), value, access);
  }
  /** Stores 2 bytes, 0 to 0xffff, in the view's order. @throws {TypeError} no order is bound. */
  stw(addr: GuestAddress, value: number, access?: ShortAccess): void {
    if (access === undefined) this.store(addr, boundCodecs(this).u16, value);
    else storeShort(this, addr, shortCodecs(this, access).u16, value, access);
  }
  /** Stores 4 bytes, 0 to 0xffff_ffff, in the view's order. @throws {TypeError} no order is bound. */
  stl(addr: GuestAddress, value: number, access?: ShortAccess): void {
    if (access === undefined) this.store(addr, boundCodecs(this).u32, value);
    else storeShort(this, addr, shortCodecs(this, access).u32, value, access);
  }
  /** Stores 8 bytes, 0 to 2^64 - 1, in the view's order. @throws {TypeError} no order is bound. */
  stq(addr: GuestAddress, value: bigint, access?: ShortAccess): void {
    if (access === undefined) this.store(addr, boundCodecs(this).u64, value);
    else storeShort(this, addr, shortCodecs(this, access).u64, value, access);
  }
}

/** A view that has a place for results, and so does not throw for the guest. */
export interface ReportingMemTxView extends MemTxView {
  readonly tx: MemTx;
  /** As `MemTxView.with`: the derived view reports to the same `tx`, or to that of `options`; null ends it. */
  with(options: MemTxViewOptions & { tx?: MemTx }): ReportingMemTxView;
  with(options: MemTxViewOptions): MemTxView;
}
