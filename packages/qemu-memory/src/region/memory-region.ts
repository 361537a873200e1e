/**
 * A node of the memory tree, of any kind: its attributes, its place among its siblings, and the edits. Edits run in a
 * transaction of the core they belong to; what becomes visible when is the core's business (space/). T-10 to T-52.
 */
import type { MemoryCore } from '../space/memory-core.ts';
import { MemoryRegionError } from './error.ts';
import { RegionKind } from './kind.ts';
import type { MemoryRegionOps } from './ops.ts';
import type { RamBlock } from './ram-block.ts';

/** What a region is made of. The factories of MemoryCore fill this in. */
export interface MemoryRegionInit {
  readonly kind: RegionKind;
  readonly name: string;
  /** Bytes, 0 to 2^64. */
  readonly size: bigint;
  /** Who owns it: for lifetimes and for the re-entrancy guard. */
  readonly owner?: object | null;
  readonly ram?: RamBlock | null;
  readonly ops?: MemoryRegionOps | null;
  readonly target?: MemoryRegion | null;
  readonly aliasOffset?: bigint;
  readonly readonly?: boolean;
}

/** One region. Make it with a factory of MemoryCore. */
export class MemoryRegion {
  readonly core: MemoryCore;
  readonly kind: RegionKind;
  readonly name: string;
  readonly owner: object | null;
  readonly ram: RamBlock | null;
  readonly ops: MemoryRegionOps | null;
  /** The target of an alias. */
  readonly target: MemoryRegion | null;
  /** Does it answer by itself where no child does (T-62)? */
  readonly terminates: boolean;

  #size: bigint;
  #addr = 0n;
  #priority = 0;
  #enabled = true;
  #readonly: boolean;
  #nonvolatile = false;
  #romdMode = true;
  #aliasOffset: bigint;
  #container: MemoryRegion | null = null;
  readonly #children: MemoryRegion[] = [];

  /** @internal */
  constructor(core: MemoryCore, init: MemoryRegionInit) {
    this.core = core;
    this.kind = init.kind;
    this.name = init.name;
    this.owner = init.owner ?? null;
    this.ram = init.ram ?? null;
    this.ops = init.ops ?? null;
    this.target = init.target ?? null;
    this.terminates = init.kind !== RegionKind.CONTAINER && init.kind !== RegionKind.ALIAS;
    this.#size = init.size;
    this.#aliasOffset = init.aliasOffset ?? 0n;
    this.#readonly = init.readonly ?? false;
  }

  /** Bytes, 0 to 2^64. */
  get size(): bigint {
    return this.#size;
  }
  /** Offset of the first byte in the container. */
  get addr(): bigint {
    return this.#addr;
  }
  /** Signed 32-bit, compared among siblings only; higher wins. */
  get priority(): number {
    return this.#priority;
  }
  get enabled(): boolean {
    return this.#enabled;
  }
  get readonly(): boolean {
    return this.#readonly;
  }
  get nonvolatile(): boolean {
    return this.#nonvolatile;
  }
  get romdMode(): boolean {
    return this.#romdMode;
  }
  /** Offset of the alias's first byte in its target. */
  get aliasOffset(): bigint {
    return this.#aliasOffset;
  }
  get container(): MemoryRegion | null {
    return this.#container;
  }
  /** In sibling order: falling priority, among equals the most recently added first (T-42). */
  get children(): readonly MemoryRegion[] {
    return this.#children;
  }

  /** Maps `region` into this container; visible when the outermost transaction commits (T-40). */
  addSubregion(offset: bigint | number, region: MemoryRegion, priority = 0): void {
    if (this.kind === RegionKind.ALIAS)
      throw new MemoryRegionError('subregion-of-alias', `"${this.name}" is an alias and takes no subregions`);
    if (region.#container !== null)
      throw new MemoryRegionError(
        'already-mapped',
        `region "${region.name}" is already mapped in "${region.#container.name}"`,
      );
    region.#addr = BigInt(offset);
    region.#priority = priority;
    region.#container = this;
    this.#insert(region);
    if (this.#enabled && region.#enabled) this.core.touch();
  }

  /** Unmaps `region` (T-43). */
  delSubregion(region: MemoryRegion): void {
    if (region.#container !== this)
      throw new MemoryRegionError('not-a-subregion', `region "${region.name}" is not mapped in "${this.name}"`);
    this.#children.splice(this.#children.indexOf(region), 1);
    region.#container = null;
    if (this.#enabled && region.#enabled) this.core.touch();
  }

  setEnabled(on: boolean): void {
    if (this.#enabled === on) return;
    this.#enabled = on;
    this.core.touch();
  }

  setReadonly(on: boolean): void {
    if (this.#readonly === on) return;
    this.#readonly = on;
    if (this.#enabled) this.core.touch();
  }

  setNonvolatile(on: boolean): void {
    if (this.#nonvolatile === on) return;
    this.#nonvolatile = on;
    if (this.#enabled) this.core.touch();
  }

  romDeviceSetRomd(on: boolean): void {
    if (this.#romdMode === on) return;
    this.#romdMode = on;
    if (this.#enabled) this.core.touch();
  }

  #insert(region: MemoryRegion): void {
    let at = 0;
    while (at < this.#children.length && this.#children[at]!.#priority > region.#priority) at++;
    this.#children.splice(at, 0, region);
  }
}
