/**
 * What one render key shows: the current view, the spaces that share it, and the windows to be rendered at the next
 * commit. D9, T-85, T-311.
 */
import type { Anchor, Window } from '../region/links.ts';
import { SPACE_SIZE } from '../view/big.ts';
import type { FlatView } from '../view/flat-view.ts';
import { render } from '../view/render.ts';
import type { Patch } from '../view/splice.ts';
import type { AddressSpace } from './address-space.ts';
import type { Placed } from './render-key.ts';

/** More windows than this, and than a 16th of the ranges, are dearer than rendering everything. */
const MAX_WINDOWS = 32;

/** One rendered root, or several that show the same. */
export class Rendering {
  readonly key: string;
  /** In creation order of the spaces. */
  readonly users: Set<AddressSpace> = new Set();
  /** Holds one reference. */
  view: FlatView;
  #windows: Window[] = [];
  #everything = false;
  readonly #anchors: { readonly place: Placed; readonly anchor: Anchor }[] = [];

  constructor(key: string, view: FlatView) {
    this.key = key;
    this.view = view;
  }

  /** Anchors it at `ends`, so that changes below them are noted here. */
  anchor(ends: readonly Placed[]): void {
    for (const place of ends) {
      const anchor: Anchor = { rendering: this, origin: place.origin, lo: place.lo, hi: place.hi };
      const { links } = place.region;
      links.anchors ??= new Set();
      links.anchors.add(anchor);
      this.#anchors.push({ place, anchor });
    }
  }

  /**
   * Nothing uses it any more. It lets go of its view, as tables that a Map or Set has outgrown may still hold it: V8 links
   * them, so that all views since the last full collection lived on, and a commit took 48 us instead of 15.
   *
   * @param nothing a view to hold instead.
   */
  drop(nothing: FlatView): void {
    this.view = nothing;
    for (const { place, anchor } of this.#anchors) place.region.links.anchors!.delete(anchor);
    this.#anchors.length = 0;
  }

  /** [lo, hi) may show something else than `view` does. */
  note(window: Window | null): void {
    if (window !== null && !this.#everything) this.#windows.push(window);
  }

  noteEverything(): void {
    this.#everything = true;
    this.#windows = [];
  }

  /** Takes over what `other` has noted. */
  noteAllOf(other: Rendering): void {
    if (other.#everything) this.noteEverything();
    else for (const window of other.#windows) this.note(window);
  }

  get isNoted(): boolean {
    return this.#everything || this.#windows.length > 0;
  }

  /** The view shows what was noted. */
  forget(): void {
    this.#everything = false;
    this.#windows = [];
  }

  /**
   * What the noted windows show now; one patch over the whole space where that costs less.
   * @throws {MemoryRegionError} `endless-alias`, `too-complex`.
   */
  patches(maxVisits: number): Patch[] {
    const root = this.users.values().next().value!.root;
    const windows = this.#everything ? [] : join(this.#windows);
    if (this.#everything || windows.length > Math.max(MAX_WINDOWS, this.view.length / 16))
      return [{ lo: 0n, hi: SPACE_SIZE, ranges: render(root, 0n, SPACE_SIZE, maxVisits) }];
    return windows.map(({ lo, hi }) => ({ lo, hi, ranges: render(root, lo, hi, maxVisits) }));
  }
}

/** Ascending and disjoint; windows that touch become one. */
function join(windows: readonly Window[]): Window[] {
  const sorted = [...windows].sort((a, b) => (a.lo < b.lo ? -1 : a.lo > b.lo ? 1 : 0));
  const out: Window[] = [];
  for (const { lo, hi } of sorted) {
    const last = out.at(-1);
    if (last === undefined || lo > last.hi) out.push({ lo, hi });
    else if (hi > last.hi) last.hi = hi;
  }
  return out;
}
