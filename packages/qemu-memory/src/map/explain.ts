/**
 * Says what answers at an address and why: the way through containers and aliases, what lies below it and by which rule
 * it lost, and what is disabled there. Walks the tree in the order of rendering, for one address. T-60 to T-67.
 */

import { type GuestAddress, toBigAddress } from '@guestmem/vm-memory';
import { typeText } from '../mtree/region-text.ts';
import * as check from '../region/check.ts';
import { MemoryRegionError } from '../region/error.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { SPACE_SIZE } from '../view/big.ts';
import { MAX_VISITS } from '../view/render.ts';
import { type MapAddress, mapAddress } from './memory-map.ts';

/** One step on the way from a root to what answers. */
export interface ExplainStep {
  readonly name: string;
  /** Where the region lies in the space, as far as the steps before it let it show. */
  readonly first: MapAddress;
  readonly last: MapAddress;
  readonly priority: number;
  /** Of an alias: its target's name and the offset of its first byte in it. */
  readonly alias?: { readonly target: string; readonly offset: MapAddress };
  /** Its flags turn what is below it into ROM. */
  readonly readonly?: true;
}

/** A region that stands at the address. */
export interface ExplainHit {
  readonly name: string;
  /** As in a flat view, so that `rom` tells effective read-only. */
  readonly type: string;
  /** Offset of the address in the region. */
  readonly offset: MapAddress;
  readonly way: readonly ExplainStep[];
}

/** A hit that is not seen, and the rule by which it lost. */
export interface HiddenHit extends ExplainHit {
  readonly because: string;
}

/** Everything that stands at an address of one space. */
export interface Explanation {
  readonly address: MapAddress;
  /** What answers; null in a hole. */
  readonly answer: ExplainHit | null;
  /** In the order in which they would show if what lies over them went away. */
  readonly hidden: readonly HiddenHit[];
  /** What would stand there if it were enabled; what is below a disabled region is not listed. */
  readonly disabled: readonly ExplainHit[];
}

/** More hits than this are not listed: aliases can multiply them without bound. */
const MAX_HITS = 64;
/** Regions looked at for what lies below the answer. */
const MAX_STEPS = 20_000;
/** As deep as rendering goes. */
const MAX_DEPTH = 4096;

/**
 * Explains `addr` in the space that `root` is the root of.
 *
 * @throws {TypeError} `root` is no region: of a space, pass `space.root`. @throws {TypeError | RangeError} `addr` is no address.
 * @throws {MemoryRegionError} `too-complex`: what answers was not found in as many regions, or as deep, as rendering looks.
 */
export function explainAddress(root: MemoryRegion, addr: GuestAddress): Explanation {
  check.isRegion(root, 'the root (of a space: space.root)');
  const address = toBigAddress(addr);
  const walk = new Walk(address);
  walk.run(root);
  const [answer, ...rest] = walk.hits;
  return {
    address: mapAddress(address),
    answer: answer === undefined ? null : hitData(answer, address),
    hidden: rest.map((hit) => ({ ...hitData(hit, address), because: because(hit.way, answer!.way) })),
    disabled: walk.disabled.map((hit) => hitData(hit, address)),
  };
}

/** An explanation in words, one line each. */
export function describeExplanation({ address, answer, hidden, disabled }: Explanation): string[] {
  const out: string[] = [];
  if (answer === null) out.push(`${address}: nothing answers`);
  else {
    out.push(`${address}: ${hitWords(answer)}`);
    for (const [depth, step] of answer.way.entries()) out.push(`${'  '.repeat(depth + 1)}${stepWords(step)}`);
  }
  for (const hit of hidden) out.push(`  hides ${hitWords(hit)}, by way of ${wayWords(hit)}: ${hit.because}`);
  for (const hit of disabled) out.push(`  disabled here: ${hitWords(hit)}, by way of ${wayWords(hit)}`);
  return out;
}

/** A region that is still to be visited. */
interface Visit {
  readonly region: MemoryRegion;
  /** Where offset 0 of its container lies. */
  readonly base: bigint;
  readonly lo: bigint;
  readonly hi: bigint;
  readonly readonly: boolean;
  readonly above: Step | null;
}

interface Step {
  readonly region: MemoryRegion;
  readonly start: bigint;
  readonly lo: bigint;
  readonly hi: bigint;
  readonly above: Step | null;
  /** Steps from the root, this one included. */
  readonly depth: number;
}

interface Hit {
  readonly region: MemoryRegion;
  readonly start: bigint;
  readonly readonly: boolean;
  readonly way: readonly Step[];
}

/** Depth first, without recursion, as rendering does it (view/walk.ts). */
class Walk {
  readonly hits: Hit[] = [];
  readonly disabled: Hit[] = [];
  readonly #address: bigint;
  /** Visits, and regions whose children have been visited. */
  readonly #todo: (Visit | Hit)[] = [];
  #visits = 0;
  #further = 0;

