/** The dispatch part of `info mtree -f -d` as data, and back, byte for byte. How it comes about is dispatch-map.ts. T-210 to T-213. */
import { MtreeError, quoteLine } from './error.ts';
import { hex16, unhex16 } from './hex.ts';

/** One entry of the section table. */
export interface DispatchSection {
  readonly first: bigint;
  readonly last: bigint;
  /** Null prints `(noname)`: unassigned, or a page that several regions share. */
  readonly name: string | null;
  /** Is its region the view's canonical root? */
  readonly root: boolean;
  /** Was it the last one used? */
  readonly mostRecent: boolean;
  readonly iommu: boolean;
}

/** Entries `first` to `last` of a node, all the same. `ptr` is a section where `skip` is 0, else a node; null is NIL. */
export interface DispatchRun {
  readonly first: number;
  readonly last: number;
  readonly skip: number;
  readonly ptr: number | null;
}

/** The dispatch part of a view. */
export interface DispatchDump {
  readonly sections: readonly DispatchSection[];
  readonly levels: number;
  /** Where the walk begins: a node, or a section where `skip` is 0. */
  readonly ptr: number;
  readonly skip: number;
  readonly nodes: readonly (readonly DispatchRun[])[];
}

/** What stands behind the sections of the first places, whatever these are (T-211). */
const LABELS = [' [unassigned]', ' [not dirty]', ' [ROM]', ' [watch]'];
const SECTION = /^ {6}#(\d+) @([0-9a-f]{16})\.\.([0-9a-f]{16}) (.*)$/;
const NODES = /^ {4}Nodes \(9 bits per level, (\d+) levels\) ptr=\[(\d+)\] skip=(\d+)$/;
const NODE = /^ {6}\[(\d+)\]$/;
const RUN = /^\t *(\d+)(?:\.\.(\d+))? +skip=(\d+) {2}ptr=(?:\[(\d+)\]|(NIL)|#(\d+))$/;

/** Reads the part that begins at `lines[first]`, and tells the line behind it. @throws {MtreeError} */
export function parseDispatch(lines: readonly string[], first: number): { dispatch: DispatchDump; next: number } {
  if (lines[first + 1] !== '    Physical sections') throw bad(lines, first + 1, 'expected "Physical sections"');
  const sections: DispatchSection[] = [];
  let at = first + 2;
  for (let match = SECTION.exec(lines[at] ?? ''); match !== null; match = SECTION.exec(lines[++at] ?? '')) {
    if (Number(match[1]) !== sections.length) throw bad(lines, at, `expected section #${sections.length}`);
    sections.push(parseSection(match, sections.length));
  }
  const head = NODES.exec(lines[at] ?? '');
  if (head === null) throw bad(lines, at, 'expected a section or "Nodes"');
  const nodes: DispatchRun[][] = [];
  at++;
  for (let match = NODE.exec(lines[at] ?? ''); match !== null; match = NODE.exec(lines[at] ?? '')) {
    if (Number(match[1]) !== nodes.length) throw bad(lines, at, `expected node [${nodes.length}]`);
    const runs: DispatchRun[] = [];
    for (let run = RUN.exec(lines[++at] ?? ''); run !== null; run = RUN.exec(lines[++at] ?? ''))
      runs.push(parseRun(run));
    nodes.push(runs);
  }
  const ptr = Number(head[2]);
  return { dispatch: { sections, levels: Number(head[1]), ptr, skip: Number(head[3]), nodes }, next: at };
}

/** The text of the part, each line with its LF. */
export function printDispatch(dispatch: DispatchDump): string {
  const out = ['  Dispatch\n    Physical sections\n'];
  for (const [i, section] of dispatch.sections.entries()) out.push(`${printSection(section, i)}\n`);
  out.push(`    Nodes (9 bits per level, ${dispatch.levels} levels) ptr=[${dispatch.ptr}] skip=${dispatch.skip}\n`);
  for (const [i, runs] of dispatch.nodes.entries()) {
    out.push(`      [${i}]\n`);
    for (const run of runs) out.push(printRun(run));
  }
  return out.join('');
}

function parseSection(match: RegExpExecArray, index: number): DispatchSection {
  let rest = match[4]!;
  const take = (mark: string): boolean => {
    if (!rest.endsWith(mark)) return false;
    rest = rest.slice(0, rest.length - mark.length);
    return true;
  };
  const iommu = take(' [iommu]');
  const mostRecent = take(' [MRU]');
  const root = take(' [ROOT]');
  take(LABELS[index] ?? '');
  return {
    first: unhex16(match[2]!),
    last: unhex16(match[3]!),
    name: rest === '(noname)' ? null : rest,
    root,
    mostRecent,
    iommu,
  };
}

function printSection(section: DispatchSection, index: number): string {
  const place = `      #${index} @${hex16(section.first)}..${hex16(section.last)} ${section.name ?? '(noname)'}`;
  const marks = `${section.root ? ' [ROOT]' : ''}${section.mostRecent ? ' [MRU]' : ''}${section.iommu ? ' [iommu]' : ''}`;
  return `${place}${LABELS[index] ?? ''}${marks}`;
}

function parseRun(match: RegExpExecArray): DispatchRun {
  const first = Number(match[1]);
  return {
    first,
    last: match[2] === undefined ? first : Number(match[2]),
    skip: Number(match[3]),
    ptr: match[5] === undefined ? Number(match[4] ?? match[6]) : null,
  };
}

function printRun({ first, last, skip, ptr }: DispatchRun): string {
  const head = String(first).padStart(3);
  const place = first === last ? `${head}      ` : `${head}..${String(last).padEnd(3)} `;
  return `\t${place} skip=${skip}  ptr=${printPtr(ptr, skip)}\n`;
}

function printPtr(ptr: number | null, skip: number): string {
  if (ptr === null) return 'NIL';
  return skip === 0 ? `#${ptr}` : `[${ptr}]`;
}

function bad(lines: readonly string[], at: number, what: string): MtreeError {
  const found = lines[at];
  return new MtreeError('bad-line', at + 1, `${what}, found ${found === undefined ? 'the end' : quoteLine(found)}`);
}
