/**
 * Host memory for a range of guest memory: the RAM itself, or a bounce buffer of a bounded budget where a device answers.
 *
 */
import { MEMTXATTRS_UNSPECIFIED, MemTx, type MemTxAttrs, MemTxError, MemTxResult } from '@guestmem/memtx';
import {
  checkCount,
  DisposableBase,
  type DisposableHandle,
  disposable,
  type GuestAddress,
  GuestMemoryError,
  hex,
  toAddress,
} from '@guestmem/vm-memory';
import { markRegion } from '../dirty/mark.ts';
import { MemoryRegionError } from '../region/error.ts';
import { advance, transfer } from './bulk.ts';
import { type AccessMode, isDirect, isWriteMode } from './chunks.ts';
import type { Slot } from './slot.ts';
import { translate } from './target.ts';
import type { ViewAccess } from './view-access.ts';

/** What `map` gave. Give it back with `unmap`; until then the region's owner is kept alive and the budget is used. */
export class Mapping extends DisposableBase {
  readonly addr: GuestAddress;
  /** The RAM itself when `direct`, else a copy that `unmap` writes back. */
  readonly bytes: Uint8Array;
  /** Bytes, at most what was asked for: the caller maps again for the rest. */
  readonly length: number;
  readonly direct: boolean;
  readonly mode: AccessMode;
  #release: ((accessLen: number) => void) | null;

  /** @hideconstructor */
  constructor(
    addr: GuestAddress,
    bytes: Uint8Array,
    direct: boolean,
    mode: AccessMode,
    release: (accessLen: number) => void,
  ) {
    super();
    this.addr = addr;
    this.bytes = bytes;
    this.length = bytes.length;
    this.direct = direct;
    this.mode = mode;
    this.#release = release;
  }

  /**
   * Ends the mapping. A write mapping has its first `accessLen` bytes marked dirty, or written to the device.
   *
   * @param accessLen bytes that were used; default all.
   * @throws {MemoryRegionError} `disposed`: it was unmapped before. @throws {RangeError} more than `length`.
   */
  unmap(accessLen: number = this.length): void {
    if (checkCount(accessLen, 'accessLen') > this.length)
      throw new RangeError(`accessLen ${accessLen} is more than the ${this.length} bytes that were mapped`);
    const release = this.#release;
    if (release === null)
      throw new MemoryRegionError('disposed', `the mapping of ${hex(this.addr)} was unmapped before`);
    this.#release = null;
    release(accessLen);
  }

  /** Unmaps with all bytes used; again: no effect. */
  dispose(): void {
    if (this.#release !== null) this.unmap();
  }
}

/** The bounce budget of one space, and who waits for it. */
export class BounceBudget {
  #limit = 4096;
  #used = 0;
  #waiting: (() => void)[] = [];

