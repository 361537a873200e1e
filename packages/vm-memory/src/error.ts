/** The one error class for what a guest memory refuses. Wrong kinds of argument are TypeError, out-of-range values RangeError. V-1.8, D10. */
import type { GuestAddress } from './address.ts';

/** Why. The names are vm-memory's `Error` variants in kebab-case. */
export type GuestMemoryErrorCode =
  | 'invalid-guest-address'
  | 'invalid-backend-address'
  | 'partial-buffer'
  | 'io-error'
  | 'host-address-not-available'
  | 'callback-out-of-range'
  | 'guest-address-overflow'
  | 'misaligned'
  | 'iommu-error'
  /** The transaction itself failed (memtx's MemTxError carries the result bits). */
  | 'transaction-failed';

/** What an error tells beside its code and message. */
export interface GuestMemoryErrorDetail {
  /** First address that failed. */
  readonly addr?: GuestAddress;
  /** Bytes that were asked for. */
  readonly expected?: number;
  /** Bytes that were transferred before the failure. */
  readonly completed?: number;
  readonly cause?: unknown;
}

/** A request that guest memory cannot do. Tells cause and progress together, which vm-memory's errors do not. */
export class GuestMemoryError extends Error {
  override readonly name: string = 'GuestMemoryError';
  readonly code: GuestMemoryErrorCode;
  readonly addr: GuestAddress | undefined;
  readonly expected: number | undefined;
  readonly completed: number | undefined;

  constructor(code: GuestMemoryErrorCode, message: string, detail: GuestMemoryErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.addr = detail.addr;
    this.expected = detail.expected;
    this.completed = detail.completed;
  }
}
