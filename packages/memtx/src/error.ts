/** The typed error of the vm-memory-like vocabulary: cause, address, progress and the result bits together. A-276. */

import type { GuestAddress, GuestMemoryErrorCode } from '@guestmem/vm-memory';
import { GuestMemoryError, hex } from '@guestmem/vm-memory';
import { addressPlus } from './internal/address-plus.ts';
import { MemTxResult, memTxResultName } from './result.ts';

/** What was asked for and how far it got. */
export interface MemTxErrorDetail {
  /** Where the access began. The error's own `addr` is `completed` bytes further on: the first address that failed. */
  readonly addr: GuestAddress;
  /** Bytes that were asked for. */
  readonly expected: number;
  /** Bytes that were transferred before the failure. */
  readonly completed: number;
  /**
   * Default: `partial-buffer` after some progress; else `invalid-guest-address` for a plain DECODE_ERROR, and
   * `transaction-failed` for any other bits.
   */
  readonly code?: GuestMemoryErrorCode;
  readonly cause?: unknown;
}

/** A transaction that failed: `completed` of `expected` bytes were transferred before the failure at `addr`. */
export class MemTxError extends GuestMemoryError {
  override readonly name: string = 'MemTxError';
  /** Bits of MemTxResult, never OK. */
  readonly result: MemTxResult;

  /** @param what names the access for the message: `load`, `write`, ... */
  constructor(what: string, result: MemTxResult, detail: MemTxErrorDetail) {
    const { expected, completed } = detail;
    const failed = addressPlus(detail.addr, completed);
    super(
      detail.code ?? defaultCode(result, completed),
      `${what} of ${expected} bytes at ${hex(detail.addr)} failed${completed === 0 ? '' : ` at ${hex(failed)}`}: ` +
        `${memTxResultName(result)} after ${completed} bytes`,
      {
        addr: failed,
        expected,
        completed,
        cause: detail.cause,
      },
    );
    this.result = result;
  }
}

function defaultCode(result: MemTxResult, completed: number): GuestMemoryErrorCode {
  if (completed > 0) return 'partial-buffer';
  return result === MemTxResult.DECODE_ERROR ? 'invalid-guest-address' : 'transaction-failed';
}
