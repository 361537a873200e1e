/**
 * What must and what must not compile; `tsc` is the test: an error that does not come is an error ("unused
 * '@ts-expect-error' directive"). Nothing here runs.
 */
import {
  attributed,
  be16,
  be32,
  GuestDataView,
  halvesCodec,
  le16f,
  le32,
  le64,
  le64n,
  type MemTx,
  type MemTxAttrs,
  type MemTxView,
  memTxAttrs,
  memTxView,
  mergeMemTxAttrs,
  nativeCodecs,
  pinnedView,
  reorder,
  type TxMemory,
  type U64Halves,
} from '@guestmem/memtx';
import type { Bytes, GuestMemory, GuestMemoryBackend } from '@guestmem/vm-memory';

declare module '@guestmem/memtx' {
  interface MemTxAttrsFields {
    /** RISC-V WorldGuard. */
    worldId?: number;
  }
}

declare const view: MemTxView;
declare const plain: GuestMemory;
declare const backend: GuestMemoryBackend;
declare const attrs: MemTxAttrs;
declare const tx: MemTx;
declare function is<T>(value: T): void;

/** D3: no value without a codec, on a view or on any memory. */
export function noBareNumbers(): void {
  view.store(0x1000, le32, 42);
  // @ts-expect-error a bare number has no size and no order
  view.store(0x1000, 42);
  // @ts-expect-error nor has it as a codec
  view.store(0x1000, 42, 42);
  // @ts-expect-error nothing says what to load
  view.load(0x1000);
  // @ts-expect-error a size is not an order
  view.load(0x1000, 4);
  // @ts-expect-error a name is not a codec
  view.load(0x1000, 'le32');
  // @ts-expect-error on plain memory neither
  plain.store(0x1000, 42);
  // @ts-expect-error nor on a backend
  backend.store(0x1000, 42);
  // @ts-expect-error objects need one as well
  view.writeObj(0x1000, 42);
}

/** The codec's type of value is inferred, both ways. */
export function inferred(): void {
  is<number>(view.load(0x1000, be16));
  is<bigint>(view.load(0x1000, le64));
  is<number>(view.load(0x1000, le64n));
  is<U64Halves>(view.load(0x1000, halvesCodec('big')));
  is<number>(view.readObj(0x1000, le16f));
  is<bigint>(plain.load(0x1000, le64));
  is<number>(view.load(0x1000, nativeCodecs('big').u32));
  is<bigint>(view.ldq(0x1000));
  is<bigint>(reorder(1n, 8, 'little', 'big'));
  is<number>(reorder(1, 4, 'little', 'big'));
  // @ts-expect-error 64 bits are a bigint
  is<number>(view.load(0x1000, le64));
  // @ts-expect-error 32 bits are a number
  is<bigint>(view.load(0x1000, le32));
  // @ts-expect-error a number is not enough for le64
  view.store(0x1000, le64, 42);
  // @ts-expect-error a bigint is too much for be32
  view.store(0x1000, be32, 42n);
  // @ts-expect-error nor does stq take a number
  view.stq(0x1000, 42);
  // @ts-expect-error a number has no 8 bytes
  reorder(1, 8, 'little', 'big');
  // @ts-expect-error strings are no addresses
  view.load('0x1000', le32);
}

/** Attribute names and kinds are checked wherever attributes are given. */
export function attributeNames(): void {
  view.with({ requesterId: 0x20, secure: true, pid: 5 });
  view.load(0x1000, le32, { pid: 5, tx });
  // @ts-expect-error it is requesterId
  view.with({ requesterID: 0x20 });
  // @ts-expect-error it is requesterId
  view.load(0x1000, le32, { requester_id: 0x20 });
  // @ts-expect-error a flag
  view.with({ secure: 1 });
  // @ts-expect-error a number
  memTxAttrs({ pid: true });
  // @ts-expect-error no such field
  mergeMemTxAttrs(attrs, { privileged: true });
  // @ts-expect-error no host order (A-260 g)
  view.with({ order: 'host' });
  // @ts-expect-error two policies only
  view.with({ onError: 'ignore' });
  // @ts-expect-error codecs name their order; only short names take one
  view.load(0x1000, le32, { order: 'big' });
  // @ts-expect-error transfers are not atomic
  view.read(new Uint8Array(4), 0x1000, { ordering: 1 });
  // @ts-expect-error attributes do not change
  attrs.secure = true;
  // @ts-expect-error they are made by memTxAttrs; bits by themselves are none
  is<MemTxAttrs>({ secure: true });
  view.ldl(0x1000, { order: 'big', user: true });
  view.ldl(0x1000, 'big');
  // @ts-expect-error no host order here either
  view.ldl(0x1000, 'host');
  // @ts-expect-error codecs name their order
  view.load(0x1000, le32, 'big');
  view.load(0x1000, le32, attrs);
  view.load(0x1000, le32, tx);
}

/** A view that was given a place for results is known to have one. */
export function reporting(): void {
  is<MemTx>(view.with({ onError: 'continue' }).tx);
  is<MemTx>(view.with({ tx, pid: 5 }).tx);
  // @ts-expect-error a view in general may have none
  is<MemTx>(view.with({ pid: 5 }).tx);
  const reports = view.with({ tx });
  is<MemTx>(reports.with({ pid: 5 }).with({ order: 'big', onError: 'stop' }).tx);
  // @ts-expect-error it is taken away
  is<MemTx>(reports.with({ tx: null }).tx);
  // @ts-expect-error nor if it is taken away
  is<MemTx>(view.with({ tx: null }).tx);
}

/** The set of fields is open: declared above, it is known everywhere, and checked. */
export function ownFields(): void {
  is<number | undefined>(memTxAttrs({ worldId: 3 }).worldId);
  view.with({ worldId: 3 }).load(0x1000, le32, { worldId: 4 });
  // @ts-expect-error declared as a number
  view.with({ worldId: '3' });
}

/** What is made of what. */
export function shapes(): void {
  is<Bytes>(view);
  is<TxMemory>(attributed(plain));
  is<MemTxView>(memTxView(attributed(backend), { order: 'little' }));
  is<MemTxView>(pinnedView({ memory: () => backend }));
  is<DataView>(new GuestDataView(view, 0x1000, 16));
  // @ts-expect-error plain memory carries no attributes: attributed() it
  memTxView(plain);
  // @ts-expect-error a DataView needs a view
  new GuestDataView(plain, 0x1000, 16);
  // @ts-expect-error a window has a length
  new GuestDataView(view, 0x1000);
}
