/**
 * Which aliases a change of their target has to climb through. Those that lie directly in a small top-level container
 * need not: whoever shows such a container is anchored at the alias's target (space/render-key.ts). A machine has one
 * such alias per device and per CPU, so that climbing them all would cost more than the change. D9, T-304.
 */
import { RegionKind } from './kind.ts';
import type { MemoryRegion } from './memory-region.ts';

/** Containers with up to this many children are looked through when a space's render key is made. */
export const EXPAND_MAX = 8;

/** Is `region` a container that render keys look through? */
export function isSmallContainer(region: MemoryRegion): boolean {
  return region.kind === RegionKind.CONTAINER && (region.childSet?.count ?? 0) <= EXPAND_MAX;
}

/** `child` has been added to `container` or removed from it: brings the aliases up to date whose way up is another now. */
export function retrace(container: MemoryRegion, child: MemoryRegion): void {
  retraceAliases(child);
  const count = container.childSet?.count ?? 0;
  if (count === EXPAND_MAX || count === EXPAND_MAX + 1) retraceAliases(container);
}

/** An alias of `target` was made or disposed of. */
export function countAlias(target: MemoryRegion, by: 1 | -1): void {
  const { links } = target;
  links.aliases += by;
  if (links.aliases === (by === 1 ? 1 : 0)) retraceAliases(target);
}

/** `region` itself where it is an alias, and the aliases directly in it. */
function retraceAliases(region: MemoryRegion): void {
  if (region.target !== null) retraceAlias(region, region.target);
  const children = region.childSet;
  if (children === null || children.count > EXPAND_MAX + 1) return;
  for (const child of children) if (child.target !== null) retraceAlias(child, child.target);
}

function retraceAlias(alias: MemoryRegion, target: MemoryRegion): void {
  const known = alias.links.climber;
  if (climbs(alias)) {
    if (known !== null) return;
    const entry = new WeakRef(alias);
    alias.links.climber = entry;
    target.links.climbers ??= new Set();
    target.links.climbers.add(entry);
  } else if (known !== null) {
    alias.links.climber = null;
    target.links.climbers!.delete(known);
  }
}

function climbs(alias: MemoryRegion): boolean {
  if (alias.links.aliases > 0) return true;
  const { container } = alias;
  if (container === null) return false;
  return !(isSmallContainer(container) && container.container === null && container.links.aliases === 0);
}
