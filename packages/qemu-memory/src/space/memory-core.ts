/**
 * What is global in QEMU, in one object that a program creates, so that many machines live in one process: the address
 * spaces, the transaction depth, the target's byte order, `system` and `io`. D6, T-101 to T-106.
 */
import type { Backing, ByteOrder } from '@guestmem/vm-memory';
import { RegionKind } from '../region/kind.ts';
import { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryRegionOps } from '../region/ops.ts';
import { RamBlock } from '../region/ram-block.ts';
import { FlatView } from '../view/flat-view.ts';
import { render } from '../view/render.ts';
import { AddressSpace } from './address-space.ts';

/** Options of a core. */
export interface MemoryCoreOptions {
  /** The target CPU's byte order, for `native` devices and native loads. Default `little`. */
  readonly targetOrder?: ByteOrder;
}

/** Options every region takes. */
export interface RegionOptions {
  readonly owner?: object | null;
}

/** The memory of one machine. */
export class MemoryCore {
  readonly targetOrder: ByteOrder;
  readonly #spaces: AddressSpace[] = [];
  #depth = 0;
  #pending = false;

  constructor(options: MemoryCoreOptions = {}) {
    this.targetOrder = options.targetOrder ?? 'little';
  }

  container(name: string, size: bigint | number, options: RegionOptions = {}): MemoryRegion {
    return new MemoryRegion(this, { kind: RegionKind.CONTAINER, name, size: BigInt(size), ...options });
  }
  io(name: string, size: bigint | number, ops: MemoryRegionOps, options: RegionOptions = {}): MemoryRegion {
    return new MemoryRegion(this, { kind: RegionKind.IO, name, size: BigInt(size), ops, ...options });
  }
  reservation(name: string, size: bigint | number, options: RegionOptions = {}): MemoryRegion {
    return new MemoryRegion(this, { kind: RegionKind.RESERVATION, name, size: BigInt(size), ...options });
  }
  ram(name: string, backing: Backing, options: RegionOptions = {}): MemoryRegion {
    const ram = new RamBlock(name, backing);
    return new MemoryRegion(this, { kind: RegionKind.RAM, name, size: BigInt(backing.length), ram, ...options });
  }
  rom(name: string, backing: Backing, options: RegionOptions = {}): MemoryRegion {
    const ram = new RamBlock(name, backing);
    return new MemoryRegion(this, {
      kind: RegionKind.RAM,
      name,
      size: BigInt(backing.length),
      ram,
      readonly: true,
      ...options,
    });
  }
  alias(
    name: string,
    target: MemoryRegion,
    offset: bigint | number,
    size: bigint | number,
    options: RegionOptions = {},
  ): MemoryRegion {
    return new MemoryRegion(this, {
      kind: RegionKind.ALIAS,
      name,
      size: BigInt(size),
      target,
      aliasOffset: BigInt(offset),
      ...options,
    });
  }

  /** A new address space over `root` (T-98). */
  addressSpace(root: MemoryRegion, name: string): AddressSpace {
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
    this.#depth++;
    try {
      return edits();
    } finally {
      if (--this.#depth === 0 && this.#pending) this.#commit();
    }
  }

  /** @internal The tree changed: commit now, or at the end of the running transaction. */
  touch(): void {
    this.#pending = true;
    if (this.#depth === 0) this.#commit();
  }

  #commit(): void {
    this.#pending = false;
    for (const space of this.#spaces) space.publish(new FlatView(space.root, render(space.root)));
  }
}
