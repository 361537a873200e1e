/** The typed error of the vm-memory-like vocabulary: cause, address, progress and the result bits together. A-276. */

import type { GuestAddress, GuestMemoryErrorCode } from '@guestmem/vm-memory';
import { GuestMemoryError, hex } from '@guestmem/vm-memory';
import { type MemTxResult, memTxResultName } from './result.ts';

/** A transaction that failed. `completed` bytes were transferred before the failure at `addr`. */
export class MemTxError extends GuestMemoryError {
  override readonly name: string = 'MemTxError';
  /** Bits of MemTxResult, never OK. */
  readonly result: MemTxResult;

  constructor(
    what: string,
    result: MemTxResult,
    detail: {
      readonly addr: GuestAddress;
      readonly expected: number;
      readonly completed: number;
      readonly code?: GuestMemoryErrorCode;
      readonly cause?: unknown;
    },
  ) {
    const { addr, expected, completed } = detail;
    super(
      detail.code ?? 'transaction-failed',
      `${what} of ${expected} bytes at ${hex(addr)} failed: ${memTxResultName(result)} after ${completed} bytes`,
      detail,
    );
    this.result = result;
  }
}
