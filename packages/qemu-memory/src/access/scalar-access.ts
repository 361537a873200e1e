/**
 * Hot. Loads, stores and objects of one scalar: what each access tries first, home (hot-windows.ts), for every codec.
 * What is not at home is found by `loadBits` or `find`, or stored by `put`: the port (quick-dispatch.ts), the table, then far.ts,
 * high.ts and scalar.ts. The bulk half is view-access.ts. D5, A-70 to A-76.
 *
 * What V8 (Node 20, 26) needs to be as fast as a DataView loop, each found by measuring:
 * - `load` must be inlined by its caller, at as many places as there are: V8 does so for about 900 bytes of bytecode in one
 *   function, and `load` is 190. It counts 1.2 times a function and what was inlined in it when it was
 *   optimised alone, so that what runs for devices only, or RAM only, is a function of its own: `loadBits`, 135, and what it inlines,
 *   a device's callback included, must stay below 570. The RISC-V interpreter of tools/bench, nine accesses in one function, takes 12 to
 *   14 ns an instruction; with a `load` of 360 bytes and slow paths inlined 38.
 * - The codec's own `get` and `set` do the access: where the caller's codec is a constant they are one instruction (any kind
 *   1.8 to 2.5 ns; by a switch over kinds behind a call 17 to 25). A caller whose codec is not constant calls them.
 * - Every way out has one type to the compiler: `>>> 0` for a u32 from a call, `| 0` for what is merged with one, the codec's `get`
 *   for all else, also of what the slow path found. One untyped result makes V8 box the others (5 ns, else 15, and 16 bytes of garbage).
 * - Windows are told by 32-bit differences, unsigned: they are free for a caller whose addresses are unsigned integers,
 *   wherever the RAM lies. They are written out where they are used: by a function of all stores, one to the table takes 6.9 ns
 *   instead of 6.1; by a function that tells unsigned addresses, a load takes 2.2 / 2.5 instead of 1.9 / 2.1. Signed
 *   comparisons of biased numbers, one instruction less, took 2.05 ns instead of 1.98.
 * - Helpers are methods or constants, results local constants: V8 asks at each call whether a function declaration is still that
 *   function, and loads what is imported at each use. With both `txLoad` took 3.2 / 3.5 ns, without 2.1 / 2.5.
 */
