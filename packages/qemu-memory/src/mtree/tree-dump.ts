/**
 * The text of `info mtree` (with or without -D and -o) as a tree of lines, as printed: blocks, nesting, places of
 * hidden regions. What the lines mean as regions is link.ts and parse-mtree.ts. T-181, T-185, T-186, T-220, T-221.
 */
import { MtreeError, quoteLine } from './error.ts';
import { isTreeLine, type MtreeLine, parseTreeLine } from './line.ts';

/** A region as one line shows it, or the place of one that the dump hides. */
export interface MtreeNode extends MtreeLine {
  /** Line of the text, from 1; 0 for a hidden region. */
  readonly line: number;
  readonly children: MtreeNode[];
}

/** The header lines and the tree of one block. */
export interface MtreeBlock {
  /** Line of the first header. */
  readonly line: number;
  /** Names of the address spaces that share the root; empty for a `memory-region:` block. */
  readonly spaces: readonly string[];
  /** Name of the region, for a `memory-region:` block. */
  readonly region: string | null;
  readonly root: MtreeNode;
}

/** A whole dump. */
export interface MtreeDump {
  readonly blocks: readonly MtreeBlock[];
  /** Were disabled regions printed (-D)? Without any disabled region both forms look the same, and this is false. */
  readonly showsDisabled: boolean;
}

/** Real machines nest 5 deep; what reads the tree afterwards walks it recursively. */
const MAX_DEPTH = 1000;
const SPACE_HEADER = 'address-space: ';
const REGION_HEADER = 'memory-region: ';
/** An empty line; a marker of a hidden region at the end of the block sticks to it (T-194). */
const ENDS_BLOCK = /^(?:\[DETECTED OVERFLOW!\] )*$/;

/** Does `text` hold a line that begins a block of the tree form? */
export function isTreeDump(text: string): boolean {
  return /^(?:address-space|memory-region): /m.test(text);
}

/**
 * Reads the tree form. Accepts LF and CR LF, and skips what stands before the first header (an echoed command) and from
 * a monitor prompt on.
 *
 * @throws {MtreeError} with the line and the reason.
 */
