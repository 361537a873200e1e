/**
 * A node of the memory tree, of any kind: its attributes, its place among its siblings, and the edits. Each edit is a
 * transaction of its core; what becomes visible when is the core's business (space/), what is shown where is view/'s.
 * A refused edit leaves everything as it was. T-1 to T-52.
 */
import type { GuestAddress } from '@guestmem/vm-memory';
import { RegionDispatch } from '../access/region-dispatch.ts';
import { IommuRegion } from '../iommu/iommu-region.ts';
import { throwCollected } from '../rcu/callback-queue.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { max, SPACE_SIZE } from '../view/big.ts';
import * as check from './check.ts';
import { Children } from './children.ts';
import { countAlias, retrace } from './climbing.ts';
import { MemoryRegionError } from './error.ts';
import type { EventNotifier, IoEventFd } from './event-fd.ts';
import { RegionKind } from './kind.ts';
import { RegionLinks } from './links.ts';
import type { LogClient } from './log-client.ts';
import type { MemoryRegionOps } from './ops.ts';
import type { RamBlock } from './ram-block.ts';
import type { MemoryRegionInit } from './region-init.ts';
import type { CoalescedRange } from './signals.ts';
import { RegionSignals } from './signals.ts';

const NO_CHILDREN: readonly MemoryRegion[] = Object.freeze([]);

/** One region. Make it with a factory of MemoryCore. */
export class MemoryRegion {
  readonly core: MemoryCore;
  /** Number of the region within its core, from 1; later ones are larger. */
  readonly id: number;
  readonly kind: RegionKind;
  /** Any text, '' for none; need not be unique (T-26, T-27). */
  readonly name: string;
  /** Whose it is, for lifetimes and for the re-entrancy guard (T-28, T-30); null: nobody's. */
  readonly owner: object | null;
  /** The memory of RAM, ROM, a ROM device or a RAM device; null for every other kind. */
  readonly ram: RamBlock | null;
  /** The callbacks of a device region or a ROM device; null for every other kind. */
  readonly ops: MemoryRegionOps | null;
  /** The translating side of an IOMMU region; null for every other kind. */
  readonly iommu: IommuRegion | null;
  /** @internal What one access does here; compiled from kind and ops. */
  readonly dispatch: RegionDispatch;
  /** The target of an alias; null for every other kind. */
  readonly target: MemoryRegion | null;
  /** Does it answer by itself where no child does (T-62)? */
  readonly terminates: boolean;
  /** Does a migration save its memory, so that global dirty logging covers it (T-24)? */
  readonly migratable: boolean;
  /** @internal How changes of it find what shows it. */
  readonly links: RegionLinks;
  /** @internal Its eventfds, coalesced ranges and log count. */
  readonly signals: RegionSignals;

  #size: bigint;
  #addr = 0n;
  #priority = 0;
  #enabled = true;
  #readonly: boolean;
  #nonvolatile: boolean;
  #romdMode = true;
  #aliasOffset: bigint;
  #container: MemoryRegion | null = null;
  #mappedViaAlias = 0;
  #disposed = false;
  #children: Children | null = null;

  /** @hideconstructor */
  constructor(core: MemoryCore, init: MemoryRegionInit) {
    const target = init.target ?? null;
    if (target !== null || init.kind === RegionKind.ALIAS) {
      check.isRegion(init.target!, `the target of alias "${init.name}"`);
      check.sameCore(core, init.target!, init.name);
    }
    check.hasMemory(init);
    if (init.ops != null) {
      check.endianness(init.name, init.ops);
      check.answersAtOnce(init.name, init.ops);
    }
    this.core = core;
    this.id = core.nextRegionId();
    this.kind = init.kind;
    this.name = init.name;
    this.owner = init.owner ?? null;
    this.ram = init.ram ?? null;
    this.ops = init.ops ?? null;
    this.iommu = init.kind === RegionKind.IOMMU ? new IommuRegion(this, init.iommu) : null;
    this.target = target;
    this.terminates = init.kind !== RegionKind.CONTAINER && init.kind !== RegionKind.ALIAS;
    this.migratable = init.migratable ?? true;
    this.signals = new RegionSignals(this);
    this.links = new RegionLinks(this.owner === null ? null : core.ownerRecord(this.owner));
    this.#size = check.size(init.size);
    this.#aliasOffset = check.offset(init.aliasOffset ?? 0n, 'alias offset');
    this.#readonly = init.readonly ?? false;
    this.#nonvolatile = init.nonvolatile ?? false;
    this.dispatch = new RegionDispatch(this, core.access);
    this.ram?.cores.add(core.weak);
    if (target !== null) countAlias(target, 1);
  }

