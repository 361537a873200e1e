/**
 * What is global in QEMU, in one object that a program creates, so that many machines live in one process: the address
 * spaces, the transaction depth, the target's byte order. D6, T-101 to T-106.
 */
import type { ByteOrder, DisposableHandle, GuestAddress } from '@guestmem/vm-memory';
import { disposable } from '@guestmem/vm-memory';
import { Blank } from '../access/blank.ts';
import { AccessControl } from '../access/control.ts';
import { PinnedView } from '../access/pinned-view.ts';
import type { IommuMemoryRegionOps } from '../iommu/iommu-ops.ts';
import { LocalRcu } from '../rcu/local-rcu.ts';
import * as check from '../region/check.ts';
import { MemoryRegionError } from '../region/error.ts';
import type { EventNotifier } from '../region/event-fd.ts';
import { RegionKind } from '../region/kind.ts';
import { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps } from '../region/ops.ts';
import { RamBlock, type RamSource } from '../region/ram-block.ts';
import type { MemoryRegionInit } from '../region/region-init.ts';
import type { CoalescedRange } from '../region/signals.ts';
import { SPACE_SIZE } from '../view/big.ts';
import type { FlatView } from '../view/flat-view.ts';
import { MAX_VISITS } from '../view/render.ts';
import { AddressSpace } from './address-space.ts';
import { announceCoalesced } from './announce.ts';
import { Committer, throwAfter } from './committer.ts';
import { checkOptions, type MemoryCoreOptions, type RamOptions, type RegionOptions } from './core-options.ts';
import { DirtyLogging } from './dirty-logging.ts';
import type { MemoryListener } from './listener.ts';
import { OwnerRecord } from './owners.ts';
import { PinnedViews } from './pinned-views.ts';
import { SystemSpaces } from './system-spaces.ts';
import { ViewTable } from './view-table.ts';

/** The memory of one machine. */
export class MemoryCore {
  /** The target CPU's byte order, for `native` devices and native loads. */
  readonly targetOrder: ByteOrder;
  /** Is all RAM logged for the CODE client (T-24)? */
  readonly translatesCode: boolean;
  /** Bytes of a target page, a power of two. */
  readonly pageSize: number;
  /** Are writes refused to what only an alias or container makes read-only (A-53, T-160)? */
  readonly enforceReadonlySections: boolean;
  /** What all accesses share: observer, re-entrancy guards, nesting. */
  readonly access: AccessControl;
  /** What answers where nothing is: refuses every access (T-150). */
  readonly unassigned: MemoryRegion;
  /** @internal */
  readonly blank: Blank;
  #spaces: readonly AddressSpace[] = [];
  readonly #serials: WeakMap<EventNotifier, number> = new WeakMap();
  /** Grace periods of this machine: those of its own agent, and of workers that share its spaces. */
  readonly rcu: LocalRcu = new LocalRcu(() => !this.access.idle);
  /** `memory` and `I/O`, made when first asked for. */
  readonly system: SystemSpaces = new SystemSpaces(this);
  /** @internal */
  readonly pinned: PinnedViews = new PinnedViews();
  /** @internal Counts the changes of `effectiveLogMask`. */
  logStamp = 0;
  /** @internal For those whom this machine must not be held by. */
  readonly weak: WeakRef<MemoryCore> = new WeakRef(this);
  readonly #dirtyLogging: DirtyLogging;
  readonly #owners: WeakMap<object, OwnerRecord> = new WeakMap();
  readonly #views: ViewTable;
  readonly #committer: Committer;
  #lastSerial = 0;
  #lastRegionId = 0;
  #lastSpaceId = 0;
  #lastStamp = 0;

