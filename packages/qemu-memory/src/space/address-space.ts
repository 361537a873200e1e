/** A root region as one requester sees it: its current flat view, replaced by one store at each commit. T-85 to T-100. */
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatView } from '../view/flat-view.ts';

/** One address space. Make it with `MemoryCore.addressSpace`. */
export class AddressSpace {
  readonly name: string;
  readonly root: MemoryRegion;
  #current: FlatView;

  /** @internal */
  constructor(name: string, root: MemoryRegion, view: FlatView) {
    this.name = name;
    this.root = root;
    this.#current = view;
  }

  /** The current view; hold it as long as you like, it never changes. */
  get view(): FlatView {
    return this.#current;
  }

  /** @internal Publishes `view` with one store (T-92). */
  publish(view: FlatView): void {
    this.#current = view;
  }
}
