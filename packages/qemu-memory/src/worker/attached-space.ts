/**
 * An address space of another agent, used from this one: RAM directly, by the table that the owner has published; all
 * else by asking the owner. Same methods, same outcomes as the space itself. The hot half is direct-scalars.ts.
 * D8, A-226, A-236, A-238.
 *
 * When is a new view seen? Barrier flavour: by the first access that begins after the commit. Quiescent flavour: at the
 * next `quiescent()`, and after every access that the owner served, so that a vCPU sees the map that its own access changed.
 */
import { MEMTXATTRS_UNSPECIFIED, type MemTxAttrs } from '@guestmem/memtx';
import type { GuestAddress } from '@guestmem/vm-memory';
import type { RcuFlavour, SharedRcu } from '../rcu/shared-rcu.ts';
import { type AttachFaults, type AttachOptions, checkHandle, checkOptions, joinDomain } from './attach-options.ts';
import { AttachedAccess } from './attached-access.ts';
import { AttachedView } from './attached-view.ts';
import { WorkerError } from './error.ts';
import { isSharedSpaceNews, type SharedSpaceHandle } from './handle.ts';
import { RingClient } from './ring-client.ts';
import { Op, Ring, THROW } from './ring-layout.ts';
import { bytesOfTables, CLOSED, TableArena } from './table-layout.ts';
import { TableReader } from './table-reader.ts';

/** After so many accesses through the owner it is worth asking whether RAM has arrived. */
const MISSES_UNTIL_ASKED = 64;

/** The attached space. Make it with `attach`; belongs to the agent that did. */
export class AttachedSpace extends AttachedAccess {
  readonly flavour: RcuFlavour;
  /** Sections of this agent, if several accesses have to meet one map: the owner reclaims nothing while one is open. */
  readonly rcu: SharedRcu;
  /** Accesses that the owner performed. */
  forwarded = 0;
  readonly #words: Int32Array;
  readonly #rows: number;
  readonly #claim: number;
  readonly #receive: (() => unknown) | undefined;
  readonly #faults: AttachFaults | undefined;
  readonly #views = new Set<AttachedView>();
  #misses = 0;
  #detached = false;

