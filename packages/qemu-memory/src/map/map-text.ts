/** The map as text: JSON with one region, space, or range a line, so that text tools can compare it too. D14. */
import { MtreeError } from '../mtree/error.ts';
import { checkMap } from './check-map.ts';
import type { MapView, MemoryMap } from './memory-map.ts';

/** Writes `map` as JSON, ending in a line end. */
export function printMap(map: MemoryMap): string {
  const { format, version, regions, spaces, views } = map;
  const parts = [
    ` "format": ${JSON.stringify(format)}`,
    ` "version": ${version}`,
    ` "regions": ${lines(regions, 2)}`,
    ` "spaces": ${lines(spaces, 2)}`,
  ];
  if (views !== undefined) parts.push(` "views": [\n${views.map(viewText).join(',\n')}\n ]`);
  return `{\n${parts.join(',\n')}\n}\n`;
}

/**
 * Reads JSON that `printMap` or `JSON.stringify` wrote, and checks it.
 *
 * @throws {MtreeError} `bad-map`: not JSON, or not a map of this version that can be built.
 */
export function parseMap(text: string): MemoryMap {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MtreeError('bad-map', 0, `not JSON: ${(cause as Error).message}`);
  }
  checkMap(value);
  return value;
}

function viewText({ root, ranges }: MapView): string {
  return `  {${root === undefined ? '' : `"root":${root},`}"ranges": ${lines(ranges, 3)}}`;
}

function lines(items: readonly unknown[], indent: number): string {
  if (items.length === 0) return '[]';
  const pad = ' '.repeat(indent);
  return `[\n${items.map((item) => pad + JSON.stringify(item)).join(',\n')}\n${pad.slice(1)}]`;
}
