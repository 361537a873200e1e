/** Makes bound views: of plain memory, or of any other TxMemory. */
import { shown } from '@guestmem/vm-memory';
import type { MemTxViewOptions, ReportingOptions } from './access-options.ts';
import { AttributedMemory } from './attributed.ts';
import { MEMTXATTRS_UNSPECIFIED } from './attrs.ts';
import type { TxMemory } from './memory.ts';
import { PlainMemTxView } from './plain-view.ts';
import { MemTxView, type ReportingMemTxView } from './view.ts';
import { type BoundOptions, bind } from './view-call.ts';

/**
 * A view on `memory`: attributes UNSPECIFIED, no order, failures thrown, and then what `options` say. This is what the
 * `with` of a memory is.
 *
 * @throws {TypeError} `memory` is none, or plain memory: that goes through `attributed`.
 */
export function memTxView(memory: TxMemory, options: ReportingOptions): ReportingMemTxView;
/** A view on `memory`, as above. */
export function memTxView(memory: TxMemory, options?: MemTxViewOptions): MemTxView;
export function memTxView(memory: TxMemory, options: MemTxViewOptions = {}): MemTxView {
  if (typeof (memory as Partial<TxMemory> | null | undefined)?.txLoad !== 'function')
    throw new TypeError(
      `a view looks at a TxMemory, such as an address space, not ${shown(memory)}; of plain memory make one by attributed(memory)`,
    );
  const bound = bind(UNBOUND, options);
  if (memory instanceof AttributedMemory) return new PlainMemTxView(memory, bound);
  return new MemTxView(memory, bound.attrs, bound.native, bound.onError, bound.tx);
}

/** What a view has before anything is said. */
export const UNBOUND: BoundOptions = { attrs: MEMTXATTRS_UNSPECIFIED, native: null, onError: 'stop', tx: null };
