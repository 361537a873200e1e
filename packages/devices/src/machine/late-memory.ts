/** A memory that is known later: devices are made while the tree that becomes their address space is being built. */
import type { MemTx, MemTxAttrs, OnError, TxMemory } from '@guestmem/memtx';
import type { GuestAddress, ScalarCodec } from '@guestmem/vm-memory';

/** Passes every access on to the memory that was set. */
export class LateMemory implements TxMemory {
  #memory: TxMemory | null = null;

  /** Sets the memory, once the tree is built. */
  bind(memory: TxMemory): void {
    this.#memory = memory;
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null): T {
    return this.#bound().txLoad(addr, codec, attrs, tx);
  }
  txStore<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, attrs: MemTxAttrs, tx: MemTx | null): void {
    this.#bound().txStore(addr, codec, value, attrs, tx);
  }
  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.#bound().txRead(addr, buf, attrs, onError, tx);
  }
  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.#bound().txWrite(addr, buf, attrs, onError, tx);
  }

  #bound(): TxMemory {
    if (this.#memory === null) throw new Error('a device used its memory before the machine was built');
    return this.#memory;
  }
}
