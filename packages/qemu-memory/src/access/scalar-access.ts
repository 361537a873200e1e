/**
 * Hot. Loads, stores and objects of one scalar: what each access tries first. Home, then the table (hot-windows.ts), all
 * inline, for every codec; the rest is one call to far32.ts, far.ts or scalar.ts. The bulk half is view-access.ts. D5, A-70 to A-76.
 *
 * What V8 (Node 20, 26) needs to be as fast as a DataView loop, each found by measuring; figures for a u32 load, hot:
 * - `load` must be inlined by its caller: with all that it inlines it stays below 766 bytes of bytecode, so the slow paths
 *   are functions that are too long to be inlined (3 ns, else 7.5).
 * - The codec's own `get` and `set` do the access: where the caller's codec is a constant they are one instruction (any kind
 *   1.6 to 2.5 ns; by a switch over kinds behind a call 17 to 25). A caller whose codec is not constant calls them.
 * - Every way out is typed by the codec's kind (`>>> 0` for a u32): one untyped result makes V8 box the others (5 ns, else
 *   15, and 16 bytes of garbage).
 * - Windows are told by 32-bit differences, unsigned: they are free for a caller whose addresses are unsigned integers,
 *   wherever the RAM lies. `Math.floor` costs nothing where the address is an integer, and refuses what is not one.
 */
