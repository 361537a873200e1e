/**
 * Where QEMU would make the view of a root: the region that its dumps print as `Root memory region` and group address
 * spaces by. Not what decides sharing here (render-key.ts): it ignores flags and addresses that rendering honours. T-86
 * to T-89.
 */
import type { MemoryRegion } from '../region/memory-region.ts';

/** The canonical root of `root`; null for "none": it shows nothing (T-88). */
export function canonicalRoot(root: MemoryRegion): MemoryRegion | null {
  const seen = new Set<MemoryRegion>();
  for (let at = root; ; ) {
    if (!at.enabled) return null;
    if (seen.has(at)) return at; // An alias of itself: nothing further to find.
    seen.add(at);
    if (at.target !== null) {
      if (at.aliasOffset !== 0n || at.size < at.target.size) return at;
      at = at.target;
      continue;
    }
    if (at.terminates) return at;
    let only: MemoryRegion | null = null;
    let count = 0;
    for (const child of at.childSet ?? [])
      if (child.enabled) {
        only = child;
        if (++count > 1) return at;
      }
    if (only === null) return null;
    if (only.addr !== 0n || only.size > at.size) return at;
    at = only;
  }
}
