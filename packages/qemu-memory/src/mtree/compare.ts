/**
 * Compares two flat dumps as sets: the order of views, their numbers and the order of address spaces change from run to
 * run of one machine, and so do not count. Accelerators and owners do not count either, nor which `i/o` region is a
 * `container` (T-190). T-187, T-202.
 */
import type { FlatDump, FlatDumpSpace, FlatDumpView } from './flat-dump.ts';
import { shownText } from './flat-dump.ts';

/** The outcome of a comparison. */
export interface FlatComparison {
  /** Address spaces of the expected dump. */
  readonly total: number;
  /** Those whose ranges and view root are the same one for one. */
  readonly equal: number;
  /** Are the views shared by the same address spaces? `untold`: but for which of several views that have equal ranges and
   * a root of one name, which no text tells. Only meant where all spaces are equal. */
  readonly sharing: 'same' | 'untold' | 'different';
  /** The first difference in words; empty if everything is the same. */
  readonly difference: string;
}

/** Compares `actual` with `expected`, address space by address space, and view by view. */
export function compareFlatDumps(expected: FlatDump, actual: FlatDump): FlatComparison {
  const left = new Map<string, number>();
  for (const key of spaceKeys(actual)) left.set(key.text, (left.get(key.text) ?? 0) + 1);
  let total = 0;
  let equal = 0;
  let missing: SpaceKey | null = null;
  for (const key of spaceKeys(expected)) {
    total++;
    const count = left.get(key.text) ?? 0;
    if (count > 0) {
      left.set(key.text, count - 1);
      equal++;
    } else missing ??= key;
  }
  if (missing !== null) return { total, equal, sharing: 'different', difference: explain(missing, actual, left) };
  const extra = [...left].find(([, count]) => count > 0);
  if (extra !== undefined)
    return { total, equal, sharing: 'different', difference: `one address space too many: ${nameOfKey(extra[0])}` };
  const sharing = compareSharing(expected, actual);
  return { total, equal, sharing, difference: SHARING[sharing] };
}

const SHARING = {
  same: '',
  untold: 'every range is equal; which of several equal views of one name a space shares is not in the text',
  different: 'every range is equal, but other address spaces share a view',
} as const;

function compareSharing(expected: FlatDump, actual: FlatDump): FlatComparison['sharing'] {
  const byName = ({ name, root }: FlatDumpSpace): string => `${name}\n${root}`;
  if (sameSets(sharingKeys(expected, byName), sharingKeys(actual, byName))) return 'same';
  const byRoot = ({ root }: FlatDumpSpace): string => root;
  return sameSets(sharingKeys(expected, byRoot), sharingKeys(actual, byRoot)) ? 'untold' : 'different';
}

interface SpaceKey {
  readonly text: string;
  readonly space: FlatDumpSpace;
  readonly view: FlatDumpView;
}

function* spaceKeys(dump: FlatDump): Generator<SpaceKey> {
  for (const view of dump.views) {
    const content = viewContent(view);
    for (const space of view.spaces) yield { text: `${space.name}\n${space.root}\n${content}`, space, view };
  }
}

/** A view's root and ranges as text, without what does not count. */
function viewContent(view: FlatDumpView): string {
  return `${view.root ?? '(none)'}\n${rangeLines(view).join('\n')}`;
}

function rangeLines(view: FlatDumpView): string[] {
  return view.ranges.map(shownText);
}

function sharingKeys(dump: FlatDump, keyOf: (space: FlatDumpSpace) => string): string[] {
  return dump.views.map((view) => {
    const spaces = view.spaces.map(keyOf).sort();
    return `${spaces.join('\n')}\n${viewContent(view)}`;
  });
}

function sameSets(a: readonly string[], b: readonly string[]): boolean {
  const x = [...a].sort();
  const y = [...b].sort();
  return x.length === y.length && x.every((key, i) => key === y[i]);
}

function nameOfKey(key: string): string {
  const [name, root] = key.split('\n');
  return `"${name}" with root ${root}`;
}

/** The first line in which the space differs from the one of its name and root that is left. */
function explain({ space, view }: SpaceKey, actual: FlatDump, left: ReadonlyMap<string, number>): string {
  const what = `address space "${space.name}"`;
  for (const other of spaceKeys(actual)) {
    if (other.space.name !== space.name || other.space.root !== space.root || (left.get(other.text) ?? 0) === 0)
      continue;
    if (other.view.root !== view.root)
      return `${what}: expected root ${view.root ?? '(none)'}, found ${other.view.root ?? '(none)'}`;
    const wanted = rangeLines(view);
    const found = rangeLines(other.view);
    const at = wanted.findIndex((line, i) => line !== found[i]);
    const i = at < 0 ? wanted.length : at;
    return `${what}: expected ${wanted[i]?.trim() ?? 'the end'}, found ${found[i]?.trim() ?? 'the end'}`;
  }
  return `${what} with root ${space.root} is missing`;
}