  /** @throws {RangeError | TypeError} an option that is none of its values. */
  constructor(options: MemoryCoreOptions = {}) {
    checkOptions(options);
    this.targetOrder = options.targetOrder ?? 'little';
    this.translatesCode = options.translatesCode ?? false;
    this.pageSize = options.pageSize ?? 4096;
    this.enforceReadonlySections = options.enforceReadonlySections ?? false;
    this.access = new AccessControl(this);
    this.#views = new ViewTable(options.maxVisits ?? MAX_VISITS, (reclaim) => this.rcu.callRcu(reclaim));
    this.#committer = new Committer(this.#views, () => {
      // Not inside an access: it may go on with the view that was just replaced (T-97). The next commit or job reclaims.
      if (this.access.idle) this.rcu.poll();
    });
    this.#dirtyLogging = new DirtyLogging(
      {
        listeners: this.#committer.listeners,
        rebuild: () => {
          this.logMasksChanged();
          this.#rebuild();
        },
        telling: (tell) => this.#committer.telling(tell),
      },
      this.translatesCode,
    );
    this.unassigned = this.reservation('', SPACE_SIZE);
    this.blank = new Blank(this.unassigned);
  }

  /**
   * A region of any kind. The factories below say it more briefly.
   * @throws {RangeError} size or alias offset out of range. @throws {TypeError} memory without a block, and as the factories.
   */
  region(init: MemoryRegionInit): MemoryRegion {
    return new MemoryRegion(this, init);
  }

  /** Shows its children only (T-10). */
  container(name: string, size: GuestAddress, options: RegionOptions = {}): MemoryRegion {
    return this.region({ kind: RegionKind.CONTAINER, name, size, ...options });
  }
  /** Device callbacks (T-11). */
  io(name: string, size: GuestAddress, ops: MemoryRegionOps, options: RegionOptions = {}): MemoryRegion {
    return this.region({ kind: RegionKind.IO, name, size, ops, ...options });
  }
  /** Hides what lies below and refuses every access (T-12). */
  reservation(name: string, size: GuestAddress, options: RegionOptions = {}): MemoryRegion {
    return this.region({ kind: RegionKind.RESERVATION, name, size, ...options });
  }
  /**
   * RAM (T-13, D7). `rom`, `romDevice` and `ramDevice` take their memory alike.
   *
   * @param memory a number of bytes, which are allocated and zero; a buffer or a view of one, which is adopted; a backing; or
   *   a block that other regions and machines show too.
   * @throws {TypeError | RangeError} none of these, no length, or a buffer that can be resized.
   */
  ram(name: string, memory: RamSource | RamBlock, options: RamOptions = {}): MemoryRegion {
    const ram = this.#blockOf(name, memory);
    return this.region({ kind: RegionKind.RAM, name, size: ram.length, ram, ...options });
  }
  /** RAM that is read-only (T-14). */
  rom(name: string, memory: RamSource | RamBlock, options: RamOptions = {}): MemoryRegion {
    const ram = this.#blockOf(name, memory);
    return this.region({ kind: RegionKind.RAM, name, size: ram.length, ram, readonly: true, ...options });
  }
  /** Reads come from the memory while in ROMD mode, writes go to the device (T-15). */
  romDevice(name: string, memory: RamSource | RamBlock, ops: MemoryRegionOps, options: RamOptions = {}): MemoryRegion {
    const ram = this.#blockOf(name, memory);
    return this.region({ kind: RegionKind.ROM_DEVICE, name, size: ram.length, ram, ops, ...options });
  }
  /** Memory that is only reached by sized loads and stores (T-16). */
  ramDevice(name: string, memory: RamSource | RamBlock, options: RamOptions = {}): MemoryRegion {
    const ram = this.#blockOf(name, memory);
    return this.region({ kind: RegionKind.RAM_DEVICE, name, size: ram.length, ram, ...options });
  }
  /** Translates into another address space (T-17). @param iommu what translates. */
  iommu(name: string, size: GuestAddress, iommu: IommuMemoryRegionOps, options: RegionOptions = {}): MemoryRegion {
    return this.region({ kind: RegionKind.IOMMU, name, size, iommu, ...options });
  }
  /** Shows `size` bytes of `target` from `offset` on (T-18). */
  alias(
    name: string,
    target: MemoryRegion,
    offset: GuestAddress,
    size: GuestAddress,
    options: RegionOptions & { readonly readonly?: boolean } = {},
  ): MemoryRegion {
    return this.region({ kind: RegionKind.ALIAS, name, size, target, aliasOffset: offset, ...options });
  }

  /**
   * A new address space over `root`, the last in order. It has its view at once, without telling anybody (T-98, T-99).
   * @param name need not be unique. @throws {MemoryRegionError} `disposed`, `foreign-region`, `in-callback`,
   *   `endless-alias`, `too-complex`.
   */
  addressSpace(root: MemoryRegion, name = 'anonymous'): AddressSpace {
    check.isRegion(root, `the root of address space "${name}"`);
    check.sameCore(this, root, name);
    check.mayEdit(root);
    this.#views.empty.ref();
    const space = new AddressSpace(++this.#lastSpaceId, name, root, this.#views.empty);
    const view = this.#views.enter(space);
    space.publish(view);
    this.#views.empty.unref();
    root.ref();
    this.#spaces = [...this.#spaces, space];
    return space;
  }

  /** All address spaces in creation order. An array is of its moment: spaces that come or go make a new one. */
  get addressSpaces(): readonly AddressSpace[] {
    return this.#spaces;
  }

  /** The view without ranges: one permanent object (T-88). */
  get emptyView(): FlatView {
    return this.#views.empty;
  }

  /**
   * Runs `edits` as one transaction: all become visible together when the outermost one ends (T-101, T-104). Where
   * `edits` throws, what it did so far stays and becomes visible; the tree is consistent after each single edit.
   *
   * @param edits a plain function, done when it returns: a transaction does not wait.
   * @throws {TypeError} `edits` is async or a generator: it was not called. It returned a promise: what it did before stays and
   *   becomes visible, as where it throws.
   * @throws what `edits` threw, what listeners threw, or both as an AggregateError; {MemoryRegionError} `endless-alias`,
   *   `too-complex`: the edits stay, all views are as before, and the next commit tries again.
   */
  transaction<T>(edits: () => T): T {
    check.isPlainFunction(edits);
    this.begin();
    let result: T;
    try {
      result = edits();
      check.isNoPromise(result);
    } catch (error) {
      throwAfter(error, () => this.commit());
    }
    this.commit();
    return result;
  }

  /** A transaction as an object: `using tx = core.edit()`; it ends when it is disposed of. */
  edit(): DisposableHandle {
    this.begin();
    return disposable(() => this.commit());
  }

  /** Opens a transaction; they nest. Prefer `transaction` or `edit`. Delivers coalesced writes first (T-101). */
  begin(): void {
    this.flushCoalesced();
    this.#committer.begin();
  }

  /** @internal As `begin`, where `allow` does not throw. Asked again when writes that wait were delivered, as their devices edit too (T-101). */
  beginIf(allow: () => void): void {
    allow();
    if (this.flushCoalesced()) allow();
    this.#committer.begin();
  }

  /** Closes the innermost transaction; the outermost one publishes. @throws {MemoryRegionError} `transaction`: none is open; and as `transaction`. */
  commit(): void {
    this.#committer.commit();
  }

  /** References that keep `owner` alive: containers, live views, look-up results, mappings (T-31). */
  ownerReferences(owner: object): number {
    return this.#owners.get(owner)?.count ?? 0;
  }

  /**
   * Has `fn` run once, when nothing refers to a region of `owner` any more: after the grace period of the last view that
   * showed one. Soon if that is so now. Where a device is taken apart. What `fn` throws surfaces from the commit, `unref` or
   * `dispose` that let go last, when all who wait have been called. @returns takes it back.
   */
  whenUnreferenced(owner: object, fn: () => void): DisposableHandle {
    return disposable(this.ownerRecord(owner).wait(fn));
  }

  /** The dirty-log clients of a region that are in force (T-24). */
  effectiveLogMask(region: MemoryRegion): number {
    return this.#dirtyLogging.effectiveMask(region);
  }

  /** Does the machine run? While it does not, `globalDirtyLogStop` waits (T-136). Default true. */
  get running(): boolean {
    return this.#dirtyLogging.running;
  }
  set running(on: boolean) {
    this.#committer.refuseInCallback('the machine cannot be started or stopped');
    this.#dirtyLogging.running = on;
  }
  /** `GlobalDirty` bits in force: a program's. That trackers log all memory too (`trackDirty`) does not show here. */
  get globalDirtyFlags(): number {
    return this.#dirtyLogging.flags;
  }
  /**
   * Logs all memory for one more reason: listeners first, then a rebuild (T-135, T-137). Everything in this agent marks from
   * now on, pinned views and mappings too; a worker from its next quantum on, and `rcu.synchronize()` waits for that. What a
   * worker has pinned (`AttachedSpace.memory`) marks for the clients in force when it did: pin anew.
   *
   * @param flags `GlobalDirty` bits.
   * @throws what listeners threw, and as `transaction`: then nothing is logged that was not before.
   */
  globalDirtyLogStart(flags: number): void {
    this.#committer.refuseInCallback('global logging cannot be started');
    this.#dirtyLogging.start(flags);
  }
  /** One reason less: a rebuild first, then listeners; put off while the machine does not run (T-136). */
  globalDirtyLogStop(flags: number): void {
    this.#committer.refuseInCallback('global logging cannot be stopped');
    this.#dirtyLogging.stop(flags);
  }
  /** @internal Logs all memory for `trackDirty`, whatever a program starts and stops. */
  logForTrackers(on: boolean): void {
    this.checkTracking(on);
    this.#dirtyLogging.track(on);
  }
  /** @internal @throws {MemoryRegionError} `in-callback`. */
  checkTracking(on: boolean): void {
    this.#committer.refuseInCallback(`dirty tracking cannot be ${on ? 'started' : 'stopped'}`);
  }
  /**
   * Has listeners bring dirty pages up to date (T-138).
   * @param of a region; a RAM block: all regions of this machine that show it; null: all logged ranges.
   */
  dirtyLogSync(of: MemoryRegion | RamBlock | null): void {
    this.#dirtyLogging.sync(of);
  }
  /** Tells listeners that these bytes of a region, or of a RAM block by whatever region it shows, are clean (T-139). */
  dirtyLogClear(of: MemoryRegion | RamBlock, offset: GuestAddress, len: GuestAddress): void {
    this.#dirtyLogging.clear(of, check.offset(offset, 'offset'), check.size(len));
  }
  /** Tells listeners that dirty pages have been collected (T-112). */
  dirtyLogAfterSync(): void {
    this.#dirtyLogging.afterSync();
  }

  /** Accesses to `view`, whatever is published later. Dispose of it. @throws {MemoryRegionError} `disposed`: nobody holds it. */
  pin(view: FlatView): PinnedView {
    return new PinnedView(this, view);
  }

  /** @internal */
  nextRegionId(): number {
    return ++this.#lastRegionId;
  }
  /** @internal */
  nextStamp(): number {
    return ++this.#lastStamp;
  }
  /** @internal */
  ownerRecord(owner: object): OwnerRecord {
    let record = this.#owners.get(owner);
    if (record === undefined) {
      record = new OwnerRecord((each) => this.#committer.unreferenced(each));
      this.#owners.set(owner, record);
    }
    return record;
  }
  /** @internal */
  notifierSerial(notifier: EventNotifier): number {
    let serial = this.#serials.get(notifier);
    if (serial === undefined) {
      serial = ++this.#lastSerial;
      this.#serials.set(notifier, serial);
    }
    return serial;
  }
  /** @internal @throws {MemoryRegionError} `in-callback`. */
  checkEditable(region: MemoryRegion): void {
    this.#committer.refuseInCallback(`${check.named(region)} cannot be edited`);
  }
  /** @internal All that `region` shows in its first `size` bytes may be different. `rebuild`: ask for a commit. */
  regionChanged(region: MemoryRegion, size: bigint, rebuild: boolean): void {
    this.#views.note(region, 0n, size, true);
    if (rebuild) this.#committer.requestUpdate();
  }
  /** @internal `effectiveLogMask` answers something else for some region. */
  logMasksChanged(): void {
    this.logStamp++;
    // Also those that are published anew, as this may be inside a transaction.
    for (const space of this.#spaces) space.map.restart();
    this.pinned.masksChanged();
  }
  /** @internal `child` has been added to `container`, or is about to be removed. */
  childChanged(container: MemoryRegion, child: MemoryRegion): void {
    this.#views.note(container, child.addr, child.addr + child.size, false);
    if (container.enabled && child.enabled) this.#committer.requestUpdate();
  }
  /** @internal */
  eventFdsChanged(update: boolean): void {
    this.#committer.eventFds.changed();
    if (update) this.#committer.requestEventFds();
  }
  /** @internal Tells listeners at once (T-130). */
  coalescedChanged(region: MemoryRegion, range: CoalescedRange, added: boolean): void {
    if (this.#committer.listeners.size === 0) return;
    this.#committer.telling((call) => {
      for (const space of this.#spaces) announceCoalesced(space, region, range, added, call);
    });
  }
  /** @internal Delivers writes that wait (T-101, T-131). @returns was anybody asked to, so that devices may have run? */
  flushCoalesced(): boolean {
    const flush = this.access.flushCoalescedMmio;
    flush?.call(this.access);
    return flush !== null;
  }
  /** @internal T-121. @returns undoes it; twice is fine. */
  registerListener(space: AddressSpace, listener: MemoryListener): () => void {
    this.#committer.refuseInCallback('a listener cannot be registered');
    if (space.disposed) throw new MemoryRegionError('disposed', `address space "${space.name}" has been disposed of`);
    const registration = this.#committer.register(space, listener, this.#dirtyLogging.on);
    return () => this.#committer.unregister(registration);
  }
  /** @internal T-100. */
  unregisterListeners(space: AddressSpace): void {
    this.#committer.unregisterAll(space);
  }
  /** @internal T-100. */
  refuseRemoval(space: AddressSpace): void {
    this.#committer.refuseInCallback(`address space "${space.name}" cannot be disposed of`);
    if (space.listeners.size > 0)
      throw new MemoryRegionError(
        'still-used',
        `address space "${space.name}" cannot be disposed of: it has ${space.listeners.size} listeners; unregister them or call removeListeners()`,
      );
  }
  /** @internal */
  removeSpace(space: AddressSpace): void {
    this.#spaces = this.#spaces.filter((each) => each !== space);
    this.#views.leave(space);
    const { view } = space;
    // It shows nothing from now on, to workers too: what it showed may be taken apart after the grace period.
    try {
      space.publish(this.#views.empty);
    } finally {
      this.rcu.callRcu(() => {
        view.unref();
        space.root.unref();
      });
      this.#committer.settle();
    }
  }

  /**
   * @internal Reclaims what waits, unless an access or a transaction is running. For guests that have the map changed again
   * and again in a program that does not return to its event loop: their edits come amid accesses, where nothing is
   * reclaimed (T-97). What callbacks throw surfaces as an unhandled rejection, as from the job that would have run them.
   */
  reclaim(): void {
    try {
      this.#committer.settle();
    } catch (error) {
      void Promise.reject(error);
    }
  }

  #rebuild(): void {
    this.begin();
    this.#views.noteEverything();
    this.#committer.requestUpdate();
    this.commit();
  }

  #blockOf(name: string, memory: RamSource | RamBlock): RamBlock {
    return memory instanceof RamBlock ? memory : new RamBlock(name, memory, { pageSize: this.pageSize });
  }
}
