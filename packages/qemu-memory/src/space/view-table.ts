/**
 * Keeps the views of a core up to date: which spaces show the same, what has changed since the last commit, and what to
 * render for it. Knows nothing of transactions or listeners (committer.ts). An update that is refused leaves all views as
 * they were and all notes in place. D9, T-85 to T-90, T-105 step 1.
 */
import { EXPAND_MAX } from '../region/climbing.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { SPACE_SIZE } from '../view/big.ts';
import { packBlocks } from '../view/flat-block.ts';
import type { AfterGracePeriod, FlatView } from '../view/flat-view.ts';
import { render } from '../view/render.ts';
import type { Patch } from '../view/splice.ts';
import { samePatches, splice } from '../view/splice.ts';
import type { AddressSpace } from './address-space.ts';
import { canonicalRoot } from './canonical-root.ts';
import { climb, clip } from './climb.ts';
import type { RenderKey } from './render-key.ts';
import { renderKey } from './render-key.ts';
import { Rendering } from './rendering.ts';
import { SharedViews } from './shared-views.ts';

/** Steps of climbing that are allowed however small the machine. */
const MIN_BUDGET = 4096;

/** A view that was rendered, and what from; two renderings of one old view often get the same patches. */
interface Made {
  readonly rendering: Rendering;
  readonly old: FlatView;
  readonly patches: readonly Patch[];
  /** Holds a reference for the rendering. */
  readonly view: FlatView;
}

/** The views of one core. */
export class ViewTable {
  readonly #maxVisits: number;
  readonly #shared: SharedViews;
  readonly #renderings: Map<string, Rendering> = new Map();
  /** Regions with notes. */
  readonly #noted: Set<MemoryRegion> = new Set();
  /** Spaces whose key must be made again. */
  readonly #stale: Set<AddressSpace> = new Set();
  /** Spaces that may have another view than they have published. Kept when an update is refused. */
  #moved: Set<AddressSpace> = new Set();

  constructor(maxVisits: number, later: AfterGracePeriod) {
    this.#maxVisits = maxVisits;
    this.#shared = new SharedViews(later);
  }

  /** The view without ranges (T-88). */
  get empty(): FlatView {
    return this.#shared.empty;
  }

