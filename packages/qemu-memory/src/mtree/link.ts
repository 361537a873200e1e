/**
 * From printed lines to regions: which lines show the same region, and which region an alias means. The text tells
 * neither; identity is found from equal subtrees at equal places, targets by link-aliases.ts. T-223, T-224.
 */

import { addTo } from '../view/grouped.ts';
import { addHiddenAliases } from './hidden-aliases.ts';
import { linkAliases } from './link-aliases.ts';
import { LinkedRegion } from './linked-region.ts';
import type { MtreeDump, MtreeNode } from './tree-dump.ts';

/** The regions of a dump. */
export interface LinkedDump {
  /** In the order of their first lines, hidden ones where they were found. */
  readonly regions: readonly LinkedRegion[];
  /** The root of each block, in the order of the blocks. */
  readonly roots: readonly LinkedRegion[];
  readonly byLine: ReadonlyMap<number, LinkedRegion>;
}

/**
 * Finds the regions of a dump.
 *
 * @param targets line of an alias -> line of the first region of the `memory-region:` section it means, where known.
 * @throws {MtreeError} `inconsistent` where an alias's target has no section; `bad-facts` where `targets` names wrong lines.
 */
export function linkDump(dump: MtreeDump, targets: ReadonlyMap<number, number> = new Map()): LinkedDump {
  let first: LinkedDump | undefined;
  let done = 0;
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const { linked, sound, work, last } = linkInTurn(dump, targets, turn);
    if (sound) return linked;
    first ??= linked;
    done += work + linked.byLine.size;
    if (last || done > MAX_WORK) break;
  }
  return first!;
}

/** Ways to tell trees that look alike apart, and lines and links looked at for it; behind these the first way is taken. */
const MAX_TURNS = 64;
const MAX_WORK = 1 << 16;
/** How many that look alike are told apart at one choice. */
const MAX_LIKE = 8;

/** One way to link a dump. */
interface Turn {
  readonly linked: LinkedDump;
  /** Does every alias fit what it means? */
  readonly sound: boolean;
  /** Links that were looked at. */
  readonly work: number;
  /** Has every way been tried by now? */
  readonly last: boolean;
}

/** The regions, where `turn` says which of several trees that look alike a block's root is. */
function linkInTurn(dump: MtreeDump, targets: ReadonlyMap<number, number>, turn: number): Turn {
  const regionOf = new Map<MtreeNode, LinkedRegion>();
  const firsts = dump.blocks.map(({ root }) => spread(root, null, regionOf));
  for (const [i, block] of dump.blocks.entries()) {
    if (block.region === null) firsts[i]!.spaceBlock = i;
    else firsts[i]!.regionBlock = i;
  }
  const last = unify(firsts, regionOf, turn);
  const byLine = new Map<number, LinkedRegion>();
  for (const [node, region] of regionOf) if (node.line > 0) byLine.set(node.line, region);
  const roots = dump.blocks.map(({ root }) => regionOf.get(root)!);
  for (const [i, block] of dump.blocks.entries()) if (block.region !== null) roots[i]!.name = block.region;
  const regions = [...new Set(regionOf.values())];
  const { sound, work } = linkAliases(dump, roots, regionOf, targets);
  if (!dump.showsDisabled) regions.push(...addHiddenAliases(dump, roots));
  return { linked: { regions, roots, byLine }, sound, work, last };
}

/** One region for each line at and below `node`. */
function spread(node: MtreeNode, parent: LinkedRegion | null, regionOf: Map<MtreeNode, LinkedRegion>): LinkedRegion {
  const addr = BigInt.asUintN(64, parent === null ? node.start : node.start - parent.node.start);
  const region = new LinkedRegion(node, parent, addr);
  regionOf.set(node, region);
  for (const child of node.children) region.children.push(spread(child, region, regionOf));
  return region;
}

/**
 * Merges every block's root with the region elsewhere that it is, big trees first, so that what they hold follows. Where several look
 * alike, `turn` decides, read as a number with a digit for each such choice. True if no higher turn is another.
 */
