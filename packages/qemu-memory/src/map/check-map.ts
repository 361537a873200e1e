/** Checks that an unknown value is a map of this version that can be built: types, indices, numbers, no cycles. D14. */
import { MtreeError } from '../mtree/error.ts';
import { SPACE_SIZE } from '../view/big.ts';
import type { MapRange, MapRegion, MapSpace, MapView, MemoryMap } from './memory-map.ts';
import { MEMORY_MAP_VERSION } from './memory-map.ts';

const KINDS = new Set(['container', 'io', 'reservation', 'ram', 'rom-device', 'ram-device', 'iommu', 'alias']);
/** Every field of every part, none of them checked yet. */
type Fields = {
  readonly [Name in keyof MemoryMap | keyof MapRegion | keyof MapSpace | keyof MapView | keyof MapRange]?: unknown;
};

/**
 * Checks `value`; costs time linear in its size.
 *
 * @throws {MtreeError} `bad-map`, with the place in the value and what is wrong there.
 */
export function checkMap(value: unknown): asserts value is MemoryMap {
  const map = record(value, 'the map');
  if (map.format !== 'guestmem-map') throw bad('the map', 'has no format "guestmem-map"');
  if (map.version !== MEMORY_MAP_VERSION)
    throw bad('the map', `has version ${String(map.version)}; this program reads version ${MEMORY_MAP_VERSION}`);
  const regions = list(map.regions, 'regions');
  for (const [id, region] of regions.entries()) checkRegion(region, `regions[${id}]`, regions.length);
  checkTree(regions as MapRegion[]);
  const views = map.views === undefined ? undefined : list(map.views, 'views');
  for (const [i, space] of list(map.spaces, 'spaces').entries()) {
    const where = `spaces[${i}]`;
    const fields = record(space, where);
    if (typeof fields.name !== 'string') throw bad(where, 'has no name');
    index(fields.root, `${where}.root`, regions.length);
    if (fields.view !== undefined) index(fields.view, `${where}.view`, views?.length ?? 0);
  }
  for (const [i, view] of (views ?? []).entries()) checkView(view, `views[${i}]`, regions.length);
}

function checkRegion(value: unknown, where: string, count: number): void {
  const region = record(value, where);
  if (typeof region.name !== 'string') throw bad(where, 'has no name');
  if (typeof region.kind !== 'string' || !KINDS.has(region.kind)) throw bad(where, 'has no known kind');
  address(region.size, `${where}.size`, SPACE_SIZE);
  if (region.addr !== undefined) address(region.addr, `${where}.addr`, SPACE_SIZE - 1n);
  if (region.aliasOffset !== undefined) address(region.aliasOffset, `${where}.aliasOffset`, SPACE_SIZE - 1n);
  const priority = region.priority ?? 0;
  if (typeof priority !== 'number' || priority !== (priority | 0)) throw bad(where, 'has a priority beyond 32 bits');
  for (const [flag, only] of FLAGS)
    if (region[flag] !== undefined && region[flag] !== only) throw bad(where, `has ${flag} other than ${only}`);
  if ((region.kind === 'alias') !== (region.target !== undefined))
    throw bad(where, region.kind === 'alias' ? 'is an alias without a target' : 'has a target and is no alias');
  if (region.target !== undefined) index(region.target, `${where}.target`, count);
  if (region.owner !== undefined && typeof region.owner !== 'string') throw bad(where, 'has an owner that is no text');
  for (const key of ['children', 'lines'] as const) {
    if (region[key] === undefined) continue;
    for (const [i, id] of list(region[key], `${where}.${key}`).entries())
      index(id, `${where}.${key}[${i}]`, key === 'children' ? count : Number.MAX_SAFE_INTEGER);
  }
}

const FLAGS = [
  ['enabled', false],
  ['readonly', true],
  ['nonvolatile', true],
  ['romdMode', false],
  ['hidden', true],
] as const;

/** One container each, falling priorities, no cycle of containers, no alias chain that comes back to itself. */
function checkTree(regions: readonly MapRegion[]): void {
  const containerOf = new Map<number, number>();
  for (const [id, region] of regions.entries()) {
    let above = Number.POSITIVE_INFINITY;
    for (const child of region.children ?? []) {
      if (region.kind === 'alias') throw bad(`regions[${id}]`, 'is an alias with children');
      const other = containerOf.get(child);
      if (other !== undefined) throw bad(`regions[${child}]`, `is in regions[${other}] and in regions[${id}]`);
      containerOf.set(child, id);
      const priority = regions[child]!.priority ?? 0;
      if (priority > above) throw bad(`regions[${id}].children`, 'are not in the order of falling priority');
      above = priority;
    }
  }
  acyclic(regions.length, (id) => containerOf.get(id), 'contains itself');
  acyclic(regions.length, (id) => regions[id]!.target, 'is an alias of itself');
}

/** Follows `next` from every index; 0 unseen, 1 on the way, 2 known to end. */
function acyclic(count: number, next: (id: number) => number | undefined, what: string): void {
  const state = new Uint8Array(count);
  for (let first = 0; first < count; first++) {
    const path: number[] = [];
    for (let id: number | undefined = first; id !== undefined && state[id] !== 2; id = next(id)) {
      if (state[id] === 1) throw bad(`regions[${id}]`, what);
      state[id] = 1;
      path.push(id);
    }
    for (const id of path) state[id] = 2;
  }
}

function checkView(value: unknown, where: string, count: number): void {
  const view = record(value, where);
  if (view.root !== undefined) index(view.root, `${where}.root`, count);
  let end = -1n;
  for (const [i, item] of list(view.ranges, `${where}.ranges`).entries()) {
    const at = `${where}.ranges[${i}]`;
    const range = record(item, at);
    const first = address(range.first, `${at}.first`, SPACE_SIZE - 1n);
    const last = address(range.last, `${at}.last`, SPACE_SIZE - 1n);
    if (first <= end || last < first) throw bad(at, 'does not lie behind the range before it');
    end = last;
    index(range.region, `${at}.region`, count);
    if (range.offset !== undefined) address(range.offset, `${at}.offset`, SPACE_SIZE - 1n);
  }
}

function address(value: unknown, where: string, max: bigint): bigint {
  if (typeof value !== 'string' || !/^0x(?:0|[1-9a-f][0-9a-f]{0,16})$/.test(value))
    throw bad(where, `must be text like "0x1f00" (lower case, no leading zeros)`);
  const number = BigInt(value);
  if (number > max) throw bad(where, `is beyond 0x${max.toString(16)}`);
  return number;
}

function index(value: unknown, where: string, count: number): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= count)
    throw bad(where, `must be an index below ${count}`);
}

function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw bad(where, 'must be a list');
  return value;
}

function record(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(where, 'must be an object');
  return value;
}

function bad(where: string, what: string): MtreeError {
  return new MtreeError('bad-map', 0, `${where} ${what}`);
}