  /**
   * Gives `space` its view: that of the spaces that show the same, else a new one (T-98).
   * @returns the view, with a reference for the space. @throws {MemoryRegionError} `endless-alias`, `too-complex`.
   */
  enter(space: AddressSpace): FlatView {
    const key = renderKey(space.root);
    let rendering = this.#renderings.get(key.text);
    if (rendering === undefined) {
      const ranges = render(space.root, 0n, SPACE_SIZE, this.#maxVisits);
      const view = this.#shared.viewOf(canonicalRoot(space.root), packBlocks(ranges, ranges.length));
      rendering = this.#add(key, view);
    }
    this.#join(space, key, rendering);
    space.root.links.roots.push(space);
    rendering.view.ref();
    return rendering.view;
  }

  /** `space` is no more. Its own reference stays its own. */
  leave(space: AddressSpace): void {
    const { roots } = space.root.links;
    roots.splice(roots.indexOf(space), 1);
    this.#stale.delete(space);
    this.#moved.delete(space);
    this.#part(space);
  }

  /** `region` may show something else in [lo, hi) of its offsets; `own`: because it changed itself, not its children. */
  note(region: MemoryRegion, lo: bigint, hi: bigint, own: boolean): void {
    const { links } = region;
    // A container with one child too many may be on its way to be looked through.
    if (own || region.childSet?.count === EXPAND_MAX + 1) for (const space of links.endOf ?? []) this.#stale.add(space);
    for (const space of links.expandedBy ?? []) this.#stale.add(space);
    if (links.isSeen(region) && lo < hi && links.note(lo, hi)) this.#noted.add(region);
  }

  /** Everything may be different: dirty logging was switched (T-135). */
  noteEverything(): void {
    for (const rendering of this.#renderings.values()) rendering.noteEverything();
  }

  /**
   * Renders what was noted. The spaces' own views stay: publishing is the caller's.
   * @returns the spaces whose rendering may have another view than they have published.
   * @throws {MemoryRegionError} `endless-alias`, `too-complex`; then nothing has changed and the notes stay.
   */
  update(): Set<AddressSpace> {
    for (const space of this.#stale) {
      this.#rekey(space);
      this.#moved.add(space);
    }
    this.#stale.clear();
    let budget = MIN_BUDGET;
    for (const rendering of this.#renderings.values()) budget += rendering.view.length;
    if (!climb(this.#noted, budget)) this.noteEverything();
    for (const region of this.#noted) region.links.dirty = null;
    this.#noted.clear();
    for (const { rendering, view } of this.#makeAll()) {
      this.#show(rendering, view);
      for (const space of rendering.users) this.#moved.add(space);
    }
    const moved = this.#moved;
    this.#moved = new Set();
    return moved;
  }

  /** All views that are needed, or none and an error. */
  #makeAll(): Made[] {
    const made: Made[] = [];
    try {
      for (const rendering of this.#renderings.values()) if (rendering.isNoted) made.push(this.#make(rendering, made));
      return made;
    } catch (error) {
      for (const { view } of made) view.unref();
      throw error;
    }
  }

  #make(rendering: Rendering, made: readonly Made[]): Made {
    const old = rendering.view;
    const patches = rendering.patches(this.#maxVisits);
    const known = made.find((each) => each.old === old && samePatches(each.patches, patches));
    if (known !== undefined) {
      known.view.ref();
      return { rendering, old, patches, view: known.view };
    }
    const blocks = splice(old.blocks, patches);
    if (blocks === old.blocks) {
      old.ref();
      return { rendering, old, patches, view: old };
    }
    const root = canonicalRoot(rendering.users.values().next().value!.root);
    const view = this.#shared.viewOf(
      root,
      blocks,
      made.map((each) => each.view),
    );
    return { rendering, old, patches, view };
  }

  #show(rendering: Rendering, view: FlatView): void {
    const old = rendering.view;
    rendering.forget();
    rendering.view = view;
    if (view !== old) {
      this.#shared.enter(view);
      this.#shared.leave(old);
    }
    old.unref();
  }

  /** The space's key may be another now: moves it to the rendering of that key, made from the view it had. */
  #rekey(space: AddressSpace): void {
    const key = renderKey(space.root);
    const from = space.rendering;
    let to = this.#renderings.get(key.text);
    if (to === undefined) {
      from.view.ref();
      to = this.#add(key, from.view);
      if (key.rootAddr === space.key.rootAddr) to.noteAllOf(from);
      else to.noteEverything(); // Where it was before is in no note.
      for (const { region, origin, lo, hi } of [...key.expanded, ...key.ends])
        for (const window of region.links.dirty ?? []) to.note(clip(window.lo + origin, window.hi + origin, lo, hi));
    }
    this.#part(space, to);
    this.#join(space, key, to);
  }

  /** @param view with a reference for the rendering. */
  #add(key: RenderKey, view: FlatView): Rendering {
    const rendering = new Rendering(key.text, view);
    rendering.anchor(key.anchors);
    this.#renderings.set(key.text, rendering);
    this.#shared.enter(view);
    return rendering;
  }

  #join(space: AddressSpace, key: RenderKey, rendering: Rendering): void {
    space.rendering = rendering;
    space.key = key;
    rendering.users.add(space);
    for (const { region } of key.expanded) {
      region.links.expandedBy ??= new Set();
      region.links.expandedBy.add(space);
    }
    for (const { region } of key.ends) {
      region.links.endOf ??= new Set();
      region.links.endOf.add(space);
    }
  }

  #part(space: AddressSpace, next: Rendering | null = null): void {
    const { rendering, key } = space;
    for (const { region } of key.expanded) region.links.expandedBy!.delete(space);
    for (const { region } of key.ends) region.links.endOf!.delete(space);
    if (rendering === next) return;
    rendering.users.delete(space);
    if (rendering.users.size > 0) return;
    const { view } = rendering;
    rendering.drop(this.empty);
    this.#renderings.delete(rendering.key);
    this.#shared.leave(view);
    view.unref();
  }
}
