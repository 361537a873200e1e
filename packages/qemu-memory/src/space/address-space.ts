/**
 * A root region as one requester sees it: its current flat view, replaced by one store at each commit, and who listens to
 * its changes. What can be done with its memory comes from access/. T-85 to T-100, T-110.
 */
import type { DisposableHandle } from '@guestmem/vm-memory';
import { DISPOSE } from '@guestmem/vm-memory';
import { ViewAccess } from '../access/view-access.ts';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import type { FlatView } from '../view/flat-view.ts';
import { SharedSpace, type ShareOptions } from '../worker/shared-space.ts';
import { canonicalRoot } from './canonical-root.ts';
import type { MemoryListener } from './listener.ts';
import { ListenerList } from './listener-list.ts';
import type { RenderKey } from './render-key.ts';
import type { Rendering } from './rendering.ts';

/** One address space. Make it with `MemoryCore.addressSpace`. */
export class AddressSpace extends ViewAccess {
  /** Number within the core, rising in the order of creation. */
  readonly id: number;
  /** For dumps and messages; need not be unique. */
  readonly name: string;
  readonly root: MemoryRegion;
  /** @internal Who listens to it, in the order of telling. */
  readonly listeners: ListenerList = new ListenerList();
  /** @internal What it shares with the spaces that show the same, and what that was found by. Set by ViewTable. */
  rendering!: Rendering;
  /** @internal */
  key!: RenderKey;
  #disposed = false;

  /** @hideconstructor Takes over a reference on `view`. */
  constructor(id: number, name: string, root: MemoryRegion, view: FlatView) {
    super(root.core, view);
    this.id = id;
    this.name = name;
    this.root = root;
  }

  /**
   * The region that QEMU would make the view of, and groups spaces by in its dumps; null where the root shows nothing
   * (T-86, T-88). Of the tree as it is now.
   */
  get canonicalRoot(): MemoryRegion | null {
    return canonicalRoot(this.root);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** @internal */
  get title(): string {
    return `address space "${this.name}"`;
  }

  /**
   * Tells `listener` of all changes from now on, after telling it what there is (T-121): `begin`, each range, `commit`.
   * @returns undoes it, after telling the listener that all is gone (T-123); `in-callback` where only `commit` may.
   * @throws {TypeError} `listener` is no object. @throws {MemoryRegionError} `bad-listener`, `in-callback`, `disposed`; and what the listener threw: then it is not
   *   registered, and hears nothing more.
   */
  registerListener(listener: MemoryListener): DisposableHandle {
    const dispose = this.core.registerListener(this, listener);
    return { dispose, [DISPOSE]: dispose }; // One that was refused can be done again.
  }

  /** Unregisters all listeners, in the order of the list (T-100). @throws {MemoryRegionError} `in-callback`; and what they threw, when all are gone. */
  removeListeners(): void {
    this.core.unregisterListeners(this);
  }

  /**
   * Ends the space: it leaves the core at once, shows nothing any more, and lets go of its view and its root after a grace
   * period (T-100). Twice is fine. @throws {MemoryRegionError} `still-used`: it has listeners, which QEMU finds only later; `in-callback`.
   */
  dispose(): void {
    if (this.#disposed) return;
    this.core.refuseRemoval(this);
    this.#disposed = true;
    this.core.removeSpace(this);
  }

  /**
   * Shares this space with other agents: workers attach with a handle, reach RAM directly and everything else through
   * this agent, and see every commit. One space may be shared several times.
   *
   * @throws {RangeError} an option out of range. @throws {MemoryRegionError} `disposed`.
   */
  share(options: ShareOptions = {}): SharedSpace {
    if (this.#disposed)
      throw new MemoryRegionError('disposed', `address space "${this.name}" is disposed of and cannot be shared`);
    return new SharedSpace(this, options);
  }

  /** @internal Publishes `view` with one store (T-92). */
  publish(view: FlatView): void {
    if (view === this.view) return;
    this.setView(view);
    this.changed();
  }
}
