/**
 * The plain forms of every operation over sorted regions: find the region, call its `Bytes`, go on in the next. No fast
 * path (region-collection.ts puts one in front) and no second semantics. An access never wraps at 2^64. V-1.8.
 */
import { type GuestAddress, hex, toAddress, toLength } from './address.ts';
import { checkedAdd } from './address-math.ts';
import { BytesBase } from './bytes-base.ts';
import { checkBuffer, checkCount, checkMoved } from './bytes-check.ts';
import type { ScalarCodec } from './codec.ts';
import { GuestMemoryError, type GuestMemoryErrorCode } from './error.ts';
import type { GuestAddressSpace, GuestMemoryBackend, RegionAddress } from './guest-memory.ts';
import { GuestMemorySlices } from './guest-memory-slices.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import type { Ordering } from './ordering.ts';
import { Permissions } from './permissions.ts';
import { contiguousFrom, type GuestMemoryRegion, type HostAddress, sliceOf } from './region.ts';
import type { VolatileSlice } from './volatile-slice.ts';

/** Base of GuestRegionCollection: memory as sorted regions, by its plain forms. Not exported by name. */
export abstract class RegionWalk<R extends GuestMemoryRegion>
  extends BytesBase
  implements GuestMemoryBackend<R>, GuestAddressSpace
{
  /** Ascending. */
  protected readonly regions: readonly R[];
  /** First and last address of each region, for safe-integer addresses: what lies above 2^53 - 1 is cut off. */
  readonly #first: Float64Array;
  readonly #last: Float64Array;

  constructor(sorted: readonly R[]) {
    super();
    this.regions = sorted;
    this.#first = Float64Array.from(sorted, (r) => numberOr(r.startAddr, Infinity));
    this.#last = Float64Array.from(sorted, (r) => numberOr(r.lastAddr, Number.MAX_SAFE_INTEGER));
  }

  /** This very map: a collection is a snapshot of itself. */
  memory(): this {
    return this;
  }

  [Symbol.iterator](): Iterator<R> {
    return this.regions[Symbol.iterator]();
  }

  get numRegions(): number {
    return this.regions.length;
  }

  get lastAddr(): GuestAddress {
    return this.regions.at(-1)?.lastAddr ?? 0;
  }

  physicalMemory(): GuestMemoryBackend<R> {
    return this;
  }

  findRegion(addr: GuestAddress): R | undefined {
    return this.regions[this.indexOf(toAddress(addr))];
  }

  toRegionAddr(addr: GuestAddress, access: Permissions = Permissions.NO): RegionAddress<R> | undefined {
    const at = toAddress(addr);
    const region = this.regions[this.indexOf(at)];
    if (region === undefined || !region.permits(access)) return undefined;
    return { region, offset: minus(at, region.startAddr), remaining: remaining(region, at) };
  }

  addressInRange(addr: GuestAddress): boolean {
    return this.findRegion(addr) !== undefined;
  }

  checkAddress(addr: GuestAddress): GuestAddress | undefined {
    return this.addressInRange(addr) ? addr : undefined;
  }

  checkedOffset(base: GuestAddress, offset: GuestAddress): GuestAddress | undefined {
    const sum = checkedAdd(base, offset);
    return sum === undefined ? undefined : this.checkAddress(sum);
  }

  checkRange(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): boolean {
    let at: GuestAddress | undefined = toAddress(addr);
    let rest = toLength(len);
    while (rest > 0) {
      if (at === undefined) return false;
      const region: R | undefined = this.regions[this.indexOf(at)];
      if (region === undefined) return false;
      const there = remaining(region, at);
      const n = least(there, rest);
      if (!region.checkRange(minus(at, region.startAddr), n, access)) return false;
      rest = minus(rest, n);
      if (rest > 0) at = checkedAdd(at, n);
    }
    return true;
  }

  getHostAddress(addr: GuestAddress): HostAddress {
    const at = toAddress(addr);
    const region = this.#regionAt(at);
    return region.getHostAddress(minus(at, region.startAddr));
  }

  getSlice(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): VolatileSlice {
    const at = toAddress(addr);
    const region = this.#regionAt(at);
    if (toLength(len) > remaining(region, at)) throw crosses(at, len, region);
    return sliceOf(region, minus(at, region.startAddr), len, access);
  }

  getSlices(addr: GuestAddress, len: GuestAddress, access: Permissions = Permissions.NO): GuestMemorySlices {
    let at: GuestAddress | undefined = toAddress(addr);
    let rest = toLength(len);
    return new GuestMemorySlices(() => {
      if (rest === 0) return undefined;
      if (at === undefined) throw pastEnd(addr, len);
      const region = this.#regionAt(at);
      const offset = minus(at, region.startAddr);
      const there = least(contiguousFrom(region, offset), remaining(region, at));
      const slice = sliceOf(region, offset, least(there, rest), access);
      rest = minus(rest, slice.length);
      at = checkedAdd(at, slice.length);
      return slice;
    });
  }

  read(buf: Uint8Array, addr: GuestAddress): number {
    checkBuffer(buf);
    return this.#walk(addr, buf.length, false, (r, offset, n, done) => r.read(buf.subarray(done, done + n), offset));
  }

  write(buf: Uint8Array, addr: GuestAddress): number {
    checkBuffer(buf);
    return this.#walk(addr, buf.length, false, (r, offset, n, done) => r.write(buf.subarray(done, done + n), offset));
  }

  override readSlice(buf: Uint8Array, addr: GuestAddress): void {
    checkBuffer(buf);
    this.#walk(addr, buf.length, true, (r, offset, n, done) => r.read(buf.subarray(done, done + n), offset));
  }

  override writeSlice(buf: Uint8Array, addr: GuestAddress): void {
    checkBuffer(buf);
    this.#walk(addr, buf.length, true, (r, offset, n, done) => r.write(buf.subarray(done, done + n), offset));
  }

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    const at = toAddress(addr);
    const region = this.#regionAt(at);
    if (codec.size > remaining(region, at)) throw crosses(at, codec.size, region);
    return region.load(minus(at, region.startAddr), codec, ordering);
  }

  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    const at = toAddress(addr);
    const region = this.#regionAt(at);
    if (codec.size > remaining(region, at)) throw crosses(at, codec.size, region);
    region.store(minus(at, region.startAddr), codec, value, ordering);
  }

  /** One call of `src` per region (and host buffer); ends at the first that is short, so that nothing lands past a gap. */
  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): number {
    checkCount(count);
    return this.#walk(addr, count, false, (r, offset, n) => r.readVolatileFrom(offset, src, n));
  }

  /** One call of `dst` per region (and host buffer); ends at the first that is short. */
  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): number {
    checkCount(count);
    return this.#walk(addr, count, false, (r, offset, n) => r.writeVolatileTo(offset, dst, n));
  }

  /**
   * Calls `step` for each part of [addr, addr + count) with its region, until all is done or it answers 0; it may take
   * less than it is offered and is then called again from there.
   *
   * @param access what the caller will do: a region that does not permit it ends the walk as a hole does. This is what
   *   QEMU patched into vm-memory's (deprecated) `try_access`.
   * @returns bytes done, fewer than `count` where memory ends.
   * @throws {GuestMemoryError} nothing at `addr`; `callback-out-of-range`: `step` answered more than it was offered.
   */
  tryAccess(
    count: number,
    addr: GuestAddress,
    access: Permissions,
    step: (done: number, len: number, offset: GuestAddress, region: R) => number,
  ): number {
    checkCount(count);
    const start = toAddress(addr);
    let done = 0;
    while (done < count) {
      const at = checkedAdd(start, done);
      const found = at === undefined ? undefined : this.toRegionAddr(at, access);
      if (found === undefined) {
        if (done === 0) throw at === undefined ? pastEnd(start, count) : hole(at);
        break;
      }
      const len = Number(least(found.remaining, count - done));
      const moved = checkMoved(step(done, len, found.offset, found.region), len, 'the callback of tryAccess');
      if (moved === 0) break;
      done += moved;
    }
    return done;
  }

  /** Index of the region that holds `addr` (in normal form), or -1. */
  protected indexOf(addr: GuestAddress): number {
    if (typeof addr === 'bigint') return this.regions.findIndex((r) => r.startAddr <= addr && addr <= r.lastAddr);
    let low = 0;
    let high = this.#first.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#first[middle]! > addr) high = middle - 1;
      else if (this.#last[middle]! < addr) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  #regionAt(addr: GuestAddress): R {
    const region = this.regions[this.indexOf(addr)];
    if (region === undefined) throw hole(addr);
    return region;
  }

  /**
   * Calls `step` for each region touched, until one moves less than it could.
   *
   * @param exact all or `partial-buffer`; otherwise an end after progress is a short count.
   */
  #walk(
    addr: GuestAddress,
    count: number,
    exact: boolean,
    step: (region: R, offset: GuestAddress, n: number, done: number) => number,
  ): number {
    const start = toAddress(addr);
    let done = 0;
    let cause: unknown;
    while (done < count) {
      const at = checkedAdd(start, done);
      let n = 0;
      let moved = 0;
      try {
        if (at === undefined) throw pastEnd(start, count);
        const region = this.#regionAt(at);
        const there = remaining(region, at);
        n = there < count - done ? Number(there) : count - done;
        moved = checkMoved(step(region, minus(at, region.startAddr), n, done), n, 'the region', at);
      } catch (error) {
        if (done === 0) throw error;
        cause = error;
        if (!exact && !isEnd(error)) throw this.incomplete('transfer', addr, count, done, cause);
        break;
      }
      done += moved;
      if (moved < n) break;
    }
    if (exact && done < count) throw this.incomplete('transfer', addr, count, done, cause);
    return done;
  }
}

