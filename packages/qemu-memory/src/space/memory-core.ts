/**
 * What is global in QEMU, in one object that a program creates, so that many machines live in one process: the address
 * spaces, the transaction depth, the target's byte order. D6, T-101 to T-106.
 */
import type { Backing, ByteOrder, GuestAddress } from '@guestmem/vm-memory';
import { AccessControl } from '../access/control.ts';
import type { IommuMemoryRegionOps } from '../iommu/iommu-ops.ts';
import { LocalRcu } from '../rcu/local-rcu.ts';
import { MemoryRegionError } from '../region/error.ts';
import type { EventNotifier } from '../region/event-fd.ts';
import { RegionKind } from '../region/kind.ts';
import { LogClient } from '../region/log-client.ts';
import type { MemoryRegionInit } from '../region/memory-region.ts';
import { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps } from '../region/ops.ts';
import { RamBlock } from '../region/ram-block.ts';
import type { CoalescedRange } from '../region/signals.ts';
import { FlatView } from '../view/flat-view.ts';
import { render } from '../view/render.ts';
import { AddressSpace } from './address-space.ts';

/** Options of a core. */
export interface MemoryCoreOptions {
  /** The target CPU's byte order, for `native` devices and native loads. Default `little`. */
  readonly targetOrder?: ByteOrder;
  /** Does the machine translate code, so that all RAM is logged for the CODE client (T-24)? Default false. */
  readonly translatesCode?: boolean;
  /** Bytes of a target page, a power of two: for dirty tracking and for IOMMU look-ups. Default 4096. */
  readonly pageSize?: number;
  /** Refuse writes to what only an alias or container makes read-only; QEMU lets them through (A-53, T-160). Default false. */
  readonly enforceReadonlySections?: boolean;
}

/** Options every region takes. */
export interface RegionOptions {
  /** Who owns it: for lifetimes and for the re-entrancy guard (T-28, T-30). Default nobody. */
  readonly owner?: object | null;
  readonly nonvolatile?: boolean;
}

/** Options of regions with memory. */
export interface RamOptions extends RegionOptions {
  /** Bytes that the region shows; default the whole block. Independent of it (T-46). */
  readonly size?: GuestAddress;
  /** Does a migration save it (T-24)? Default true. */
  readonly migratable?: boolean;
}

/** The memory of one machine. */
export class MemoryCore {
  readonly targetOrder: ByteOrder;
  readonly translatesCode: boolean;
  readonly pageSize: number;
  readonly enforceReadonlySections: boolean;
  /** What all accesses share: observer, re-entrancy guards, nesting. */
  readonly access: AccessControl;
  /** What answers where nothing is: refuses every access (T-150). */
  readonly unassigned: MemoryRegion;
  readonly #spaces: AddressSpace[] = [];
  readonly #serials: WeakMap<EventNotifier, number> = new WeakMap();
  /** Grace periods of this machine: those of its own agent, and of workers that share its spaces. */
  readonly rcu: LocalRcu = new LocalRcu();
  #lastSerial = 0;
  #lastRegionId = 0;
  #depth = 0;
  #pending = false;

  constructor(options: MemoryCoreOptions = {}) {
    this.targetOrder = options.targetOrder ?? 'little';
    this.translatesCode = options.translatesCode ?? false;
    this.pageSize = options.pageSize ?? 4096;
    this.enforceReadonlySections = options.enforceReadonlySections ?? false;
    this.access = new AccessControl();
    this.unassigned = this.reservation('', 1n << 64n);
  }

