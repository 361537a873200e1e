/** What can be heard about an address space, and when. Directions and order: T-110 to T-123. */
import type { EventNotifier } from '../region/event-fd.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { MemoryRegionSection } from '../view/section.ts';

/** An eventfd at its place in an address space. */
export interface PlacedEventFd {
  /** Not clipped to the range that shows it (T-126). */
  readonly addr: bigint;
  /** Bytes: 1, 2, 4, 8, or 0 for any. */
  readonly size: number;
  readonly matchData: boolean;
  /** In the region's byte order. */
  readonly data: bigint;
  readonly notifier: EventNotifier;
}

/**
 * Hears of the changes of one address space. Every callback is optional. All may look things up and access memory; none
 * may edit regions, register or unregister (`in-callback`), except `commit`, whose edits are committed right after it.
 * What one throws surfaces from the commit when all listeners have been told.
 *
 * In `region…` and `log…` callbacks `view` is the view that looks-up still use: the old one, in both passes (T-118).
 */
export interface MemoryListener {
  /** For messages. */
  readonly name?: string;
  /** Unsigned; smaller is told first going forward, last in reverse. Default 0 (T-111). */
  readonly priority?: number;

  /** A commit begins; or the replay at registration. Forward. */
  begin?(): void;
  /** It has ended: every space has its new view. Forward. */
  commit?(): void;
  /** A range is there that was not. Forward, after all removals (T-114). */
  regionAdd?(section: MemoryRegionSection, view: FlatView): void;
  /** A range is no more, or not as it was. Reverse. */
  regionDel?(section: MemoryRegionSection, view: FlatView): void;
  /**
   * A range stays. With this callback on any listener of the space each commit costs as much as the space has ranges;
   * without, only what changed is looked at (T-120, T-302).
   */
  regionNop?(section: MemoryRegionSection, view: FlatView): void;
  /** A range that stays is logged for more clients; or, replayed, for some. Not told beside `regionAdd` in a commit (T-117). */
  logStart?(section: MemoryRegionSection, oldMask: number, newMask: number, view: FlatView): void;
  /** For fewer. Reverse. */
  logStop?(section: MemoryRegionSection, oldMask: number, newMask: number, view: FlatView): void;
  /** Bring the dirty pages of this range up to date (T-138). */
  logSync?(section: MemoryRegionSection, view: FlatView): void;
  /** Instead of `logSync`, once for the whole space. A listener has one of the two (T-121). */
  logSyncGlobal?(): void;
  /** These pages are clean from now on, but for what `logSync` has not reported yet: have the next write to them be seen (T-139). */
  logClear?(section: MemoryRegionSection, view: FlatView): void;
  /** Global logging begins. When it throws, those that were told are told `logGlobalStop` and nothing is logged (T-137). */
  logGlobalStart?(): void;
  /** Global logging has ended. Reverse. */
  logGlobalStop?(): void;
  /** Dirty pages have been collected (T-112). */
  logGlobalAfterSync?(): void;
  /** Reverse; in the new view (T-112, T-118). */
  eventfdAdd?(event: PlacedEventFd, view: FlatView): void;
  /** Forward. */
  eventfdDel?(event: PlacedEventFd, view: FlatView): void;
  /** Writes to these bytes may be delivered late. Told at once, not at the commit (T-130). Forward. */
  coalescedIoAdd?(section: MemoryRegionSection, addr: bigint, size: bigint): void;
  /** Reverse. */
  coalescedIoDel?(section: MemoryRegionSection, addr: bigint, size: bigint): void;
}
