/**
 * Gives a plain guest memory the primitives of TxMemory. Plain memory has no use for attributes, so they go no further;
 * its errors become results. Hot: txLoad and txStore add a handler and nothing else to the memory's own load and store.
 */
import {
  type Codec,
  checkBuffer,
  checkMoved,
  type GuestAddress,
  type GuestMemory,
  GuestMemoryError,
  type Ordering,
  Permissions,
  type ScalarCodec,
} from '@guestmem/vm-memory';
import type { MemTxAttrs } from './attrs.ts';
import { MemTxError } from './error.ts';
import { addressPlus } from './internal/address-plus.ts';
import type { MemTx } from './mem-tx.ts';
import { NOT_DIRECT, type OnError, type TxMemory } from './memory.ts';
import { MemTxResult } from './result.ts';

/**
 * `memory` as a TxMemory; keeps a reference, and sees what the memory sees. One that is a TxMemory, as an address space is, is the
 * answer itself: it takes the attributes, and knows after a failure what was done.
 */
export function attributed(memory: GuestMemory | TxMemory): TxMemory {
  return 'txLoad' in memory ? memory : new AttributedMemory(memory);
}

/** A local copy: V8 folds it into the code, but not an imported binding. */
const OK = MemTxResult.OK;

/** See `attributed`. Not exported by name. */
export class AttributedMemory implements TxMemory {
  /** Not `#memory`: V8 treats a private name as mutable, and this one is read on every access (5.3 against 4.9 ns, Node 20). */
  readonly memory: GuestMemory;

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  txLoad<T>(addr: GuestAddress, codec: ScalarCodec<T>, _attrs: MemTxAttrs, tx: MemTx | null, ordering?: Ordering): T {
    let value: T;
    try {
      value = this.memory.load(addr, codec, ordering);
    } catch (error) {
      settle('load', addr, codec.size, tx, error);
      return codec.get(ZEROS, 0);
    }
    if (tx !== null) {
      tx.result = OK;
      tx.done = codec.size;
    }
    return value;
  }

  txStore<T>(
    addr: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    _attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering?: Ordering,
  ): void {
    try {
      this.memory.store(addr, codec, value, ordering);
    } catch (error) {
      settle('store', addr, codec.size, tx, error);
      return;
    }
    if (tx !== null) {
      tx.result = OK;
      tx.done = codec.size;
    }
  }

  txRead(addr: GuestAddress, buf: Uint8Array, _attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.#transfer('read', addr, buf, tx === null ? 'stop' : onError, tx);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, _attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    this.#transfer('write', addr, buf, tx === null ? 'stop' : onError, tx);
  }

  txReadDirect<T>(addr: GuestAddress, codec: Codec<T>): T | typeof NOT_DIRECT {
    try {
      return this.memory.readObj(addr, codec);
    } catch (error) {
      if (error instanceof GuestMemoryError) return NOT_DIRECT;
      throw error;
    }
  }

  /** What a failed write has changed, the long way changes again, to the same bytes. */
  txWriteDirect<T>(addr: GuestAddress, codec: Codec<T>, value: T): boolean {
    try {
      this.memory.writeObj(addr, codec, value);
      return true;
    } catch (error) {
      if (error instanceof GuestMemoryError) return false;
      throw error;
    }
  }

