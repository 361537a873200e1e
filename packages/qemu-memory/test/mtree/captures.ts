/** The captures of a real QEMU beside these tests: `NAME.mtree`, `.disabled`, `.flat`, `.dispatch`, `.owners`, `.json`, some gzipped. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { MtreeFacts } from '../../src/mtree/facts.ts';

const FOLDER = new URL('../fixtures/mtree/', import.meta.url);

/** What one text file of a capture holds. */
export type Ending = 'mtree' | 'disabled' | 'flat' | 'dispatch' | 'owners' | 'json';

/** The names of all captures. */
export const CAPTURES: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

/** The text of one file of a capture; undefined if the capture has none. */
export function findText(name: string, ending: Ending): string | undefined {
  const plain = new URL(`${name}.${ending}`, FOLDER);
  if (existsSync(plain)) return readFileSync(plain, 'utf8');
  const packed = new URL(`${name}.${ending}.gz`, FOLDER);
  return existsSync(packed) ? gunzipSync(readFileSync(packed)).toString('utf8') : undefined;
}

/** The same for a file that is there. */
export function textOf(name: string, ending: Ending): string {
  const text = findText(name, ending);
  if (text === undefined) throw new Error(`no ${name}.${ending}`);
  return text;
}

/** The facts of a capture and the text they belong to. */
export function factsOf(name: string): { facts: MtreeFacts; text: string } {
  const { facts } = JSON.parse(textOf(name, 'json')) as { facts: MtreeFacts & { tree: 'mtree' | 'disabled' } };
  return { facts, text: textOf(name, facts.tree) };
}

/** What `info mtree -D` printed: the plain dump where nothing is disabled. */
export function fullTree(name: string): string {
  return findText(name, 'disabled') ?? textOf(name, 'mtree');
}