function unify(roots: readonly LinkedRegion[], regionOf: Map<MtreeNode, LinkedRegion>, turn: number): boolean {
  const shapes = new Shapes();
  const byShape = new Map<number, LinkedRegion[]>();
  for (const region of regionOf.values()) {
    if (region.node.line === 0) continue;
    addTo(byShape, shapes.placed(region), region);
  }
  let left = turn;
  let last = true;
  const bySize = [...roots].sort((a, b) => shapes.count(b) - shapes.count(a));
  for (const first of bySize) {
    const root = regionOf.get(first.node)!;
    const group = byShape.get(shapes.placed(first)) ?? [];
    const others = new Set(group.map((region) => regionOf.get(region.node)!));
    others.delete(root);
    // The same tree as another block's root is the surer sign; a child of equal shape comes second.
    const candidates = [...others].sort((a, b) => rank(a) - rank(b));
    const like: LinkedRegion[] = [];
    for (const region of candidates) {
      if (like.length === MAX_LIKE || (like.length > 0 && rank(region) !== rank(like[0]!))) break;
      if (compatible(root, region)) like.push(region);
    }
    const other = like[left % like.length];
    if (like.length > 1) {
      last &&= left % like.length === like.length - 1;
      left = Math.floor(left / like.length);
    }
    if (other !== undefined) merge(root, other, regionOf);
  }
  return last;
}

function rank(region: LinkedRegion): number {
  return region.spaceBlock >= 0 || region.regionBlock >= 0 ? 0 : 1;
}

/** Two roots of one kind of block are different regions, and so are two children of known parents. */
function compatible(a: LinkedRegion, b: LinkedRegion): boolean {
  if (a === b) return true;
  if (a.spaceBlock >= 0 && b.spaceBlock >= 0) return false;
  if (a.regionBlock >= 0 && b.regionBlock >= 0) return false;
  if (a.parent !== null && b.parent !== null && a.parent !== b.parent) return false;
  return a.children.every((child, i) => childrenCompatible(child, b.children[i]!));
}

function childrenCompatible(a: LinkedRegion, b: LinkedRegion): boolean {
  if (a.spaceBlock >= 0 && b.spaceBlock >= 0 && a !== b) return false;
  if (a.regionBlock >= 0 && b.regionBlock >= 0 && a !== b) return false;
  return a.children.every((child, i) => childrenCompatible(child, b.children[i]!));
}

/** Makes `b` part of `a`, and what it holds part of what `a` holds. */
function merge(a: LinkedRegion, b: LinkedRegion, regionOf: Map<MtreeNode, LinkedRegion>): void {
  if (a === b) return;
  const parent = b.parent;
  if (parent !== null) {
    const at = parent.children.indexOf(b);
    if (at >= 0) parent.children[at] = a;
    a.parent ??= parent;
  }
  if (b.spaceBlock >= 0) a.spaceBlock = b.spaceBlock;
  if (b.regionBlock >= 0) a.regionBlock = b.regionBlock;
  a.nodes.push(...b.nodes);
  a.nodes.sort((x, y) => x.line - y.line);
  for (const node of b.nodes) regionOf.set(node, a);
  for (const [i, child] of [...b.children].entries()) {
    const mine = a.children[i]!;
    if (mine === child) continue;
    child.parent = a;
    merge(mine, child, regionOf);
  }
}

/** Numbers for subtrees, equal where the lines are equal but for where their section puts them. */
class Shapes {
  readonly #ids = new Map<string, number>();
  readonly #shapes = new Map<MtreeNode, number>();
  readonly #counts = new Map<MtreeNode, number>();

  /** The shape of a region's tree together with its offset in its parent. */
  placed(region: LinkedRegion): number {
    return this.#intern(`${region.addr}+${this.#shape(region.node)}`);
  }

  /** Lines at and below a region. */
  count(region: LinkedRegion): number {
    this.#shape(region.node);
    return this.#counts.get(region.node)!;
  }

  #shape(node: MtreeNode): number {
    const known = this.#shapes.get(node);
    if (known !== undefined) return known;
    const own = `${node.size} ${node.priority} ${node.nonvolatile} ${node.type} ${node.disabled} ${node.alias?.offset ?? ''}`;
    let text = `${own} ${node.name}\n${node.owner}`;
    let count = 1;
    for (const child of node.children) {
      text += `\n${BigInt.asUintN(64, child.start - node.start)}:${this.#shape(child)}`;
      count += this.#counts.get(child)!;
    }
    const id = this.#intern(text);
    this.#shapes.set(node, id);
    this.#counts.set(node, count);
    return id;
  }

  #intern(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    this.#ids.set(text, this.#ids.size);
    return this.#ids.size - 1;
  }
}