  constructor(address: bigint) {
    this.#address = address;
  }

  run(root: MemoryRegion): void {
    this.#todo.push({ region: root, base: 0n, lo: 0n, hi: SPACE_SIZE, readonly: false, above: null });
    for (let next = this.#todo.pop(); next !== undefined; next = this.#todo.pop()) {
      if ('way' in next) this.hits.push(next);
      else this.#visit(next);
      if (this.hits.length === MAX_HITS || this.#further > MAX_STEPS) return;
    }
  }

  #visit({ region, base, lo, hi, readonly, above }: Visit): void {
    const depth = (above?.depth ?? 0) + 1;
    if (!this.#mayVisit(depth)) return;
    const start = base + region.addr;
    const first = start > lo ? start : lo;
    const end = start + region.size < hi ? start + region.size : hi;
    if (this.#address < first || this.#address >= end) return;
    const isReadonly = readonly || region.readonly;
    const here: Step = { region, start, lo: first, hi: end, above, depth };
    if (!region.enabled) {
      if (this.disabled.length < MAX_HITS)
        this.disabled.push({ region, start, readonly: isReadonly, way: wayTo(here) });
      return;
    }
    const inside = { lo: first, hi: end, readonly: isReadonly, above: here };
    const { target } = region;
    if (target !== null) {
      const at = start - region.aliasOffset;
      // The same region at the same place again would never end (T-52).
      for (let step: Step | null = here; step !== null; step = step.above)
        if (step.region === target && step.start === at) return;
      this.#todo.push({ region: target, base: at - target.addr, ...inside });
      return;
    }
    if (region.terminates) this.#todo.push({ region, start, readonly: isReadonly, way: wayTo(here) });
    const offset = this.#address - start;
    const children = region.childSet?.intersecting(offset, offset + 1n) ?? [];
    for (let i = children.length - 1; i >= 0; i--) this.#todo.push({ region: children[i]!, base: start, ...inside });
  }

  /** Once there is an answer, what else is listed is bounded; without one nothing may be left out. */
  #mayVisit(depth: number): boolean {
    const tooDeep = depth > MAX_DEPTH;
    if (this.hits.length > 0) {
      this.#further++;
      return !tooDeep;
    }
    if (tooDeep || ++this.#visits > MAX_VISITS)
      throw new MemoryRegionError(
        'too-complex',
        `what answers at ${mapAddress(this.#address)} was not found in ${tooDeep ? `regions nested ${MAX_DEPTH} deep` : `${MAX_VISITS} regions`}`,
      );
    return true;
  }
}

/** From the root to `last`. */
function wayTo(last: Step): Step[] {
  const out: Step[] = [];
  for (let step: Step | null = last; step !== null; step = step.above) out.push(step);
  return out.reverse();
}

/** Why `loser` is not seen: what the two ways say where they part. */
function because(loser: readonly Step[], winner: readonly Step[]): string {
  let i = 0;
  while (i < loser.length && i < winner.length && loser[i]!.region === winner[i]!.region) i++;
  const above = winner[i]?.region;
  const below = loser[i]?.region;
  if (below === undefined) return `"${above?.name}" is inside it`;
  if (above === undefined) return 'the same region shows there already';
  if (above.priority !== below.priority)
    return `"${above.name}" has priority ${above.priority}, "${below.name}" has ${below.priority}`;
  return `"${above.name}" was mapped later than "${below.name}", at equal priority ${above.priority}`;
}

function hitData({ region, start, readonly, way }: Hit, address: bigint): ExplainHit {
  const nonvolatile = way.some((step) => step.region.nonvolatile) ? 'nv-' : '';
  return {
    name: region.name,
    type: `${nonvolatile}${readonly ? 'rom' : typeText(region, '7.2')}`,
    offset: mapAddress(address - start),
    way: way.map(stepData),
  };
}

function stepData({ region, lo, hi }: Step): ExplainStep {
  return {
    name: region.name,
    first: mapAddress(lo),
    last: mapAddress(hi - 1n),
    priority: region.priority,
    ...(region.target !== null && { alias: { target: region.target.name, offset: mapAddress(region.aliasOffset) } }),
    ...(region.readonly && { readonly: true as const }),
  };
}

function hitWords({ name, type, offset }: ExplainHit): string {
  return `${name} + ${offset} (${type})`;
}

function stepWords({ name, first, last, priority, alias, readonly }: ExplainStep): string {
  const what = alias === undefined ? name : `${name}, alias of ${alias.target} at ${alias.offset}`;
  const flags = `${priority === 0 ? '' : `, priority ${priority}`}${readonly ? ', read-only' : ''}`;
  return `${what} [${first}, ${last}]${flags}`;
}

function wayWords({ way }: ExplainHit): string {
  return way.map(({ name }) => name).join(' > ');
}
