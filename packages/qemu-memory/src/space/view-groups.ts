/** The address spaces of a core by the view they show, as dumps and maps list them. T-85, T-89, T-200. */
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryCore } from './memory-core.ts';

/** Spaces that share one view in a dump, in creation order. */
export interface ViewGroup {
  /** Their canonical root; null for the empty view. */
  readonly root: MemoryRegion | null;
  readonly view: FlatView;
  readonly spaces: readonly AddressSpace[];
}

/**
 * Groups by canonical root as QEMU does, in the order of the first space of each. Spaces of one canonical root that show
 * different things, by flags or addresses on the way to it, are different groups here: a dump tells what is shown (T-89).
 */
export function viewGroups(core: MemoryCore): ViewGroup[] {
  const byRoot = new Map<MemoryRegion | null, Map<FlatView, AddressSpace[]>>();
  const groups: ViewGroup[] = [];
  for (const space of core.addressSpaces) {
    const { canonicalRoot: root, view } = space;
    const byView = byRoot.get(root) ?? new Map<FlatView, AddressSpace[]>();
    byRoot.set(root, byView);
    const known = byView.get(view);
    if (known !== undefined) known.push(space);
    else {
      const spaces = [space];
      byView.set(view, spaces);
      groups.push({ root, view, spaces });
    }
  }
  return groups;
}
