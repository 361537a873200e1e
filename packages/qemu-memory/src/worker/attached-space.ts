/**
 * An address space of another agent, used from this one: RAM directly, by the table that the owner has published; all
 * else by asking the owner. Same methods, same outcomes as the space itself. The hot half is direct-scalars.ts.
 * D8, issue 7, A-226, A-236, A-238.
 *
 * When is a new view seen? Barrier flavour: by the first access that begins after the commit. Quiescent flavour: at the
 * next `quiescent()`, and after every access that the owner served, so that a vCPU sees the map that its own access changed.
 */
import {
  MEMTXATTRS_UNSPECIFIED,
  type MemTx,
  type MemTxAttrs,
  MemTxResult,
  type MemTxView,
  type MemTxViewOptions,
  memTxView,
  type OnError,
  type TxMemory,
} from '@guestmem/memtx';
import {
  type ByteOrder,
  type Bytes,
  type Codec,
  type GuestAddress,
  getScalar,
  type Ordering,
  type ReadVolatile,
  type ScalarCodec,
  setScalar,
  toAddress,
  type WriteVolatile,
} from '@guestmem/vm-memory';
import type { ReaderFaults } from '../rcu/faulty-reader.ts';
import { type RcuFlavour, SharedRcu } from '../rcu/shared-rcu.ts';
import { DirectScalars } from './direct-scalars.ts';
import { WorkerError } from './error.ts';
import { isSharedSpaceNews, PROTOCOL, type SharedSpaceHandle } from './handle.ts';
import { RingClient } from './ring-client.ts';
import { BIG_ENDIAN, GO_ON, Op, ORDERING_SHIFT, Ring, THROW } from './ring-layout.ts';
import { CLOSED, TableArena } from './table-layout.ts';
import { TableReader } from './table-reader.ts';

/** How to attach. */
export interface AttachOptions {
  /** Default `barrier`. `quiescent`: accesses to RAM cost what they do in one thread; call `quiescent()` between quanta. */
  readonly flavour?: RcuFlavour;
  /**
   * Takes one message that has arrived, or gives undefined: asked at each new view, so that an agent that never returns
   * to its event loop learns of added RAM. Node: `() => receiveMessageOnPort(port)?.message`.
   */
  readonly receive?: () => unknown;
  /** How long an access may wait for the owner, in ms (default 10000). */
  readonly timeoutMs?: number;
  /** Looks at a pending reply before blocking (default 300, about 3 us). */
  readonly spins?: number;
  /** Deviations for tests, which must see them caught. */
  readonly faults?: AttachFaults;
}

/** What is done wrong on purpose. Tests only. */
export interface AttachFaults extends ReaderFaults {
  /** Takes the table before it enters the section. */
  readonly tableBeforeSection?: boolean;
  /** Stays between taking a table or window and using it until grace periods have passed, for at most so many looks. */
  readonly slowSection?: number;
}

/** After so many accesses through the owner it is worth asking whether RAM has arrived. */
const MISSES_UNTIL_ASKED = 64;

/** The attached space. Make it with `attach`; belongs to the agent that did. */
export class AttachedSpace extends DirectScalars implements TxMemory, Bytes<GuestAddress> {
  readonly name: string;
  /** The target's byte order, for `with`. */
  readonly order: ByteOrder;
  readonly flavour: RcuFlavour;
  /** Sections of this agent, if several accesses have to meet one map: the owner reclaims nothing while one is open. */
  readonly rcu: SharedRcu;
  /** Accesses that the owner performed. */
  forwarded = 0;
  #online = false;
  readonly #reader: TableReader;
  readonly #client: RingClient;
  readonly #words: Int32Array;
  readonly #claim: number;
  readonly #receive: (() => unknown) | undefined;
  readonly #scratch: DataView = new DataView(new ArrayBuffer(8));
  readonly #scratches: readonly Uint8Array[];
  readonly #faults: AttachFaults | undefined;
  #misses = 0;
  #plain: MemTxView | null = null;
  #detached = false;