  /** A region of any kind. The factories below say it more briefly. @throws {RangeError} size or alias offset out of range. */
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
  /** RAM over a backing of its own, or over a block that other regions and machines show too (T-13, D7). */
  ram(name: string, memory: Backing | RamBlock, options: RamOptions = {}): MemoryRegion {
    const ram = this.#blockOf(name, memory);
    return this.region({ kind: RegionKind.RAM, name, size: ram.length, ram, ...options });
  }
  /** RAM that is read-only (T-14). */
  rom(name: string, memory: Backing | RamBlock, options: RamOptions = {}): MemoryRegion {
    const ram = this.#blockOf(name, memory);
    return this.region({ kind: RegionKind.RAM, name, size: ram.length, ram, readonly: true, ...options });
  }
  /** Reads come from the memory while in ROMD mode, writes go to the device (T-15). */
  romDevice(name: string, memory: Backing | RamBlock, ops: MemoryRegionOps, options: RamOptions = {}): MemoryRegion {
    const ram = this.#blockOf(name, memory);
    return this.region({ kind: RegionKind.ROM_DEVICE, name, size: ram.length, ram, ops, ...options });
  }
  /** Memory that is only reached by sized loads and stores (T-16). */
  ramDevice(name: string, memory: Backing | RamBlock, options: RamOptions = {}): MemoryRegion {
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

  /** A new address space over `root` (T-98). */
  addressSpace(root: MemoryRegion, name = 'anonymous'): AddressSpace {
    const space = new AddressSpace(name, root, new FlatView(root, render(root)));
    this.#spaces.push(space);
    return space;
  }

  /** All address spaces in creation order. */
  get addressSpaces(): readonly AddressSpace[] {
    return this.#spaces;
  }

  /** Runs `edits` as one transaction: all become visible together when the outermost one ends (T-101). */
  transaction<T>(edits: () => T): T {
    this.begin();
    try {
      return edits();
    } finally {
      this.commit();
    }
  }

  /** Opens a transaction; they nest. Prefer `transaction`. */
  begin(): void {
    this.#depth++;
  }

  /** Closes the innermost transaction; the outermost one publishes. @throws {MemoryRegionError} `transaction`: none is open. */
  commit(): void {
    if (this.#depth === 0) throw new MemoryRegionError('transaction', 'commit without begin');
    if (--this.#depth === 0 && this.#pending) this.#publish();
  }

  /** The dirty-log clients of a region that are in force (T-24). */
  effectiveLogMask(region: MemoryRegion): number {
    let mask = region.dirtyLogMask;
    if (this.translatesCode && region.ram !== null) mask |= 1 << LogClient.CODE;
    return mask;
  }

  /** @internal */
  nextRegionId(): number {
    return ++this.#lastRegionId;
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
  checkEditable(_region: MemoryRegion): void {}
  /** @internal What uses the region so that it must not be disposed of; null for nothing. */
  userOf(region: MemoryRegion): string | null {
    const space = this.#spaces.find((each) => each.root === region);
    return space === undefined ? null : `the root of address space "${space.name}"`;
  }
  /** @internal All that `region` shows in its first `size` bytes may be different. `rebuild`: ask for a commit. */
  regionChanged(_region: MemoryRegion, _size: bigint, rebuild: boolean): void {
    if (rebuild) this.#pending = true;
  }
  /** @internal `child` has been added to `container`, or is about to be removed. */
  childChanged(container: MemoryRegion, child: MemoryRegion, _added: boolean): void {
    if (container.enabled && child.enabled) this.#pending = true;
  }
  /** @internal */
  eventFdsChanged(_update: boolean): void {}
  /** @internal Tells listeners at once (T-130). */
  coalescedChanged(_region: MemoryRegion, _range: CoalescedRange, _added: boolean): void {}
  /** @internal Delivers writes that wait (T-101, T-131). */
  flushCoalesced(): void {
    this.access.flushCoalescedMmio?.();
  }

  #blockOf(name: string, memory: Backing | RamBlock): RamBlock {
    return memory instanceof RamBlock ? memory : new RamBlock(name, memory, { pageSize: this.pageSize });
  }

  #publish(): void {
    this.#pending = false;
    for (const space of this.#spaces) space.publish(new FlatView(space.root, render(space.root)));
    this.rcu.poll();
  }
}
