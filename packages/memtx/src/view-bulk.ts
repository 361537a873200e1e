/**
 * The many-byte methods of a view: transfers, objects of any size, streams. With no MemTx they end at the first failure
 * and throw with expected and completed; with one they follow the policy and leave result and done there.
 */
import {
  type Codec,
  checkCount,
  checkMoved,
  type GuestAddress,
  GuestMemoryError,
  type ReadVolatile,
  streamFailed,
  toAddress,
  type WriteVolatile,
} from '@guestmem/vm-memory';
import type { BulkAccess } from './access-options.ts';
import { MemTxError } from './error.ts';
import { addressPlus } from './internal/address-plus.ts';
import type { MemTx } from './mem-tx.ts';
import { NOT_DIRECT } from './memory.ts';
import { MemTxResult } from './result.ts';
import type { MemTxView } from './view.ts';
import { attrsOf, policyOf, txOf } from './view-call.ts';

/** `read`: short where memory ends. */
export function readShort(
  view: MemTxView,
  buf: Uint8Array,
  addr: GuestAddress,
  access: BulkAccess | undefined,
): number {
  const tx = txOf(view, access);
  const into = tx ?? view.scratch.tx;
  view.memory.txRead(addr, buf, attrsOf(view, access), policyOf(view, access, tx), into);
  return tx === null ? shortOrThrow('read', into, addr, buf.length) : into.done;
}

/** `write`: short where memory ends. */
export function writeShort(
  view: MemTxView,
  buf: Uint8Array,
  addr: GuestAddress,
  access: BulkAccess | undefined,
): number {
  const tx = txOf(view, access);
  const into = tx ?? view.scratch.tx;
  view.memory.txWrite(addr, buf, attrsOf(view, access), policyOf(view, access, tx), into);
  return tx === null ? shortOrThrow('write', into, addr, buf.length) : into.done;
}

/** `readSlice`. */
export function readWhole(view: MemTxView, buf: Uint8Array, addr: GuestAddress, access: BulkAccess | undefined): void {
  const tx = txOf(view, access);
  view.memory.txRead(addr, buf, attrsOf(view, access), policyOf(view, access, tx), tx);
}

/** `writeSlice`. */
export function writeWhole(view: MemTxView, buf: Uint8Array, addr: GuestAddress, access: BulkAccess | undefined): void {
  const tx = txOf(view, access);
  view.memory.txWrite(addr, buf, attrsOf(view, access), policyOf(view, access, tx), tx);
}

/** `readObj`. The codec's `get` must copy what it keeps: the bytes it is shown are used again. */
export function readObject<T>(view: MemTxView, addr: GuestAddress, codec: Codec<T>, access: BulkAccess | undefined): T {
  const isDirect = view.memory.txReadDirect !== undefined && !attrsOf(view, access).memory;
  const value = isDirect ? view.memory.txReadDirect!(addr, codec) : NOT_DIRECT;
  if (value !== NOT_DIRECT) {
    settleDirect(txOf(view, access), codec.size);
    return value;
  }
  const buffer = view.scratch.borrow(codec.size);
  try {
    buffer.bytes.fill(0);
    readWhole(view, buffer.bytes, addr, access);
    return codec.get(buffer.view, 0);
  } finally {
    view.scratch.giveBack(buffer);
  }
}

/** `writeObj`. A value that the codec refuses is refused before anything is written. */
export function writeObject<T>(
  view: MemTxView,
  addr: GuestAddress,
  codec: Codec<T>,
  value: T,
  access: BulkAccess | undefined,
): void {
  if (view.memory.txWriteDirect?.(addr, codec, value) === true) {
    settleDirect(txOf(view, access), codec.size);
    return;
  }
  const buffer = view.scratch.borrow(codec.size);
  try {
    buffer.bytes.fill(0);
    codec.set(buffer.view, 0, value);
    writeWhole(view, buffer.bytes, addr, access);
  } finally {
    view.scratch.giveBack(buffer);
  }
}

function settleDirect(tx: MemTx | null, size: number): void {
  if (tx === null) return;
  tx.result = MemTxResult.OK;
  tx.done = size;
}

