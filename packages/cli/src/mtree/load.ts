/** Reads a memory map from a file, whatever its form: tree text, flat text, or JSON. */
import {
  checkFacts,
  type FlatDump,
  inferFacts,
  isFlatDump,
  isTreeDump,
  type MemoryMap,
  MtreeError,
  type MtreeFacts,
  type MtreeStyle,
  mtreeStyle,
  parseFlatDump,
  parseMap,
  parseMtree,
} from '@guestmem/qemu-memory';
import { openCapture, readText, UserError } from '../files.ts';

/** What a file holds, and the style to print it in again. A flat dump has no tree, so it is no map. */
export type Loaded =
  | { readonly kind: 'map'; readonly map: MemoryMap; readonly style: MtreeStyle }
  | { readonly kind: 'flat'; readonly flat: FlatDump };

/** What the tree does not tell, if anything is known. */
export interface Knowledge {
  /** A flat dump of the same moment. */
  readonly flat?: FlatDump;
  readonly facts?: MtreeFacts;
}

/** Reads `path`; `infer` is told the facts that a flat dump showed. @throws {UserError} */
export function loadMap(path: string, knowledge: Knowledge = {}, infer?: (facts: MtreeFacts) => void): Loaded {
  const text = readText(path);
  return explained(path, () => {
    if (text.trimStart().startsWith('{')) {
      if (knowledge.facts !== undefined)
        throw new UserError(`${nameOf(path)} is a map as JSON, which tells all; --facts goes with the text of a tree`);
      return { kind: 'map', map: parseMap(text), style: '7.2' };
    }
    if (!isTreeDump(text) && isFlatDump(text)) {
      const given = knowledge.flat !== undefined ? '--with-flat' : knowledge.facts !== undefined ? '--facts' : null;
      if (given !== null)
        throw new UserError(`${nameOf(path)} is a flat dump itself; ${given} goes with the text of a tree`);
      return { kind: 'flat', flat: parseFlatDump(text) };
    }
    const style = mtreeStyle(text);
    if (knowledge.flat === undefined) {
      if (knowledge.facts !== undefined)
        return { kind: 'map', map: parseMtree(text, { facts: knowledge.facts }), style };
      const tree = bestTree(path, text);
      for (const note of tree.notes) process.stderr.write(`guestmem: ${note}\n`);
      return { kind: 'map', map: parseTree(tree), style };
    }
    const facts = inferFacts(text, knowledge.flat);
    infer?.(facts);
    return { kind: 'map', map: parseMtree(text, { facts, siblings: 'smaller' }), style };
  });
}

/** The text of a tree, with what is known of it. */
export interface Tree {
  /** What messages call it. */
  readonly name: string;
  readonly text: string;
  readonly facts: MtreeFacts | undefined;
  /** What was taken from beside the file that was asked for, in sentences. */
  readonly notes: readonly string[];
}

/**
 * The tree in `path`, whose text is `text`, or another dump of the same capture that tells more: the one that the facts in NAME.json
 * belong to, else NAME.disabled for NAME.mtree. Every command goes by this, so that all show the same machine.
 *
 * @throws {UserError} something beside it cannot be read.
 */
export function bestTree(path: string, text: string): Tree {
  const named: Tree = { name: nameOf(path), text, facts: undefined, notes: [] };
  const ending = /\.(mtree|disabled|owners)(?:\.gz)?$/.exec(path)?.[1];
  if (ending === undefined) return named;
  const capture = openCapture(path);
  const { name } = capture;
  const own = ending === 'mtree' ? 'mtree' : 'disabled'; // owners are printed behind the lines of `disabled`
  const wanted = capture.facts?.tree ?? 'disabled';
  const found = wanted === own ? named : replaced(named, `${name}.${wanted}`, capture.text(wanted));
  if (capture.facts === undefined) return found ?? named;
  if (found === undefined) {
    const note = `${name}.json tells of ${name}.${wanted}, which is not there; what the tree does not tell is guessed`;
    return { ...named, notes: [note] };
  }
  const { facts } = capture;
  explained(`${name}.json`, () => checkFacts(facts));
  return {
    ...found,
    facts,
    notes: [...found.notes, `what the tree does not tell is taken from ${name}.json beside it`],
  };
}

/** The tree of the capture that `path` names without being a dump of a tree: NAME, NAME.json, NAME.flat. Undefined: no such capture. @throws {UserError} */
export function namedTree(path: string): Tree | undefined {
  if (/\.(?:mtree|disabled|owners)(?:\.gz)?$/.test(path)) return undefined;
  const { name, facts, text } = openCapture(path);
  const tree = facts === undefined ? undefined : text(facts.tree);
  return tree === undefined ? undefined : { name: `${name}.${facts!.tree}`, text: tree, facts, notes: [] };
}

function replaced(named: Tree, name: string, text: string | undefined): Tree | undefined {
  if (text === undefined) return undefined;
  return { ...named, name, text, notes: [`${name} beside it is read instead, which tells more`] };
}

/** The map of a tree. @throws {UserError} */
export function parseTree({ name, text, facts }: Tree): MemoryMap {
  return explained(name, () => parseMtree(text, facts === undefined ? {} : { facts }));
}

/** Reads a flat dump. @throws {UserError} */
export function loadFlat(path: string): FlatDump {
  return explained(path, () => parseFlatDump(readText(path)));
}

/** Reads facts: the object itself, or a capture's JSON that holds it. @throws {UserError} */
export function loadFacts(path: string): MtreeFacts {
  const value = parseJson(path, readText(path));
  if (typeof value !== 'object' || value === null) throw new UserError(`${path} holds no facts`);
  const facts = 'facts' in value ? value.facts : value;
  explained(path, () => checkFacts(facts));
  if (facts === value && !FACTS.some((key) => key in value))
    throw new UserError(
      `${nameOf(path)} holds no facts: none of ${FACTS.join(', ')}, nor a capture's "facts"; leave --facts away where there is nothing to tell`,
    );
  return facts as MtreeFacts;
}

const FACTS: readonly (keyof MtreeFacts)[] = ['answers', 'empty', 'readonly', 'over', 'target', 'oneByte'];

/** Runs `act`; what it finds wrong with the input is told with the name of the file. */
export function explained<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof MtreeError)) throw error;
    throw new UserError(`${nameOf(path)}: ${error.message}`, { cause: error });
  }
}

/** What messages call the file `path`. */
export function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path;
}

/** There is nothing to print or to compare. */
export function noSpaces(path: string): UserError {
  return new UserError(`${nameOf(path)} has no address space; is the dump whole?`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
