/**
 * The text of `info mtree -f` (with -o, and with -d) as data, and back, byte for byte. Regions are names here: which
 * region a name means is not in the text. T-200 to T-205, T-229; the dispatch part is dispatch-dump.ts.
 */
import { type DispatchDump, parseDispatch, printDispatch } from './dispatch-dump.ts';
import { MtreeError, quoteLine } from './error.ts';
import { hex16, unhex16 } from './hex.ts';
import { type MtreeType, takeOwner } from './line.ts';

/** One range as a line shows it. */
export interface FlatDumpRange {
  /** Line of the text, from 1; 0 if not read from text. */
  readonly line: number;
  readonly first: bigint;
  /** Included. */
  readonly last: bigint;
  /** The region's own (T-64). */
  readonly priority: number;
  readonly nonvolatile: boolean;
  readonly type: MtreeType;
  readonly name: string;
  readonly offset: bigint;
  /** With its leading blank; empty if none. */
  readonly owner: string;
  /** Names of the accelerators that handle the range, each with a leading blank (T-205). */
  readonly accelerators: string;
}

/** An address space as an ` AS` line shows it. */
export interface FlatDumpSpace {
  readonly name: string;
  readonly root: string;
  /** What the root is an alias of; null if it is none. */
  readonly alias: string | null;
}

/** One view. */
export interface FlatDumpView {
  readonly line: number;
  readonly number: number;
  readonly spaces: readonly FlatDumpSpace[];
  /** Name of the canonical root; null for the empty view. */
  readonly root: string | null;
  readonly ranges: readonly FlatDumpRange[];
  readonly dispatch: DispatchDump | null;
}

/** A whole dump. */
export interface FlatDump {
  readonly views: readonly FlatDumpView[];
}

const VIEW = /^FlatView #(\d+)$/;
const ROOT = ' Root memory region: ';
const EMPTY = '  No rendered FlatView';
const RANGE = /^ {2}([0-9a-f]{16})-([0-9a-f]{16}) \(prio (-?\d{1,10}), (nv-)?(i\/o|ramd?|romd?|container)\): (.*)$/;
const OFFSET = / @([0-9a-f]{16})$/;
/** Those of QEMU 7.2 to 11.1. Of some the spelling was never seen: any will do. */
const ACCELERATORS = /(?: (?:kvm|hvf|whpx|nvmm|hax|xen|mshv|nitro))+$/i;

/** Does `text` hold a line that begins a flat view? */
export function isFlatDump(text: string): boolean {
  return /^FlatView #\d+\r?$/m.test(text);
}

/**
 * Reads the flat form. Accepts LF and CR LF, and skips what stands before the first view and from a monitor prompt on.
 *
 * @throws {MtreeError} with the line and the reason.
 */
export function parseFlatDump(text: string): FlatDump {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  let at = lines.findIndex((line) => VIEW.test(line));
  if (at < 0) throw new MtreeError('no-dump', 1, 'no line begins a "FlatView #"');
  const views: FlatDumpView[] = [];
  while (at < lines.length && !(at === lines.length - 1 && lines[at] === '') && !lines[at]!.startsWith('(qemu)')) {
    const { view, next } = parseView(lines, at);
    views.push(view);
    at = next;
  }
  return { views };
}

/** The text of a flat dump, with LF line ends. */
export function printFlatDump(dump: FlatDump): string {
  return dump.views.map(printView).join('');
}

function parseView(lines: readonly string[], first: number): { view: FlatDumpView; next: number } {
  const head = VIEW.exec(lines[first]!);
  if (head === null) throw bad(first, 'expected "FlatView #"', lines);
  const spaces: FlatDumpSpace[] = [];
  let at = first + 1;
  for (; lines[at]?.startsWith(' AS "'); at++) spaces.push(parseSpace(lines[at]!, at));
  if (!lines[at]?.startsWith(ROOT)) throw bad(at, `expected "${ROOT}"`, lines);
  const rootName = lines[at]!.slice(ROOT.length);
  const ranges: FlatDumpRange[] = [];
  at++;
  let dispatch: DispatchDump | null = null;
  if (lines[at] === EMPTY) at++;
  else {
    for (; lines[at]?.startsWith('  ') && lines[at] !== '  Dispatch'; at++) ranges.push(parseRange(lines, at, ranges));
    if (ranges.length === 0) throw bad(at, `expected a range or "${EMPTY.trim()}"`, lines);
    if (lines[at] === '  Dispatch') {
      const part = parseDispatch(lines, at);
      dispatch = part.dispatch;
      at = part.next;
    }
  }
  if (at < lines.length && lines[at] !== '')
    throw bad(at, 'expected a range or the empty line that ends a view', lines);
  const root = rootName === '(none)' && ranges.length === 0 ? null : rootName;
  return { view: { line: first + 1, number: Number(head[1]), spaces, root, ranges, dispatch }, next: at + 1 };
}

