/**
 * Scalar accesses of memory of another agent that met no open window: through the table, or the owner; and what the transfers
 * of attached-access.ts share with them: the section, the owner's answer, dirty marks..
 */
import { MEMTXATTRS_UNSPECIFIED, type MemTx, type MemTxAttrs, MemTxResult } from '@guestmem/memtx';
import { type GuestAddress, type Ordering, type ScalarCodec, toAddress } from '@guestmem/vm-memory';
import { atomicLoad, atomicStore, misaligned } from '../access/atomic.ts';
import { codecFlags } from './codec-of.ts';
import { DirectScalars } from './direct-scalars.ts';
import type { RingClient } from './ring-client.ts';
import { Op, ORDERING_SHIFT, THROW } from './ring-layout.ts';
import type { TableReader } from './table-reader.ts';
import type { Window } from './window.ts';

/** The scalar half of AttachedAccess. */
export abstract class AttachedScalars extends DirectScalars {
  /** @internal */
  protected readonly reader: TableReader;
  /** @internal */
  protected readonly client: RingClient;
  /** @internal May windows be kept from one access to the next? */
  protected keeps = false;
  /** @internal */
  protected readonly scratch: DataView = new DataView(new ArrayBuffer(8));
  /** @internal Its first n bytes, for n of 0 to 8. */
  protected readonly scratches: readonly Uint8Array[];

  /** @hideconstructor */
  constructor(reader: TableReader, client: RingClient) {
    super();
    this.reader = reader;
    this.client = client;
    this.scratches = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((size) => new Uint8Array(this.scratch.buffer, 0, size));
  }

  /** @internal From here to `leave` nothing that the table shows is reclaimed. */
  protected abstract enter(): void;
  /** @internal */
  protected abstract leave(): void;
  /** @internal As `enter`, also against what a callback does that runs before `release`. */
  abstract hold(): void;
  /** @internal */
  abstract release(): void;
  /** @internal Asks the owner; `client.result` and `client.done` are the outcome. */
  protected abstract forward(
    op: number,
    addr: GuestAddress,
    attrs: MemTxAttrs,
    flags: number,
    input?: Uint8Array,
    output?: Uint8Array,
    total?: number,
  ): void;
  /** @internal For tests of the tests. */
  protected dawdle(): void {}

  /** @internal The bytes are in place: marks them dirty. */
  wrote(window: Window, at: number, len: number): void {
    if (len > 0 && window.dirtyMask !== 0 && window.markDirty(at, len)) this.codeChanged(window, at, len);
  }

  /** @internal */
  protected override codeChanged(window: Window, at: number, len: number): void {
    this.hold(); // The block stays known until the owner has looked.
    try {
      this.forward(Op.CODE, window.blockOffset + at, MEMTXATTRS_UNSPECIFIED, window.block, undefined, undefined, len);
    } finally {
      this.release();
    }
  }

  /** @internal */
  protected override loadSlow<T>(
    where: GuestAddress,
    codec: ScalarCodec<T>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): DataView {
    const addr = toAddress(where);
    const { size } = codec;
    if (typeof addr === 'number') {
      this.enter();
      try {
        const window = this.reader.window(addr);
        if (window !== null && addr - window.first + size <= window.loadLen) {
          if (this.keeps) this.openWindow(window, this.reader.windows);
          let { view } = window;
          let found = addr - window.first;
          if (ordering !== undefined || !this.keeps) {
            // Taken now: the bytes may be reclaimed as soon as this is left.
            if (ordering === undefined) copyScalar(this.scratch, view, found, size);
            else if (!atomicLoad(window.bytes, found, size, ordering, this.scratch))
              return this.#misaligned(tx, addr, size);
            view = this.scratch;
            found = 0;
          }
          // Before it says OK: a codec may refuse what is there.
          if (tx !== null) codec.get(view, found);
          tell(tx, MemTxResult.OK, size);
          this.found = found;
          return view;
        }
      } finally {
        this.leave();
      }
    }
    this.ask(tx, Op.LOAD, addr, attrs, scalarFlags(codec, tx, ordering), undefined, this.scratches[size]!);
    this.found = 0;
    return this.scratch;
  }

  /** @internal */
  protected override storeSlow<T>(
    where: GuestAddress,
    codec: ScalarCodec<T>,
    value: T,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): void {
    const addr = toAddress(where);
    const { size } = codec;
    if (typeof addr === 'number') {
      this.enter();
      try {
        const window = this.reader.window(addr);
        if (window !== null && addr - window.first + size <= window.storeLen) {
          if (this.keeps) this.openWindow(window, this.reader.windows);
          const at = addr - window.first;
          if (ordering === undefined) codec.set(window.view, at, value);
          else if (!atomicStore(window.bytes, at, codec, value, ordering, this.scratch)) {
            this.#misaligned(tx, addr, size);
            return;
          }
          this.wrote(window, at, size);
          tell(tx, MemTxResult.OK, size);
          return;
        }
      } finally {
        this.leave();
      }
    }
    codec.set(this.scratch, 0, value);
    this.ask(tx, Op.STORE, addr, attrs, scalarFlags(codec, tx, ordering), this.scratches[size]!);
  }

  /** An atomic access that is not aligned: an outcome, with a place for it. @returns zeros, at `found`. */
  #misaligned(tx: MemTx | null, addr: GuestAddress, size: number): DataView {
    if (tx === null) throw misaligned(addr, size);
    tell(tx, MemTxResult.DECODE_ERROR, 0);
    this.scratch.setFloat64(0, 0);
    this.found = 0;
    return this.scratch;
  }

  /** @internal `forward`, and tells the caller's MemTx what became of it: also when it threw, as far as it had got. */
  protected ask(
    tx: MemTx | null,
    op: number,
    addr: GuestAddress,
    attrs: MemTxAttrs,
    flags: number,
    input?: Uint8Array,
    output?: Uint8Array,
    total?: number,
  ): void {
    const { client } = this;
    try {
      this.forward(op, addr, attrs, flags, input, output, total);
    } catch (error) {
      if (client.threwTold) tell(tx, client.result, client.done);
      throw error;
    }
    tell(tx, client.result, client.done);
  }
}

/** Writes an outcome, if there is a place for it. */
export function tell(tx: MemTx | null, result: number, done: number): void {
  if (tx === null) return;
  tx.result = result;
  tx.done = done;
}

/** What is no ordering at all is sent as one that nobody takes, so that the owner refuses it. */
export function scalarFlags<T>(codec: ScalarCodec<T>, tx: MemTx | null, ordering: Ordering | undefined): number {
  const order =
    ordering === undefined ? 0 : ordering >= 1 && ordering <= 5 && Number.isInteger(ordering) ? ordering : 15;
  return codecFlags(codec) | (tx === null ? THROW : 0) | (order << ORDERING_SHIFT);
}

/** One load of `size` bytes at `from` of `view`. */
function copyScalar(scratch: DataView, view: DataView, from: number, size: number): void {
  if (size === 4) scratch.setInt32(0, view.getInt32(from));
  else if (size === 1) scratch.setInt8(0, view.getInt8(from));
  else if (size === 2) scratch.setInt16(0, view.getInt16(from));
  else scratch.setBigInt64(0, view.getBigInt64(from));
}
