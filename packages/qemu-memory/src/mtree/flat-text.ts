/** The flat dump of a core: what `info mtree -f` would print of it, views grouped as QEMU groups them. T-85 to T-89, T-200 to T-203. */
import type { MemoryRegion } from '../region/memory-region.ts';
import type { AddressSpace } from '../space/address-space.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { type ViewGroup, viewGroups } from '../space/view-groups.ts';
import type { FlatRange } from '../view/flat-range.ts';
import { grouped } from '../view/grouped.ts';
import { render } from '../view/render.ts';
import { dispatchMap } from './dispatch-map.ts';
import type { FlatDump, FlatDumpRange, FlatDumpSpace, FlatDumpView } from './flat-dump.ts';
import type { MtreeType } from './line.ts';
import { type MtreeStyle, ownerText, typeText } from './region-text.ts';

/** What to show. */
export interface FlatDumpOptions {
  /** As -o. Default false. */
  readonly owners?: boolean;
  /** As -d: the dispatch part, for pages of 2^pageBits bytes. Default none. */
  readonly pageBits?: number;
  /** Default `7.2`. */
  readonly style?: MtreeStyle;
  /**
   * As QEMU, which shows of each view its canonical root alone: addresses and flags on the way there are lost (T-89). Default
   * false: what the address space shows.
   */
  readonly canonical?: boolean;
}

/** The views of all address spaces, numbered from 0 in the order of the first space of each. */
export function flatDump(core: MemoryCore, options: FlatDumpOptions = {}): FlatDump {
  const groups = options.canonical ? canonicalGroups(core) : viewGroups(core).map(shownGroup);
  return { views: groups.map((group, number) => viewOf(group, number, options)) };
}

/** Spaces with what they share. */
interface Group {
  readonly root: MemoryRegion | null;
  readonly ranges: readonly FlatRange[];
  readonly spaces: readonly AddressSpace[];
}

function shownGroup({ root, view, spaces }: ViewGroup): Group {
  return { root, ranges: view.ranges, spaces };
}

/** One group for each canonical root, whatever its spaces show. */
function canonicalGroups(core: MemoryCore): Group[] {
  const byRoot = grouped(core.addressSpaces, ({ canonicalRoot }) => canonicalRoot);
  return [...byRoot].map(([root, spaces]) => ({ root, ranges: root === null ? [] : render(root), spaces }));
}

function viewOf({ root, ranges, spaces }: Group, number: number, options: FlatDumpOptions): FlatDumpView {
  const dispatch =
    options.pageBits === undefined || ranges.length === 0 ? null : dispatchMap(ranges, root, options.pageBits);
  return {
    line: 0,
    number,
    spaces: spaces.map(spaceOf),
    root: root === null ? null : root.name,
    ranges: ranges.map((range) => rangeOf(range, options)),
    dispatch,
  };
}

function spaceOf({ name, root }: AddressSpace): FlatDumpSpace {
  return { name, root: root.name, alias: root.target === null ? null : root.target.name };
}

function rangeOf(range: FlatRange, options: FlatDumpOptions): FlatDumpRange {
  const { region } = range;
  return {
    line: 0,
    first: range.first,
    last: range.last,
    priority: region.priority,
    nonvolatile: range.nonvolatile,
    type: (range.readonly ? 'rom' : typeText(region, options.style ?? '7.2')) as MtreeType,
    name: region.name,
    offset: range.offset,
    owner: options.owners ? ownerText(region) : '',
    accelerators: '',
  };
}