  #transfer(what: 'read' | 'write', addr: GuestAddress, buf: Uint8Array, onError: OnError, tx: MemTx | null): void {
    checkBuffer(buf);
    const access = what === 'read' ? Permissions.READ : Permissions.WRITE;
    let result: MemTxResult = MemTxResult.OK;
    let done = 0;
    let at = 0;
    let end = buf.length; // Of what is asked for next.
    let cause: unknown;
    do {
      const part = at === 0 && end === buf.length ? buf : buf.subarray(at, end);
      const here = addressPlus(addr, at);
      let moved = 0;
      let bits: MemTxResult = MemTxResult.OK;
      try {
        const answer = what === 'read' ? this.memory.read(part, here) : this.memory.write(part, here);
        moved = checkMoved(answer, part.length, `the ${what} of the memory`, here);
        // A short count does not tell why. Going on from there does.
        if (moved === 0 && part.length > 0) bits = MemTxResult.DECODE_ERROR;
      } catch (error) {
        bits = resultOf(error);
        cause ??= error;
        const completed = (error as GuestMemoryError).completed ?? 0;
        moved = Number.isInteger(completed) && completed >= 0 && completed <= part.length ? completed : 0;
      }
      if (result === MemTxResult.OK) done += moved;
      at += moved;
      if (bits !== MemTxResult.OK) {
        // Behind an IOMMU it is all or nothing (V-1.12), so the answer need not be that of the first byte.
        const alike = onError === 'stop' ? end - at : this.#alike(addr, at, end, access);
        if (alike < end - at) {
          end = at + alike;
          continue;
        }
        result = (result | bits) >>> 0;
        if (onError === 'stop') break;
        if (what === 'read') buf.fill(0, at, end);
        at = end;
      }
      end = buf.length;
    } while (at < buf.length);
    if (tx === null && result !== MemTxResult.OK)
      throw new MemTxError(what, result, { addr, expected: buf.length, completed: done, cause });
    if (tx !== null) {
      tx.result = result;
      tx.done = done;
    }
  }

  /** Bytes from `at` on, 1 to `end - at`, that are to be asked for by themselves: all there, or all refused for one reason. */
  #alike(addr: GuestAddress, at: number, end: number, access: Permissions): number {
    const first = this.#obstacle(addressPlus(addr, at), access);
    if (first === Obstacle.NONE) {
      const open = this.#open(addressPlus(addr, at), end - at, access);
      return open === end - at ? 1 : Math.max(open, 1); // All there, and it has failed: byte by byte.
    }
    let past = at + 1;
    while (past < end && this.#obstacle(addressPlus(addr, past), access) === first) past++;
    return past - at;
  }

  #obstacle(addr: GuestAddress, access: Permissions): Obstacle {
    const { memory } = this;
    if (memory.checkRange(addr, 1, access)) return Obstacle.NONE;
    if (memory.checkRange(addr, 1, Permissions.NO)) return this.#refusal(addr, access);
    // A region whose `Bytes` is its own may have no host memory that could be checked.
    return memory.physicalMemory()?.addressInRange(addr) === true ? Obstacle.NONE : Obstacle.MISSING;
  }

  /** Who denies `access` to a byte that is there: the region, or the translation in front of it, which is told as a miss is. */
  #refusal(addr: GuestAddress, access: Permissions): Obstacle {
    if (this.memory.physicalMemory() !== undefined) return Obstacle.DENIED;
    try {
      this.memory.getSlices(addr, 1, access).next();
    } catch (error) {
      if (resultOf(error) !== MemTxResult.ACCESS_ERROR) return Obstacle.MISSING;
    }
    return Obstacle.DENIED;
  }

  /** Bytes from `addr` on, 0 to `most`, that are all there: looked for by halves, as each question may be a translation. */
  #open(addr: GuestAddress, most: number, access: Permissions): number {
    let there = 0;
    for (let over = most + 1; over - there > 1; ) {
      const length = there + Math.floor((over - there) / 2);
      if (this.memory.checkRange(addr, length, access)) there = length;
      else over = length;
    }
    return there;
  }
}

/** What is known to stand in the way of one byte. */
const Obstacle = { NONE: 0, DENIED: 1, MISSING: 2 } as const;
type Obstacle = (typeof Obstacle)[keyof typeof Obstacle];

/** What a refused load decodes. Never written. */
export const ZEROS: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/**
 * Turns what a scalar access threw into a result, or where `tx` is null into a MemTxError; what is not the guest's doing is
 * thrown on. That it answers nothing is on purpose: a handler that returns an answer of another function's costs 0.35 ns per
 * load that has no failure (Node 26).
 */
export function settle(what: string, addr: GuestAddress, expected: number, tx: MemTx | null, error: unknown): void {
  const result = resultOf(error);
  if (tx === null) {
    const code = (error as GuestMemoryError).code;
    throw new MemTxError(what, result, { addr, expected, completed: 0, code, cause: error });
  }
  tx.result = result;
  tx.done = 0;
}

/** The bits for an error of plain memory. @throws what is no GuestMemoryError: a bad argument is the program's mistake. */
function resultOf(error: unknown): MemTxResult {
  if (!(error instanceof GuestMemoryError)) throw error;
  if (error instanceof MemTxError) return error.result;
  switch (error.code) {
    case 'permission-denied':
      return MemTxResult.ACCESS_ERROR;
    case 'io-error':
    case 'callback-out-of-range':
      return MemTxResult.ERROR;
    default:
      return MemTxResult.DECODE_ERROR;
  }
}
