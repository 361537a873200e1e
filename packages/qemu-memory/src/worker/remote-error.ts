/**
 * An exception on its way from the owner to a worker, as UTF-16 text in the ring's payload: same class where both sides
 * have it, same code, message and progress; else a WorkerError `remote-error` that names the original.
 */
import { MemTxError } from '@guestmem/memtx';
import { GuestMemoryError, type GuestMemoryErrorCode, toAddress } from '@guestmem/vm-memory';
import { WorkerError, type WorkerErrorCode } from './error.ts';

interface Written {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly result?: number;
  /** Hexadecimal. */
  readonly addr?: string;
  readonly expected?: number;
  readonly completed?: number;
}

/** Puts `text` into `payload`, cut to what fits. @returns bytes used. */
export function putText(payload: Uint8Array, text: string): number {
  const count = Math.min(text.length, payload.length >>> 1);
  for (let i = 0; i < count; i++) {
    const unit = text.charCodeAt(i);
    payload[2 * i] = unit & 0xff;
    payload[2 * i + 1] = unit >>> 8;
  }
  return 2 * count;
}

/** The text of the first `bytes` bytes of `payload`. */
export function getText(payload: Uint8Array, bytes: number): string {
  let text = '';
  for (let i = 0; i + 1 < bytes; i += 2) text += String.fromCharCode(payload[i]! | (payload[i + 1]! << 8));
  return text;
}

/** Writes what was thrown: anything, as it comes from programs; whoever waits for the answer gets one. @returns bytes used. */
export function putError(payload: Uint8Array, error: unknown): number {
  try {
    return putThrown(payload, error);
  } catch {
    return putThrown(payload, new Error('what was thrown cannot be shown as text'));
  }
}

function putThrown(payload: Uint8Array, error: unknown): number {
  const known = error instanceof Error ? error : new Error(String(error));
  const { code } = known as { code?: unknown };
  const detail = error instanceof GuestMemoryError ? error : undefined;
  const written = {
    name: known.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error instanceof MemTxError ? { result: error.result } : {}),
    ...(detail?.addr === undefined ? {} : { addr: detail.addr.toString(16) }),
    ...(detail?.expected === undefined ? {} : { expected: detail.expected }),
    ...(detail?.completed === undefined ? {} : { completed: detail.completed }),
  };
  // The message is cut, not the record, so that what arrives can always be read.
  const room = (payload.length >>> 1) - JSON.stringify({ ...written, message: '' }).length;
  if (room < 0) return putText(payload, JSON.stringify({ name: 'Error', message: '' })); // A name or code without end.
  let message = known.message;
  while (JSON.stringify(message).length - 2 > room) message = message.slice(0, Math.floor(message.length * 0.9));
  return putText(payload, JSON.stringify({ ...written, message }));
}

/** The error to throw in the worker. `start` is the address of the access. */
export function getError(payload: Uint8Array, bytes: number, start: number | bigint): Error {
  const written = JSON.parse(getText(payload, bytes)) as Written;
  if (written.name === 'RangeError') return new RangeError(written.message);
  if (written.name === 'TypeError') return new TypeError(written.message);
  if (written.name === 'WorkerError') return new WorkerError(written.code as WorkerErrorCode, written.message);
  const code = written.code as GuestMemoryErrorCode;
  if (written.name === 'MemTxError') {
    const what = written.message.split(' of ', 1)[0]!;
    const { result = 0, expected = 0, completed = 0 } = written;
    const error = new MemTxError(what, result, { addr: start, expected, completed, code });
    // Word for word: what the owner's side called the access may not be what stands before the first "of".
    Object.defineProperty(error, 'message', { value: written.message, configurable: true, writable: true });
    return error;
  }
  if (written.name === 'GuestMemoryError') {
    const { addr, expected, completed } = written;
    return new GuestMemoryError(code, written.message, {
      ...(addr === undefined ? {} : { addr: toAddress(BigInt(`0x${addr}`)) }),
      ...(expected === undefined ? {} : { expected }),
      ...(completed === undefined ? {} : { completed }),
    });
  }
  return new WorkerError(
    'remote-error',
    `the owner's side threw ${written.name}${written.code === undefined ? '' : ` ${written.code}`}: ${written.message}`,
    written,
  );
}
