/**
 * Hot. Loads, stores and objects of one scalar: what each access tries first. RAM at address 0, then home, then the table
 * (hot-windows.ts), all inline; the rest is one call to far.ts or scalar.ts. The bulk half is view-access.ts. D5, A-70 to A-76.
 *
 * What V8 (Node 20, 26) needs to be as fast as a DataView loop, each found by measuring; figures for a u32 load, hot:
 * - `load` must be inlined by its caller: with all that it inlines it stays below 766 bytes of bytecode, so the slow paths
 *   are functions that are too long to be inlined (3 ns, else 7.5).
 * - A codec is told by identity, against a file-local constant: an imported name is read from its module's cell, and a
 *   codec's fields cost a map check (2.5, else 2.9). The byte order is a literal: from a field of any type it costs 8 instructions.
 * - Every way out of a u32 load is an unsigned number to the compiler (`>>> 0`): one untyped result makes it box the others
 *   (5 ns, else 15, and 16 bytes of garbage).
 * - `(addr | 0) === addr` costs nothing where the caller's address is an integer, and refuses what is not one.
 */
import { le32, le64, le64n, MEMTXATTRS_UNSPECIFIED, type MemTx, type MemTxAttrs } from '@guestmem/memtx';
import type { Codec, GuestAddress, Ordering, ScalarCodec } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import { loadAny, loadFar, storeFar } from './far.ts';
import { loadSlow, storeSlow } from './scalar.ts';
import type { ViewMap } from './view-map.ts';

