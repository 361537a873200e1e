/** The region that an address space's view is named after in QEMU's dumps. T-86, T-87. */
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';

/** Skips containers with one child and aliases of whole regions; null where nothing enabled is below `region`. */
export function canonicalRoot(region: MemoryRegion): MemoryRegion | null {
  let at = region;
  for (;;) {
    if (!at.enabled) return null;
    if (at.kind === RegionKind.ALIAS) {
      const target: MemoryRegion = at.target!;
      if (at.aliasOffset !== 0n || at.size < target.size) return at;
      at = target;
      continue;
    }
    if (at.terminates) return at;
    const enabled = at.children.filter((child) => child.enabled);
    const only = enabled[0];
    if (only === undefined) return null;
    if (enabled.length > 1 || only.addr !== 0n || only.size > at.size) return at;
    at = only;
  }
}
