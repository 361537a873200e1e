/**
 * One line of the tree form: taken apart and put together. Names are free text, so a line is read from both ends inwards.
 * How lines nest is tree-dump.ts. T-182 to T-191, T-197, T-220.
 */
import { MtreeError, quoteLine } from './error.ts';
import { hex16, printedEnd, printedSize, unhex16 } from './hex.ts';

/** What stands before the colon as a region's type. `container` is printed by later QEMUs only: by 11.1, not by 10.0 (T-190). */
export type MtreeType = 'i/o' | 'ram' | 'rom' | 'romd' | 'ramd' | 'container';

/** What an alias line says of its target. */
export interface MtreeAliasText {
  /** `NAME @TARGET`, not yet split: both may hold blanks and `@` (T-220). */
  readonly nameAndTarget: string;
  /** Offset of the alias's first byte in the target. */
  readonly offset: bigint;
}

/** The parts of one tree line. */
export interface MtreeLine {
  /** How many overflow markers stand before the indentation (T-194). */
  readonly overflow: number;
  /** 1 for the first line of a block. */
  readonly level: number;
  readonly start: bigint;
  /** 1 to 2^64; 1 may stand for 0 (T-183). */
  readonly size: bigint;
  readonly priority: number;
  readonly nonvolatile: boolean;
  readonly type: MtreeType;
  /** The region's name; for an alias `NAME @TARGET`. */
  readonly name: string;
  readonly alias: MtreeAliasText | null;
  readonly disabled: boolean;
  /** ` owner:{…}`, ` parent:{…}`, both, ` orphan`, or empty (T-197). */
  readonly owner: string;
}

/** What T-194 puts before a line whose address wrapped. */
export const OVERFLOW_MARKER = '[DETECTED OVERFLOW!] ';

const TREE_LINE =
  /^((?:\[DETECTED OVERFLOW!\] )*)((?: {2})+)([0-9a-f]{16})-([0-9a-f]{16}) \(prio (-?\d{1,10}), (nv-)?(i\/o|ramd?|romd?|container)\): (.*)$/;
const OWNER =
  / (?:orphan|(?:owner|parent):\{(?:dev|obj) (?:id|path|type)=[^}]*\}(?: parent:\{(?:dev|obj) (?:id|path|type)=[^}]*\})?)$/;
const ALIAS = /^alias (.* @.*) ([0-9a-f]{16})-([0-9a-f]{16})$/;
const DISABLED = ' [disabled]';

/** Has `text` the form of a tree line? */
export function isTreeLine(text: string): boolean {
  return TREE_LINE.test(text);
}

/**
 * Takes a tree line apart. `text` has no line end; `number` is its number, for messages.
 *
 * @throws {MtreeError} `bad-line`: not a tree line; `inconsistent`: an end before the start without an overflow marker (T-194),
 *   priority out of range, or alias ends that disagree.
 */
export function parseTreeLine(text: string, number: number): MtreeLine {
  const match = TREE_LINE.exec(text);
  if (match === null) throw new MtreeError('bad-line', number, `not a region line: ${quoteLine(text)}`);
  const overflow = match[1]!.length / OVERFLOW_MARKER.length;
  const start = unhex16(match[3]!);
  const end = unhex16(match[4]!);
  if (end < start && overflow === 0)
    throw new MtreeError('inconsistent', number, `the region ends before it starts: ${quoteLine(text)}`);
  const size = printedSize(start, end);
  const priority = Number(match[5]);
  if (priority !== (priority | 0))
    throw new MtreeError('inconsistent', number, `priority ${priority} does not fit in 32 bits`);
  let rest = match[8]!;
  const owner = takeOwner(rest);
  rest = rest.slice(0, rest.length - owner.length);
  const disabled = rest.endsWith(DISABLED);
  if (disabled) rest = rest.slice(0, -DISABLED.length);
  const alias = parseAlias(rest, size, number);
  return {
    overflow,
    level: match[2]!.length / 2,
    start,
    size,
    priority,
    nonvolatile: match[6] !== undefined,
    type: match[7] as MtreeType,
    name: alias === null ? rest : alias.nameAndTarget,
    alias,
    disabled,
    owner,
  };
}

/** The owner part at the end of `text`, with its leading blank; empty if there is none (T-197). */
export function takeOwner(text: string): string {
  if (!text.endsWith('}') && !text.endsWith(' orphan')) return '';
  return OWNER.exec(text)?.[0] ?? '';
}

/** What a tree line is printed from. */
export interface TreeLineParts {
  readonly level: number;
  readonly start: bigint;
  readonly size: bigint;
  readonly priority: number;
  readonly type: string;
  readonly name: string;
  readonly target: string | null;
  readonly aliasOffset: bigint;
  readonly disabled: boolean;
  readonly owner: string;
}

/** The text of a line, without line end and without the overflow marker, which can outlive its line (T-194). */
export function printTreeLine(parts: TreeLineParts): string {
  const { start, size, aliasOffset, target } = parts;
  const place = `${hex16(start)}-${hex16(printedEnd(start, size))} (prio ${parts.priority}, ${parts.type}): `;
  const what =
    target === null
      ? parts.name
      : `alias ${parts.name} @${target} ${hex16(aliasOffset)}-${hex16(printedEnd(aliasOffset, size))}`;
  return `${'  '.repeat(parts.level)}${place}${what}${parts.disabled ? DISABLED : ''}${parts.owner}`;
}

function parseAlias(text: string, size: bigint, number: number): MtreeAliasText | null {
  if (!text.startsWith('alias ')) return null;
  const match = ALIAS.exec(text);
  if (match === null) return null; // a region whose name begins with "alias "
  const offset = unhex16(match[2]!);
  if (printedSize(offset, unhex16(match[3]!)) !== size)
    throw new MtreeError('inconsistent', number, 'the alias shows more or less of its target than its own size');
  return { nameAndTarget: match[1]!, offset };
}
