/** `guestmem mtree --find ADDRESS`: what answers there, and why. */
import {
  describeExplanation,
  type Explanation,
  explainAddress,
  type FlatDump,
  type MemoryCore,
  type MemoryRegion,
} from '@guestmem/qemu-memory';
import { UserError } from '../files.ts';

/** Which spaces to look in, and how to tell. */
export interface FindOptions {
  readonly space?: string;
  readonly json?: boolean;
}

/** The address that `text` writes in hexadecimal with `0x`, or in decimal. @throws {UserError} */
export function parseAddress(text: string): bigint {
  if (!/^(?:0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text) || BigInt(text) >= 1n << 64n)
    throw new UserError(`--find needs an address from 0 to 0xffffffffffffffff (0x... or decimal), not ${text}`);
  return BigInt(text);
}

/** Text, or JSON, on `address` in every root that an address space has. */
export function findAddress(core: MemoryCore, address: bigint, options: FindOptions): string {
  const found = rootsOf(core, options.space).map(({ spaces, root }) => ({ spaces, ...explainAddress(root, address) }));
  if (options.json) return `${JSON.stringify(found, null, 1)}\n`;
  return groupAlike(found)
    .map(({ spaces, ...explanation }) => `${spaces.join(', ')}\n${describeExplanation(explanation).join('\n')}\n`)
    .join('\n');
}

/** The same in a flat dump, which shows what answers but not why. */
export function findInFlat(flat: FlatDump, address: bigint, options: FindOptions): string {
  const views = flat.views.filter(({ spaces }) => spaces.some(({ name }) => name === (options.space ?? name)));
  if (views.length === 0) throw new UserError(`there is no address space "${options.space}"`);
  const at = `0x${address.toString(16)}`;
  const found = views.map(({ spaces, ranges }) => {
    const range = ranges.find(({ first, last }) => first <= address && address <= last);
    const names = spaces.map(({ name }) => name);
    if (range === undefined) return { spaces: names, address: at, answer: null };
    const offset = `0x${(range.offset + address - range.first).toString(16)}`;
    return { spaces: names, address: at, answer: { name: range.name, type: range.type, offset } };
  });
  if (options.json) return `${JSON.stringify(found, null, 1)}\n`;
  return found
    .map(({ spaces, answer }) => {
      const what = answer === null ? 'nothing answers' : `${answer.name} + ${answer.offset} (${answer.type})`;
      return `${spaces.join(', ')}\n${at}: ${what}\n`;
    })
    .join('\n');
}

/** Roots with the names of their spaces, in creation order. */
function rootsOf(core: MemoryCore, only: string | undefined): { spaces: string[]; root: MemoryRegion }[] {
  const out = new Map<MemoryRegion, string[]>();
  for (const { name, root } of core.addressSpaces) {
    if (only !== undefined && name !== only) continue;
    const names = out.get(root);
    if (names === undefined) out.set(root, [name]);
    else names.push(name);
  }
  if (out.size === 0) throw new UserError(`there is no address space "${only}"`);
  return [...out].map(([root, spaces]) => ({ spaces, root }));
}

type Found = Explanation & { readonly spaces: string[] };

/** Spaces of which the same is to be said, together: a machine can have hundreds in which nothing answers. */
function groupAlike(found: readonly Found[]): Found[] {
  const out = new Map<string, Found>();
  for (const { spaces, ...explanation } of found) {
    const key = describeExplanation(explanation).join('\n');
    const known = out.get(key);
    if (known === undefined) out.set(key, { spaces: [...spaces], ...explanation });
    else known.spaces.push(...spaces);
  }
  return [...out.values()];
}
