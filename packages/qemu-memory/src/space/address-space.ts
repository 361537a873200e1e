/** A root region as one requester sees it: its current flat view, replaced by one store at each commit. T-85 to T-100. */
import { ViewAccess } from '../access/view-access.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatView } from '../view/flat-view.ts';
import { SharedSpace, type ShareOptions } from '../worker/shared-space.ts';

/** One address space. Make it with `MemoryCore.addressSpace`. */
export class AddressSpace extends ViewAccess {
  readonly name: string;
  readonly root: MemoryRegion;
  #followers: readonly (() => void)[] = [];

  /** @internal */
  constructor(name: string, root: MemoryRegion, view: FlatView) {
    super(root.core, view);
    this.name = name;
    this.root = root;
  }

  /**
   * Shares this space with other agents: workers attach with a handle, reach RAM directly and everything else through
   * this agent, and see every commit. One space may be shared several times. @throws {RangeError} an option out of range.
   */
  share(options: ShareOptions = {}): SharedSpace {
    return new SharedSpace(this, options);
  }

  /** @internal Publishes `view` with one store (T-92). */
  publish(view: FlatView): void {
    if (view === this.view) return;
    this.setView(view);
    this.changed();
  }

  /** @internal Calls `follower` whenever what an access sees has changed (a view was published, taps came or went). @returns ends it. */
  follow(follower: () => void): () => void {
    this.#followers = [...this.#followers, follower];
    return () => {
      this.#followers = this.#followers.filter((each) => each !== follower);
    };
  }

  /** @internal Tells the followers. */
  changed(): void {
    for (const follower of this.#followers) follower();
  }
}
