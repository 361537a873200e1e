/** A root region as one requester sees it: its current flat view, replaced by one store at each commit. T-85 to T-100. */
import { ViewAccess } from '../access/view-access.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatView } from '../view/flat-view.ts';

/** One address space. Make it with `MemoryCore.addressSpace`. */
export class AddressSpace extends ViewAccess {
  readonly name: string;
  readonly root: MemoryRegion;

  /** @internal */
  constructor(name: string, root: MemoryRegion, view: FlatView) {
    super(root.core, view);
    this.name = name;
    this.root = root;
  }

  /** @internal Publishes `view` with one store (T-92). */
  publish(view: FlatView): void {
    this.setView(view);
  }
}
