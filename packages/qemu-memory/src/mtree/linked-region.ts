/** What the lines of a dump are linked to (link.ts finds which lines show the same region): one region, with its parent, children and target. T-223. */
import type { MtreeType } from './line.ts';
import type { MtreeNode } from './tree-dump.ts';

/** A region and every line that shows it. */
export class LinkedRegion {
  /** At least one; they differ only in where their section puts them. */
  readonly nodes: MtreeNode[];
  /** Null where nothing that was printed contains it. */
  parent: LinkedRegion | null;
  /** In printed order: by offset, then by falling priority (T-193). */
  readonly children: LinkedRegion[] = [];
  /** Offset in the parent; of a root, what it stands at in its own (T-222). */
  addr: bigint;
  /** Without the target's name, for an alias. */
  name: string;
  target: LinkedRegion | null = null;
  /** As printed; of a hidden one, as an alias of it tells. */
  type: MtreeType;
  /** Index of the block that it is the root of, for each kind of block; -1 for none. */
  spaceBlock = -1;
  regionBlock = -1;

  constructor(node: MtreeNode, parent: LinkedRegion | null, addr: bigint) {
    this.nodes = [node];
    this.parent = parent;
    this.addr = addr;
    this.name = node.name;
    this.type = node.type;
  }

  /** The first line that shows it. */
  get node(): MtreeNode {
    return this.nodes[0]!;
  }

  /** The size; where start and end are equal, none for what looks like a closed window: a page-aligned or disabled alias (T-225). */
  get likelySize(): bigint {
    const { size, alias, disabled, start } = this.node;
    if (size !== 1n || alias === null) return size;
    return disabled || (start & 0xfffn) === 0n ? 0n : 1n;
  }
}