const UNSPECIFIED = MEMTXATTRS_UNSPECIFIED;
const LE32 = le32 as ScalarCodec<number | bigint>;
const LE64 = le64 as ScalarCodec<number | bigint>;
const LE64N = le64n as ScalarCodec<number | bigint>;

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
    if (codec === LE64N) return this.load64(addr, attrs, tx, ordering);
    if (codec === LE64) return this.loadBig(addr, attrs, tx, ordering);
    if (codec !== LE32) return this.loadOther(addr, codec, attrs, tx, ordering);
    const { map } = this;
    if (ordering === undefined && tx === null && typeof addr === 'number' && (addr | 0) === addr && addr >= 0) {
      if (addr <= map.zeroLoad) return map.zeroView.getUint32(addr, true);
      const { home } = map;
      const off = (addr - home.low) | 0;
      if (off >= 0 && off <= home.load8) return home.view.getUint32(off, true);
      const slot = map.coarse[(addr >>> map.coarseShift) & 0xff]!;
      const at = (addr - slot.low) | 0;
      if (at >= 0 && at <= slot.load8) {
        map.met(slot);
        return slot.view.getUint32(at, true);
      }
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
    if (codec !== LE32) {
      this.storeOther(addr, codec, value, attrs, tx, ordering);
      return;
    }
    const { map } = this;
    if (
      ordering === undefined &&
      tx === null &&
      typeof addr === 'number' &&
      (addr | 0) === addr &&
      addr >= 0 &&
      typeof value === 'number' &&
      value >>> 0 === value
    ) {
      if (addr <= map.zeroStore) {
        // Read before the store: after it V8 14 looks whether `map` is still what it was.
        const { zeroDirty } = map;
        map.zeroView.setUint32(addr, value, true);
        if (zeroDirty !== 0) this.markZero(addr);
        return;
      }
      const { home } = map;
      const off = (addr - home.low) | 0;
      if (off >= 0 && off <= home.store8) {
        const { dirtyMask } = home;
        home.view.setUint32(off, value, true);
        if (dirtyMask !== 0) home.markDirty(off, 4);
        return;
      }
      const slot = map.coarse[(addr >>> map.coarseShift) & 0xff]!;
      const at = (addr - slot.low) | 0;
      if (at >= 0 && at <= slot.store8) {
        map.met(slot);
        const { dirtyMask } = slot;
        slot.view.setUint32(at, value, true);
        if (dirtyMask !== 0) slot.markDirty(at, 4);
        return;
      }
    }
    this.store32(addr, value, attrs, tx, ordering);
  }

  /** Slot.markDirty for four bytes of the RAM at 0, whose states are at hand: a store to a dirty page 3.4 / 3.2 ns, by markDirty 3.7 / 4.0. */
  private markZero(addr: number): void {
    const { map } = this;
    const { zeroMarks, zeroPages } = map;
    if (zeroMarks === 0 || (addr & 3) !== 0) {
      map.zero.markDirty(addr, 4);
      return;
    }
    const page = addr >>> map.zeroPageShift;
    const state = zeroPages[page]!;
    if ((state & zeroMarks) !== zeroMarks) zeroPages[page] = state | zeroMarks;
  }

  /** The object at `addr`, across regions too. @throws {MemTxError} */
  readObj<T>(addr: GuestAddress, codec: Codec<T>): T;
  readObj(addr: number, codec: ScalarCodec<number | bigint>): number | bigint {
    if (codec === LE32) return this.readObj32(addr) >>> 0;
    if (codec === LE64N) return this.readObj64(addr);
    return this.readObjFar(addr, codec);
  }

  /** Writes the object, across regions too. @throws {MemTxError} @throws {TypeError | RangeError} not a value of the codec. */
  writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void;
  writeObj(addr: number, codec: ScalarCodec<number>, value: number): void {
    if (typeof addr === 'number' && (addr | 0) === addr && addr >= 0 && typeof value === 'number') {
      if (codec === LE32 && value >>> 0 === value) {
        this.writeObj32(addr, value);
        return;
      }
      const low = value >>> 0;
      const high = (value - low) / 0x1_0000_0000;
      if (codec === LE64N && high >>> 0 === high && high <= 0x1f_ffff) {
        this.writeObj64(addr, value, low, high);
        return;
      }
    }
    this.writeObjFar(addr, codec, value);
  }

  private writeObj32(addr: number, value: number): void {
    const { map } = this;
    const slot = addr <= map.zeroStore ? map.zero : map.home;
    const off = (addr - slot.low) | 0;
    if (off >= 0 && off <= slot.store8) {
      const { dirtyMask } = slot;
      slot.view.setUint32(off, value, true);
      if (dirtyMask !== 0) slot.markDirty(off, 4);
    } else this.writeObjFar(addr, LE32, value);
  }

  private writeObj64(addr: number, value: number, low: number, high: number): void {
    const { map } = this;
    const slot = addr <= map.zeroStore ? map.zero : map.home;
    const off = (addr - slot.low) | 0;
    if (off >= 0 && off <= slot.store8) {
      const { dirtyMask } = slot;
      slot.view.setUint32(off, low, true);
      slot.view.setUint32(off + 4, high, true);
      if (dirtyMask !== 0) slot.markDirty(off, 8);
    } else this.writeObjFar(addr, LE64N, value);
  }

  /** @internal `readObj` that met neither window. */
  abstract readObjFar<T>(addr: GuestAddress, codec: Codec<T>): T;
  /** @internal */
  abstract writeObjFar<T>(addr: GuestAddress, codec: Codec<T>, value: T): void;

  private readObj32(addr: number): number {
    if (typeof addr === 'number' && (addr | 0) === addr && addr >= 0) {
      const { map } = this;
      const slot = addr <= map.zeroLoad ? map.zero : map.home;
      const off = (addr - slot.low) | 0;
      if (off >= 0 && off <= slot.load8) return slot.view.getUint32(off, true);
    }
    return (this.readObjFar(addr, LE32) as number) >>> 0;
  }

  private readObj64(addr: number): number {
    if (typeof addr === 'number' && (addr | 0) === addr && addr >= 0) {
      const { map } = this;
      const slot = addr <= map.zeroLoad ? map.zero : map.home;
      const off = (addr - slot.low) | 0;
      if (off >= 0 && off <= slot.load8) {
        const high = slot.view.getUint32(off + 4, true);
        if (high <= 0x1f_ffff) return high * 0x1_0000_0000 + slot.view.getUint32(off, true);
      }
    }
    return +(this.readObjFar(addr, LE64N) as number);
  }

  /** The u32 load that met nothing, or tells its outcome. @returns the bits, signed or not. */
  private load32(addr: number, attrs: MemTxAttrs, tx: MemTx | null, ordering: Ordering | undefined): number {
    if (ordering === undefined && typeof addr === 'number' && (addr | 0) === addr && addr >= 0 && tx !== null) {
      const { map } = this;
      const slot = addr <= map.zeroLoad ? map.zero : map.home;
      const off = (addr - slot.low) | 0;
      if (off >= 0 && off <= slot.load8) {
        tx.result = 0;
        tx.done = 4;
        return slot.view.getInt32(off, true);
      }
    }
    if (ordering !== undefined || typeof addr !== 'number' || addr >>> 0 !== addr)
      return loadSlow(this.core, this.map, addr, LE32, attrs, tx, ordering) as number;
    if (tx === null && attrs === UNSPECIFIED) return this.map.loadFar32(addr | 0);
    return loadFar(this.core, this.map, addr | 0, LE32, attrs, tx);
  }

  /** A load of LE64N. As with u32, no way out is untyped: else the sum of the halves is boxed. */
  private load64(addr: number, attrs: MemTxAttrs, tx: MemTx | null, ordering: Ordering | undefined): number {
    if (ordering === undefined && tx === null && typeof addr === 'number' && (addr | 0) === addr && addr >= 0) {
      const { map } = this;
      const slot = addr <= map.zeroLoad ? map.zero : map.home;
      const off = (addr - slot.low) | 0;
      if (off >= 0 && off <= slot.load8) {
        const high = slot.view.getUint32(off + 4, true);
        if (high <= 0x1f_ffff) return high * 0x1_0000_0000 + slot.view.getUint32(off, true);
      }
    }
    return this.loadFar64(addr, attrs, tx, ordering);
  }

  private loadFar64(addr: number, attrs: MemTxAttrs, tx: MemTx | null, ordering: Ordering | undefined): number {
    const { core, map } = this;
    if (ordering !== undefined || typeof addr !== 'number' || addr >>> 0 !== addr)
      return +(loadSlow(core, map, addr, LE64N, attrs, tx, ordering) as number);
    const low = loadFar(core, map, addr | 0, LE64N, attrs, tx) >>> 0;
    return core.access.hi * 0x1_0000_0000 + low;
  }

  /** A load of LE64. Every way out is 64 bits to the compiler, else it makes a bigint of each. */
  private loadBig(addr: number, attrs: MemTxAttrs, tx: MemTx | null, ordering: Ordering | undefined): bigint {
    if (ordering === undefined && tx === null && typeof addr === 'number' && (addr | 0) === addr && addr >= 0) {
      const { map } = this;
      if (addr <= map.zeroLoad) return map.zeroView.getBigUint64(addr, true);
      const { home } = map;
      const off = (addr - home.low) | 0;
      if (off >= 0 && off <= home.load8) return home.view.getBigUint64(off, true);
    }
    return BigInt.asUintN(64, loadSlow(this.core, this.map, addr, LE64, attrs, tx, ordering) as bigint);
  }

  private loadOther(
    addr: number,
    codec: ScalarCodec<number | bigint>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): number | bigint {
    const { core, map } = this;
    if (ordering !== undefined || typeof addr !== 'number' || addr >>> 0 !== addr)
      return loadSlow(core, map, addr, codec, attrs, tx, ordering);
    return loadAny(core, map, addr | 0, codec, attrs, tx);
  }

  /** The u32 store that met no window, or tells its outcome. */
  private store32(
    addr: number,
    value: number,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void {
    const { map } = this;
    if (
      ordering !== undefined ||
      typeof addr !== 'number' ||
      addr >>> 0 !== addr ||
      typeof value !== 'number' ||
      value >>> 0 !== value
    ) {
      storeSlow(this.core, map, addr, LE32, value, attrs, tx, ordering);
      return;
    }
    const slot = addr <= map.zeroStore ? map.zero : map.home;
    const off = (addr - slot.low) | 0;
    if (tx !== null && off >= 0 && off <= slot.store8) {
      const { dirtyMask } = slot;
      slot.view.setUint32(off, value, true);
      if (dirtyMask !== 0) slot.markDirty(off, 4);
      tx.result = 0;
      tx.done = 4;
    } else if (tx === null && attrs === UNSPECIFIED) map.storeFar32(addr | 0, value | 0);
    else storeFar(this.core, map, addr | 0, LE32, value | 0, 0, attrs, tx);
  }

  /** A store of another codec than LE32. */
  private storeOther(
    addr: number,
    codec: ScalarCodec<number>,
    value: number,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void {
    if (
      codec === LE64N &&
      ordering === undefined &&
      typeof addr === 'number' &&
      addr >>> 0 === addr &&
      typeof value === 'number'
    ) {
      // An integer from 0 to 2^53 - 1 has such a high half, and nothing else has.
      const low = value >>> 0;
      const high = (value - low) / 0x1_0000_0000;
      if (high >>> 0 === high && high <= 0x1f_ffff) {
        this.store64(addr, low, high, attrs, tx);
        return;
      }
    }
    storeSlow(this.core, this.map, addr, codec, value, attrs, tx, ordering);
  }

  private store64(addr: number, low: number, high: number, attrs: MemTxAttrs, tx: MemTx | null): void {
    const { map } = this;
    const slot = addr <= map.zeroStore ? map.zero : map.home;
    const off = (addr - slot.low) | 0;
    if (tx === null && off >= 0 && off <= slot.store8) {
      const { dirtyMask } = slot;
      slot.view.setUint32(off, low, true);
      slot.view.setUint32(off + 4, high, true);
      if (dirtyMask !== 0) slot.markDirty(off, 8);
    } else storeFar(this.core, map, addr | 0, LE64N, low | 0, high, attrs, tx);
  }
}
