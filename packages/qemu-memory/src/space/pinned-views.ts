/**
 * The views that somebody has pinned. What they show stays, but which clients a write marks does not: their look-ups begin
 * anew when logging starts or stops, so that a write through an old view is not lost to a migration..
 */
import type { PinnedView } from '../access/pinned-view.ts';
import type { FlatView } from '../view/flat-view.ts';

/** More views than this, and than twice those that lived at the last look, are looked through for dead ones. */
const MIN_LIMIT = 16;

/** The pinned views of one core. */
export class PinnedViews {
  #views: FlatView[] = [];
  #limit = MIN_LIMIT;
  /** Pins with taps: their look-ups are their own. */
  readonly #tapped: PinnedView[] = [];

  /** `view` is pinned now. It is forgotten some time after its last reference has gone. */
  add(view: FlatView): void {
    if (view.isPinned) return;
    view.isPinned = true;
    if (this.#views.length >= this.#limit) {
      this.#sweep();
      this.#limit = Math.max(2 * this.#views.length, MIN_LIMIT);
    }
    this.#views.push(view);
  }

  /** `pin` has taps, or none any more. */
  tapped(pin: PinnedView, on: boolean): void {
    const at = this.#tapped.indexOf(pin);
    if (on && at < 0) this.#tapped.push(pin);
    else if (!on && at >= 0) this.#tapped.splice(at, 1);
  }

  /** The clients in force have changed for some region. */
  masksChanged(): void {
    this.#sweep();
    for (const view of this.#views) view.map?.restart();
    for (const pin of this.#tapped) pin.map.restart();
  }

  #sweep(): void {
    this.#views = this.#views.filter((view) => view.references > 0);
  }
}
