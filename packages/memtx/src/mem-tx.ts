/** Where a transaction's outcome goes: an object that the caller owns, so that no access allocates one.. */
import { MemTxResult } from './result.ts';

/**
 * The outcome of the last transaction that was given this object. Make one per requester and pass it again and again. It
 * is written once, when the transaction ends: one that begins and ends inside a device's callback, with the same object,
 * does not disturb the transaction that the callback belongs to.
 */
export class MemTx {
  /** Bits of MemTxResult, OR-ed over all parts of the access. */
  result: MemTxResult = MemTxResult.OK;
  /** Bytes transferred before the first failure; all of them when `result` is OK. */
  done = 0;
}
