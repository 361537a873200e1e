/**
 * Prints the trees of a core as `info mtree` does: a block for each root region, then one for each region that an alias
 * means, in the order in which they are met. Blocks come in creation order, which QEMU's do not. T-185 to T-197.
 */
import { HIDDEN_OWNER } from '../map/owner.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { addTo } from '../view/grouped.ts';
import { printedEnd } from './hex.ts';
import { OVERFLOW_MARKER, printTreeLine } from './line.ts';
import { type MtreeStyle, ownerText, typeText } from './region-text.ts';

/** What to print. */
export interface PrintMtreeOptions {
  /** As -D: disabled regions too. Default false. */
  readonly disabled?: boolean;
  /** As -o: an owner behind each line. Default false. */
  readonly owners?: boolean;
  /** Default `7.2`. */
  readonly style?: MtreeStyle;
}

/** The text of `info mtree`, with LF line ends. */
export function printMtree(core: MemoryCore, options: PrintMtreeOptions = {}): string {
  return new TreePrinter(options).print(core);
}

class TreePrinter {
  readonly #options: PrintMtreeOptions;
  readonly #style: MtreeStyle;
  /** Alias targets in the order of T-195: those before `#printed` have their block. */
  readonly #queue: MemoryRegion[] = [];
  readonly #queued = new Set<MemoryRegion>();
  readonly #out: string[] = [];

  constructor(options: PrintMtreeOptions) {
    this.#options = options;
    this.#style = options.style ?? '7.2';
  }

  print(core: MemoryCore): string {
    for (const [root, names] of spacesByRoot(core)) {
      for (const name of names) this.#out.push(`address-space: ${name}\n`);
      this.#block(root);
    }
    // The queue grows while it is printed.
    for (const region of this.#queue) {
      this.#out.push(`memory-region: ${region.name}\n`);
      this.#block(region);
    }
    return this.#out.join('');
  }

  #block(root: MemoryRegion): void {
    this.#tree(root, 1, 0n);
    this.#out.push('\n');
  }

  #tree(region: MemoryRegion, level: number, parentStart: bigint): void {
    const start = BigInt.asUintN(64, parentStart + region.addr);
    if (start < parentStart || printedEnd(start, region.size) < start) this.#out.push(OVERFLOW_MARKER);
    if (region.target !== null && !this.#queued.has(region.target)) {
      this.#queued.add(region.target);
      this.#queue.push(region.target);
    }
    const shown = (region.enabled || this.#options.disabled) && region.owner !== HIDDEN_OWNER;
    if (shown) this.#out.push(`${this.#line(region, level, start)}\n`);
    for (const child of inPrintOrder(region.children)) this.#tree(child, level + 1, start);
  }

  #line(region: MemoryRegion, level: number, start: bigint): string {
    return printTreeLine({
      level,
      start,
      size: region.size,
      priority: region.priority,
      type: `${region.nonvolatile ? 'nv-' : ''}${typeText(region, this.#style)}`,
      name: region.name,
      target: region.target?.name ?? null,
      aliasOffset: region.aliasOffset,
      disabled: !region.enabled,
      owner: this.#options.owners ? ownerText(region) : '',
    });
  }
}

/** Names of the address spaces of each root region, sorted; roots in the order of their first space (T-186, T-187). */
function spacesByRoot(core: MemoryCore): Map<MemoryRegion, string[]> {
  const roots = new Map<MemoryRegion, string[]>();
  for (const { name, root } of core.addressSpaces) addTo(roots, root, name);
  for (const names of roots.values()) names.sort(byBytes);
  return roots;
}

/** T-193. Array.sort is stable: sibling order decides last. */
function inPrintOrder(children: readonly MemoryRegion[]): MemoryRegion[] {
  return [...children].sort((a, b) => (a.addr < b.addr ? -1 : a.addr > b.addr ? 1 : b.priority - a.priority));
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
