/** The flat dump of a core: what `info mtree -f` would print of it, views grouped as QEMU groups them. T-85 to T-89, T-200 to T-203. */
import type { AddressSpace } from '../space/address-space.ts';
import type { MemoryCore } from '../space/memory-core.ts';
import { type ViewGroup, viewGroups } from '../space/view-groups.ts';
import type { FlatRange } from '../view/flat-range.ts';
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
}

/** The views of all address spaces, numbered from 0 in the order of the first space of each. */
export function flatDump(core: MemoryCore, options: FlatDumpOptions = {}): FlatDump {
  return { views: viewGroups(core).map((group, number) => viewOf(group, number, options)) };
}

function viewOf({ root, view, spaces }: ViewGroup, number: number, options: FlatDumpOptions): FlatDumpView {
  const { ranges } = view;
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