  /** Bytes that may be bounced at one time; default 4096. */
  get limit(): number {
    return this.#limit;
  }
  set limit(bytes: number) {
    this.#limit = checkCount(bytes, 'maxBounceBufferSize');
    if (this.#used < this.#limit) this.#wake();
  }

  /** @returns bytes granted, 0 to `wanted`. */
  take(wanted: number): number {
    const granted = Math.max(Math.min(wanted, this.#limit - this.#used), 0);
    this.#used += granted;
    return granted;
  }

  /** Gives back, and wakes and forgets all that wait. */
  give(bytes: number): void {
    this.#used -= bytes;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) soon(wake);
  }

  /** Puts `wake` on the list first and looks at the budget then, so that no wake-up is lost. */
  register(wake: () => void): DisposableHandle {
    let pending = true;
    const once = (): void => {
      if (pending) wake();
      pending = false;
    };
    this.#waiting.push(once);
    if (this.#used < this.#limit) {
      this.#waiting = this.#waiting.filter((each) => each !== once);
      soon(once);
    }
    return disposable(() => {
      pending = false;
      this.#waiting = this.#waiting.filter((each) => each !== once);
    });
  }
}

/** @returns null when `len` is 0 or no bounce budget is left. */
export function mapRange(
  space: ViewAccess,
  start: GuestAddress,
  len: number,
  mode: AccessMode,
  attrs: MemTxAttrs,
): Mapping | null {
  const addr = toAddress(start);
  if (checkCount(len, 'length') === 0) return null;
  const { map } = space;
  const isWrite = isWriteMode(mode);
  translate(map, addr, len, isWrite, attrs, map.target);
  const { slot, at, length } = map.target;
  if (!isDirect(slot, isWrite, attrs) || at >= slot.len) return bounce(space, addr, length, mode, attrs);
  const first = slot.blockOffset + at;
  let size = Math.min(length, slot.len - at);
  let bytes = slot.bytes.subarray(at, at + size);
  // on, while the same region goes on at the contiguous offset; here also only inside one host buffer.
  while (size < len) {
    translate(map, advance(addr, size), len - size, isWrite, attrs, map.target);
    const { slot: next, at: nextAt, length: more } = map.target;
    if (next.section.region !== slot.section.region || next.blockOffset + nextAt !== first + size) break;
    if (!isDirect(next, isWrite, attrs) || nextAt >= next.len) break;
    if (next.bytes.buffer !== bytes.buffer || next.bytes.byteOffset + nextAt !== bytes.byteOffset + size) break;
    size += Math.min(more, next.len - nextAt);
    bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, size);
  }
  const { observer } = space.core.access;
  if (!isWrite && observer !== null) observer.dmaRead?.(addr, size, slot.section.region);
  return direct(slot, addr, bytes, first, mode);
}

/** The whole range as mappings of RAM, in order; nothing is mapped when a part of it is not RAM. @throws {MemTxError} */
export function mapRam(
  space: ViewAccess,
  start: GuestAddress,
  len: number,
  mode: AccessMode,
  attrs: MemTxAttrs,
): Mapping[] {
  const out: Mapping[] = [];
  const isWrite = isWriteMode(mode);
  let addr = toAddress(start);
  try {
    for (let done = 0; done < checkCount(len, 'length'); ) {
      const { map } = space;
      translate(map, addr, len - done, isWrite, attrs, map.target);
      const { slot, at } = map.target;
      const ok = isDirect(slot, isWrite, attrs) && at < slot.len;
      const piece = ok ? mapRange(space, addr, len - done, mode, attrs) : null;
      if (piece === null) throw noRam(start, addr, len, done);
      out.push(piece);
      done += piece.length;
      addr = advance(addr, piece.length);
    }
    return out;
  } catch (error) {
    for (const each of out) each.unmap(0);
    throw error;
  }
}

function noRam(start: GuestAddress, addr: GuestAddress, expected: number, completed: number): MemTxError {
  const code = 'host-address-not-available';
  const cause = new GuestMemoryError(code, `no RAM at ${hex(addr)}`, { addr });
  return new MemTxError('map', MemTxResult.DECODE_ERROR, { addr: start, expected, completed, code, cause });
}

function direct(slot: Slot, addr: GuestAddress, bytes: Uint8Array, blockOffset: number, mode: AccessMode): Mapping {
  const { region } = slot.section;
  const owner = region.links.owner;
  owner?.ref();
  return new Mapping(addr, bytes, true, mode, (accessLen) => {
    if (mode === 'write') markRegion(region, blockOffset, accessLen);
    owner?.unref();
  });
}

function bounce(
  space: ViewAccess,
  addr: GuestAddress,
  len: number,
  mode: AccessMode,
  attrs: MemTxAttrs,
): Mapping | null {
  const budget = space.bounceBudget;
  const size = budget.take(len);
  if (size === 0) return null;
  const bytes = new Uint8Array(size);
  const tx = new MemTx();
  try {
    // the outcome cannot be told.
    if (mode === 'read') transfer(space.core, space.map, addr, bytes, false, attrs, false, tx);
  } catch (error) {
    budget.give(size);
    throw error;
  }
  return new Mapping(addr, bytes, false, mode, (accessLen) => {
    try {
      if (mode === 'write' && accessLen > 0)
        transfer(space.core, space.map, addr, bytes.subarray(0, accessLen), true, MEMTXATTRS_UNSPECIFIED, false, tx);
    } finally {
      budget.give(size);
    }
  });
}

/** Never inside the caller. */
function soon(fn: () => void): void {
  void Promise.resolve().then(fn);
}
