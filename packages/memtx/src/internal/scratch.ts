/**
 * What a view keeps between accesses so that it need not allocate: a MemTx for its own questions, and one buffer that
 * objects pass through. The buffer is lent and given back, so an access that a device's callback makes through the same
 * view while the buffer is out gets another one.
 */
import { MemTx } from '../mem-tx.ts';

/** Bytes and a DataView on them. */
export interface ObjectBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Larger objects get a buffer of their own each time. */
const KEPT_BYTES = 4096;

/** See the header. */
export class Scratch {
  /** Read right after the transaction that wrote it, so re-entrance does not matter. */
  readonly tx: MemTx = new MemTx();
  #idle: ObjectBuffer | null = null;

  /** A buffer of exactly `size` bytes with any contents. Give it back. */
  borrow(size: number): ObjectBuffer {
    const idle = this.#idle;
    if (idle !== null && idle.bytes.length === size) {
      this.#idle = null;
      return idle;
    }
    const bytes = new Uint8Array(size);
    return { bytes, view: new DataView(bytes.buffer) };
  }

  /** Takes back what `borrow` gave. */
  giveBack(buffer: ObjectBuffer): void {
    if (buffer.bytes.length <= KEPT_BYTES) this.#idle = buffer;
  }
}
