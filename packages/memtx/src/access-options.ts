/**
 * What a call may say that differs from its view: as the last argument of any access, either one thing by itself (an
 * interned MemTxAttrs, a MemTx, an Ordering) or an object of several. The first three allocate nothing..
 */
import type { ByteOrder, Ordering } from '@guestmem/vm-memory';
import type { MemTxAttrs, MemTxAttrsFields } from './attrs.ts';
import type { MemTx } from './mem-tx.ts';
import type { OnError } from './memory.ts';

/** Attributes (field by field over the view's), where the outcome goes, and what happens after a failure. */
export interface AccessOptions extends MemTxAttrsFields {
  /** Replaces the view's attributes before single fields are put on top; for example those a device was called with. */
  attrs?: MemTxAttrs;
  /** Where the outcome goes; the access then does not throw for the guest. null: throw, although the view has a MemTx. */
  tx?: MemTx | null;
  /** For transfers of many bytes. `continue` needs a `tx`, here or in the view. */
  onError?: OnError;
  /** Makes a load or store atomic where it meets RAM. */
  ordering?: Ordering;
}

/** As AccessOptions, for the short names (`ldl`, `stw`, ...): `order` goes before the view's order. */
export interface ShortAccessOptions extends AccessOptions {
  order?: ByteOrder;
}

/** What a view binds. */
export interface MemTxViewOptions extends MemTxAttrsFields {
  /** Replaces the attributes of the view it is derived from, before single fields are put on top. */
  attrs?: MemTxAttrs;
  /** The order of the short names; codecs name their own. */
  order?: ByteOrder;
  /**
   * `stop` (default): end at the first failure, and throw a MemTxError unless there is a `tx`. `continue`: go on as QEMU
   * does, OR the results into the view's `tx`, return what was read; a MemTx is made where none is given.
   */
  onError?: OnError;
  /** Where outcomes go. Derived views report to the same object until given another. null: throw (`stop` only). */
  tx?: MemTx | null;
}

/** The last argument of an access. */
export type Access = MemTxAttrs | MemTx | Ordering | AccessOptions;

/** The last argument of an access by a short name: as `Access`, or just the byte order of this call. */
export type ShortAccess = ByteOrder | MemTxAttrs | MemTx | Ordering | ShortAccessOptions;

/** The last argument of a transfer of many bytes. */
export type BulkAccess = MemTxAttrs | MemTx | Omit<AccessOptions, 'ordering'>;

/** Options after which a view certainly has a MemTx. */
export type ReportingOptions = MemTxViewOptions & ({ onError: 'continue'; tx?: MemTx } | { tx: MemTx });
