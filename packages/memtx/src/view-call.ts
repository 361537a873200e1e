/** How the last argument of an access goes together with what its view binds. Warm: nothing here allocates but the merging of attributes given as fields. */
import type { GuestAddress, ScalarCodec } from '@guestmem/vm-memory';
import type { Access, AccessOptions, MemTxViewOptions, ShortAccess } from './access-options.ts';
import { MemTxAttrs, mergeMemTxAttrs } from './attrs.ts';
import { u8 } from './codecs.ts';
import { refuseAnotherCopy } from './internal/another-copy.ts';
import { MemTx } from './mem-tx.ts';
import type { OnError } from './memory.ts';
import { type NativeCodecs, nativeCodecs } from './native.ts';
import type { MemTxView } from './view.ts';

/** `view.load` with a last argument. */
export function loadAs<T>(view: MemTxView, addr: GuestAddress, codec: ScalarCodec<T>, access: Access): T {
  const { memory } = view;
  if (access instanceof MemTxAttrs) return memory.txLoad(addr, codec, access, view.tx);
  if (access instanceof MemTx) return memory.txLoad(addr, codec, view.attrs, access);
  if (typeof access === 'number') return memory.txLoad(addr, codec, view.attrs, view.tx, access);
  const { tx } = access;
  return memory.txLoad(addr, codec, merged(view, access), tx === undefined ? view.tx : checkTx(tx), access.ordering);
}

/** `view.store` with a last argument. */
export function storeAs<T>(view: MemTxView, addr: GuestAddress, codec: ScalarCodec<T>, value: T, access: Access): void {
  const { memory } = view;
  if (access instanceof MemTxAttrs) memory.txStore(addr, codec, value, access, view.tx);
  else if (access instanceof MemTx) memory.txStore(addr, codec, value, view.attrs, access);
  else if (typeof access === 'number') memory.txStore(addr, codec, value, view.attrs, view.tx, access);
  else {
    const { tx, ordering } = access;
    memory.txStore(addr, codec, value, merged(view, access), tx === undefined ? view.tx : checkTx(tx), ordering);
  }
}

/** The codecs of the short names in a call that names no order. @throws {TypeError} the view has none either. */
export function boundCodecs(view: MemTxView): NativeCodecs {
  if (view.native === null)
    throw new TypeError(
      "this view has no byte order: make one with({ order: 'little' }), or use load and store with le32, be16, ...",
    );
  return view.native;
}

/** The codecs of the short names in a call with a last argument. @throws {TypeError} neither it nor the view names an order. */
export function shortCodecs(view: MemTxView, access: ShortAccess): NativeCodecs {
  if (typeof access === 'string') return nativeCodecs(access);
  if (typeof access === 'object' && 'order' in access && access.order !== undefined) return nativeCodecs(access.order);
  return boundCodecs(view);
}

/** The codec of bytes: no order changes it, but one that is none is refused. @throws {TypeError} */
export function byteCodec(access: ShortAccess): ScalarCodec<number> {
  const order = typeof access === 'object' && 'order' in access ? access.order : access;
  return typeof order === 'string' ? nativeCodecs(order).u8 : u8;
}

/** A load by a short name with a last argument. */
export function loadShort<T>(view: MemTxView, addr: GuestAddress, codec: ScalarCodec<T>, access: ShortAccess): T {
  return typeof access === 'string'
    ? view.memory.txLoad(addr, codec, view.attrs, view.tx)
    : loadAs(view, addr, codec, access);
}

/** A store by a short name with a last argument. */
export function storeShort<T>(
  view: MemTxView,
  addr: GuestAddress,
  codec: ScalarCodec<T>,
  value: T,
  access: ShortAccess,
): void {
  if (typeof access === 'string') view.memory.txStore(addr, codec, value, view.attrs, view.tx);
  else storeAs(view, addr, codec, value, access);
}

/** The attributes of a call. */
export function attrsOf(view: MemTxView, access: Access | undefined): MemTxAttrs {
  if (access === undefined || typeof access === 'number' || access instanceof MemTx) return view.attrs;
  if (access instanceof MemTxAttrs) return access;
  return merged(view, access);
}

function merged(view: MemTxView, access: AccessOptions): MemTxAttrs {
  return mergeMemTxAttrs(access.attrs ?? view.attrs, access);
}

/** Where the outcome of a call goes; null: throw. */
export function txOf(view: MemTxView, access: Access | undefined): MemTx | null {
  if (access === undefined || typeof access === 'number' || access instanceof MemTxAttrs) return view.tx;
  if (access instanceof MemTx) return access;
  return access.tx === undefined ? view.tx : checkTx(access.tx);
}

/** What a call does after a failure, given where its outcome goes. */
export function policyOf(view: MemTxView, access: Access | undefined, tx: MemTx | null): OnError {
  const said = typeof access === 'object' && 'onError' in access ? access.onError : undefined;
  if (said === undefined) return tx === null ? 'stop' : view.onError;
  return checkPolicy(said, tx);
}

/** What `view.with(options)` binds. */
export function bind(view: BoundOptions, options: MemTxViewOptions): BoundOptions {
  const attrs = mergeMemTxAttrs(options.attrs ?? view.attrs, options);
  const onError = options.onError ?? view.onError;
  let tx = options.tx === undefined ? view.tx : checkTx(options.tx);
  if (tx === null && onError === 'continue' && options.tx === undefined) tx = new MemTx();
  return {
    attrs,
    native: options.order === undefined ? view.native : nativeCodecs(options.order),
    onError: checkPolicy(onError, tx),
    tx,
  };
}

/** Everything a view binds. */
export interface BoundOptions {
  readonly attrs: MemTxAttrs;
  readonly native: NativeCodecs | null;
  readonly onError: OnError;
  readonly tx: MemTx | null;
}

function checkTx(tx: MemTx | null): MemTx | null {
  if (tx === null || tx instanceof MemTx) return tx;
  if (typeof tx === 'object') refuseAnotherCopy(tx);
  throw new TypeError(`tx must be a MemTx or null, not ${typeof tx}`);
}

function checkPolicy(onError: OnError, tx: MemTx | null): OnError {
  if (onError === 'stop') return onError;
  if (onError !== 'continue') throw new TypeError(`onError must be 'continue' or 'stop', not ${String(onError)}`);
  if (tx === null) throw new TypeError("onError 'continue' needs a place for the result: give a tx, a MemTx of yours");
  return onError;
}
