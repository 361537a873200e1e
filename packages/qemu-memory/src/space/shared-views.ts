/**
 * The current views, found by content: two renderings that come to show the same share one view from then on, whatever
 * their roots (T-90, T-311 (b)). Found by hash, compared range by range; blocks that both have are not looked at.
 */
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatBlock } from '../view/flat-block.ts';
import { sameContent } from '../view/flat-diff.ts';
import type { AfterGracePeriod } from '../view/flat-view.ts';
import { FlatView } from '../view/flat-view.ts';
import { addTo } from '../view/grouped.ts';

/** The current views of one core. */
export class SharedViews {
  /** The view without ranges: one permanent object (T-88). */
  readonly empty: FlatView;
  readonly #later: AfterGracePeriod;
  readonly #byHash: Map<number, FlatView[]> = new Map();

  constructor(later: AfterGracePeriod) {
    this.#later = later;
    this.empty = new FlatView(null, [], later);
  }

  /**
   * A view of `blocks`, with a reference for the caller: a known one with this content, else a new one.
   * @param made views that will be entered soon and count as known.
   */
  viewOf(root: MemoryRegion | null, blocks: readonly FlatBlock[], made: readonly FlatView[] = []): FlatView {
    if (blocks.length === 0) return referenced(this.empty);
    let hash = 0;
    for (const block of blocks) hash = (hash + block.hash) | 0;
    const same = (view: FlatView): boolean => view.hash === hash && sameContent(view.blocks, blocks);
    const known = this.#byHash.get(hash)?.find(same) ?? made.find(same);
    return known === undefined ? new FlatView(root, blocks, this.#later) : referenced(known);
  }

  /** A rendering shows `view` from now on, and can be joined. */
  enter(view: FlatView): void {
    if (view.renderings++ > 0) return;
    addTo(this.#byHash, view.hash, view);
  }

  /** A rendering shows `view` no longer. */
  leave(view: FlatView): void {
    if (--view.renderings > 0) return;
    // Taken out of the list itself, which may live on: V8 links the tables that a Map has outgrown, and what they held.
    const list = this.#byHash.get(view.hash)!;
    list.splice(list.indexOf(view), 1);
    if (list.length === 0) this.#byHash.delete(view.hash);
  }
}

function referenced(view: FlatView): FlatView {
  view.ref();
  return view;
}