  /** @internal */
  constructor(handle: SharedSpaceHandle, options: AttachOptions) {
    super();
    checkHandle(handle);
    this.name = handle.name;
    this.order = handle.order;
    this.flavour = options.flavour ?? 'barrier';
    const arena = new TableArena(handle.tables);
    const ring = new Ring(handle.ring);
    this.#words = arena.words;
    this.#claim = handle.claim;
    this.#receive = options.receive;
    this.#scratches = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((size) => new Uint8Array(this.#scratch.buffer, 0, size));
    this.#reader = new TableReader(arena, handle.blocks);
    this.#faults = options.faults;
    this.rcu = joinDomain(handle, this.flavour, options.faults);
    this.#client = new RingClient(ring, this.rcu.slot, options.timeoutMs ?? 10_000, options.spins ?? 300, () =>
      this.#gone(),
    );
    if (this.flavour === 'quiescent') this.goOnline();
  }

  /** Number of the published table in use: grows with each new one; 0 while everything goes to the owner. */
  get publication(): number {
    return this.#reader.publication;
  }

  /**
   * Quiescent flavour: ends a quantum. From here on the newest view is used, and what the old one showed may be reclaimed.
   * @throws {RcuError} `in-read-section`; `evicted`: the owner took this agent for dead.
   */
  quiescent(): void {
    if (!this.#online) return;
    this.#online = false; // Should the slot be lost, accesses go the careful way and say so.
    try {
      this.rcu.quiescent();
      this.#online = true;
    } finally {
      if (!this.#online) this.#changed();
    }
    if (this.#reader.refresh()) this.#changed();
  }

  /** Quiescent flavour: holds up nobody until `goOnline`. Before sleeping, waiting, awaiting. Accesses still work, as in the barrier flavour. */
  goOffline(): void {
    this.rcu.goOffline();
    this.#online = false;
    this.closeWindows();
    this.#reader.forget();
  }

  /** Quiescent flavour: accesses are fast again. */
  goOnline(): void {
    this.rcu.goOnline();
    this.#online = true;
    if (this.#reader.refresh()) this.#changed();
  }

  /** Takes a message if it is news of this space: `port.on('message', (m) => space.news(m))`. @returns whether it was. */
  news(message: unknown): boolean {
    if (!isSharedSpaceNews(message)) return false;
    this.#reader.news(message);
    return true;
  }

  /** Gives the worker's slot back. Accesses are refused from here on. Twice is once. @throws {RcuError} `in-read-section`. */
  detach(): void {
    if (this.#detached) return;
    this.rcu.close();
    this.#detached = true;
    this.#online = false;
    this.closeWindows();
    this.#reader.forget();
  }

  /** The same memory with attributes, a byte order, a place for results or an error policy bound to it. */
  with(options: MemTxViewOptions): MemTxView {
    return memTxView(this, { order: this.order, ...options });
  }

  txRead(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    if (!(buf instanceof Uint8Array)) throw new TypeError('the buffer must be a Uint8Array');
    const where = toAddress(addr);
    const done = typeof where === 'number' && this.#direct(where, buf, false);
    if (!done) this.#forward(Op.READ, where, attrs, bulkFlags(onError, tx), buf, buf);
    this.#tell(tx, buf.length, done);
  }

  txWrite(addr: GuestAddress, buf: Uint8Array, attrs: MemTxAttrs, onError: OnError, tx: MemTx | null): void {
    if (!(buf instanceof Uint8Array)) throw new TypeError('the buffer must be a Uint8Array');
    const where = toAddress(addr);
    const done = typeof where === 'number' && this.#direct(where, buf, true);
    if (!done) this.#forward(Op.WRITE, where, attrs, bulkFlags(onError, tx), buf);
    this.#tell(tx, buf.length, done);
  }

  read(buf: Uint8Array, addr: GuestAddress): number {
    return this.#view.read(buf, addr);
  }
  write(buf: Uint8Array, addr: GuestAddress): number {
    return this.#view.write(buf, addr);
  }
  readSlice(buf: Uint8Array, addr: GuestAddress): void {
    this.txRead(addr, buf, MEMTXATTRS_UNSPECIFIED, 'stop', null);
  }
  writeSlice(buf: Uint8Array, addr: GuestAddress): void {
    this.txWrite(addr, buf, MEMTXATTRS_UNSPECIFIED, 'stop', null);
  }
  readObj<T>(addr: GuestAddress, codec: Codec<T>): T {
    return this.#view.readObj(addr, codec);
  }
  writeObj<T>(addr: GuestAddress, codec: Codec<T>, value: T): void {
    this.#view.writeObj(addr, codec, value);
  }
  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): number {
    return this.#view.readVolatileFrom(addr, src, count);
  }
  readExactVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): void {
    this.#view.readExactVolatileFrom(addr, src, count);
  }
  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): number {
    return this.#view.writeVolatileTo(addr, dst, count);
  }
  writeAllVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): void {
    this.#view.writeAllVolatileTo(addr, dst, count);
  }

  get #view(): MemTxView {
    this.#plain ??= memTxView(this, { order: this.order });
    return this.#plain;
  }

  /** @internal */
  protected override loadSlow<T>(
    where: GuestAddress,
    codec: ScalarCodec<T>,
    attrs: MemTxAttrs,
    tx: MemTx | null,
    ordering: Ordering | undefined,
  ): T {
    const addr = toAddress(where);
    const { size } = codec;
    if (typeof addr === 'number') {
      this.#enter();
      try {
        const window = this.#reader.window(addr);
        if (window !== null && addr - window.first + size <= window.loadLen) {
          if (this.#online) this.openWindow(window);
          const at = addr - window.first;
          const value =
            ordering === undefined
              ? getScalar(window.view, at, codec)
              : window.atomicLoad(at, codec, ordering, this.#scratch);
          this.#tell(tx, size, true);
          return value;
        }
      } finally {
        this.#leave();
      }
    }
    const bytes = this.#scratches[size]!;
    this.#forward(Op.LOAD, addr, attrs, scalarFlags(codec, tx, ordering), undefined, bytes);
    this.#tell(tx, size, false);
    return getScalar(this.#scratch, 0, codec);
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
      this.#enter();
      try {
        const window = this.#reader.window(addr);
        if (window !== null && addr - window.first + size <= window.storeLen) {
          if (this.#online) this.openWindow(window);
          const at = addr - window.first;
          if (ordering === undefined) setScalar(window.view, at, codec, value);
          else window.atomicStore(at, codec, value, ordering, this.#scratch);
          if (window.dirtyMask !== 0) window.markDirty(at, size);
          this.#tell(tx, size, true);
          return;
        }
      } finally {
        this.#leave();
      }
    }
    setScalar(this.#scratch, 0, codec, value);
    this.#forward(Op.STORE, addr, attrs, scalarFlags(codec, tx, ordering), this.#scratches[size]!);
    this.#tell(tx, size, false);
  }

  /** Copies if all of the range is RAM that is reached directly; else does nothing: one access, one view. */
  #direct(addr: number, buf: Uint8Array, isWrite: boolean): boolean {
    const end = addr + buf.length;
    if (!Number.isSafeInteger(end)) return false;
    this.#enter();
    try {
      for (let pos = addr; pos < end; ) {
        const window = this.#reader.window(pos);
        if (window === null || (isWrite && window.storeLen === 0)) return false;
        pos = window.first + window.loadLen;
      }
      if (this.#faults !== undefined) this.#dawdle(this.#faults);
      for (let pos = addr; pos < end; ) {
        const window = this.#reader.window(pos)!;
        const at = pos - window.first;
        const len = Math.min(end - pos, window.loadLen - at);
        const part = len === buf.length ? buf : buf.subarray(pos - addr, pos - addr + len);
        if (isWrite) {
          window.bytes.set(part, at);
          if (window.dirtyMask !== 0) window.markDirty(at, len);
        } else part.set(window.bytes.subarray(at, at + len));
        pos += len;
      }
      return true;
    } finally {
      this.#leave();
    }
  }

  /** Asks the owner. Outside sections, and offline, so that an owner that waits for a grace period is not waited for. */
  #forward(
    op: number,
    addr: GuestAddress,
    attrs: MemTxAttrs,
    flags: number,
    input?: Uint8Array,
    output?: Uint8Array,
  ): void {
    if (this.#detached) throw this.#gone()!;
    this.forwarded++;
    const away = this.#online && this.rcu.depth === 0;
    if (away) {
      this.rcu.goOffline();
      this.#online = false;
    }
    try {
      this.#client.transact(op, addr, flags, attrs, input, output);
    } finally {
      if (away) this.#comeBack();
    }
    if (++this.#misses >= MISSES_UNTIL_ASKED) this.#ask();
  }

  #comeBack(): void {
    try {
      this.rcu.goOnline();
      this.#online = true;
    } finally {
      if (!this.#online || this.#reader.refresh()) this.#changed();
    }
  }

  #tell(tx: MemTx | null, size: number, direct: boolean): void {
    if (tx === null) return;
    tx.result = direct ? MemTxResult.OK : this.#client.result;
    tx.done = direct ? size : this.#client.done;
  }

  /** From here to `#leave` nothing that the table shows is reclaimed. */
  #enter(): void {
    if (this.#online) return;
    if (this.#detached) throw this.#gone()!;
    if (this.#faults !== undefined) {
      this.#enterFaulty(this.#faults);
      return;
    }
    this.rcu.readLock();
    if (this.#reader.refresh()) this.#changed();
  }

  #enterFaulty(faults: AttachFaults): void {
    if (faults.tableBeforeSection !== true) this.rcu.readLock();
    if (this.#reader.refresh()) this.#changed();
    if (faults.tableBeforeSection !== true) return;
    this.#dawdle(faults);
    this.rcu.readLock();
  }

  #dawdle(faults: AttachFaults): void {
    const { domain } = this.rcu;
    const before = domain.gracePeriods;
    for (let i = 0; i < (faults.slowSection ?? 0) && domain.gracePeriods - before < 3; i++);
  }

  #leave(): void {
    if (!this.#online) this.rcu.readUnlock();
  }

  #changed(): void {
    this.closeWindows();
    this.#ask();
  }

  /** Looks for news of RAM. */
  #ask(): void {
    this.#misses = 0;
    if (this.#receive === undefined) return;
    for (let message = this.#receive(); message !== undefined; message = this.#receive()) this.news(message);
  }

  #gone(): WorkerError | null {
    if (this.#detached) return new WorkerError('closed', `this agent has detached from "${this.name}"`);
    if (Atomics.load(this.#words, CLOSED) !== 0)
      return new WorkerError('closed', `the owner has closed the shared space "${this.name}"`);
    if (this.rcu.domain.claimOf(this.rcu.slot) !== this.#claim)
      return new WorkerError('evicted', `the owner of "${this.name}" has let this worker go`);
    return null;
  }
}

/**
 * Attaches this agent to a shared space.
 *
 * @throws {WorkerError} `bad-handle`; `no-free-slot`: share with more `workers`; `closed`.
 */
export function attach(handle: SharedSpaceHandle, options: AttachOptions = {}): AttachedSpace {
  return new AttachedSpace(handle, options);
}

function checkHandle(handle: SharedSpaceHandle): void {
  if (typeof handle !== 'object' || handle === null || handle.guestmem !== 'shared-space')
    throw new WorkerError('bad-handle', 'attach takes the handle of a shared space (SharedSpace.handle)');
  if (handle.protocol !== PROTOCOL)
    throw new WorkerError(
      'bad-handle',
      `the handle speaks protocol ${handle.protocol}, this package ${PROTOCOL}: use one version on both sides`,
    );
}

function joinDomain(handle: SharedSpaceHandle, flavour: RcuFlavour, faults?: ReaderFaults): SharedRcu {
  if (Atomics.load(new Int32Array(handle.tables), CLOSED) !== 0)
    throw new WorkerError('closed', `the shared space "${handle.name}" is closed`);
  try {
    return new SharedRcu(handle.rcu, flavour, handle.claim, faults);
  } catch (error) {
    if ((error as { code?: string }).code !== 'no-free-slot') throw error;
    throw new WorkerError('no-free-slot', `all worker slots of "${handle.name}" are taken; share it with more workers`);
  }
}

function scalarFlags<T>(codec: ScalarCodec<T>, tx: MemTx | null, ordering: Ordering | undefined): number {
  return (codec.littleEndian ? 0 : BIG_ENDIAN) | (tx === null ? THROW : 0) | ((ordering ?? 0) << ORDERING_SHIFT);
}

function bulkFlags(onError: OnError, tx: MemTx | null): number {
  return tx === null ? THROW : onError === 'continue' ? GO_ON : 0;
}