  /** Bytes, 0 to 2^64. */
  get size(): bigint {
    return this.#size;
  }
  /** The size as 64 bits hold it: 2^64 reads as 2^64 - 1 (T-2). */
  get size64(): bigint {
    return this.#size === SPACE_SIZE ? this.#size - 1n : this.#size;
  }
  /** Offset of the first byte in the container. Kept when it is unmapped. */
  get addr(): bigint {
    return this.#addr;
  }
  /** Signed 32-bit, compared among siblings only; higher wins. Set when it is mapped. */
  get priority(): number {
    return this.#priority;
  }
  /** Its own flag. Where it is false, neither the region nor what is below it shows (T-61). */
  get enabled(): boolean {
    return this.#enabled;
  }
  /** Its own flag; a range of a flat view tells what is effective there (T-63). */
  get readonly(): boolean {
    return this.#readonly;
  }
  /** Its own flag; as `readonly`. */
  get nonvolatile(): boolean {
    return this.#nonvolatile;
  }
  /** Do reads of a ROM device come from its memory? True, and without effect, for every other kind. */
  get romdMode(): boolean {
    return this.#romdMode;
  }
  /** Offset of the alias's first byte in its target. */
  get aliasOffset(): bigint {
    return this.#aliasOffset;
  }
  /** Where it is mapped; null: nowhere. */
  get container(): MemoryRegion | null {
    return this.#container;
  }
  /** In sibling order: falling priority, among equals the most recently added first (T-42). A frozen copy. */
  get children(): readonly MemoryRegion[] {
    return this.#children === null ? NO_CHILDREN : this.#children.sorted();
  }
  /** @internal Null until the first child. */
  get childSet(): Children | null {
    return this.#children;
  }
  get disposed(): boolean {
    return this.#disposed;
  }
  /** RAM, ROM or RAM device (T-23). */
  get isRam(): boolean {
    return this.kind === RegionKind.RAM || this.kind === RegionKind.RAM_DEVICE;
  }
  /** RAM with its own read-only flag (T-23). */
  get isRom(): boolean {
    return this.isRam && this.#readonly;
  }
  /** A ROM device in ROMD mode (T-23). */
  get isRomd(): boolean {
    return this.kind === RegionKind.ROM_DEVICE && this.#romdMode;
  }
  /** T-23. */
  get isRamDevice(): boolean {
    return this.kind === RegionKind.RAM_DEVICE;
  }
  /** Has it a container, or is it shown through an alias that has one (T-34)? Being a root does not count. */
  get isMapped(): boolean {
    return this.#container !== null || this.#mappedViaAlias > 0;
  }

  /**
   * Maps `region` into this container. Guest-visible when the outermost transaction commits (T-40).
   *
   * @param offset first byte, relative to this container; 0 to 2^64 - 1. What lies past its end is clipped (T-41).
   * @param region kept by reference; must have no container. To map it twice, map an alias of it.
   * @param priority signed 32-bit, compared among siblings only; higher wins, of equals the last added (T-42).
   * @throws {MemoryRegionError} `already-mapped`, `subregion-of-alias`, `container-cycle`, `foreign-region`, `disposed`,
   *   `in-callback`. @throws {RangeError} offset or priority out of range.
   */
  addSubregion(offset: GuestAddress, region: MemoryRegion, priority = 0): void {
    const addr = check.offset(offset, 'offset');
    check.priority(priority);
    this.core.beginIf(() => check.mayAdd(this, region));
    region.#addr = addr;
    region.#priority = priority;
    this.#attach(region);
    this.core.commit();
  }

  /** `addSubregion` under QEMU's second name; overlap is always allowed (T-22, T-40). */
  addSubregionOverlap(offset: GuestAddress, region: MemoryRegion, priority: number): void {
    this.addSubregion(offset, region, priority);
  }

