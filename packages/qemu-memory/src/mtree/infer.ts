/**
 * Infers from a flat dump of the same moment what the tree dump does not tell: which `i/o` regions answer, which aliases
 * make read-only, which of equal siblings lies on top, which windows are closed. T-225, T-226.
 */
import type { MtreeFacts } from './facts.ts';
import type { FlatDump, FlatDumpRange, FlatDumpView } from './flat-dump.ts';
import { betterTargets, type SpaceEvidence, score } from './infer-targets.ts';
import { type LinkedDump, linkDump } from './link.ts';
import type { LinkedRegion } from './linked-region.ts';
import { type Occurrence, occurrencesIn, relate } from './occurrences.ts';
import type { MtreeDump } from './tree-dump.ts';
import { parseTreeDump } from './tree-dump.ts';

/**
 * The facts that `flat` shows about the tree dump `text`. They hold what shows; where a region is covered in every
 * view, nothing is said of it, and the guesses of `parseMtree` apply.
 *
 * @throws {MtreeError} if `text` is no whole tree dump.
 */
export function inferFacts(text: string, flat: FlatDump): MtreeFacts {
  const dump = parseTreeDump(text);
  return inferFactsOfDump(dump, flat);
}

/** The same for a dump that is parsed already. */
function inferFactsOfDump(dump: MtreeDump, flat: FlatDump): MtreeFacts {
  const targets = new Map<number, number>();
  let linked = linkDump(dump, targets);
  let spaces = matchSpaces(dump, linked, flat);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const better = betterTargets(dump, linked, spaces);
    if (better.size === 0) break;
    for (const [alias, section] of better) targets.set(alias, section);
    linked = linkDump(dump, targets);
    spaces = matchSpaces(dump, linked, flat);
  }
  const evidence = new Evidence();
  const stretches = spaces.flatMap(({ root, view }) => stretchesOf(occurrencesIn(root), view));
  for (const stretch of stretches) evidence.see(stretch);
  for (const stretch of stretches) evidence.order(stretch);
  for (const stretch of stretches) evidence.flags(stretch);
  return { ...evidence.facts(), ...(targets.size > 0 && { target: Object.fromEntries(targets) }) };
}

/** Each round can settle aliases that only the targets of the last round brought into view. */
const MAX_ROUNDS = 8;

/** Addresses of a space over which nothing changes. */
interface Stretch {
  /** Null in a hole. */
  readonly range: FlatDumpRange | null;
  /** What stands there, seen or not. */
  readonly present: readonly Occurrence[];
  /** Those of them that can be what the range shows. */
  readonly shown: readonly Occurrence[];
}

/**
 * Which view shows which root: name and root name say, and where spaces of one name have several views, the one that the
 * root explains best.
 */
function matchSpaces(dump: MtreeDump, linked: LinkedDump, flat: FlatDump): SpaceEvidence[] {
  const views = new Map<string, Set<FlatDumpView>>();
  for (const view of flat.views)
    for (const { name, root } of view.spaces) {
      const key = `${name}\n${root}`;
      views.set(key, (views.get(key) ?? new Set()).add(view));
    }
  const done = new Map<FlatDumpView, Set<LinkedRegion>>();
  const out: SpaceEvidence[] = [];
  for (const [i, block] of dump.blocks.entries()) {
    const root = linked.roots[i]!;
    for (const space of block.spaces) {
      const view = bestView(root, [...(views.get(`${space}\n${root.name}`) ?? [])]);
      const roots = view === undefined ? undefined : (done.get(view) ?? new Set());
      // Every device that is a bus master shows all of the system: once is enough.
      const shown = showsWhole(root);
      if (view === undefined || roots === undefined || roots.has(shown)) continue;
      done.set(view, roots.add(shown));
      out.push({ root, view });
    }
  }
  return out;
}

/** The region that a chain of containers with one child, and aliases of whole regions, comes to (T-86). */
function showsWhole(root: LinkedRegion): LinkedRegion {
  const seen = new Set<LinkedRegion>();
  let at = root;
  while (!seen.has(at)) {
    seen.add(at);
    const enabled = at.children.filter(({ node }) => !node.disabled);
    const only = enabled[0];
    if (at.target !== null && at.node.alias?.offset === 0n && at.node.size >= at.target.node.size) at = at.target;
    else if (enabled.length === 1 && only?.target != null && only.addr === 0n) at = only;
  }
  return at;
}

function bestView(root: LinkedRegion, views: readonly FlatDumpView[]): FlatDumpView | undefined {
  if (views.length < 2) return views[0];
  const occurrences = occurrencesIn(root);
  const scores = views.map(({ ranges }) => 2 * score(ranges, occurrences) - ranges.length);
  return views[scores.indexOf(Math.max(...scores))];
}

