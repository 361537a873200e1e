/** The same comparison for maps, and the flat dump of a map. D14. */
import type { FlatDump } from '../mtree/flat-dump.ts';
import { flatDump } from '../mtree/flat-text.ts';
import { buildMap } from './build.ts';
import { diffFlatDumps, type MapDiff } from './diff.ts';
import type { MemoryMap } from './memory-map.ts';

/**
 * The differences in what two maps show, address space by address space. Both are rendered from their trees.
 *
 * @throws {MtreeError} `bad-map` where a value is not a map that can be built.
 */
export function diffMaps(before: MemoryMap, after: MemoryMap): MapDiff {
  return diffFlatDumps(mapFlatDump(before), mapFlatDump(after));
}

/** What `info mtree -f` would print of a map. @throws {MtreeError} `bad-map` */
export function mapFlatDump(map: MemoryMap): FlatDump {
  return flatDump(buildMap(map).core);
}
