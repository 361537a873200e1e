/**
 * A naive model of a region tree, written from the rules alone: a plain sibling list, and a painter that asks for each
 * address of a small space which region answers. All numbers are units; what a unit is, is the test's choice.
 */

/** One region of the model. Kinds as the library's names. */
export interface ModelRegion {
  readonly id: number;
  readonly kind: 'container' | 'io' | 'ram' | 'romDevice' | 'alias';
  size: number;
  addr: number;
  priority: number;
  enabled: boolean;
  readonly: boolean;
  nonvolatile: boolean;
  romd: boolean;
  logged: boolean;
  readonly target: ModelRegion | null;
  aliasOffset: number;
  container: ModelRegion | null;
  /** T-42: falling priority, the newest first among equals. */
  children: ModelRegion[];
}

/** What answers at one address. */
interface Colour {
  readonly region: ModelRegion;
  readonly offset: number;
  readonly readonly: boolean;
  readonly nonvolatile: boolean;
}

/** The tree leads back into itself, or is larger than a test wants to wait for. */
export class Unpaintable extends Error {}

/** T-40, T-42. */
export function addChild(container: ModelRegion, child: ModelRegion, addr: number, priority: number): void {
  child.addr = addr;
  child.priority = priority;
  child.container = container;
  const at = container.children.findIndex((each) => each.priority <= priority);
  container.children.splice(at < 0 ? container.children.length : at, 0, child);
}

/** T-43. */
export function removeChild(child: ModelRegion): void {
  const { children } = child.container!;
  children.splice(children.indexOf(child), 1);
  child.container = null;
}

/** The space of `units` addresses below `root`, as lines `first-last id+offset flags`, merged as T-75 says. */
export function paint(root: ModelRegion, units: number): string[] {
  const lines: string[] = [];
  let open: { first: number; last: number; colour: Colour } | null = null;
  const close = (): void => {
    if (open !== null) lines.push(line(open.first, open.last, open.colour));
    open = null;
  };
  for (let x = 0; x < units; x++) {
    const claims: Colour[] = [];
    claim(claims, root, 0, x, false, false, [], { left: 4000 });
    const colour = claims[0];
    if (colour === undefined) close();
    else if (open !== null && continues(open as { first: number; colour: Colour }, x, colour))
      (open as { last: number }).last = x;
    else {
      close();
      open = { first: x, last: x, colour };
    }
  }
  close();
  return lines;
}

function continues(open: { first: number; colour: Colour }, x: number, colour: Colour): boolean {
  return (
    open.colour.region === colour.region &&
    open.colour.offset + (x - open.first) === colour.offset &&
    open.colour.readonly === colour.readonly &&
    open.colour.nonvolatile === colour.nonvolatile
  );
}

/** T-61 for the single address `x`: everything that would answer there, the uppermost first. */
function claim(
  out: Colour[],
  region: ModelRegion,
  base: number,
  x: number,
  readonly: boolean,
  nonvolatile: boolean,
  path: readonly (readonly [ModelRegion, number])[],
  budget: { left: number },
): void {
  if (--budget.left < 0) throw new Unpaintable('too many visits');
  if (path.some(([at, place]) => at === region && place === base)) throw new Unpaintable('endless');
  if (!region.enabled) return;
  const origin = base + region.addr;
  if (x < origin || x >= origin + region.size) return;
  const ro = readonly || region.readonly;
  const nv = nonvolatile || region.nonvolatile;
  const below = [...path, [region, base] as const];
  if (region.target !== null) {
    claim(out, region.target, origin - region.target.addr - region.aliasOffset, x, ro, nv, below, budget);
    return;
  }
  for (const child of region.children) claim(out, child, origin, x, ro, nv, below, budget);
  if (region.kind !== 'container') out.push({ region, offset: x - origin, readonly: ro, nonvolatile: nv });
}

function line(first: number, last: number, { region, offset, readonly, nonvolatile }: Colour): string {
  const flags = `${readonly ? ' ro' : ''}${nonvolatile ? ' nv' : ''}${region.romd ? '' : ' io'}`;
  return `${first}-${last} ${region.id}+${offset}${flags}${region.logged ? ' log' : ''}`;
}
