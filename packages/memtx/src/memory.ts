/**
 * What a memory that carries attributes implements: four primitives, from which views, the DataView look-alike and both
 * error vocabularies are made. Give a primitive a MemTx and it tells the outcome there; give it null and it throws a
 * MemTxError at the first failure. A guest's mistake is never an exception in the first form. D4, D5, A-276.
 */
import type { Codec, GuestAddress, Ordering, ScalarCodec } from '@guestmem/vm-memory';
import type { MemTxAttrs } from './attrs.ts';
import type { MemTx } from './mem-tx.ts';

/** `continue`: go on after a failed part and OR the results, as QEMU does. `stop`: end at the first failure. */
export type OnError = 'continue' | 'stop';

/**
 * The primitives. Addresses are checked by the callee: a bad one is a RangeError or TypeError in both forms. A `tx` is
 * written once, at the end of the transaction (its `result` and `done`), on every path that returns.
 */
export interface TxMemory {
  /**
   * One load of `codec.size` bytes, never split between regions.
   *
   * @param tx its `result` is set on every path, `done` to the size or 0; null: throws MemTxError unless the result is OK.
   * @param ordering with one, the load is atomic where it meets RAM and must be aligned there; devices ignore it.
   * @returns the value; what the device gave (0 where refused) when the result is not OK.
   */
  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T;
  /** One store of `codec.size` bytes, never split between regions. `tx` and `ordering` as for `txLoad`. */
  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void;
  /**
   * Fills `buf` from `addr` on, split as devices need it; nothing to do is OK at any address. With `tx` null `onError` is
   * `stop`. Sets `tx.result` and `tx.done`.
   */
  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void;
  /** Writes `buf` from `addr` on. As `txRead`. */
  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void;
  /**
   * Optional, for speed only: the object at `addr` when all its bytes are in plain memory that `txRead` would copy them
   * from whatever the attributes, else NOT_DIRECT (also for an address it does not understand), and nothing has happened. Not
   * asked with `memory`, for which a ROM device is none.
   */
  txReadDirect?<T>(addr: GuestAddress, codec: Codec<T>): T | typeof NOT_DIRECT;
  /** Optional, for speed only: as `txReadDirect`, for `txWrite`. @returns was it written? */
  txWriteDirect?<T>(addr: GuestAddress, codec: Codec<T>, value: T): boolean;
}

/** What `txReadDirect` answers when there is no short way. */
export const NOT_DIRECT: unique symbol = /* @__PURE__ */ Symbol('not direct');