  /** Unmaps `region`, which keeps its `addr` and priority (T-43). @throws {MemoryRegionError} `not-a-subregion`, `in-callback`. */
  delSubregion(region: MemoryRegion): void {
    this.core.beginIf(() => {
      check.mayEdit(this);
      if (region.#container !== this) throw check.notASubregion(this, region);
    });
    this.#detach(region);
    this.core.commit();
  }

  /** Shows or hides the region and all below it, however it is reached (T-44, T-69). */
  setEnabled(on: boolean): void {
    check.flag(on, 'enabled');
    check.mayEdit(this);
    if (this.#enabled === on) return;
    this.core.begin();
    this.#enabled = on;
    this.core.regionChanged(this, this.#size, true);
    this.core.commit();
  }

  /**
   * Moves the region in its container, where it comes before its equals (T-45). Without a container the address is only
   * stored; if the region is a root, its space follows at the next commit that something else causes.
   */
  setAddress(addr: GuestAddress): void {
    const to = check.offset(addr, 'address');
    check.mayEdit(this);
    if (this.#addr === to) return;
    const began = this.#container !== null;
    if (began) this.core.begin();
    const container = this.#container; // Now: what `begin` delivers may have moved it.
    if (container !== null) container.#detach(this);
    this.#addr = to;
    if (container === null) this.core.regionChanged(this, this.#size, false);
    else container.#attach(this);
    if (began) this.core.commit();
  }

  /** Changes the size; any RAM block stays as it is (T-46). @param size 0 to 2^64; 2^64 - 1 means 2^64. */
  setSize(size: GuestAddress): void {
    const to = check.size(size);
    check.mayEdit(this);
    if (this.#size === to) return;
    this.core.begin();
    const from = this.#size;
    const container = this.#container;
    if (container !== null) {
      // The container's note too: a move in the same transaction would place this region's own elsewhere.
      this.core.childChanged(container, this);
      container.childSet?.resizing(this, to);
    }
    this.#size = to;
    this.core.regionChanged(this, max(from, to), true);
    this.core.commit();
  }

  /** Moves the window of an alias (T-47). @throws {MemoryRegionError} `not-an-alias`. */
  setAliasOffset(offset: GuestAddress): void {
    const to = check.offset(offset, 'alias offset');
    check.mayEdit(this);
    if (this.target === null)
      throw new MemoryRegionError('not-an-alias', `${check.show(this)} is not an alias and has no alias offset`);
    this.#edit(this.#aliasOffset !== to, () => {
      this.#aliasOffset = to;
    });
  }

  /** Any kind: what lies below a read-only container or behind such an alias shows read-only (T-48, T-63). */
  setReadonly(on: boolean): void {
    check.flag(on, 'readonly');
    this.#edit(this.#readonly !== on, () => {
      this.#readonly = on;
      this.dispatch.guardChanged();
    });
  }

  /** Any kind; inherited like `readonly` (T-48, T-63). */
  setNonvolatile(on: boolean): void {
    check.flag(on, 'nonvolatile');
    this.#edit(this.#nonvolatile !== on, () => {
      this.#nonvolatile = on;
    });
  }

