/**
 * The taps of one space: who sees which addresses. A space with taps has look-ups of its own, whose slots over tapped
 * addresses take no fast path; all others cost what they did. D15.
 */
import type { MemTxAttrs } from '@guestmem/memtx';
import { badNumber, type GuestAddress, hex, LAST_ADDRESS, toBigAddress } from '@guestmem/vm-memory';
import type { AccessControl } from '../access/control.ts';
import type { Slot } from '../access/slot.ts';

const LAST_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** One access of the caller, before it is split. The object is the tap's to keep. */
export interface TapEvent {
  readonly addr: GuestAddress;
  /** Bytes. */
  readonly size: number;
  readonly isWrite: boolean;
  /** A scalar's value as its codec has it; undefined for a bulk transfer. */
  readonly value: unknown;
  /** A bulk transfer's bytes (the caller's own buffer, not a copy); undefined for a scalar. */
  readonly bytes: Uint8Array | undefined;
  readonly attrs: MemTxAttrs;
}

/** Which accesses a tap sees. */
export interface TapOptions {
  /** Default both. */
  readonly on?: 'read' | 'write' | 'both';
}

/** One tap. */
export interface Tap {
  readonly first: bigint;
  readonly last: bigint;
  /** `first` and `last` as numbers, exact or further out than they are. */
  readonly lo: number;
  readonly hi: number;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly seen: (event: TapEvent) => void;
}

/** An immutable set of taps; a change makes a new one, and new look-ups with it. */
export class TapList {
  readonly #taps: readonly Tap[];
  /** Parts by what they are of, so that an address has the same one each time: windows open where accesses agree on it. */
  readonly #parts: WeakMap<Slot, Slot[]> = new WeakMap();

  constructor(taps: readonly Tap[]) {
    this.#taps = taps;
  }

  get length(): number {
    return this.#taps.length;
  }
  plus(tap: Tap): TapList {
    return new TapList([...this.#taps, tap]);
  }
  minus(tap: Tap): TapList {
    return new TapList(this.#taps.filter((each) => each !== tap));
  }

  /** The part of `slot` (which starts at `first`) around `addr` that is tapped throughout, or not at all. */
  guard(slot: Slot, first: bigint, addr: bigint): Slot {
    if (slot.first === Number.POSITIVE_INFINITY) return this.#cut(slot, first, addr); // Made for one access.
    const at = Number(addr);
    const parts = this.#parts.get(slot) ?? [];
    if (parts.length === 0) this.#parts.set(slot, parts);
    for (const part of parts) if (at >= part.first && at - part.first < part.len) return part;
    const part = this.#cut(slot, first, addr);
    parts.push(part);
    return part;
  }

  #cut(slot: Slot, first: bigint, addr: bigint): Slot {
    let from = first;
    let to = first + BigInt(slot.len) - 1n;
    let tapped = false;
    for (const tap of this.#taps) {
      if (tap.first <= addr && addr <= tap.last) {
        tapped = true;
        if (tap.first > from) from = tap.first;
        if (tap.last < to) to = tap.last;
      } else if (tap.last < addr && tap.last >= from) from = tap.last + 1n;
      else if (tap.first > addr && tap.first <= to) to = tap.first - 1n;
    }
    return slot.part(Number(from - first), Number(to - from + 1n), !tapped);
  }

  /** The parts of [first, last] that no tap sees, in ascending order. */
  untapped(first: bigint, last: bigint): { first: bigint; last: bigint }[] {
    let parts = [{ first, last }];
    for (const tap of this.#taps)
      parts = parts.flatMap((part) => {
        if (tap.last < part.first || tap.first > part.last) return [part];
        const left = tap.first > part.first ? [{ first: part.first, last: tap.first - 1n }] : [];
        return tap.last < part.last ? [...left, { first: tap.last + 1n, last: part.last }] : left;
      });
    return parts;
  }

  loaded(addr: GuestAddress, size: number, value: unknown, attrs: MemTxAttrs): void {
    this.#tell(addr, size, false, value, undefined, attrs);
  }
  stored(addr: GuestAddress, size: number, value: unknown, attrs: MemTxAttrs): void {
    this.#tell(addr, size, true, value, undefined, attrs);
  }
  /** @param wraps does it go on at 0 after 2^64 - 1? */
  transferred(addr: GuestAddress, bytes: Uint8Array, isWrite: boolean, attrs: MemTxAttrs, wraps: boolean): void {
    this.#tell(addr, bytes.length, isWrite, undefined, bytes, attrs, wraps);
  }

  #tell(
    addr: GuestAddress,
    size: number,
    isWrite: boolean,
    value: unknown,
    bytes: Uint8Array | undefined,
    attrs: MemTxAttrs,
    wraps = false,
  ): void {
    for (const tap of this.#taps) {
      if (!(isWrite ? tap.writes : tap.reads)) continue;
      // Most are elsewhere, and devices and holes ask at each access.
      if (typeof addr === 'number' && (addr + size <= tap.lo || addr > tap.hi)) continue;
      const first = BigInt(addr);
      const last = first + BigInt(size) - 1n;
      const again = wraps ? last - LAST_ADDRESS - 1n : -1n; // The last address after 2^64 - 1.
      if ((tap.first > last || tap.last < first) && tap.first > again) continue;
      tap.seen({ addr, size, isWrite, value, bytes, attrs });
    }
  }
}

/** No taps at all. */
export const NO_TAPS: TapList = new TapList([]);

/** @throws {RangeError} the range is empty or ends above 2^64. @throws {TypeError} `seen` is no function, `on` none of its values. */
export function makeTap(
  control: AccessControl,
  addr: GuestAddress,
  len: number,
  seen: (event: TapEvent) => void,
  options: TapOptions,
): Tap {
  const first = toBigAddress(addr);
  if (!Number.isSafeInteger(len) || len < 1) throw badNumber('a tap needs 1 byte and more', len);
  const last = first + BigInt(len) - 1n;
  if (last > LAST_ADDRESS) throw new RangeError(`a tap of ${len} bytes at ${hex(first)} ends above 2^64 - 1`);
  const on = options.on ?? 'both';
  if (typeof seen !== 'function') throw new TypeError(`a tap calls a function, not ${typeof seen}`);
  if (on !== 'read' && on !== 'write' && on !== 'both')
    throw new TypeError(`on must be 'read', 'write' or 'both', not ${String(on)}`);
  return {
    first,
    last,
    lo: Number(first < LAST_SAFE ? first : LAST_SAFE),
    hi: last <= LAST_SAFE ? Number(last) : Number.POSITIVE_INFINITY,
    reads: on !== 'write',
    writes: on !== 'read',
    seen: (event) => control.whileAccessing(() => seen(event)),
  };
}