  /** @hideconstructor */
  constructor(handle: SharedSpaceHandle, options: AttachOptions) {
    const { name, order } = checkHandle(handle);
    const { flavour, timeoutMs, spins } = checkOptions(options);
    const arena = new TableArena(handle.tables);
    const ring = new Ring(handle.ring);
    const rcu = joinDomain(handle, flavour, options.faults);
    super(
      name,
      order,
      new TableReader(arena, handle.blocks),
      new RingClient(ring, rcu.slot, timeoutMs, spins, () => this.#gone()),
    );
    this.flavour = flavour;
    this.rcu = rcu;
    this.#words = arena.words;
    this.#rows = arena.rows;
    this.#claim = handle.claim;
    this.#receive = options.receive;
    this.#faults = options.faults;
    if (flavour === 'quiescent') this.goOnline();
  }

  /** Number of the published table in use: grows with each new one; 0 while everything goes to the owner. */
  get publication(): number {
    return this.reader.publication;
  }

  /**
   * Quiescent flavour: ends a quantum. From here on the newest view is used, and what the old one showed may be reclaimed.
   * @throws {RcuError} `in-read-section`; `evicted`: the owner took this agent for dead.
   */
  quiescent(): void {
    if (!this.keeps) return;
    this.keeps = false; // Should the slot be lost, accesses go the careful way and say so.
    try {
      this.rcu.quiescent();
      this.keeps = true;
    } finally {
      if (!this.keeps) this.#changed();
    }
    if (this.reader.refresh()) this.#renewed(false);
  }

  /** Quiescent flavour: holds up nobody until `goOnline`. Before sleeping, waiting, awaiting. Accesses still work, as in the barrier flavour. */
  goOffline(): void {
    this.rcu.goOffline();
    this.keeps = false;
    this.closeWindows();
    this.reader.forget();
  }

  /** Quiescent flavour: accesses are fast again. */
  goOnline(): void {
    this.rcu.goOnline();
    this.keeps = true;
    if (this.reader.refresh()) this.#renewed(false);
  }

  /** Takes a message if it is news of this space: `port.on('message', (m) => space.news(m))`. @returns whether it was. */
  news(message: unknown): boolean {
    if (!isSharedSpaceNews(message)) return false;
    this.reader.news(message);
    return true;
  }

  /** Gives the worker's slot back. Accesses are refused from here on. Twice is once. @throws {RcuError} `in-read-section`. */
  detach(): void {
    if (this.#detached) return;
    if (this.rcu.depth > 0) this.rcu.close(); // Refused, before a view is given back.
    this.#giveBackViews();
    this.rcu.close();
    this.#detached = true;
    this.keeps = false;
    this.closeWindows();
    this.reader.forget();
  }

  /** The current view held fast: what comes later does not show in it. Asks the owner. Dispose of it. */
  memory(): AttachedView {
    return this.pin(0);
  }

  /** @internal A view of what pin `of` shows; 0: of the space as it is now. */
  pin(of: number): AttachedView {
    const image = new SharedArrayBuffer(bytesOfTables(1, this.#rows));
    this.transact(of, Op.PIN, 0, MEMTXATTRS_UNSPECIFIED, THROW, undefined, new Uint8Array(image));
    const id = this.client.result;
    this.#ask(); // The view may show RAM that has arrived unnoticed.
    const view = new AttachedView(this, id, new TableReader(new TableArena(image), this.reader.blocks), this.client);
    this.#views.add(view);
    return view;
  }

  /** Where the owner does not serve now, it gives them back when it learns that this agent has ended (`release`). */
  #giveBackViews(): void {
    for (const view of this.#views) view.end();
    try {
      for (const view of this.#views) view.dispose();
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error;
    }
  }

  /** @internal */
  unpin(view: AttachedView, id: number): void {
    if (!this.#views.has(view)) return;
    try {
      this.transact(id, Op.UNPIN, 0, MEMTXATTRS_UNSPECIFIED, THROW);
    } catch (error) {
      if (this.#gone() === null) throw error; // Asked again: giving back twice is once there, too.
    }
    this.#views.delete(view);
  }

  /** @internal May this agent access the space at all? @throws {WorkerError} `closed`, `evicted`. */
  check(): void {
    const gone = this.#gone();
    if (gone !== null) throw gone;
  }

  /** @internal */
  protected override forward(
    op: number,
    addr: GuestAddress,
    attrs: MemTxAttrs,
    flags: number,
    input?: Uint8Array,
    output?: Uint8Array,
    total?: number,
  ): void {
    this.transact(0, op, addr, attrs, flags, input, output, total);
  }

  /** @internal Asks the owner. Outside sections, and offline, so that an owner that waits for a grace period is not waited for. */
  transact(
    pin: number,
    op: number,
    addr: GuestAddress,
    attrs: MemTxAttrs,
    flags: number,
    input?: Uint8Array,
    output?: Uint8Array,
    total?: number,
  ): void {
    this.check();
    this.forwarded++;
    const away = this.keeps && this.rcu.depth === 0;
    if (away) {
      this.rcu.goOffline();
      this.keeps = false;
    }
    try {
      this.client.transact(pin, op, addr, flags, attrs, input, output, total);
    } finally {
      if (away) this.#comeBack();
    }
    if (++this.#misses >= MISSES_UNTIL_ASKED) this.#ask();
  }

  #comeBack(): void {
    try {
      this.rcu.goOnline();
      this.keeps = true;
    } finally {
      if (!this.keeps) this.#changed();
    }
    if (this.reader.refresh()) this.#renewed(false);
  }

  /** @internal */
  protected override enter(): void {
    if (this.keeps) return;
    if (this.#detached) throw this.#gone()!;
    if (this.#faults !== undefined) {
      this.#enterFaulty(this.#faults);
      return;
    }
    this.#lock(true);
  }

  #enterFaulty(faults: AttachFaults): void {
    if (faults.tableBeforeSection !== true) this.rcu.readLock();
    if (this.reader.refresh()) this.#changed();
    if (faults.tableBeforeSection !== true) return;
    this.#linger(faults);
    this.rcu.readLock();
  }

  /** @internal */
  protected override dawdle(): void {
    const faults = this.#faults;
    // Who has dawdled before the section would only keep others' grace periods from ending now.
    if (faults !== undefined && faults.tableBeforeSection !== true) this.#linger(faults);
  }

  #linger(faults: AttachFaults): void {
    const { domain } = this.rcu;
    const before = domain.gracePeriods;
    for (let i = 0; i < (faults.slowSection ?? 0) && domain.gracePeriods - before < 3; i++);
  }

  /** @internal */
  protected override leave(): void {
    if (!this.keeps) this.rcu.readUnlock();
  }

  /** @internal Keeps `quiescent` and `goOffline` from ending it, too. */
  override hold(): void {
    if (this.#detached) throw this.#gone()!;
    this.#lock(this.rcu.depth === 0 && !this.keeps);
  }

  /** Enters a section, `renews`: with the table of now. Where that throws, also by `receive`, none is open. */
  #lock(renews: boolean): void {
    this.rcu.readLock();
    try {
      if (renews && this.reader.refresh()) this.#renewed(true);
    } catch (error) {
      this.rcu.readUnlock();
      throw error;
    }
  }

  /** @internal */
  override release(): void {
    this.rcu.readUnlock();
  }

  /**
   * Another table was taken. Was this agent let go meanwhile, then that may have been before the table was published, and
   * nobody holds it for this agent: it is not used. Tables that were taken before are held (evictions.ts).
   */
  #renewed(inSection: boolean): void {
    this.closeWindows();
    if (this.rcu.domain.claimOf(this.rcu.slot) === this.#claim) {
      this.#ask();
      return;
    }
    this.keeps = false;
    if (!inSection) this.rcu.goOffline();
    this.check();
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
