/**
 * What the DataView look-alike does when one load or store was refused. A DataView knows no regions, so a value over the
 * end of one is moved as bytes, in the steps of a transfer. Only a DECODE_ERROR leads there: a refused access has had no
 * effect. A device that itself answers DECODE_ERROR is therefore asked a second time.
 */
import type { GuestAddress, ScalarCodec } from '@guestmem/vm-memory';
import { MemTxError } from './error.ts';
import type { MemTx } from './mem-tx.ts';
import { MemTxResult } from './result.ts';
import type { MemTxView } from './view.ts';

/** @param value what the refused load gave. @throws {MemTxError} where the view has no MemTx. */
export function loadParsed<T>(view: MemTxView, addr: GuestAddress, codec: ScalarCodec<T>, tx: MemTx, value: T): T {
  const { size } = codec;
  if (size === 1 || tx.result !== MemTxResult.DECODE_ERROR) {
    throwUnlessTold('load', view, addr, size, tx);
    return value;
  }
  const buffer = view.scratch.borrow(size);
  try {
    buffer.bytes.fill(0);
    view.memory.txRead(addr, buffer.bytes, view.attrs, view.onError, tx);
    throwUnlessTold('load', view, addr, size, tx);
    return codec.get(buffer.view, 0);
  } finally {
    view.scratch.giveBack(buffer);
  }
}

/** As `loadParsed`. */
export function storeParsed<T>(view: MemTxView, addr: GuestAddress, codec: ScalarCodec<T>, value: T, tx: MemTx): void {
  const { size } = codec;
  if (size > 1 && tx.result === MemTxResult.DECODE_ERROR) {
    const buffer = view.scratch.borrow(size);
    try {
      codec.set(buffer.view, 0, value);
      view.memory.txWrite(addr, buffer.bytes, view.attrs, view.onError, tx);
    } finally {
      view.scratch.giveBack(buffer);
    }
  }
  throwUnlessTold('store', view, addr, size, tx);
}

function throwUnlessTold(what: string, view: MemTxView, addr: GuestAddress, expected: number, tx: MemTx): void {
  const { result, done } = tx;
  if (view.tx === null && result !== MemTxResult.OK)
    throw new MemTxError(what, result, { addr, expected, completed: done });
}
