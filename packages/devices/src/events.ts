/**
 * What a guest did wrong, counted. A device never throws for its guest and never logs: it counts an event of a fixed
 * name, so that no guest makes the host's memory or log grow.
 */

/** Where a device counts. Handed to the device; may be shared by several. */
export interface DeviceEvents {
  /** @param event a name from the device's fixed list, for example `hpet: message not stored`. */
  count(event: string): void;
}

/** Counts by name, and tells an observer if there is one. */
export class EventCounts implements DeviceEvents {
  readonly #counts = new Map<string, number>();
  readonly #observer: ((event: string, count: number) => void) | null;

  /** @param observer called at each event; it decides itself what to print and how often. */
  constructor(observer: ((event: string, count: number) => void) | null = null) {
    this.#observer = observer;
  }

  count(event: string): void {
    const count = (this.#counts.get(event) ?? 0) + 1;
    this.#counts.set(event, count);
    this.#observer?.(event, count);
  }

  /** How often `event` happened. */
  get(event: string): number {
    return this.#counts.get(event) ?? 0;
  }

  /** All events that happened, with their counts. */
  entries(): IterableIterator<[event: string, count: number]> {
    return this.#counts.entries();
  }
}

/** A device that nobody listens to. */
export const NO_EVENTS: DeviceEvents = { count: () => {} };
