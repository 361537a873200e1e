/** The one error class for what a guest memory refuses. Wrong kinds of argument are TypeError, out-of-range values RangeError. V-1.8, D10. */
import type { GuestAddress } from './address.ts';

/** Why. The first groups are vm-memory's `Error` variants in kebab-case: of guest memory, of slices; then our own. */
export type GuestMemoryErrorCode =
  /** No region holds the address. */
  | 'invalid-guest-address'
  /** A region holds the address, but the access does not fit into the region or its host memory. */
  | 'invalid-backend-address'
  /** Some bytes were transferred, not all: see `completed` and `cause`. */
  | 'partial-buffer'
  /** A source or sink failed, ended too early or took nothing. */
  | 'io-error'
  /** The region has no host memory, or had it detached. */
  | 'host-address-not-available'
  | 'callback-out-of-range'
  | 'guest-address-overflow'
  /** An atomic access at an offset that is no multiple of its size in the host buffer. */
  | 'misaligned'
  /** `GuestMemoryAtomic`: another writer holds the lock. */
  | 'locked'
  /** `GuestMemoryAtomic`: the guard has published its map, or was disposed of. */
  | 'guard-used'
  | 'iommu-error'
  /** Slices: the offset, or the end, lies past the slice. */
  | 'out-of-bounds'
  /** Slices: offset + length passes 2^64 - 1. */
  | 'overflow'
  /** Slices: an array of so many elements cannot be. */
  | 'too-big'
  /** The region does not permit this access. */
  | 'permission-denied'
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
