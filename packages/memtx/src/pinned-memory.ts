/**
 * One snapshot of a memory, held until it is given back: what a pinned view and all views derived from it look at, so
 * that giving back the one ends them all. A step in front of the snapshot that V8 inlines away.
 */
import type { Codec, GuestAddress, Ordering, ScalarCodec } from '@guestmem/vm-memory';
import type { MemTxAttrs } from './attrs.ts';
import type { MemTx } from './mem-tx.ts';
import { NOT_DIRECT, type OnError, type TxMemory } from './memory.ts';

/** See the header. */
export class PinnedMemory implements TxMemory {
  /** GONE from the first `dispose` on. */
  private memory: TxMemory;
  private readonly release: () => void;

  /** @param release called by each `dispose`; does its work once. */
  constructor(memory: TxMemory, release: () => void) {
    this.memory = memory;
    this.release = release;
  }

  get disposed(): boolean {
    return this.memory === GONE;
  }

  /** Gives the snapshot back. Again: no effect. */
  dispose(): void {
    this.memory = GONE;
    this.release();
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T {
    return this.memory.txLoad(addr, codec, attrs, tx, ordering);
  }

  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    this.memory.txStore(addr, codec, value, attrs, tx, ordering);
  }

  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.memory.txRead(addr, buf, attrs, onError, tx);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.memory.txWrite(addr, buf, attrs, onError, tx);
  }

  txReadDirect<T>(addr: GuestAddress, codec: Codec<T>): T | typeof NOT_DIRECT {
    const { memory } = this;
    return memory.txReadDirect === undefined ? NOT_DIRECT : memory.txReadDirect(addr, codec);
  }

  txWriteDirect<T>(addr: GuestAddress, codec: Codec<T>, value: T): boolean {
    return this.memory.txWriteDirect?.(addr, codec, value) ?? false;
  }
}

/** What a snapshot is once it was given back: every access is a TypeError, as a DataView throws on a detached buffer. */
const GONE: TxMemory = Object.freeze({ txLoad: gone, txStore: gone, txRead: gone, txWrite: gone });

/** @throws {TypeError} `memory` is a snapshot that was given back. */
export function assertLive(memory: TxMemory): void {
  if (memory instanceof PinnedMemory && memory.disposed) gone();
}

function gone(): never {
  throw new TypeError('the snapshot of this pinned view was given back (dispose); pin the memory again');
}