const ENDS: readonly GuestMemoryErrorCode[] = [
  'invalid-guest-address',
  'guest-address-overflow',
  'invalid-backend-address',
  'host-address-not-available',
  'permission-denied',
];

/** The address as a number, `beyond` where it is none: a region of a program's own may give its addresses in either form. */
function numberOr(addr: GuestAddress, beyond: number): number {
  const normal = toAddress(addr);
  return typeof normal === 'number' ? normal : beyond;
}

/** `a - b` for a >= b, both in normal form. */
function minus(a: GuestAddress, b: GuestAddress): GuestAddress {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return toLength(BigInt(a) - BigInt(b));
}

function least(a: GuestAddress, b: GuestAddress): GuestAddress {
  return a < b ? a : b;
}

/** Bytes from `at` to the end of the region that holds it. */
function remaining(region: GuestMemoryRegion, at: GuestAddress): GuestAddress {
  const { lastAddr } = region;
  if (typeof lastAddr === 'number' && typeof at === 'number') return lastAddr - at + 1;
  return toLength(BigInt(lastAddr) - BigInt(at) + 1n);
}

/** Does the error say that memory ends here, rather than that something failed? */
function isEnd(error: unknown): boolean {
  return error instanceof GuestMemoryError && ENDS.includes(error.code);
}

function hole(addr: GuestAddress): GuestMemoryError {
  return new GuestMemoryError('invalid-guest-address', `no region of guest memory holds ${hex(addr)}`, { addr });
}

function pastEnd(addr: GuestAddress, len: GuestAddress): GuestMemoryError {
  return new GuestMemoryError(
    'guest-address-overflow',
    `${hex(len)} bytes at ${hex(addr)} pass the end of the address space, 2^64 - 1; nothing wraps to 0`,
    { addr },
  );
}

function crosses(addr: GuestAddress, len: GuestAddress, region: GuestMemoryRegion): GuestMemoryError {
  return new GuestMemoryError(
    'invalid-backend-address',
    `${hex(len)} bytes at ${hex(addr)} cross the end of their region at ${hex(region.lastAddr)}; use read, write or the object forms, which may`,
    { addr },
  );
}
