export type { MemTxAttrsFields } from './attrs.ts';
export { MemTxAttrs } from './attrs.ts';
export { MemTxError } from './error.ts';
export { MemTx } from './mem-tx.ts';
export type { OnError, TxMemory } from './memory.ts';
export { MemTxResult, memTxResultName } from './result.ts';
