/**
 * Streams through an attached space: as access/streams.ts, with RAM that the owner answers for moved through a buffer. It
 * asks the owner first how far memory goes, so that a source is never asked for bytes that have no place to go. V-1.5.
 */
import { MEMTXATTRS_UNSPECIFIED, MemTx, MemTxResult } from '@guestmem/memtx';
import { checkCount, type GuestAddress, type ReadVolatile, toAddress, type WriteVolatile } from '@guestmem/vm-memory';
import { advance } from '../access/bulk.ts';
import { DEVICE_CHUNK, otherEnd, type Run, settle } from '../access/streams.ts';
import type { AttachedAccess } from './attached-access.ts';
import { Extent } from './ring-layout.ts';

/** Bytes of RAM that are asked of the owner at a time. */
const RAM_CHUNK = 4096;

type OtherEnd = (bytes: Uint8Array) => number;

/** Moves up to `count` bytes from `src` to `start`. Short where memory ends. @throws {MemTxError} nothing can be written at `start`. */
export function pull(
  memory: AttachedAccess,
  start: GuestAddress,
  src: ReadVolatile,
  count: number,
  exact: boolean,
): number {
  const run = move(memory, toAddress(start), checkCount(count), true, exact, (bytes) => src.readVolatile(bytes));
  return settle(run, start, count, exact, 'write', 'the source ended');
}

/** Moves up to `count` bytes from `start` to `dst`. As `pull`. */
export function push(
  memory: AttachedAccess,
  start: GuestAddress,
  dst: WriteVolatile,
  count: number,
  exact: boolean,
): number {
  const run = move(memory, toAddress(start), checkCount(count), false, exact, (bytes) => dst.writeVolatile(bytes));
  return settle(run, start, count, exact, 'read', 'the sink takes no more');
}

function move(
  memory: AttachedAccess,
  start: GuestAddress,
  count: number,
  isWrite: boolean,
  exact: boolean,
  other: OtherEnd,
): Run {
  const run: Run = { moved: 0, result: MemTxResult.OK, lost: false };
  const end = otherEnd(run, start, count, isWrite, other);
  let addr = start;
  while (run.moved < count) {
    if (addr < start) return { ...run, result: MemTxResult.DECODE_ERROR };
    const left = count - run.moved;
    const { offered, done } =
      throughWindow(memory, addr, left, isWrite, end) ?? throughOwner(memory, addr, left, isWrite, end, run);
    run.moved += done;
    if (run.result !== MemTxResult.OK || done === 0 || (done < offered && !exact)) return run;
    addr = advance(addr, done);
  }
  return run;
}

interface Step {
  readonly offered: number;
  readonly done: number;
}

/** RAM that this agent reaches: the other end sees the bytes themselves. */
function throughWindow(
  memory: AttachedAccess,
  addr: GuestAddress,
  left: number,
  isWrite: boolean,
  other: OtherEnd,
): Step | null {
  memory.hold();
  try {
    const window = memory.windowAt(addr, isWrite);
    if (window === null) return null;
    const at = (addr as number) - window.first;
    const offered = Math.min(left, window.loadLen - at);
    let done = offered; // What the other end has written before it failed is unknown: all of it counts.
    try {
      done = other(window.bytes.subarray(at, at + offered));
    } finally {
      if (isWrite) memory.wrote(window, at, done);
    }
    return { offered, done };
  } finally {
    memory.release();
  }
}

function throughOwner(
  memory: AttachedAccess,
  addr: GuestAddress,
  left: number,
  isWrite: boolean,
  other: OtherEnd,
  run: Run,
): Step {
  const { kind, length } = memory.extentAt(addr, Math.min(left, RAM_CHUNK), isWrite ? 'write' : 'read');
  const offered = kind === Extent.RAM ? length : Math.min(left, DEVICE_CHUNK);
  const bytes = new Uint8Array(offered);
  const tx = new MemTx();
  if (isWrite) {
    if (kind === Extent.NONE) {
      run.result = MemTxResult.DECODE_ERROR;
      return { offered, done: 0 };
    }
    const given = other(bytes);
    memory.txWrite(addr, bytes.subarray(0, given), MEMTXATTRS_UNSPECIFIED, 'stop', tx);
    run.result = tx.result;
    run.lost = tx.done < given;
    return { offered, done: tx.done };
  }
  memory.txRead(addr, bytes, MEMTXATTRS_UNSPECIFIED, 'stop', tx);
  run.result = tx.result;
  const done = tx.done === 0 ? 0 : other(bytes.subarray(0, tx.done));
  return { offered, done };
}
