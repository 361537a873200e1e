/**
 * Puts back what a dump without -D hides and its sections still tell of: a section that no visible alias queues in time
 * was queued by a disabled alias. A disabled alias of unknown place and size stands in for it, where the order of the
 * sections wants it, so that printing the regions gives the same text again. T-192, T-195.
 */
import { LinkedRegion } from './linked-region.ts';
import type { MtreeDump, MtreeNode } from './tree-dump.ts';

/** Adds the stand-ins to the trees of `roots` and gives them. Changes nothing where all sections are accounted for. */
export function addHiddenAliases(dump: MtreeDump, roots: readonly LinkedRegion[]): LinkedRegion[] {
  const sections = roots.filter((_, i) => dump.blocks[i]!.region !== null);
  if (sections.length === 0) return [];
  return new HiddenAliases(sections).run(roots.filter((_, i) => dump.blocks[i]!.region === null));
}

class HiddenAliases {
  readonly #sections: readonly LinkedRegion[];
  readonly #numberOf: ReadonlyMap<LinkedRegion, number>;
  readonly #added: LinkedRegion[] = [];
  /** Sections before this one are queued. */
  #queued = 0;
  /** The alias that queued the last of them. */
  #last: LinkedRegion | null = null;

  constructor(sections: readonly LinkedRegion[]) {
    this.#sections = sections;
    this.#numberOf = new Map(sections.map((section, i) => [section, i]));
  }

  run(spaces: readonly LinkedRegion[]): LinkedRegion[] {
    for (const root of spaces) this.#walk(root);
    if (spaces.length > 0) this.#ensure(1, spaces[0]!);
    for (const [i, section] of this.#sections.entries()) {
      this.#walk(section);
      if (i + 1 < this.#sections.length) this.#ensure(i + 2, section);
    }
    return this.#added;
  }

  #walk(region: LinkedRegion): void {
    if (region.target !== null) {
      const section = this.#numberOf.get(region.target) ?? -1;
      if (section >= this.#queued) {
        const { parent } = region;
        while (this.#queued < section && parent !== null)
          this.#insert(parent, parent.children.indexOf(region), region.addr, region.node.priority);
        this.#queued = section + 1;
        this.#last = region;
      }
    }
    for (const child of [...region.children]) this.#walk(child);
  }

  /** Queues sections up to `count` right behind the alias that queued last: nowhere else is sure to come in time. */
  #ensure(count: number, root: LinkedRegion): void {
    while (this.#queued < count) {
      const parent = this.#last === null ? root : this.#last.parent;
      if (parent === null || parent.target !== null) return; // nothing can stand beside a root or under an alias
      const at = this.#last === null ? 0 : parent.children.indexOf(this.#last) + 1;
      const beside = this.#last ?? parent.children[0];
      this.#insert(parent, at, beside?.addr ?? 0n, beside?.node.priority ?? 0);
    }
  }

  #insert(parent: LinkedRegion, at: number, addr: bigint, priority: number): void {
    const target = this.#sections[this.#queued]!;
    const node: MtreeNode = {
      line: 0,
      children: [],
      overflow: 0,
      level: parent.node.level + 1,
      start: parent.node.start + addr,
      size: 0n,
      priority,
      nonvolatile: false,
      type: target.node.type,
      name: '',
      alias: { nameAndTarget: '', offset: 0n },
      disabled: true,
      owner: '',
    };
    const alias = new LinkedRegion(node, parent, addr);
    alias.target = target;
    parent.children.splice(at, 0, alias);
    this.#added.push(alias);
    this.#last = alias;
    this.#queued++;
  }
}
