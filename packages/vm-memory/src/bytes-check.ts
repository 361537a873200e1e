/** Argument checks and errors that all implementations of `Bytes` share. Messages are built on failure only. D10. */
import { type GuestAddress, hex } from './address.ts';
import { GuestMemoryError } from './error.ts';
import { badNumber, shown, tagOf, textOf } from './shown.ts';

/** Checks what a transfer fills or takes from. @throws {TypeError} not a Uint8Array (of any realm; a Node Buffer is one). */
export function checkBuffer(buf: Uint8Array): void {
  if (buf instanceof Uint8Array) return;
  if (ArrayBuffer.isView(buf) && tagOf(buf) === '[object Uint8Array]') return;
  throw new TypeError(
    `a transfer moves the bytes of a Uint8Array, not ${shown(buf)}; wrap other views as new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`,
  );
}

/**
 * Checks a count of bytes. @returns `count`.
 *
 * @param what names it in the message.
 * @throws {TypeError | RangeError} not an integer in 0 to 2^53 - 1.
 */
export function checkCount(count: number, what = 'count'): number {
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw badNumber(`${what} must be an integer in 0 to 2^53 - 1`, count);
}

/**
 * What `who`, a source or sink, says that it moved of `offered` bytes for `addr`, checked; for those who implement `Bytes`.
 * @throws {GuestMemoryError} `callback-out-of-range`: not an integer in 0 to `offered`.
 */
export function checkMoved(moved: number, offered: number, who: string, addr?: GuestAddress): number {
  if (Number.isInteger(moved) && moved >= 0 && moved <= offered) return moved;
  throw new GuestMemoryError(
    'callback-out-of-range',
    `${who} was offered ${offered} bytes and answered ${String(moved)}; it must answer how many it moved`,
    addr === undefined ? {} : { addr, expected: offered, completed: 0 },
  );
}

/** `partial-buffer`, with what stopped it where that is known. */
export function partialBuffer(
  what: string,
  addr: GuestAddress,
  expected: number,
  completed: number,
  cause?: unknown,
): GuestMemoryError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  const at = cause instanceof GuestMemoryError && cause.addr !== undefined ? cause.addr : addr;
  return new GuestMemoryError('partial-buffer', `${what} ended after ${completed}${why}`, {
    addr: at,
    expected,
    completed,
    cause,
  });
}

/** A source said 0 before all had come: Rust's UnexpectedEof. `wayOut` is what takes a shorter one. */
export function endOfSource(
  addr: GuestAddress,
  expected: number,
  completed: number,
  wayOut = 'use readVolatileFrom',
): GuestMemoryError {
  return new GuestMemoryError(
    'io-error',
    `the source ended after ${completed} of ${expected} bytes for ${hex(addr)}; ${wayOut} if that may be`,
    { addr, expected, completed },
  );
}

/** A sink said 0 before all was taken: Rust's WriteZero. */
export function fullSink(addr: GuestAddress, expected: number, completed: number): GuestMemoryError {
  return new GuestMemoryError(
    'io-error',
    `the sink took ${completed} of ${expected} bytes from ${hex(addr)} and no more; use writeVolatileTo if that may be`,
    { addr, expected, completed },
  );
}

/** The host buffer of a slice, or of an atomic cell in it, is gone. */
export function detached(): GuestMemoryError {
  return new GuestMemoryError(
    'host-address-not-available',
    'the host buffer of this slice was detached (its WebAssembly memory grew); get a new slice from the region',
  );
}

/** `io-error`: the source or sink `who` threw `cause` at `addr`, with the progress where it is known. */
export function streamFailed(
  who: string,
  addr: GuestAddress,
  cause: unknown,
  progress?: { readonly expected?: number; readonly completed: number },
): GuestMemoryError {
  const all = progress?.expected === undefined ? '' : ` of ${progress.expected}`;
  const after = progress === undefined ? '' : ` after ${progress.completed}${all} bytes`;
  return new GuestMemoryError('io-error', `${who} failed${after} at ${hex(addr)}: ${textOf(cause)}`, {
    addr,
    ...progress,
    cause,
  });
}