import { le32, MEMTXATTRS_UNSPECIFIED, type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { type Codec, type GuestAddress, type Ordering, ScalarCodec, type ScalarInfo } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import { loadFar, storeFar } from './far.ts';
import { loadSlow, storeSlow } from './scalar.ts';
import type { ViewMap } from './view-map.ts';

const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;
const LE32 = le32 as ScalarCodec<number | bigint>;

/* Kinds of ScalarCodec, as literals. All up to I32 are integers of at most 32 bits, all up to I64_NUMBER are numbers. */
const U32 = 4;
const I32 = 5;
const I64_NUMBER = 9;
const U64 = 10;

/** The scalar half of a view's accesses. */
export abstract class ScalarAccess {
  readonly core: MemoryCore;
  /** @internal The look-up of the view; replaced by one store when a view is published (T-92). */
  map: ViewMap;

  /** @internal */
  constructor(core: MemoryCore, map: ViewMap) {
    this.core = core;
    this.map = map;
  }

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
    const { map } = this;
    const { kind } = codec;
    if (
      ordering === undefined &&
      typeof addr === 'number' &&
      addr >= 0 &&
      addr <= 0xffff_ffff &&
      Math.floor(addr) === addr
    ) {
      const low = addr | 0;
      const off = (low - map.homeBits) >>> 0;
      if (off < map.homeLoads >>> 0) {
        const value = codec.get(map.homeView, off);
        if (tx !== null) succeed(tx, codec);
        return value;
      }
      if (kind <= I32) {
        const bits = this.loadBits(low, codec, attrs, tx);
        return kind === U32 ? bits >>> 0 : bits;
      }
    }
    const value = this.loadWide(addr, codec, attrs, tx, ordering);
    if (kind <= I32) return kind === U32 ? (value as number) >>> 0 : (value as number) | 0;
    if (kind <= I64_NUMBER) return +(value as number);
    return kind === U64 ? BigInt.asUintN(64, value as bigint) : value;
  }

  /** A load of an integer of up to 32 bits that is not at home. @returns the value; of 32 bits, signed. */
  private loadBits(low: number, codec: ScalarCodec<number | bigint>, attrs: MemTxAttrs, tx: MemTx | null): number {
    const { map } = this;
    const isPlain = codec === LE32 && tx === null && attrs === UNSPECIFIED;
    const at = (low - map.portBits) | 0;
    if (isPlain && at >>> 0 < map.port.quickReads32 >>> 0) return map.loadFar32(at);
    const slot = map.coarse[(low >>> map.coarseShift) & 0xff]!;
    const off = (low - slot.bits) >>> 0;
    if (off < slot.loads >>> 0) {
      map.met(slot);
      const bits = (codec.get(slot.view, off) as number) | 0;
      if (tx !== null) succeed(tx, codec);
      return bits;
    }
    return isPlain ? map.loadFar32(at) : loadFar(this.core, map, low, codec, attrs, tx);
  }

  /** A load that is not at home: of any codec and address, but no integer of up to 32 bits below 2^32. */
  private loadWide(
    addr: number,
    codec: ScalarCodec<number | bigint>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): number | bigint {
    const { map } = this;
    if (ordering === undefined && typeof addr === 'number') {
      let slot = map.high;
      if (addr <= 0xffff_ffff) slot = map.coarse[(addr >>> map.coarseShift) & 0xff]!;
      const off = addr - slot.first;
      if (off >= 0 && off + 8 <= slot.loadLen && Math.floor(off) === off) {
        if (slot !== map.high) map.met(slot);
        const value = codec.get(slot.view, off);
        if (tx !== null) succeed(tx, codec);
        return value;
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
  ): void;
  txStore(
    addr: number,
    codec: ScalarCodec<number>,
    value: number,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    const { map } = this;
    if (
      ordering === undefined &&
      typeof addr === 'number' &&
      addr >= 0 &&
      addr <= 0xffff_ffff &&
      Math.floor(addr) === addr
    ) {
      const low = addr | 0;
      const off = (low - map.homeBits) >>> 0;
      if (off < map.homeStores >>> 0) {
        codec.set(map.homeView, off, value);
        if (tx !== null) succeed(tx, codec);
        return;
      }
      if (off < map.homeMarked >>> 0) {
        codec.set(map.homeView, off, value);
        this.markHome(off, codec.size);
        if (tx !== null) succeed(tx, codec);
        return;
      }
      const { kind } = codec;
      if (kind <= I32 && typeof value === 'number' && (kind === U32 ? value >>> 0 === value : (value | 0) === value)) {
        this.storeBits(low, codec, value | 0, attrs, tx);
        return;
      }
    }
    this.storeWide(addr, codec, value, attrs, tx, ordering);
  }

  /** `loadBits` for a store of a number of 32 bits, signed, that may not be the codec's. */
  private storeBits(low: number, codec: ScalarCodec<number>, bits: number, attrs: MemTxAttrs, tx: MemTx | null): void {
    const { map } = this;
    const isPlain = codec === LE32 && tx === null && attrs === UNSPECIFIED;
    const at = (low - map.portBits) | 0;
    if (isPlain && at >>> 0 < map.port.quickWrites32 >>> 0) {
      map.storeFar32(at, bits);
      return;
    }
    const slot = map.coarse[(low >>> map.coarseShift) & 0xff]!;
    const off = (low - slot.bits) >>> 0;
    if (off < slot.stores >>> 0) {
      map.met(slot);
      const { dirtyMask } = slot;
      codec.set(slot.view, off, codec.kind === U32 ? bits >>> 0 : bits);
      if (dirtyMask !== 0) slot.markDirty(off, codec.size);
      if (tx !== null) succeed(tx, codec);
    } else if (isPlain) map.storeFar32(at, bits);
    else storeFar(this.core, map, low, codec, bits, attrs, tx);
  }

  /** `loadWide` for a store. */
  private storeWide(
    addr: number,
    codec: ScalarCodec<number>,
    value: number,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void {
    const { map } = this;
    if (ordering === undefined && typeof addr === 'number') {
      let slot = map.high;
      if (addr <= 0xffff_ffff) slot = map.coarse[(addr >>> map.coarseShift) & 0xff]!;
      const off = addr - slot.first;
      if (off >= 0 && off + 8 <= slot.storeLen && Math.floor(off) === off) {
        if (slot !== map.high) map.met(slot);
        const { dirtyMask } = slot;
        codec.set(slot.view, off, value);
        if (dirtyMask !== 0) slot.markDirty(off, codec.size);
        if (tx !== null) succeed(tx, codec);
        return;
      }
    }
    storeSlow(this.core, map, addr, codec, value, attrs, tx, ordering);
  }

  /** Slot.markDirty at home, whose states are at hand: a store to a dirty page 3.4 / 3.2 ns, by markDirty 3.7 / 4.0. */
  private markHome(off: number, size: number): void {
    const { map } = this;
    const { homeMarks, homePages } = map;
    if (homeMarks === 0 || (off & (size - 1)) !== 0) {
      map.home.markDirty(off, size);
      return;
    }
    const page = off >>> map.homePageShift;
    const state = homePages[page]!;
    if ((state & homeMarks) !== homeMarks) homePages[page] = state | homeMarks;
  }

  /** The object at `addr`, across regions too. @throws {MemTxError} */
  readObj<T>(addr: GuestAddress, codec: Codec<T>): T;
  readObj(addr: number, codec: ScalarCodec<number | bigint>): number | bigint {
    if (typeof addr === 'number' && addr >= 0 && addr <= 0xffff_ffff && Math.floor(addr) === addr) {
      const { map } = this;
      const off = ((addr | 0) - map.homeBits) >>> 0;
      if (off < map.homeLoads >>> 0 && codec.size <= 8) return codec.get(map.homeView, off);
    }
    const value = this.readObjFar(addr, codec);
    const { kind } = codec;
    if (kind <= I64_NUMBER) return kind === U32 ? (value as number) >>> 0 : +(value as number);
    return value;
  }

  /** Writes the object, across regions too. @throws {MemTxError} @throws {TypeError | RangeError} not a value of the codec. */
  writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    if (
      typeof addr === 'number' &&
      addr >= 0 &&
      addr <= 0xffff_ffff &&
      Math.floor(addr) === addr &&
      codec instanceof ScalarCodec
    ) {
      const { map } = this;
      const off = ((addr | 0) - map.homeBits) >>> 0;
      if (off < map.homeStores >>> 0) {
        codec.set(map.homeView, off, value);
        return;
      }
      if (off < map.homeMarked >>> 0) {
        codec.set(map.homeView, off, value);
        this.markHome(off, codec.size);
        return;
      }
    }
    this.writeObjFar(addr, codec, value);
  }

  /** @internal `readObj` that is not at home. */
  abstract readObjFar<T>(addr: GuestAddress, codec: Codec<T>): T;
  /** @internal */
  abstract writeObjFar<T>(addr: GuestAddress, codec: Codec<T>, value: T): void;
}

function succeed(tx: MemTx, codec: ScalarInfo): void {
  tx.result = MemTxResult.OK;
  tx.done = codec.size;
}