/** `readVolatileFrom`. What the source gave and memory did not take is lost, so a short write is a failure, not a short count. */
export function pullFrom(
  view: MemTxView,
  addr: GuestAddress,
  src: ReadVolatile,
  count: number,
  access: BulkAccess | undefined,
): number {
  const chunk = new Uint8Array(Math.min(checkCount(count), CHUNK_BYTES));
  const tx = txOf(view, access);
  if (count === 0) return nothing(addr, tx);
  toAddress(addr); // Before the source is asked.
  let given = 0;
  try {
    given = checkMoved(pulled(src, chunk, addr, count, 0), chunk.length, 'the source', addr);
  } catch (error) {
    settleDirect(tx, 0); // Memory was not asked.
    throw error;
  }
  writeWhole(view, chunk.subarray(0, given), addr, access);
  return tx === null ? given : tx.done;
}

/** `readExactVolatileFrom`. */
export function pullExactly(
  view: MemTxView,
  addr: GuestAddress,
  src: ReadVolatile,
  count: number,
  access: BulkAccess | undefined,
): void {
  const chunk = new Uint8Array(Math.min(checkCount(count), CHUNK_BYTES));
  const run = new Run('write', view, addr, count, access);
  try {
    while (run.wantsMore) {
      const room = chunk.subarray(0, Math.min(chunk.length, count - run.moved));
      const given = checkMoved(pulled(src, room, addr, count, run.done), room.length, 'the source', run.at);
      if (given === 0) run.failSource('the source ended');
      run.write(room.subarray(0, given));
    }
  } catch (error) {
    run.settle();
    throw error;
  }
  run.finish();
}

/** `writeVolatileTo`. The sink is shown only bytes that could be read. */
export function pushTo(
  view: MemTxView,
  addr: GuestAddress,
  dst: WriteVolatile,
  count: number,
  access: BulkAccess | undefined,
): number {
  const chunk = new Uint8Array(Math.min(checkCount(count), CHUNK_BYTES));
  const tx = txOf(view, access);
  if (count === 0) return nothing(addr, tx);
  const got = readShort(view, chunk, addr, access);
  if (got === 0) return 0;
  let moved = 0;
  try {
    moved = checkMoved(pushed(dst, chunk.subarray(0, got), addr, count, 0), got, 'the sink', addr);
  } finally {
    if (tx !== null) tx.done = moved; // What the sink did not take has not been transferred.
  }
  return moved;
}

/** A stream of no bytes: nothing is asked, and the outcome is that of an empty transfer. @throws {TypeError | RangeError} no address. */
function nothing(addr: GuestAddress, tx: MemTx | null): number {
  toAddress(addr);
  settleDirect(tx, 0);
  return 0;
}

/** `writeAllVolatileTo`. */
export function pushAll(
  view: MemTxView,
  addr: GuestAddress,
  dst: WriteVolatile,
  count: number,
  access: BulkAccess | undefined,
): void {
  const chunk = new Uint8Array(Math.min(checkCount(count), CHUNK_BYTES));
  const run = new Run('read', view, addr, count, access);
  try {
    while (run.wantsMore) {
      const room = chunk.subarray(0, Math.min(chunk.length, count - run.moved));
      const start = run.at;
      const got = run.read(room);
      for (let taken = 0; taken < got; ) {
        run.unread = got - taken;
        const rest = room.subarray(taken, got);
        const more = checkMoved(
          pushed(dst, rest, addr, count, run.done),
          rest.length,
          'the sink',
          addressPlus(start, taken),
        );
        if (more === 0) run.failSource('the sink takes no more');
        taken += more;
      }
      run.unread = 0;
    }
  } catch (error) {
    run.settle();
    throw error;
  }
  run.finish();
}

const CHUNK_BYTES = 65_536;

/** A transfer in chunks that ends as one transaction: one result, one count, one error. */
class Run {
  readonly #what: 'read' | 'write';
  readonly #view: MemTxView;
  readonly #addr: GuestAddress;
  readonly #count: number;
  readonly #access: BulkAccess | undefined;
  readonly #tx: MemTx | null;
  #result: MemTxResult = MemTxResult.OK;
  #done = 0;
  /** Bytes gone by, failed ones included. */
  moved = 0;
  /** Of those, at the end: what the sink has not taken yet. */
  unread = 0;

