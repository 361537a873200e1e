/**
 * The children of one region. Adding, removing and moving cost the same however many there are; the sibling order of
 * T-42 (falling priority, among equals the most recently added first) is worked out when somebody asks for it.
 */
import type { MemoryRegion } from './memory-region.ts';

const NONE: readonly MemoryRegion[] = Object.freeze([]);

/** A set of siblings. A Set keeps the order of adding, which is all that the order among equals needs. */
export class Children {
  readonly #added: Set<MemoryRegion> = new Set();
  #sorted: readonly MemoryRegion[] | null = NONE;

  get count(): number {
    return this.#added.size;
  }

  /** Puts `child` before its equals. */
  add(child: MemoryRegion): void {
    this.#added.add(child);
    this.#sorted = null;
  }

  remove(child: MemoryRegion): void {
    this.#added.delete(child);
    this.#sorted = null;
  }

  /** `child` is about to have `size` bytes. */
  resizing(_child: MemoryRegion, _size: bigint): void {}

  /** In sibling order. Frozen: an edit makes a new array. */
  sorted(): readonly MemoryRegion[] {
    if (this.#sorted === null) {
      const list = [...this.#added].reverse();
      list.sort((a, b) => b.priority - a.priority); // Stable: among equals the order stays.
      this.#sorted = Object.freeze(list);
    }
    return this.#sorted;
  }
}
