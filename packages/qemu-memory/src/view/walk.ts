/**
 * Visits a region tree in visibility order within one window and notes what terminates there: the earlier noted, the
 * higher. Depth first, without recursion, so that depth costs no stack. Positions may be negative or lie past 2^64 on the
 * way; only the window is in [0, 2^64). T-3, T-60 to T-72, T-52.
 */
import { hex } from '@guestmem/vm-memory';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { max, min } from './big.ts';

/** A region that wants to answer in [lo, hi), below all that were noted before it. */
export interface Claim {
  readonly region: MemoryRegion;
  /** Address of the region's offset 0; any sign. */
  readonly origin: bigint;
  readonly lo: bigint;
  readonly hi: bigint;
  readonly readonly: boolean;
  readonly nonvolatile: boolean;
}

/** Nesting deeper than this is taken for a tree that was built by mistake. */
const MAX_DEPTH = 4096;

/** One visit that is still to be done, or (`self`) the region's own claim after its children. */
interface Frame {
  readonly region: MemoryRegion;
  /** Address of offset 0 of what contains the region; for `self` that of the region. */
  readonly base: bigint;
  readonly lo: bigint;
  readonly hi: bigint;
  readonly readonly: boolean;
  readonly nonvolatile: boolean;
  readonly self: boolean;
  readonly parent: Frame | null;
  readonly depth: number;
}

/**
 * The claims of `root` in [lo, hi), highest first.
 *
 * @param maxVisits how many regions may be visited.
 * @throws {MemoryRegionError} `endless-alias`: an alias leads back to where it lies (T-52); `too-complex`.
 */
export function walk(root: MemoryRegion, lo: bigint, hi: bigint, maxVisits: number): Claim[] {
  const claims: Claim[] = [];
  const todo: Frame[] = [
    { region: root, base: 0n, lo, hi, readonly: false, nonvolatile: false, self: false, parent: null, depth: 0 },
  ];
  let visits = 0;
  for (let frame = todo.pop(); frame !== undefined; frame = todo.pop()) {
    if (frame.self) {
      claims.push({
        region: frame.region,
        origin: frame.base,
        lo: frame.lo,
        hi: frame.hi,
        readonly: frame.readonly,
        nonvolatile: frame.nonvolatile,
      });
      continue;
    }
    if (++visits > maxVisits) throw tooManyVisits(root, maxVisits);
    visit(todo, frame);
  }
  return claims;
}

/** T-61. */
function visit(todo: Frame[], frame: Frame): void {
  const region = frame.region;
  if (!region.enabled) return;
  const origin = frame.base + region.addr;
  const end = origin + region.size;
  const lo = max(origin, frame.lo);
  const hi = min(end, frame.hi);
  if (lo >= hi) return;
  const readonly = frame.readonly || region.readonly;
  const nonvolatile = frame.nonvolatile || region.nonvolatile;
  const depth = frame.depth + 1;
  if (depth > MAX_DEPTH) throw tooDeep(region);
  const target = region.target;
  if (target !== null) {
    const base = origin - target.addr - region.aliasOffset;
    for (let at: Frame | null = frame; at !== null; at = at.parent)
      if (at.region === target && at.base === base) throw endless(region, target, lo, hi);
    todo.push({ region: target, base, lo, hi, readonly, nonvolatile, self: false, parent: frame, depth });
    return;
  }
  if (region.terminates)
    todo.push({ region, base: origin, lo, hi, readonly, nonvolatile, self: true, parent: null, depth });
  const children = region.childSet;
  if (children === null) return;
  const shown = lo === origin && hi === end ? children.sorted() : children.intersecting(lo - origin, hi - origin);
  for (let i = shown.length - 1; i >= 0; i--) {
    const child = shown[i]!;
    todo.push({ region: child, base: origin, lo, hi, readonly, nonvolatile, self: false, parent: frame, depth });
  }
}

function endless(alias: MemoryRegion, target: MemoryRegion, lo: bigint, hi: bigint): MemoryRegionError {
  return new MemoryRegionError(
    'endless-alias',
    `alias "${alias.name}" leads back to "${target.name}" at the same place: [${hex(lo)}, ${hex(hi - 1n)}] has no end; move, resize or disable the alias`,
  );
}

function tooDeep(region: MemoryRegion): MemoryRegionError {
  return new MemoryRegionError(
    'too-complex',
    `regions are nested more than ${MAX_DEPTH} deep, aliases included, at "${region.name}"`,
  );
}

function tooManyVisits(root: MemoryRegion, limit: number): MemoryRegionError {
  return new MemoryRegionError(
    'too-complex',
    `rendering "${root.name}" visits more than ${limit} regions; the core's option maxVisits raises the limit`,
  );
}