  /** Switches a ROM device between reads from its memory and reads from its device (T-15, T-48). */
  romDeviceSetRomd(on: boolean): void {
    check.flag(on, 'romd mode');
    this.#edit(this.#romdMode !== on, () => {
      this.#romdMode = on;
    });
  }

  /** Counts requests to log this region for a display; only the VGA client (T-25). @throws {MemoryRegionError} `bad-log-client`. */
  setLog(on: boolean, client: LogClient): void {
    check.flag(on, 'log');
    this.signals.setLog(on, client);
  }
  /** The clients that asked for this region itself (T-21). What is in force adds global logging: `core.effectiveLogMask`. */
  get dirtyLogMask(): number {
    return this.signals.logMask;
  }

  /**
   * Has writes of `size` bytes (0: any) at `offset` signal `notifier` instead of reaching the device (T-125).
   * @param data in the target's byte order; looked at only with `matchData`.
   */
  addEventFd(
    offset: GuestAddress,
    size: number,
    matchData: boolean,
    data: number | bigint,
    notifier: EventNotifier,
  ): void {
    this.signals.addEventFd(offset, size, matchData, data, notifier);
  }
  /** Takes back `addEventFd`; a size of 0 matches by offset alone (T-129). @throws {MemoryRegionError} `no-such-eventfd`. */
  delEventFd(
    offset: GuestAddress,
    size: number,
    matchData: boolean,
    data: number | bigint,
    notifier: EventNotifier,
  ): void {
    this.signals.delEventFd(offset, size, matchData, data, notifier);
  }
  /** In the order of T-125. Frozen: an edit makes a new array. */
  get eventFds(): readonly IoEventFd[] {
    return this.signals.eventFds;
  }

  /** Allows late delivery of writes to these bytes; listeners are told at once, on the current views (T-130, T-133). */
  addCoalescing(offset: GuestAddress, size: GuestAddress): void {
    this.signals.addCoalescing(offset, size);
  }
  /** Replaces all coalesced ranges by one over the whole region (T-130). */
  setCoalescing(): void {
    this.signals.setCoalescing();
  }
  /** Delivers what waits and drops all coalesced ranges (T-131). */
  clearCoalescing(): void {
    this.signals.clearCoalescing();
  }
  /** Has each access deliver the writes that wait first (T-21). */
  setFlushCoalesced(): void {
    this.signals.flushCoalesced = true;
  }
  /** Takes back `setFlushCoalesced`, unless there are coalesced ranges (T-132). */
  clearFlushCoalesced(): void {
    this.signals.clearFlushCoalesced();
  }
  get flushCoalescedMmio(): boolean {
    return this.signals.flushCoalesced;
  }
  /** In order of adding. Frozen: an edit makes a new array. */
  get coalescedRanges(): readonly CoalescedRange[] {
    return this.signals.coalesced;
  }

  /** Keeps the owner alive (T-30). Nothing without an owner. */
  ref(): void {
    this.links.owner?.ref();
  }
  /** Takes back `ref`. */
  unref(): void {
    this.links.owner?.unref();
  }

  /**
   * Ends the region: it must have no container, be no root and be in no view that is alive or waits for its grace
   * period (containers and aliases never are). Its children are removed, its coalesced ranges and eventfds dropped
   * (T-33, T-35). Twice is fine. @throws {MemoryRegionError} `still-used`, `in-callback`; and what listeners throw, when all is done.
   */
  dispose(): void {
    if (this.#disposed) return;
    this.core.beginIf(() => check.mayDispose(this));
    if (this.#disposed) {
      this.core.commit(); // What `begin` delivered has done it.
      return;
    }
    this.#disposed = true; // Before anybody is called who could map it again.
    this.#enabled = false; // Asks for no rebuild by itself (T-33).
    this.core.regionChanged(this, this.#size, false);
    for (const child of this.children) this.#detach(child);
    if (this.target !== null) countAlias(this.target, -1);
    const errors: unknown[] = [];
    try {
      this.core.commit();
    } catch (error) {
      errors.push(error);
    }
    this.signals.dispose(errors);
    throwCollected(errors);
  }

  /** A transaction that changes what all of the region shows, unless nothing would be different. */
  #edit(differs: boolean, apply: () => void): void {
    check.mayEdit(this);
    if (!differs) return;
    this.core.begin();
    apply();
    this.core.regionChanged(this, this.#size, this.#enabled);
    this.core.commit();
  }

  /** Takes `region`, whose addr and priority are set. In a transaction. */
  #attach(region: MemoryRegion): void {
    region.#container = this;
    region.links.stamp = this.core.nextStamp();
    this.#children ??= new Children();
    this.#children.add(region);
    region.ref(); // T-31.
    for (let at = region.target; at !== null; at = at.target) at.#mappedViaAlias++; // T-34
    this.core.childChanged(this, region);
    if (region.links.roots.length > 0) this.core.regionChanged(region, region.#size, false); // Its address counts: T-68.
    retrace(this, region);
  }

  #detach(region: MemoryRegion): void {
    this.core.childChanged(this, region);
    this.#children!.remove(region);
    region.#container = null;
    for (let at = region.target; at !== null; at = at.target) at.#mappedViaAlias--;
    retrace(this, region);
    region.unref();
  }
}
