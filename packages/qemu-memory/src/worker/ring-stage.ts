/**
 * What one entry of the ring has collected of a transaction, or still has to give away: a long transfer travels in pieces
 * through a payload that holds one of them. Lives in the owner and ends with the transaction: the next one of the entry,
 * of whichever caller, begins with nothing. A-60.
 */
import type { MemTxAttrsFields } from '@guestmem/memtx';

const NO_BYTES = new Uint8Array(0);

/** Of one entry. */
export class RingStage {
  /** Attribute fields that the program added; they came first. */
  own: MemTxAttrsFields | null = null;
  #bytes: Uint8Array = NO_BYTES;
  /** How much has arrived, or has been given. */
  #at = 0;
  /** Takes back what is given away, until it has arrived whole. */
  #undo: (() => void) | null = null;

  /** Forgets the transaction before: its caller may have given up between two pieces. */
  clear(): void {
    this.#undo?.();
    this.#undo = null;
    this.own = null;
    this.#bytes = NO_BYTES;
    this.#at = 0;
  }

  /** Adds a piece of `len` bytes in all. @returns whether it was the last. @throws {RangeError} more than `len`. */
  collect(piece: Uint8Array, len: number): boolean {
    if (this.#bytes.length !== len) this.#bytes = new Uint8Array(len);
    this.#bytes.set(piece, this.#at);
    this.#at += piece.length;
    return this.#at === len;
  }

  /** What was collected, which the stage then no longer has. */
  take(): Uint8Array {
    const bytes = this.#bytes;
    this.#bytes = NO_BYTES;
    this.#at = 0;
    return bytes;
  }

  /** `bytes` are to be given away. @param undo is called if the caller does not get them all. */
  offer(bytes: Uint8Array, undo: (() => void) | null = null): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#undo = undo;
  }

  /** What was given last is in the caller's hands. */
  given(): void {
    if (!this.hasMore) this.#undo = null;
  }

  /** Puts the next piece into `payload`. @returns its length. */
  give(payload: Uint8Array): number {
    const piece = this.#bytes.subarray(this.#at, this.#at + payload.length);
    payload.set(piece);
    this.#at += piece.length;
    if (!this.hasMore) this.take();
    return piece.length;
  }

  /** Is there more to give? */
  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }
}
