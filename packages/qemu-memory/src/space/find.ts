/// <reference lib="esnext.disposable" preserve="true" />
/** Look-ups that start from a region instead of an address space. T-143 to T-147. */
import type { DisposableHandle, GuestAddress } from '@guestmem/vm-memory';
import { disposable, toBigAddress } from '@guestmem/vm-memory';
import * as check from '../region/check.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { max, min } from '../view/big.ts';
import type { FlatView } from '../view/flat-view.ts';
import type { MemoryRegionSection } from '../view/section.ts';

/** What was found. Keeps the region's owner alive until it is disposed of (T-145). */
export interface FoundSection extends DisposableHandle {
  /** The part of the range that was asked for. */
  readonly section: MemoryRegionSection;
  /** The view it was found in; not kept alive. */
  readonly view: FlatView;
}

/**
 * The lowest flat range that meets [addr, addr + size) of `region`, cut to it. Positions add up through containers, never
 * through aliases, in wrapping 64-bit arithmetic; the topmost must be the root of an address space, the first one
 * counts. What is found may be any region that shows there, and there may be a gap before it. Inside a transaction it
 * sees the map before (T-143 to T-147).
 *
 * @returns null: nothing there, no bytes asked for, or no address space.
 */
export function memoryRegionFind(region: MemoryRegion, addr: GuestAddress, size: GuestAddress): FoundSection | null {
  const length = check.size(size);
  let at = toBigAddress(addr) + region.addr;
  let top = region;
  for (let up = region.container; up !== null; up = up.container) {
    top = up;
    at += up.addr;
  }
  const first = BigInt.asUintN(64, at);
  const space = top.links.roots[0];
  if (space === undefined || length === 0n) return null;
  const { view } = space;
  const index = view.findFrom(first);
  if (index >= view.length) return null;
  const section = view.section(index);
  const start = max(section.offsetWithinAddressSpace, first);
  const end = min(section.last + 1n, first + length);
  if (start >= end) return null;
  const part = section.part(start - section.offsetWithinAddressSpace, end - start);
  part.region.ref();
  return { section: part, view, ...disposable(() => part.region.unref()) };
}

/** Does another region than `container` itself answer at `addr` of it (T-146)? */
export function memoryRegionPresent(container: MemoryRegion, addr: GuestAddress): boolean {
  const found = memoryRegionFind(container, addr, 1);
  if (found === null) return false;
  found.dispose();
  return found.section.region !== container;
}