export function parseTreeDump(text: string): MtreeDump {
  const lines = text.split('\n');
  const blocks: MtreeBlock[] = [];
  const showsDisabled = /\[disabled\](?: (?:owner|parent):\{.*| orphan)?\r?$/m.test(text);
  let at = skipPreamble(lines);
  while (at < lines.length) {
    const line = clean(lines[at]!);
    if (line === '' && at === lines.length - 1) break;
    if (line.startsWith('(qemu)')) break;
    const block = new BlockReader(at + 1, showsDisabled);
    at = readHeaders(lines, at, block);
    at = readRegions(lines, at, block);
    blocks.push(block.finish());
  }
  return { blocks, showsDisabled };
}

/** Index of the first header. */
function skipPreamble(lines: readonly string[]): number {
  for (let at = 0; at < lines.length; at++) {
    const line = clean(lines[at]!);
    if (isHeader(line)) return at;
    if (isTreeLine(line)) throw new MtreeError('bad-line', at + 1, 'a region line before any address-space: line');
  }
  throw new MtreeError('no-dump', 1, 'no line begins with "address-space: " or "memory-region: "');
}

function readHeaders(lines: readonly string[], first: number, block: BlockReader): number {
  let at = first;
  for (; at < lines.length; at++) {
    const line = clean(lines[at]!);
    if (line.startsWith(SPACE_HEADER) && block.region === null) block.spaces.push(line.slice(SPACE_HEADER.length));
    else if (line.startsWith(REGION_HEADER) && at === first) block.region = line.slice(REGION_HEADER.length);
    else break;
  }
  if (at === first)
    throw new MtreeError(
      'bad-line',
      at + 1,
      `expected "address-space: " or "memory-region: ", found ${quoteLine(clean(lines[at]!))}`,
    );
  return at;
}

/** Reads up to the empty line that ends the block, and over it. */
function readRegions(lines: readonly string[], first: number, block: BlockReader): number {
  for (let at = first; at < lines.length; at++) {
    const line = clean(lines[at]!);
    if (ENDS_BLOCK.test(line)) return at + 1;
    if (line.startsWith('(qemu)')) return at;
    if (isHeader(line)) throw new MtreeError('bad-line', at + 1, 'expected an empty line before the next block');
    block.add(parseTreeLine(line, at + 1), at + 1);
  }
  return lines.length;
}

function isHeader(line: string): boolean {
  return line.startsWith(SPACE_HEADER) || line.startsWith(REGION_HEADER);
}

function clean(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Collects one block: finds the parent of each line, and puts placeholders where the dump hides one. */
class BlockReader {
  readonly spaces: string[] = [];
  region: string | null = null;
  readonly #line: number;
  readonly #complete: boolean;
  /** The last node at each level, root first. */
  readonly #path: MtreeNode[] = [];
  /** Behind a marker addresses have wrapped, and neither order nor windows tell anything. */
  #wrapped = false;

  constructor(line: number, complete: boolean) {
    this.#line = line;
    this.#complete = complete;
  }

  add(parts: MtreeLine, line: number): void {
    const level = parts.level;
    if (level > MAX_DEPTH) throw new MtreeError('bad-line', line, `nested more than ${MAX_DEPTH} deep`);
    if (level === 1 && this.#path.length > 0)
      throw new MtreeError('inconsistent', line, 'a second region at the level of the root');
    if (this.#complete && level > this.#path.length + 1)
      throw new MtreeError('inconsistent', line, `nested ${level} deep under a line that is ${this.#path.length} deep`);
    if (this.#complete && this.#path[level - 2]?.alias != null)
      throw new MtreeError('inconsistent', line, 'a region under an alias, which holds none');
    const node: MtreeNode = { ...parts, line, children: [] };
    if (parts.overflow > 0) this.#wrapped = true;
    if (level > 1) this.#parentFor(node, level - 1).children.push(node);
    this.#path.length = level - 1;
    this.#path.push(node);
  }

  finish(): MtreeBlock {
    const root = this.#path[0] ?? placeholder(1, 0n, 0);
    return { line: this.#line, spaces: this.spaces, region: this.region, root };
  }

  /** The node at `level` that `node` hangs under; a hidden one is made where no visible one can be its parent. */
  #parentFor(node: MtreeNode, level: number): MtreeNode {
    const last = this.#path[level - 1];
    // A block has one root: what is left of it cannot be hidden beside one that is shown.
    if (last !== undefined && (level === 1 || this.#complete || this.#canFollow(last, node))) return last;
    const hidden = level === 1 ? placeholder(1, 0n, 0) : this.#hiddenUnder(this.#parentFor(node, level - 1), level);
    this.#path.length = level - 1;
    this.#path.push(hidden);
    return hidden;
  }

  /**
   * Could `node` be the next child of `parent`? Children are sorted (T-193), none starts before its parent without a
   * marker (T-194), and one that lies wholly outside more likely belongs to a region that is hidden.
   */
  #canFollow(parent: MtreeNode, node: MtreeNode): boolean {
    if (parent.alias !== null) return false; // T-20
    if (this.#wrapped) return true;
    if (node.start < parent.start) return false;
    if (parent.line > 0 && node.start >= parent.start + parent.size) return false;
    const before = parent.children.at(-1);
    if (before === undefined) return true;
    return node.start > before.start || (node.start === before.start && node.priority <= before.priority);
  }

  /** A hidden child of `parent` that sorts after its last child and before whatever may come (T-193). */
  #hiddenUnder(parent: MtreeNode, level: number): MtreeNode {
    const before = parent.children.at(-1);
    const hidden =
      before === undefined
        ? placeholder(level, parent.start, 0x7fff_ffff)
        : placeholder(level, before.start, before.priority);
    parent.children.push(hidden);
    return hidden;
  }
}

/** A disabled container of unknown place and size: nothing below it is rendered (T-221). */
function placeholder(level: number, start: bigint, priority: number): MtreeNode {
  return {
    line: 0,
    children: [],
    overflow: 0,
    level,
    start,
    size: 0n,
    priority,
    nonvolatile: false,
    type: 'i/o',
    name: '',
    alias: null,
    disabled: true,
    owner: '',
  };
}
