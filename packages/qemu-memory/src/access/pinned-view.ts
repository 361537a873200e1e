/** One flat view held fast: accesses see the map as it was when it was pinned, until it is given back., T-94. */
import { DISPOSE, type DisposableHandle } from '@guestmem/vm-memory';
import type { MemoryCore } from '../space/memory-core.ts';
import type { FlatView } from '../view/flat-view.ts';
import { ViewAccess } from './view-access.ts';

/** `using` disposes it. A property of each view: a class member could not be named by `DISPOSE`. */
export interface PinnedView extends DisposableHandle {}

/** Access to a view that does not change. Made by `ViewAccess.memory` and `pin`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor sets the one member
export class PinnedView extends ViewAccess {
  #held = true;

  /** @internal Takes a reference on `view`. */
  constructor(core: MemoryCore, view: FlatView) {
    super(core, view);
    view.ref();
    this[DISPOSE] = () => this.dispose();
  }

  get disposed(): boolean {
    return !this.#held;
  }

  /** Gives the view back; regions that only it showed may end now. Accesses still work but nothing is kept alive for them. */
  dispose(): void {
    if (!this.#held) return;
    this.#held = false;
    this.view.unref();
  }
}
