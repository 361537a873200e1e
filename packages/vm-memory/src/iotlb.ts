/**
 * An interval map from I/O virtual addresses to what they stand for, as a device's translation cache. Any granularity;
 * the later mapping wins, older ones are cut; neighbours merge where target and permission go on. V-1.12.
 */
import { type GuestAddress, hex, LAST_ADDRESS, toAddress, toBigAddress, toLength } from './address.ts';
import { type Permissions, permissionsAllow } from './permissions.ts';

/** [base, base + length) of I/O virtual addresses. */
export interface IovaRange {
  readonly base: GuestAddress;
  readonly length: GuestAddress;
}

/** [base, base + length) of what lies behind the IOMMU. */
export interface MappedRange {
  readonly base: GuestAddress;
  readonly length: GuestAddress;
}

/** Why a look-up failed: both lists are in order and clipped to the request. */
export interface IotlbFails {
  /** Parts that have no mapping. */
  readonly misses: readonly IovaRange[];
  /** Parts whose mapping lacks the access. */
  readonly accessFails: readonly IovaRange[];
}

/** All of a request's parts, or all of its failures. */
export type IotlbResult =
  | { readonly ok: true; readonly ranges: readonly MappedRange[] }
  | { readonly ok: false; readonly fails: IotlbFails };

interface Entry {
  readonly first: bigint;
  readonly last: bigint;
  /** Target minus I/O virtual address, modulo 2^64. */
  readonly delta: bigint;
  readonly permissions: Permissions;
}

/** Mappings, without limit: nothing is evicted. A look-up never changes it. */
export class Iotlb {
  /** Ascending, disjoint. */
  #entries: Entry[] = [];

  /** Entries after merging. */
  get size(): number {
    return this.#entries.length;
  }

  /**
   * Maps [iova, iova + length) to [target, target + length). Replaces what was there.
   *
   * @throws {RangeError} `length` is 0, or either range passes 2^64 - 1.
   */
  setMapping(iova: GuestAddress, target: GuestAddress, length: GuestAddress, permissions: Permissions): void {
    const [first, last] = bounds(iova, length);
    const [to] = bounds(target, length);
    let entry: Entry = { first, last, delta: BigInt.asUintN(64, to - first), permissions };
    const kept = this.#without(first, last);
    const at = kept.findIndex((e) => e.first > first);
    const index = at < 0 ? kept.length : at;
    const before = kept[index - 1];
    const after = kept[index];
    let start = index;
    let remove = 0;
    if (before !== undefined && before.last + 1n === entry.first && continues(before, entry)) {
      entry = { ...entry, first: before.first };
      start--;
      remove++;
    }
    if (after !== undefined && entry.last + 1n === after.first && continues(entry, after)) {
      entry = { ...entry, last: after.last };
      remove++;
    }
    kept.splice(start, remove, entry);
    this.#entries = kept;
  }

  /** Removes what is mapped in [iova, iova + length); entries that reach out of it keep the rest. @throws {RangeError} as `setMapping`. */
  invalidateMapping(iova: GuestAddress, length: GuestAddress): void {
    const [first, last] = bounds(iova, length);
    this.#entries = this.#without(first, last);
  }

  /** Removes everything. */
  invalidateAll(): void {
    this.#entries = [];
  }

  /**
   * Where [iova, iova + length) lies, all of it or nothing. With `access` NO it only has to be mapped, by whatever entry.
   * A `length` of 0 succeeds with no ranges, always.
   *
   * @throws {TypeError} `iova` or `length` is no number or bigint. @throws {RangeError} the range passes 2^64 - 1.
   */
  lookup(iova: GuestAddress, length: GuestAddress, access: Permissions): IotlbResult {
    if (toLength(length) === 0) {
      toAddress(iova, 'iova');
      return { ok: true, ranges: [] };
    }
    const [first, last] = bounds(iova, length);
    const ranges: MappedRange[] = [];
    const misses: IovaRange[] = [];
    const accessFails: IovaRange[] = [];
    let at = first;
    for (let i = this.#firstFrom(first); i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry.first > last) break;
      if (entry.first > at) misses.push(range(at, entry.first - 1n));
      const from = largest(entry.first, first);
      const to = smallest(entry.last, last);
      if (permissionsAllow(entry.permissions, access)) {
        const base = BigInt.asUintN(64, from + entry.delta);
        ranges.push(range(base, base + (to - from)));
      } else accessFails.push(range(from, to));
      at = to + 1n;
    }
    if (at <= last) misses.push(range(at, last));
    if (misses.length > 0 || accessFails.length > 0) return { ok: false, fails: { misses, accessFails } };
    return { ok: true, ranges };
  }

  /** Index of the first entry that ends at or after `addr`. */
  #firstFrom(addr: bigint): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.last < addr) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #without(first: bigint, last: bigint): Entry[] {
    const kept: Entry[] = [];
    for (const entry of this.#entries) {
      if (entry.last < first || entry.first > last) {
        kept.push(entry);
        continue;
      }
      if (entry.first < first) kept.push({ ...entry, last: first - 1n });
      if (entry.last > last) kept.push({ ...entry, first: last + 1n });
    }
    return kept;
  }
}

function largest(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}

function smallest(a: bigint, b: bigint): bigint {
  return b < a ? b : a;
}

/** Is `b`, which begins where `a` ends, more of the same? Not where the targets wrap: a range ends with the space. */
function continues(a: Entry, b: Entry): boolean {
  const wraps = BigInt.asUintN(64, b.first + b.delta) === 0n;
  return a.delta === b.delta && a.permissions === b.permissions && !wraps;
}

function range(first: bigint, last: bigint): IovaRange {
  const length = last - first + 1n;
  return { base: toAddress(first), length: length > LAST_ADDRESS ? length : toAddress(length) };
}

function bounds(base: GuestAddress, length: GuestAddress): [first: bigint, last: bigint] {
  const first = toBigAddress(base);
  const n = BigInt(toLength(length));
  if (n === 0n) throw new RangeError('a mapping has at least one byte; length is 0');
  if (first + n - 1n > LAST_ADDRESS)
    throw new RangeError(`${hex(length)} bytes at ${hex(base)} pass 2^64 - 1; shorten the range`);
  return [first, first + n - 1n];
}
