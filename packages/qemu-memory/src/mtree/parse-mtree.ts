/**
 * From a tree dump to the map as data: kinds, flags and sibling order, from the text, the facts and the guesses where
 * neither tells. T-222 to T-226.
 */
import { type MapRegion, type MapRegionKind, type MapSpace, type MemoryMap, mapAddress } from '../map/memory-map.ts';
import { MtreeError } from './error.ts';
import { checkFacts, type MtreeFacts, type MtreeGuesses } from './facts.ts';
import { type LinkedDump, linkDump } from './link.ts';
import type { LinkedRegion } from './linked-region.ts';
import { siblingOrder } from './sibling-order.ts';
import { type MtreeDump, parseTreeDump } from './tree-dump.ts';

/** Facts and guesses for reading a tree. */
export interface ParseMtreeOptions extends MtreeGuesses {
  readonly facts?: MtreeFacts;
}

/**
 * Reads the text of `info mtree` as a map without views; `buildMap` renders it. Which QEMU's style the text has is not in the map:
 * `mtreeStyle` tells.
 *
 * @throws {MtreeError} with line number and reason for text that is not a whole dump, and for facts that do not fit it.
 */
export function parseMtree(text: string, options: ParseMtreeOptions = {}): MemoryMap {
  return mapOfDump(parseTreeDump(text), options);
}

/** The same for a dump that is parsed already. */
function mapOfDump(dump: MtreeDump, options: ParseMtreeOptions = {}): MemoryMap {
  const facts = options.facts ?? {};
  checkFacts(facts);
  const targets = new Map(Object.entries(facts.target ?? {}).map(([line, root]) => [Number(line), root]));
  return mapOfLinked(dump, linkDump(dump, targets), options);
}

/** The same for a dump whose regions are known. */
function mapOfLinked(dump: MtreeDump, linked: LinkedDump, options: ParseMtreeOptions = {}): MemoryMap {
  const facts = new Facts(linked, options.facts ?? {});
  const ids = new Map(linked.regions.map((region, id) => [region, id]));
  const guess = options.siblings ?? (options.facts === undefined ? 'smaller' : 'higher-start');
  const regions = linked.regions.map((region): MapRegion => {
    const { node } = region;
    const children = siblingOrder(region.children, facts.isOver, guess).map((child) => ids.get(child)!);
    const lines = region.nodes.flatMap(({ line }) => (line > 0 ? [line] : []));
    return {
      name: region.name,
      kind: kindOf(region, facts),
      size: mapAddress(facts.sizeOf(region)),
      ...(region.addr !== 0n && { addr: mapAddress(region.addr) }),
      ...(node.priority !== 0 && { priority: node.priority }),
      ...(node.disabled && { enabled: false as const }),
      ...((facts.readonly.has(region) || (region.type === 'rom' && node.alias === null)) && {
        readonly: true as const,
      }),
      ...(node.nonvolatile && { nonvolatile: true as const }),
      ...(region.target !== null && { target: ids.get(region.target)! }),
      ...(node.alias !== null && node.alias.offset !== 0n && { aliasOffset: mapAddress(node.alias.offset) }),
      ...(children.length > 0 && { children }),
      ...(node.owner !== '' && { owner: node.owner.slice(1) }),
      ...(lines.length > 0 ? { lines } : { hidden: true as const }),
    };
  });
  return { format: 'guestmem-map', version: 1, regions, spaces: spacesOf(dump, linked, ids) };
}

function spacesOf(dump: MtreeDump, linked: LinkedDump, ids: ReadonlyMap<LinkedRegion, number>): MapSpace[] {
  return dump.blocks.flatMap((block, i) =>
    block.spaces.map((name): MapSpace => ({ name, root: ids.get(linked.roots[i]!)! })),
  );
}

/** Facts by region instead of by line. */
class Facts {
  readonly answers: ReadonlySet<LinkedRegion>;
  readonly empty: ReadonlySet<LinkedRegion>;
  readonly readonly: ReadonlySet<LinkedRegion>;
  readonly oneByte: ReadonlyMap<LinkedRegion, boolean>;
  readonly #over = new Map<LinkedRegion, Set<LinkedRegion>>();
  readonly #linked: LinkedDump;

  constructor(linked: LinkedDump, facts: MtreeFacts) {
    this.#linked = linked;
    this.answers = this.#set(facts.answers, (region) => isIo(region) && region.children.length > 0);
    this.empty = this.#set(facts.empty, (region) => isIo(region) && region.children.length === 0);
    this.readonly = this.#set(facts.readonly);
    this.oneByte = new Map(Object.entries(facts.oneByte ?? {}).map(([line, one]) => [this.#at(Number(line)), one]));
    for (const [above, below] of facts.over ?? []) this.#addOver(above, below);
  }

  sizeOf(region: LinkedRegion): bigint {
    // Of a hidden region nothing is known, and memory for 2^64 bytes cannot be had.
    if (region.node.line === 0 && region.type !== 'i/o') return 0n;
    const oneByte = region.node.size === 1n ? this.oneByte.get(region) : undefined;
    return oneByte === undefined ? region.likelySize : BigInt(oneByte);
  }

  readonly isOver = (a: LinkedRegion, b: LinkedRegion): boolean => this.#over.get(a)?.has(b) ?? false;

  #addOver(above: number, below: number): void {
    const a = this.#at(above);
    const b = this.#at(below);
    if (a === b || a.parent !== b.parent || a.node.priority !== b.node.priority)
      throw new MtreeError('bad-facts', above, `lines ${above} and ${below} are not siblings of equal priority`);
    const known = this.#over.get(a);
    if (known === undefined) this.#over.set(a, new Set([b]));
    else known.add(b);
  }

  #set(lines: readonly number[] | undefined, fits: (region: LinkedRegion) => boolean = () => true): Set<LinkedRegion> {
    const out = new Set<LinkedRegion>();
    for (const line of lines ?? []) {
      const region = this.#at(line);
      if (!fits(region))
        throw new MtreeError('bad-facts', line, `a fact of another kind of region names "${region.name}"`);
      out.add(region);
    }
    return out;
  }

  #at(line: number): LinkedRegion {
    const region = this.#linked.byLine.get(line);
    if (region === undefined) throw new MtreeError('bad-facts', line, 'a fact names this line, and it shows no region');
    return region;
  }
}

function isIo({ type, target }: LinkedRegion): boolean {
  return target === null && (type === 'i/o' || type === 'container');
}

function kindOf(region: LinkedRegion, facts: Facts): MapRegionKind {
  const { node } = region;
  if (region.target !== null) return 'alias';
  switch (region.type) {
    case 'ram':
    case 'rom':
      return 'ram';
    case 'romd':
      return 'rom-device';
    case 'ramd':
      return 'ram-device';
    default:
  }
  if (node.line === 0) return 'container';
  if (region.children.length > 0) return facts.answers.has(region) ? 'io' : 'container';
  return facts.empty.has(region) ? 'container' : 'io';
}
