/**
 * Which `memory-region:` section each alias line means. The name decides where one section bears it; else what is known
 * (facts, owners), else the order in which QEMU queues the targets it meets while printing. T-195, T-223.
 */

import { addTo } from '../view/grouped.ts';
import { MtreeError } from './error.ts';
import type { LinkedRegion } from './linked-region.ts';
import { QueuePlan, type QueueStep } from './queue-plan.ts';
import type { MtreeDump, MtreeNode } from './tree-dump.ts';

/** Sets `name` and `target` of every alias. Sound is it where none had to take a target that does not fit; work counts links looked at. */
export function linkAliases(
  dump: MtreeDump,
  roots: readonly LinkedRegion[],
  regionOf: ReadonlyMap<MtreeNode, LinkedRegion>,
  targets: ReadonlyMap<number, number>,
): { sound: boolean; work: number } {
  const linker = new AliasLinker(dump, roots, targets);
  const seen = new Set<LinkedRegion>();
  for (const [i, block] of dump.blocks.entries()) {
    if (block.region !== null) linker.begin(i);
    forEachNode(block.root, (node) => {
      const region = regionOf.get(node)!;
      if (node.alias === null || seen.has(region)) return;
      seen.add(region);
      linker.add(node, region);
    });
  }
  return linker.link();
}

/** Calls `each` for every node at and below `node`, in printed order. */
function forEachNode(node: MtreeNode, each: (node: MtreeNode) => void): void {
  each(node);
  for (const child of node.children) forEachNode(child, each);
}

/** An alias line taken apart. */
interface AliasLine {
  readonly region: LinkedRegion;
  readonly node: MtreeNode;
  readonly name: string;
  readonly target: string;
  /** Sections of that name, as indices among the sections. */
  readonly sections: readonly number[];
  /** Index of its step in the plan. */
  readonly step: number;
}

/** The alias that linked to a section last, among those that name it. */
interface LastLink {
  section: number;
  parent: LinkedRegion | null;
  /** Names of the aliases in `parent` that linked to it. */
  names: Set<string>;
}

/** Links looked at to find aliases without end; behind these they are taken as they come, and rendering refuses them. */
const MAX_WORK = 1 << 20;

class AliasLinker {
  readonly #showsAll: boolean;
  readonly #sections: readonly LinkedRegion[];
  readonly #byName = new Map<string, number[]>();
  readonly #byLine = new Map<number, number>();
  readonly #byBlock = new Map<number, number>();
  readonly #targets: ReadonlyMap<number, number>;
  readonly #steps: QueueStep[] = [];
  #sound = true;
  #work = 0;
  readonly #lines: AliasLine[] = [];
  /** Sections that an alias linked so far means. */
  readonly #queued = new Set<number>();
  readonly #last = new Map<string, LastLink>();
  /** For each topmost region, the regions that aliases at and below it mean. */
  readonly #shows = new Map<LinkedRegion, Set<LinkedRegion>>();