/** Cuts a space at every place where a range or an occurrence begins or ends. */
function stretchesOf(occurrences: readonly Occurrence[], view: FlatDumpView): Stretch[] {
  const cuts = new Set<bigint>();
  for (const { first, end } of occurrences) cuts.add(first).add(end);
  for (const { first, last } of view.ranges) cuts.add(first).add(last + 1n);
  const sorted = [...cuts].sort(compare);
  const starting = [...occurrences].sort((a, b) => compare(a.first, b.first));
  const out: Stretch[] = [];
  let active: Occurrence[] = [];
  let next = 0;
  let at = 0;
  for (const [i, first] of sorted.entries()) {
    if (i + 1 === sorted.length) break;
    active = active.filter(({ end }) => end > first);
    for (; next < starting.length && starting[next]!.first === first; next++) active.push(starting[next]!);
    while (at < view.ranges.length && view.ranges[at]!.last < first) at++;
    const candidate = view.ranges[at];
    const range = candidate !== undefined && candidate.first <= first ? candidate : null;
    if (active.length === 0 && range === null) continue;
    out.push({ range, present: active, shown: range === null ? [] : active.filter((o) => canBe(o, range)) });
  }
  return out;
}

/** Name, priority, and where the region would begin. */
function canBe({ region, start }: Occurrence, range: FlatDumpRange): boolean {
  if (region.name !== range.name || region.node.priority !== range.priority) return false;
  if (start !== range.first - range.offset) return false;
  return range.type === 'rom' || range.type === region.node.type || region.node.type === 'container';
}

class Evidence {
  /** Regions that some range shows. */
  readonly #seen = new Set<LinkedRegion>();
  /** Regions that show nothing where they would have to. */
  readonly #silent = new Set<LinkedRegion>();
  readonly #over = new Map<string, readonly [LinkedRegion, LinkedRegion]>();
  readonly #readonly = new Set<LinkedRegion>();
  readonly #writable = new Set<LinkedRegion>();
  readonly #wantReadonly: Occurrence[] = [];
  /** Aliases that were taken for one byte and show none. */
  readonly #closed = new Set<LinkedRegion>();

  see({ range, present, shown }: Stretch): void {
    if (range === null) for (const occurrence of present) this.#missing(occurrence);
    for (const region of new Set(shown.map(({ region }) => region))) if (shown.length === 1) this.#seen.add(region);
    if (shown.length > 1) this.#seen.add(shown[0]!.region);
  }

  /** What is shown lies over everything else that answers there. */
  order({ present, shown }: Stretch): void {
    if (shown.length === 0) return;
    for (const other of present) {
      if (shown.includes(other) || !this.#mayAnswer(other.region)) continue;
      const relations = shown.map((occurrence) => relate(occurrence, other));
      if (relations.some(({ kind }) => kind === 'over')) continue;
      const decided = relations.find((relation) => relation.kind === 'equals');
      if (decided === undefined) this.#missing(other);
      else if (decided.kind === 'equals') {
        const { mine, other: loser } = decided;
        this.#over.set(`${mine.node.line} ${loser.node.line}`, [mine, loser]);
      }
    }
  }

  /** Read-only ranges of writable regions. */
  flags({ range, shown }: Stretch): void {
    if (range === null || shown.length === 0) return;
    const top = shown.reduce((a, b) => (relate(b, a).kind === 'over' ? b : a));
    if (top.region.node.type === 'rom') return;
    if (range.type === 'rom') this.#wantReadonly.push(top);
    else if (shown.length === 1) for (const region of top.way) this.#writable.add(region);
  }

  facts(): MtreeFacts {
    for (const { way } of this.#wantReadonly) {
      const free = way.filter((region) => !this.#writable.has(region));
      if (free.some((region) => this.#readonly.has(region))) continue;
      const alias = free.filter(({ target }) => target !== null).at(-1) ?? free.at(-1);
      if (alias !== undefined) this.#readonly.add(alias);
    }
    const io = (region: LinkedRegion): boolean => region.node.type === 'i/o' || region.node.type === 'container';
    const answers = [...this.#seen].filter((region) => io(region) && region.children.length > 0);
    const empty = [...this.#silent].filter(
      (region) => io(region) && region.children.length === 0 && !this.#seen.has(region),
    );
    return {
      ...list('answers', answers),
      ...list('empty', empty),
      ...list('readonly', [...this.#readonly]),
      ...(this.#closed.size > 0 && {
        oneByte: Object.fromEntries([...this.#closed].map(({ node }) => [node.line, false])),
      }),
      ...(this.#over.size > 0 && {
        over: [...this.#over.values()].map(([a, b]): [number, number] => [a.node.line, b.node.line]),
      }),
    };
  }

  /** It would show here and does not. */
  #missing({ region, way }: Occurrence): void {
    const window = way.find(({ target, likelySize }) => target !== null && likelySize === 1n);
    if (window !== undefined) this.#closed.add(window);
    else if (!this.#seen.has(region)) this.#silent.add(region);
  }

  #mayAnswer(region: LinkedRegion): boolean {
    if (this.#seen.has(region)) return true;
    return region.children.length === 0 && !this.#silent.has(region);
  }
}

function list<Key extends string>(key: Key, regions: readonly LinkedRegion[]): { [key in Key]?: number[] } {
  const lines = regions.map(({ node }) => node.line).filter((line) => line > 0);
  if (lines.length === 0) return {};
  return { [key]: lines.sort((a, b) => a - b) } as { [key in Key]: number[] };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
