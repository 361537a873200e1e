/** `guestmem mtree diff A B`: the differences in what two maps show. */
import { describeDiff, diffFlatDumps, type FlatDump, mapFlatDump } from '@guestmem/qemu-memory';
import { explained, loadMap, noSpaces } from './load.ts';

/** Prints the differences; gives 1 if there are any, else 0. @throws {UserError} */
export function diffFiles(before: string, after: string, json: boolean): number {
  const diff = diffFlatDumps(flatOf(before), flatOf(after));
  if (json) process.stdout.write(`${JSON.stringify(diff, null, 1)}\n`);
  else for (const line of describeDiff(diff)) process.stdout.write(`${line}\n`);
  return diff.spaces.length === 0 ? 0 : 1;
}

function flatOf(path: string): FlatDump {
  const loaded = loadMap(path);
  const flat = loaded.kind === 'flat' ? loaded.flat : explained(path, () => mapFlatDump(loaded.map));
  if (flat.views.length === 0) throw noSpaces(path);
  return flat;
}