function parseSpace(line: string, at: number): FlatDumpSpace {
  const split = line.lastIndexOf('", root: ');
  if (split < 0) throw new MtreeError('bad-line', at + 1, `not an address space line: ${quoteLine(line)}`);
  const rest = line.slice(split + '", root: '.length);
  const alias = rest.lastIndexOf(', alias ');
  return {
    name: line.slice(' AS "'.length, split),
    root: alias < 0 ? rest : rest.slice(0, alias),
    alias: alias < 0 ? null : rest.slice(alias + ', alias '.length),
  };
}

function parseRange(lines: readonly string[], at: number, before: readonly FlatDumpRange[]): FlatDumpRange {
  const match = RANGE.exec(lines[at]!);
  if (match === null) throw bad(at, 'not a range', lines);
  const first = unhex16(match[1]!);
  const last = unhex16(match[2]!);
  if (last < first) throw new MtreeError('inconsistent', at + 1, 'the range ends before it starts');
  if (before.length > 0 && first <= before.at(-1)!.last)
    throw new MtreeError('inconsistent', at + 1, 'the range does not lie behind the one before it');
  let rest = match[6]!;
  const accelerators = ACCELERATORS.exec(rest)?.[0] ?? '';
  rest = rest.slice(0, rest.length - accelerators.length);
  const owner = takeOwner(rest);
  rest = rest.slice(0, rest.length - owner.length);
  const offset = OFFSET.exec(rest);
  return {
    line: at + 1,
    first,
    last,
    priority: Number(match[3]),
    nonvolatile: match[4] !== undefined,
    type: match[5] as MtreeType,
    name: offset === null ? rest : rest.slice(0, offset.index),
    offset: offset === null ? 0n : unhex16(offset[1]!),
    owner,
    accelerators,
  };
}

function bad(at: number, what: string, lines: readonly string[]): MtreeError {
  const found = lines[at];
  return new MtreeError('bad-line', at + 1, `${what}, found ${found === undefined ? 'the end' : quoteLine(found)}`);
}

function printView(view: FlatDumpView): string {
  const out = [`FlatView #${view.number}\n`];
  for (const { name, root, alias } of view.spaces)
    out.push(` AS "${name}", root: ${root}${alias === null ? '' : `, alias ${alias}`}\n`);
  out.push(`${ROOT}${view.root ?? '(none)'}\n`);
  if (view.ranges.length === 0) out.push(`${EMPTY}\n`);
  for (const range of view.ranges) out.push(`${printFlatRange(range)}\n`);
  if (view.dispatch !== null) out.push(printDispatch(view.dispatch));
  out.push('\n');
  return out.join('');
}

/**
 * What a range shows, as text: without owner and accelerators, and with `container` as `i/o`, which says where the region stands and
 * not what it answers, and is told by later QEMUs only (T-190).
 */
export function shownText(range: FlatDumpRange): string {
  return printFlatRange({ ...range, type: shownType(range.type), owner: '', accelerators: '' });
}

/** The type by which ranges are compared. */
export function shownType(type: MtreeType): MtreeType {
  return type === 'container' ? 'i/o' : type;
}

/** One range as a line, without its line end. */
export function printFlatRange(range: FlatDumpRange): string {
  const place = `  ${hex16(range.first)}-${hex16(range.last)} (prio ${range.priority}, `;
  const type = `${range.nonvolatile ? 'nv-' : ''}${range.type}): ${range.name}`;
  const offset = range.offset === 0n ? '' : ` @${hex16(range.offset)}`;
  return `${place}${type}${offset}${range.owner}${range.accelerators}`;
}