  constructor(
    what: 'read' | 'write',
    view: MemTxView,
    addr: GuestAddress,
    count: number,
    access: BulkAccess | undefined,
  ) {
    this.#what = what;
    this.#view = view;
    this.#addr = toAddress(addr);
    this.#count = count;
    this.#access = access;
    this.#tx = txOf(view, access);
  }

  /** Bytes before the first failure, and before what the sink has not taken. */
  get done(): number {
    return Math.min(this.#done, this.moved - this.unread);
  }

  get at(): GuestAddress {
    return addressPlus(this.#addr, this.moved);
  }

  get wantsMore(): boolean {
    return this.moved < this.#count && (this.#result === MemTxResult.OK || this.#policy === 'continue');
  }

  get #policy(): 'continue' | 'stop' {
    return policyOf(this.#view, this.#access, this.#tx);
  }

  write(bytes: Uint8Array): void {
    const tx = this.#outcome();
    try {
      this.#view.memory.txWrite(this.at, bytes, attrsOf(this.#view, this.#access), this.#policy, tx);
    } catch (error) {
      throw this.#broken(tx, error);
    }
    this.#take(tx, bytes.length);
  }

  /** @returns bytes that the sink shall see: all with `continue`, else those before the failure. */
  read(bytes: Uint8Array): number {
    const tx = this.#outcome();
    bytes.fill(0);
    try {
      this.#view.memory.txRead(this.at, bytes, attrsOf(this.#view, this.#access), this.#policy, tx);
    } catch (error) {
      this.unread = tx.done; // The sink sees none of it.
      throw this.#broken(tx, error);
    }
    const got = this.#policy === 'continue' ? bytes.length : tx.done;
    this.#take(tx, bytes.length);
    return got;
  }

  /** For one transfer, clean: where a device throws it holds what memory has left there, or nothing. */
  #outcome(): MemTx {
    const { tx } = this.#view.scratch;
    tx.result = MemTxResult.OK;
    tx.done = 0;
    return tx;
  }

  /** A device threw `error`. */
  #broken(tx: MemTx, error: unknown): unknown {
    const { done } = tx;
    this.#take(tx, done);
    this.#result = (this.#result | MemTxResult.ERROR) >>> 0;
    return error;
  }

  #take(tx: MemTx, length: number): void {
    if (this.#result === MemTxResult.OK) this.#done += tx.done;
    this.#result = (this.#result | tx.result) >>> 0;
    this.moved += length;
  }

  /** The other end gave up. */
  failSource(why: string): never {
    const completed = this.done;
    throw new GuestMemoryError('io-error', `${why} after ${completed} of ${this.#count} bytes`, {
      addr: addressPlus(this.#addr, completed),
      expected: this.#count,
      completed,
    });
  }

  /** Tells the caller's MemTx how far it came, also where a stream ends by an error. */
  settle(): void {
    if (this.#tx === null) return;
    this.#tx.result = this.#result;
    this.#tx.done = this.done;
  }

  finish(): void {
    if (this.#tx !== null) this.settle();
    else if (this.#result !== MemTxResult.OK) {
      throw new MemTxError(this.#what, this.#result, {
        addr: this.#addr,
        expected: this.#count,
        completed: this.#done,
      });
    }
  }
}

/** vm-memory's short count, where memory ends; any other failure is an error. */
function shortOrThrow(what: string, tx: MemTx, addr: GuestAddress, expected: number): number {
  const { result, done } = tx;
  if (result === MemTxResult.OK || (result === MemTxResult.DECODE_ERROR && done > 0)) return done;
  throw new MemTxError(what, result, { addr, expected, completed: done });
}

/** What the source gave. @throws {GuestMemoryError} `io-error`: it threw. */
function pulled(src: ReadVolatile, into: Uint8Array, addr: GuestAddress, expected: number, completed: number): number {
  try {
    return src.readVolatile(into);
  } catch (cause) {
    throw streamFailed('the source', addressPlus(addr, completed), cause, { expected, completed });
  }
}

/** What the sink took. @throws {GuestMemoryError} `io-error`: it threw. */
function pushed(dst: WriteVolatile, from: Uint8Array, addr: GuestAddress, expected: number, completed: number): number {
  try {
    return dst.writeVolatile(from);
  } catch (cause) {
    throw streamFailed('the sink', addressPlus(addr, completed), cause, { expected, completed });
  }
}