  constructor(dump: MtreeDump, roots: readonly LinkedRegion[], targets: ReadonlyMap<number, number>) {
    this.#showsAll = dump.showsDisabled;
    this.#targets = targets;
    const sections: LinkedRegion[] = [];
    for (const [i, block] of dump.blocks.entries()) {
      if (block.region === null) continue;
      this.#byLine.set(block.root.line, sections.length);
      this.#byBlock.set(i, sections.length);
      addTo(this.#byName, block.region, sections.length);
      sections.push(roots[i]!);
    }
    this.#sections = sections;
  }

  /** Block `i` begins, and is a section. */
  begin(i: number): void {
    this.#steps.push({ begins: this.#byBlock.get(i)! });
  }

  /** An alias is met for the first time. */
  add(node: MtreeNode, region: LinkedRegion): void {
    const line = { region, node, ...this.#split(node), step: this.#steps.length };
    this.#lines.push(line);
    this.#steps.push({ sections: line.sections });
  }

  link(): { sound: boolean; work: number } {
    const ambiguous = this.#lines.some(({ sections }) => sections.length > 1);
    const plan = ambiguous && this.#showsAll ? this.#plan() : null;
    for (const line of this.#lines) {
      const section = line.sections.length === 1 ? line.sections[0]! : this.#choose(line, plan);
      this.#queued.add(section);
      const { region } = line;
      region.name = line.name;
      region.target = this.#sections[section]!;
      if (region.target.node.line === 0) region.target.type = line.node.type;
      const top = topOf(region);
      const shown = this.#shows.get(top);
      if (shown === undefined) this.#shows.set(top, new Set([region.target]));
      else shown.add(region.target);
    }
    return { sound: this.#sound, work: this.#work };
  }

  /** By what is known and fits; where that works out nowhere, by the names. */
  #plan(): QueuePlan {
    const steps = [...this.#steps];
    for (const line of this.#lines) {
      if (line.sections.length < 2) continue;
      const known = this.#known(line);
      const sections = known !== undefined ? [known] : line.sections.filter((section) => this.#holds(line, section));
      if (sections.length > 0) steps[line.step] = { sections };
    }
    const plan = new QueuePlan(steps, this.#sections.length);
    if (plan.tells) return plan;
    this.#sound = false;
    return new QueuePlan(this.#steps, this.#sections.length);
  }

  /** The section has room and the type, and does not hold the alias itself. */
  #holds({ region, node }: AliasLine, section: number): boolean {
    const root = this.#sections[section]!;
    if (root.node.type !== node.type || node.alias!.offset + node.size > root.node.size) return false;
    return topOf(region) !== topOf(root);
  }

  /** T-220: of several places for ` @`, the one behind which a section's name stands. */
  #split(node: MtreeNode): { name: string; target: string; sections: readonly number[] } {
    const text = node.alias!.nameAndTarget;
    for (let at = text.lastIndexOf(' @'); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(' @', at - 1)) {
      const target = text.slice(at + 2);
      const sections = this.#byName.get(target);
      if (sections !== undefined) return { name: text.slice(0, at), target, sections };
    }
    const target = text.slice(text.lastIndexOf(' @') + 2);
    throw new MtreeError(
      'inconsistent',
      node.line,
      `there is no section "memory-region: ${target}"; is the dump whole?`,
    );
  }

  /** What the order allows, then what is known, then what is likely. */
  #choose(line: AliasLine, plan: QueuePlan | null): number {
    const known = this.#known(line);
    const { size } = this.#queued;
    const allowed = line.sections.filter((section) => {
      if (plan === null) return true;
      return section === size
        ? plan.mayQueue(line.step, size)
        : this.#queued.has(section) && plan.mayReuse(line.step, size);
    });
    const choice = allowed.length > 0 ? allowed : line.sections;
    if (known !== undefined && choice.includes(known)) return known;
    return this.#owned(line, choice) ?? this.#guess(line, choice);
  }

  #known({ region, sections }: AliasLine): number | undefined {
    for (const { line } of region.nodes) {
      const root = this.#targets.get(line);
      if (root === undefined) continue;
      const section = this.#byLine.get(root);
      if (section === undefined || !sections.includes(section))
        throw new MtreeError('bad-facts', line, `the alias cannot mean a section that begins at line ${root}`);
      return section;
    }
    return undefined;
  }

  /** The only section of the same owner. */
  #owned({ node }: AliasLine, choice: readonly number[]): number | undefined {
    if (node.owner === '') return undefined;
    const same = choice.filter((section) => this.#sections[section]!.node.owner === node.owner);
    return same.length === 1 ? same[0] : undefined;
  }

  /** Aliases of one parent mean one region until one of their names comes again; else it is the next new one. */
  #guess({ region, name, target, node, sections }: AliasLine, choice: readonly number[]): number {
    const fitting = (from: readonly number[]): number[] => from.filter((section) => this.#fits(region, node, section));
    let fits: readonly number[] = fitting(choice);
    if (fits.length === 0) {
      this.#sound = false;
      // A guess before was wrong: better one out of order than an alias that means what it stands in, without end.
      const inside = topOf(region);
      const shows = !node.disabled && node.size > 1n; // a closed window ends at once
      const endless = shows && choice.every((section) => this.#sections[section] === inside);
      fits = endless ? fitting(sections) : choice;
      if (fits.length === 0) fits = choice;
    }
    const last = this.#last.get(target);
    if (last !== undefined && last.parent === region.parent && !last.names.has(name) && fits.includes(last.section)) {
      last.names.add(name);
      return last.section;
    }
    const section = fits.find((section) => !this.#queued.has(section)) ?? fits.at(-1)!;
    this.#last.set(target, { section, parent: region.parent, names: new Set([name]) });
    return section;
  }

  /** The alias shows a part of it, of its type, and is not shown by it. */
  #fits(region: LinkedRegion, node: MtreeNode, section: number): boolean {
    const root = this.#sections[section]!;
    if (root.node.type !== node.type || node.alias!.offset + node.size > root.node.size) return false;
    return !this.#reaches(root, topOf(region), new Set());
  }

  #reaches(from: LinkedRegion, to: LinkedRegion, seen: Set<LinkedRegion>): boolean {
    if (from === to || topOf(from) === to) return true;
    if (seen.has(from) || ++this.#work > MAX_WORK) return false;
    seen.add(from);
    for (const region of this.#shows.get(topOf(from)) ?? []) if (this.#reaches(region, to, seen)) return true;
    return false;
  }
}

function topOf(region: LinkedRegion): LinkedRegion {
  let top = region;
  while (top.parent !== null) top = top.parent;
  return top;
}
