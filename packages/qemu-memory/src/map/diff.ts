/**
 * Compares what two maps show, address space by address space and range by range: as data, and in words. Trees may
 * differ in ways that nobody sees; they are not compared. D14.
 */
import { type FlatDump, type FlatDumpRange, type FlatDumpView, shownText, shownType } from '../mtree/flat-dump.ts';
import { SPACE_SIZE } from '../view/big.ts';
import { addTo, grouped } from '../view/grouped.ts';
import { type MapAddress, mapAddress } from './memory-map.ts';

/** What answers over the addresses of a change. */
export interface DiffState {
  readonly name: string;
  /** As printed, for example `ram`, `rom`, `nv-ram`, `i/o`; `container` counts as `i/o`. */
  readonly type: string;
  readonly priority: number;
  /** Offset in the region of the first address of the change. */
  readonly offset: MapAddress;
}

/** Addresses `first` to `last`, both included, that changed in one way. Null: nothing answers. */
export interface DiffRange {
  readonly first: MapAddress;
  readonly last: MapAddress;
  readonly before: DiffState | null;
  readonly after: DiffState | null;
}

/** One address space that differs. */
export interface DiffSpace {
  readonly name: string;
  /** Name of its root region. */
  readonly root: string;
  /** `added` and `removed` spaces list all their ranges. */
  readonly change: 'added' | 'removed' | 'changed';
  readonly ranges: readonly DiffRange[];
}

/** Every difference; plain data. */
export interface MapDiff {
  readonly spaces: readonly DiffSpace[];
}

/**
 * The differences between two flat dumps (`flatDump` of a core, `mapFlatDump` of a map, or parsed text). Spaces are
 * matched by name and root name; several of one name in the order in which they come, equal ones first.
 */
export function diffFlatDumps(before: FlatDump, after: FlatDump): MapDiff {
  const left = spacesOf(before);
  const right = spacesOf(after);
  const spaces: DiffSpace[] = [];
  for (const [key, olds] of left) {
    const news = right.get(key) ?? [];
    const [a, b] = withoutEqual(olds, news);
    for (let i = 0; i < Math.max(a.length, b.length); i++) spaces.push(diffSpace(key, a[i], b[i]));
  }
  for (const [key, news] of right)
    if (!left.has(key)) for (const view of news) spaces.push(diffSpace(key, undefined, view));
  return { spaces };
}

/** A difference in words, one line each; spaces that changed alike are told together. Empty where nothing differs. */
export function describeDiff(diff: MapDiff): string[] {
  const out: string[] = [];
  const groups = grouped(diff.spaces, ({ root, change, ranges }) => JSON.stringify([root, change, ranges]));
  for (const alike of groups.values()) {
    const { root, change, ranges } = alike[0]!;
    const isOne = alike.length === 1;
    const who = `address space${isOne ? '' : 's'} ${alike.map(({ name }) => `"${name}"`).join(', ')} (root ${root})`;
    if (change === 'changed') out.push(`${who}:`);
    else out.push(`${who} ${isOne ? 'is' : 'are'} ${change === 'added' ? 'new' : 'gone'}:`);
    if (ranges.length === 0) out.push('  nothing in it');
    for (const range of ranges) out.push(`  ${wordsOf(range)}`);
  }
  return out;
}

function wordsOf({ first, last, before, after }: DiffRange): string {
  const place = `[${first}, ${last}]`;
  if (before === null) return `${place} now ${stateWords(after!)}, was nothing`;
  if (after === null) return `${place} now nothing, was ${stateWords(before)}`;
  return `${place} now ${stateWords(after)}, was ${stateWords(before)}`;
}

function stateWords({ name, type, priority, offset }: DiffState): string {
  const at = offset === '0x0' ? '' : ` + ${offset}`;
  return `${name}${at} (${type}${priority === 0 ? '' : `, priority ${priority}`})`;
}

