/**
 * The views that somebody has pinned. What they show stays, but which clients a write marks does not: their look-ups begin
 * anew when logging starts or stops, so that a write through an old view is not lost to a migration..
 */
import type { PinnedView } from '../access/pinned-view.ts';
import type { FlatView } from '../view/flat-view.ts';

/** The pinned views of one core. */
export class PinnedViews {
  readonly #views: FlatView[] = [];
  /** Pins with taps: their look-ups are their own. */
  readonly #tapped: PinnedView[] = [];

  /** `view` is pinned now. It is forgotten when it is reclaimed: what it showed may be RAM that was taken out. */
  add(view: FlatView): void {
    if (view.forget !== null) return;
    this.#views.push(view);
    view.forget = () => void this.#views.splice(this.#views.indexOf(view), 1);
  }

  /** `pin` has taps, or none any more. */
  tapped(pin: PinnedView, on: boolean): void {
    const at = this.#tapped.indexOf(pin);
    if (on && at < 0) this.#tapped.push(pin);
    else if (!on && at >= 0) this.#tapped.splice(at, 1);
  }

  /** The clients in force have changed for some region. */
  masksChanged(): void {
    for (const view of this.#views) view.map?.restart();
    for (const pin of this.#tapped) pin.map.restart();
  }
}