import { MEMTXATTRS_UNSPECIFIED, type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { type Codec, type GuestAddress, type Ordering, ScalarCodec, type ScalarInfo } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import { loadHigh, storeHigh } from './high.ts';
import type { Slot } from './slot.ts';
import type { ViewMap } from './view-map.ts';

const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;

const { OK } = MemTxResult;
/* Kinds of ScalarCodec, as literals. All up to I32 are integers of at most 32 bits, all up to I64_NUMBER are numbers. */
const U32 = 4;
const I32 = 5;
const I64_NUMBER = 9;
/** Set in the kind of a signed integer. */
const SIGNED = 1;

/** The scalar half of a view's accesses. */
export abstract class ScalarAccess {
  readonly core: MemoryCore;
  /** @internal The look-up of the view; replaced by one store when a view is published (T-92). */
  map: ViewMap;

  /** @hideconstructor */
  constructor(core: MemoryCore, map: ViewMap) {
    this.core = core;
    this.map = map;
  }

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    if (ordering === undefined && typeof addr === 'number' && addr >>> 0 === addr) {
      const { map } = this;
      const off = (addr - map.homeBits) >>> 0;
      if (off < map.homeLoads >>> 0) return codec.get(map.homeView, off);
      const { kind } = codec;
      if (kind <= I32) {
        const bits = this.loadBits(addr | 0, codec, UNSPECIFIED, null);
        return (kind === U32 ? bits >>> 0 : bits) as T;
      }
    }
    return codec.get(this.find(addr, codec, UNSPECIFIED, null, ordering), this.core.access.found);
  }

  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    if (ordering === undefined && typeof addr === 'number' && addr >>> 0 === addr) {
      const { map } = this;
      const off = (addr - map.homeBits) >>> 0;
      if (off < map.homeStores >>> 0) {
        codec.set(map.homeView, off, value);
        return;
      }
      if (off < map.homeMarked >>> 0) {
        codec.set(map.homeView, off, value);
        this.markHome(off, codec.size);
        return;
      }
      this.put(addr, codec, value, UNSPECIFIED, null);
    } else this.putFar(addr, codec, value, UNSPECIFIED, null, ordering);
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T {
    if (ordering === undefined && typeof addr === 'number' && addr >>> 0 === addr) {
      const { map } = this;
      const off = (addr - map.homeBits) >>> 0;
      if (off < map.homeLoads >>> 0) {
        const value = codec.get(map.homeView, off);
        if (tx !== null) succeed(tx, codec);
        return value;
      }
      const { kind } = codec;
      if (kind <= I32) {
        const bits = this.loadBits(addr | 0, codec, attrs, tx);
        return (kind === U32 ? bits >>> 0 : bits) as T;
      }
    }
    return codec.get(this.find(addr, codec, attrs, tx, ordering), this.core.access.found);
  }

  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    if (ordering === undefined && typeof addr === 'number' && addr >>> 0 === addr) {
      const { map } = this;
      const off = (addr - map.homeBits) >>> 0;
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
      this.put(addr, codec, value, attrs, tx);
    } else this.putFar(addr, codec, value, attrs, tx, ordering);
  }

  /** A load of an integer of up to 32 bits below 2^32 that is not at home. @returns the value; of 32 bits, signed. */
  private loadBits<T>(low: number, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null): number {
    const { map } = this;
    // Above 2^31 most machines have devices; below it devices take 4.6 ns where the port is asked first, eight pieces of RAM 5.6, in the other order 6.1.
    if (low < 0 || map.tableFirst === 0) {
      const { port } = map;
      const at = (low - map.portBits) | 0;
      if (at >>> 0 < map.portSpan >>> 0 && this.isQuick(at, codec, attrs, port.quickReads))
        return port.loadQuick(at, codec, tx);
    }
    return this.loadElse(low, codec, attrs, tx) | 0;
  }

  private loadElse<T>(low: number, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null): number {
    const { map } = this;
    const slot = map.coarse[(low >>> map.coarseShift) & 0xff]!;
    const off = (low - slot.bits) >>> 0;
    if (off < slot.loads >>> 0) return this.loadIn(slot, off, codec, tx);
    return (map.nearFirst === 0 ? map.loadFar(low, codec, attrs, tx) : map.loadNear(low, codec, attrs, tx)) | 0;
  }

  private loadIn<T>(slot: Slot, off: number, codec: ScalarCodec<T>, tx: MemTx | null): number {
    this.map.met(slot);
    const bits = (codec.get(slot.view, off) as number) | 0;
    if (tx !== null) succeed(tx, codec);
    return bits;
  }

  /** May an access at `at` of the port, in its span, be quick now? */
  private isQuick(at: number, codec: ScalarInfo, attrs: MemTxAttrs, sizes: number): boolean {
    const { control } = this.map;
    const { size } = codec;
    return (
      (sizes & (codec.littleEndian === true ? size : size << 4)) !== 0 &&
      (at & (size - 1)) === 0 &&
      control.depth === control.quickDepth &&
      (attrs === UNSPECIFIED || !attrs.debug)
    );
  }

  /** Any other load that is not at home. @returns a view that has the scalar at `core.access.found`. */
  private find<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): DataView {
    if (ordering === undefined && typeof addr === 'number' && addr >>> 0 === addr) {
      const { map } = this;
      const slot = map.coarse[(addr >>> map.coarseShift) & 0xff]!;
      const off = (addr - slot.bits) >>> 0;
      if (off < slot.loads >>> 0) {
        map.met(slot);
        return this.foundIn(slot, off, codec, tx);
      }
    }
    return this.findFar(addr, codec, attrs, tx, ordering);
  }

  private findFar<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): DataView {
    const { core, map } = this;
    if (ordering === undefined && typeof addr === 'number') {
      const { high } = map;
      const off = addr - high.first;
      if (off >= 0 && off + 8 <= high.loadLen && Math.floor(off) === off) return this.foundIn(high, off, codec, tx);
    }
    return loadHigh(core, map, addr, codec, attrs, tx, ordering);
  }

  private foundIn<T>(slot: Slot, off: number, codec: ScalarCodec<T>, tx: MemTx | null): DataView {
    if (tx !== null) {
      // Before it says OK: a codec may refuse what is there.
      codec.get(slot.view, off);
      succeed(tx, codec);
    }
    this.core.access.found = off;
    return slot.view;
  }

  /** A store below 2^32 that is not at home. */
  private put<T>(addr: number, codec: ScalarCodec<T>, value: T, attrs: MemTxAttrs, tx: MemTx | null): void {
    const { map } = this;
    const low = addr | 0;
    if (low < 0 || map.tableFirst === 0) {
      const { port } = map;
      const at = (low - map.portBits) | 0;
      const isPort = at >>> 0 < map.portSpan >>> 0;
      if (isPort && this.isQuick(at, codec, attrs, port.quickWrites) && isOne(value, codec)) {
        port.storeQuick(at, codec, value as number, tx);
        return;
      }
    }
    this.putElse(addr, codec, value, attrs, tx);
  }

  private putElse<T>(addr: number, codec: ScalarCodec<T>, value: T, attrs: MemTxAttrs, tx: MemTx | null): void {
    const { map } = this;
    const low = addr | 0;
    const slot = map.coarse[(low >>> map.coarseShift) & 0xff]!;
    const off = (low - slot.bits) >>> 0;
    if (off < slot.stores >>> 0) {
      map.met(slot);
      this.putIn(slot, off, codec, value, tx);
    } else if (isOne(value, codec)) map.storeFar(low, codec, (value as number) | 0, attrs, tx);
    else this.putFar(addr, codec, value, attrs, tx, undefined);
  }

  private putFar<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void {
    const { core, map } = this;
    if (ordering === undefined && typeof addr === 'number') {
      const { high } = map;
      const off = addr - high.first;
      if (off >= 0 && off + 8 <= high.storeLen && Math.floor(off) === off) {
        this.putIn(high, off, codec, value, tx);
        return;
      }
    }
    storeHigh(core, map, addr, codec, value, attrs, tx, ordering);
  }

  private putIn<T>(slot: Slot, off: number, codec: ScalarCodec<T>, value: T, tx: MemTx | null): void {
    const { dirtyMask } = slot;
    codec.set(slot.view, off, value);
    if (dirtyMask !== 0) slot.markDirty(off, codec.size);
    if (tx !== null) succeed(tx, codec);
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
    if (typeof addr === 'number' && addr >>> 0 === addr) {
      const { map } = this;
      const off = (addr - map.homeBits) >>> 0;
      if (off < map.homeLoads >>> 0 && codec.size <= 8) return codec.get(map.homeView, off);
    }
    const value = this.readObjFar(addr, codec);
    const { kind } = codec;
    if (kind <= I64_NUMBER) return kind === U32 ? (value as number) >>> 0 : +(value as number);
    return value;
  }

  /** Writes the object, across regions too. @throws {MemTxError} @throws {TypeError | RangeError} not a value of the codec. */
  writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    if (typeof addr === 'number' && addr >>> 0 === addr && codec instanceof ScalarCodec) {
      const { map } = this;
      const off = (addr - map.homeBits) >>> 0;
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

const succeed = (tx: MemTx, codec: ScalarInfo): void => {
  tx.result = OK;
  tx.done = codec.size;
};

/** Is `value` one of an integer codec of up to 32 bits? */
const isOne = (value: unknown, codec: ScalarInfo): boolean => {
  const { kind, size } = codec;
  if (kind > I32 || typeof value !== 'number') return false;
  const unused = 32 - (size << 3);
  const bits = value << unused;
  return ((kind & SIGNED) === 0 ? bits >>> unused : bits >> unused) === value;
};