/** Name and root as JSON: names are any text. */
type SpaceKey = string;

function spacesOf(dump: FlatDump): Map<SpaceKey, FlatDumpView[]> {
  const out = new Map<SpaceKey, FlatDumpView[]>();
  for (const view of dump.views)
    for (const { name, root } of view.spaces) addTo(out, JSON.stringify([name, root]), view);
  return out;
}

/** What is left of two lists when pairs of equal content are taken away. */
function withoutEqual(olds: readonly FlatDumpView[], news: readonly FlatDumpView[]): [FlatDumpView[], FlatDumpView[]] {
  const left = grouped(news, contentOf);
  const gone = olds.filter((view) => left.get(contentOf(view))?.pop() === undefined);
  return [gone, [...left.values()].flat()];
}

/** Equal for views whose ranges are equal. */
function contentOf({ ranges }: FlatDumpView): string {
  return ranges.map(shownText).join('\n');
}

function diffSpace(key: SpaceKey, before: FlatDumpView | undefined, after: FlatDumpView | undefined): DiffSpace {
  const [name, root] = JSON.parse(key) as [string, string];
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { name, root, change, ranges: diffRanges(before?.ranges ?? [], after?.ranges ?? []) };
}

/** Walks both lists together, and joins neighbours that changed alike. */
function diffRanges(before: readonly FlatDumpRange[], after: readonly FlatDumpRange[]): DiffRange[] {
  const out: Change[] = [];
  let i = 0;
  let j = 0;
  let at = 0n;
  while (i < before.length || j < after.length) {
    const old = before[i];
    const now = after[j];
    if (old !== undefined && old.last < at) {
      i++;
      continue;
    }
    if (now !== undefined && now.last < at) {
      j++;
      continue;
    }
    const x = old !== undefined && old.first <= at ? old : null;
    const y = now !== undefined && now.first <= at ? now : null;
    const next = nextCut(at, old, now);
    if (!same(x, y, at)) join(out, { first: at, last: next - 1n, before: x, after: y });
    at = next;
  }
  return out.map(dataOf);
}

interface Change {
  readonly first: bigint;
  readonly last: bigint;
  readonly before: FlatDumpRange | null;
  readonly after: FlatDumpRange | null;
}

/** The next address at which either list changes. */
function nextCut(at: bigint, ...ranges: (FlatDumpRange | undefined)[]): bigint {
  let next = SPACE_SIZE;
  for (const range of ranges) {
    if (range === undefined) continue;
    const cut = range.first > at ? range.first : range.last + 1n;
    if (cut < next) next = cut;
  }
  return next;
}

function same(a: FlatDumpRange | null, b: FlatDumpRange | null, at: bigint): boolean {
  if (a === null || b === null) return a === b;
  if (a.name !== b.name || a.priority !== b.priority || typeOf(a) !== typeOf(b)) return false;
  return a.offset + (at - a.first) === b.offset + (at - b.first);
}

/** Adds a change, or lets the last one grow: both sides must go on where they were. */
function join(out: Change[], change: Change): void {
  const last = out.at(-1);
  if (
    last === undefined ||
    last.last + 1n !== change.first ||
    last.before !== change.before ||
    last.after !== change.after
  )
    out.push(change);
  else out[out.length - 1] = { ...last, last: change.last };
}

function dataOf({ first, last, before, after }: Change): DiffRange {
  return {
    first: mapAddress(first),
    last: mapAddress(last),
    before: before === null ? null : stateOf(before, first),
    after: after === null ? null : stateOf(after, first),
  };
}

function stateOf(range: FlatDumpRange, at: bigint): DiffState {
  return {
    name: range.name,
    type: typeOf(range),
    priority: range.priority,
    offset: mapAddress(range.offset + (at - range.first)),
  };
}

function typeOf({ type, nonvolatile }: FlatDumpRange): string {
  return `${nonvolatile ? 'nv-' : ''}${shownType(type)}`;
}
