/**
 * The children of one region. Adding, removing and moving cost the same however many there are; the sibling order of
 * T-42 (falling priority, among equals the most recently added first) is worked out when somebody asks for it, and an
 * index by address is kept from the first question about a window on.
 */
import { ChildIndex } from './child-index.ts';
import type { MemoryRegion } from './memory-region.ts';

const NONE: readonly MemoryRegion[] = Object.freeze([]);

/** Up to this many children are looked at one by one. */
const INDEX_FROM = 12;

/** A set of siblings. */
export class Children {
  readonly #added: Set<MemoryRegion> = new Set();
  #sorted: readonly MemoryRegion[] | null = NONE;
  #index: ChildIndex | null = null;

  get count(): number {
    return this.#added.size;
  }

  /** In the order of adding. */
  [Symbol.iterator](): IterableIterator<MemoryRegion> {
    return this.#added.values();
  }

  /** Puts `child`, whose addr, priority and stamp are set, before its equals. */
  add(child: MemoryRegion): void {
    this.#added.add(child);
    this.#sorted = null;
    this.#index?.add(child, child.size);
  }

  /** `child` still has the addr that it was added with. */
  remove(child: MemoryRegion): void {
    this.#added.delete(child);
    this.#sorted = null;
    this.#index?.remove(child);
  }

  /** `child` is about to have `size` bytes. */
  resizing(child: MemoryRegion, size: bigint): void {
    if (this.#index === null) return;
    this.#index.remove(child);
    this.#index.add(child, size);
  }

  /** In sibling order. Frozen: an edit makes a new array. */
  sorted(): readonly MemoryRegion[] {
    if (this.#sorted === null) this.#sorted = Object.freeze([...this.#added].sort(siblingOrder));
    return this.#sorted;
  }

  /** In sibling order: all that touch [lo, hi), and perhaps some that do not. */
  intersecting(lo: bigint, hi: bigint): readonly MemoryRegion[] {
    if (this.#added.size <= INDEX_FROM) return this.sorted();
    if (this.#index === null) this.#index = new ChildIndex(this.#added);
    const found = this.#index.touching(lo, hi);
    if (found.length * 2 > this.#added.size) return this.sorted();
    return found.sort(siblingOrder);
  }
}

/** T-42. */
function siblingOrder(a: MemoryRegion, b: MemoryRegion): number {
  return b.priority - a.priority || b.links.stamp - a.links.stamp;
}
