/** Tells the listeners of a space what is different: removals, then additions. T-113 to T-119; and replay, T-121 to T-123. */
import type { CoalescedRange } from '../region/signals.ts';
import { max, min } from '../view/big.ts';
import type { FlatBlock } from '../view/flat-block.ts';
import { difference } from '../view/flat-diff.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryListener } from './listener.ts';
import type { Call } from './listener-list.ts';

/** Both passes over the old and the new view of `space`. `old` is what look-ups use meanwhile (T-118). */
export function announce(space: AddressSpace, old: FlatView, next: FlatView, call: Call): void {
  const { listeners } = space;
  const all = listeners.has('regionNop');
  if (old === next && !all) return;
  const { removed, steps } = difference(old.blocks, next.blocks, all);
  for (const { block, row } of removed) {
    const section = block.section(row);
    for (const at of coalescedIn(block, row))
      listeners.reverse(call, (listener) => listener.coalescedIoDel?.(section, at.offset, at.size));
    listeners.reverse(call, (listener) => listener.regionDel?.(section, old));
  }
  for (const { block, row, old: before } of steps) {
    const section = block.section(row);
    if (before === null) {
      listeners.forward(call, (listener) => listener.regionAdd?.(section, old));
      for (const at of coalescedIn(block, row))
        listeners.forward(call, (listener) => listener.coalescedIoAdd?.(section, at.offset, at.size));
      continue;
    }
    const oldMask = before.block.dirtyMask(before.row);
    const mask = block.dirtyMask(row);
    listeners.forward(call, (listener) => listener.regionNop?.(section, old));
    if ((mask & ~oldMask) !== 0)
      listeners.forward(call, (listener) => listener.logStart?.(section, oldMask, mask, old));
    if ((oldMask & ~mask) !== 0) listeners.reverse(call, (listener) => listener.logStop?.(section, oldMask, mask, old));
  }
}

/** Tells one listener all that `view` shows, as if it were new (T-121; coalesced ranges too, unlike 7.2: T-122). */
export function replayAdd(listener: MemoryListener, view: FlatView, call: Call): void {
  for (const block of view.blocks)
    for (let row = 0; row < block.count; row++) {
      const section = block.section(row);
      call(() => listener.regionAdd?.(section, view));
      for (const at of coalescedIn(block, row)) call(() => listener.coalescedIoAdd?.(section, at.offset, at.size));
      const mask = block.dirtyMask(row);
      if (mask !== 0) call(() => listener.logStart?.(section, 0, mask, view));
    }
}

/** Tells one listener that all of `view` is gone (T-123). */
export function replayDel(listener: MemoryListener, view: FlatView, call: Call): void {
  for (const block of view.blocks)
    for (let row = 0; row < block.count; row++) {
      const section = block.section(row);
      const mask = block.dirtyMask(row);
      if (mask !== 0) call(() => listener.logStop?.(section, mask, 0, view));
      for (const at of coalescedIn(block, row)) call(() => listener.coalescedIoDel?.(section, at.offset, at.size));
      call(() => listener.regionDel?.(section, view));
    }
}

/** A coalesced range was added or dropped: told at once, on the published view (T-130, T-133). */
export function announceCoalesced(
  space: AddressSpace,
  region: object,
  range: CoalescedRange,
  added: boolean,
  call: Call,
): void {
  const { listeners } = space;
  if (!listeners.has(added ? 'coalescedIoAdd' : 'coalescedIoDel')) return;
  for (const block of space.view.blocks)
    for (let row = 0; row < block.count; row++) {
      if (block.regions[row] !== region) continue;
      const at = placed(block, row, range);
      if (at === null) continue;
      const section = block.section(row);
      if (added) listeners.forward(call, (listener) => listener.coalescedIoAdd?.(section, at.offset, at.size));
      else listeners.reverse(call, (listener) => listener.coalescedIoDel?.(section, at.offset, at.size));
    }
}

/** The coalesced ranges of a row's region, clipped to the row; `offset` is the address. */
function coalescedIn(block: FlatBlock, row: number): readonly CoalescedRange[] {
  const ranges = block.regions[row]!.coalescedRanges;
  if (ranges.length === 0) return ranges;
  return ranges.map((range) => placed(block, row, range)).filter((at) => at !== null);
}

/** `range` at its address, clipped to the row; null where they do not meet. */
function placed(block: FlatBlock, row: number, range: CoalescedRange): CoalescedRange | null {
  const first = block.firsts[row]!;
  const end = block.lasts[row]! + 1n;
  const start = range.offset - block.offsets[row]! + first;
  const stop = start + range.size;
  const lo = max(start, first);
  const hi = min(stop, end);
  return lo < hi ? { offset: lo, size: hi - lo } : null;
}
