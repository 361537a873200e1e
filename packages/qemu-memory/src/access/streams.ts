/**
 * Streams straight into and out of memory: RAM is shown to the other end as it lies, without a copy; a device gets and gives
 * its bytes through a small buffer. They end where memory ends. V-1.5.
 */
import { MEMTXATTRS_UNSPECIFIED, MemTx, MemTxError, MemTxResult } from '@guestmem/memtx';
import {
  checkCount,
  checkMoved,
  type GuestAddress,
  GuestMemoryError,
  hex,
  type ReadVolatile,
  streamFailed,
  toAddress,
  type WriteVolatile,
} from '@guestmem/vm-memory';
import { advance, transfer } from './bulk.ts';
import { isDirect } from './chunks.ts';
import { firstStepIsValid } from './range-ops.ts';
import type { Slot } from './slot.ts';
import { translate } from './target.ts';
import type { ViewAccess } from './view-access.ts';
import type { ViewMap } from './view-map.ts';

/** Bytes that go to or from a device between two questions to the other end. */
export const DEVICE_CHUNK = 256;

/** A run of a stream: how far it came, and what ended it. */
export interface Run {
  moved: number;
  /** Bits of MemTxResult; OK when the other end stopped or all is moved. */
  result: number;
  /** Has the source given bytes that were not taken? They are gone, so that a short count would hide it. */
  lost: boolean;
}

/** Moves up to `count` bytes from `src` to `start`. Short where memory ends. @throws {MemTxError} nothing can be written at `start`, or a device has not taken all that `src` gave. */
export function pull(space: ViewAccess, start: GuestAddress, src: ReadVolatile, count: number, exact: boolean): number {
  const run = move(space, toAddress(start), checkCount(count), true, exact, (bytes) => src.readVolatile(bytes));
  return settle(run, start, count, exact, 'write', 'the source ended');
}

/** Moves up to `count` bytes from `start` to `dst`. As `pull`. */
export function push(
  space: ViewAccess,
  start: GuestAddress,
  dst: WriteVolatile,
  count: number,
  exact: boolean,
): number {
  const run = move(space, toAddress(start), checkCount(count), false, exact, (bytes) => dst.writeVolatile(bytes));
  return settle(run, start, count, exact, 'read', 'the sink takes no more');
}

function move(
  space: ViewAccess,
  start: GuestAddress,
  count: number,
  isWrite: boolean,
  exact: boolean,
  other: (bytes: Uint8Array) => number,
): Run {
  const { map } = space;
  const control = space.core.access;
  const run: Run = { moved: 0, result: MemTxResult.OK, lost: false };
  const end = otherEnd(run, start, count, isWrite, other);
  let addr = start;
  control.transfers++; // The other end may change the map: it goes on with this one (T-97).
  try {
    while (run.moved < count) {
      if (addr < start) return { ...run, result: MemTxResult.DECODE_ERROR };
      translate(map, addr, count - run.moved, isWrite, MEMTXATTRS_UNSPECIFIED, map.target);
      const { slot, at, length } = map.target;
      let offered: number;
      let done: number;
      // Where a tap sees what is moved, it takes a buffer; slots are cut there.
      const isSeen = map.taps !== null && (isWrite ? slot.storeLen : slot.loadLen) === 0;
      if (!isSeen && isDirect(slot, isWrite, MEMTXATTRS_UNSPECIFIED) && at < slot.len) {
        offered = Math.min(length, slot.len - at);
        if (!isWrite) control.observer?.dmaRead?.(addr, offered, slot.section.region);
        done = offer(slot, at, offered, isWrite, end);
      } else {
        offered = Math.min(count - run.moved, DEVICE_CHUNK);
        done = throughBuffer(space, map, addr, offered, isWrite, end, run);
      }
      run.moved += done;
      if (run.result !== MemTxResult.OK || done === 0 || (done < offered && !exact)) return run;
      addr = advance(addr, done);
    }
    return run;
  } finally {
    control.transfers--;
  }
}

/** Shows RAM to the other end. One that throws, or says what cannot be, may have written everywhere. */
function offer(
  slot: Slot,
  at: number,
  offered: number,
  isWrite: boolean,
  other: (bytes: Uint8Array) => number,
): number {
  let written = offered;
  const { control } = slot.dispatch;
  control.transfers++; // Behind an IOMMU the RAM may be another core's.
  try {
    const done = other(slot.bytes.subarray(at, at + offered));
    written = done;
    return done;
  } finally {
    if (isWrite) slot.markSlow(at, written);
    control.transfers--;
  }
}

/** One chunk of a device, or of nothing: what cannot be written is not asked for, as far as can be known before. */
function throughBuffer(
  space: ViewAccess,
  map: ViewMap,
  addr: GuestAddress,
  len: number,
  isWrite: boolean,
  other: (bytes: Uint8Array) => number,
  run: Run,
): number {
  const bytes = new Uint8Array(len);
  const tx = new MemTx();
  if (isWrite) {
    if (!firstStepIsValid(map, addr, len, true, MEMTXATTRS_UNSPECIFIED)) {
      run.result = MemTxResult.DECODE_ERROR;
      return 0;
    }
    const given = other(bytes);
    transfer(space.core, map, addr, bytes.subarray(0, given), true, MEMTXATTRS_UNSPECIFIED, true, tx);
    run.result = tx.result;
    run.lost = tx.done < given;
    return tx.done;
  }
  transfer(space.core, map, addr, bytes, false, MEMTXATTRS_UNSPECIFIED, true, tx);
  run.result = tx.result;
  if (tx.done === 0) return 0;
  return other(bytes.subarray(0, tx.done));
}

/**
 * `other`, checked: what it throws becomes the cause of an `io-error` that tells how far `run` had come.
 * @throws {GuestMemoryError} `io-error`; `callback-out-of-range`: it says that it moved more than it was shown.
 */
export function otherEnd(
  run: Run,
  start: GuestAddress,
  count: number,
  isWrite: boolean,
  other: (bytes: Uint8Array) => number,
): (bytes: Uint8Array) => number {
  const who = isWrite ? 'the source' : 'the sink';
  return (bytes) => {
    const addr = advance(start, run.moved);
    let moved: number;
    try {
      moved = other(bytes);
    } catch (cause) {
      throw streamFailed(who, addr, cause, { expected: count, completed: run.moved });
    }
    return checkMoved(moved, bytes.length, who, addr);
  };
}

export function settle(run: Run, addr: GuestAddress, count: number, exact: boolean, what: string, why: string): number {
  const { moved, result, lost } = run;
  const short = moved < count && (exact || moved === 0 || lost);
  if (result !== MemTxResult.OK && short)
    throw new MemTxError(what, result, { addr, expected: count, completed: moved });
  if (exact && moved < count)
    throw new GuestMemoryError('io-error', `${why} after ${moved} of ${count} bytes at ${hex(addr)}`, {
      addr: advance(toAddress(addr), moved),
      expected: count,
      completed: moved,
    });
  return moved;
}
