/** `guestmem mtree [FILE]`: prints one form of a map, or finds an address in it. */
import {
  buildMap,
  flatDump,
  type MemoryCore,
  type MtreeStyle,
  printFlatDump,
  printMap,
  printMtree,
  renderMap,
} from '@guestmem/qemu-memory';
import { UserError } from '../files.ts';
import { compareWithFlat, tellInferred } from './facts-report.ts';
import { findAddress, findInFlat, parseAddress } from './find.ts';
import { explained, type Knowledge, type Loaded, loadFacts, loadFlat, loadMap, nameOf, noSpaces } from './load.ts';

/** The options as commander gives them. */
export interface MtreeOptions {
  readonly flat?: boolean;
  readonly tree?: boolean;
  readonly dispatch?: boolean;
  readonly json?: boolean;
  readonly find?: string;
  readonly space?: string;
  readonly disabled?: boolean;
  readonly owners?: boolean;
  readonly pageSize?: string;
  readonly withFlat?: string;
  readonly facts?: string;
}

/** Prints to standard output; notes on what was inferred go to standard error. Gives the exit code. @throws {UserError} */
export function showMtree(path: string, options: MtreeOptions): number {
  const form = formOf(options);
  refuseIdle(options, form);
  const pageBits = pageBitsOf(options.pageSize ?? '4096');
  const address = options.find === undefined ? null : parseAddress(options.find);
  const loaded = loadMap(path, knowledgeOf(options), (facts) => tellInferred(facts, options.withFlat!));
  if (loaded.kind === 'flat') return showFlat(path, loaded, options, form, address);
  return explained(path, () => {
    const { core } = buildMap(loaded.map);
    const code = options.withFlat === undefined ? 0 : compareWithFlat(core, options.withFlat);
    if (address !== null && core.addressSpaces.length === 0) throw noSpaces(path);
    if (address !== null) print(findAddress(core, address, options));
    else if (form === 'json') print(printMap(renderMap(loaded.map)));
    else print(textOf(path, core, loaded.style, form, options, pageBits));
    return code;
  });
}

type Form = 'flat' | 'tree' | 'dispatch' | 'json';

function formOf(options: MtreeOptions): Form {
  const forms = (['flat', 'tree', 'dispatch', 'json'] as const).filter((form) => options[form]);
  if (options.find !== undefined && forms.some((form) => form !== 'json'))
    throw new UserError('--find goes with --json only');
  if (forms.length > 1) throw new UserError(`choose one of ${forms.map((form) => `--${form}`).join(' and ')}`);
  if (options.facts !== undefined && options.withFlat !== undefined)
    throw new UserError('choose one of --facts and --with-flat');
  return forms[0] ?? 'flat';
}

/** Options that would do nothing are refused: nobody shall take the output for something else. */
function refuseIdle({ find, space, disabled, owners, pageSize }: MtreeOptions, form: Form): void {
  if (space !== undefined && find === undefined) throw new UserError('--space goes with --find');
  if (disabled && form !== 'tree') throw new UserError('--disabled goes with --tree');
  if (owners && (form === 'json' || find !== undefined))
    throw new UserError('--owners goes with --tree, --flat or --dispatch');
  if (pageSize !== undefined && form !== 'dispatch') throw new UserError('--page-size goes with --dispatch');
}

function textOf(
  path: string,
  core: MemoryCore,
  style: MtreeStyle,
  form: Exclude<Form, 'json'>,
  options: MtreeOptions,
  pageBits: number,
): string {
  const owners = options.owners ?? false;
  const text =
    form === 'tree'
      ? printMtree(core, { disabled: options.disabled ?? false, owners, style })
      : printFlatDump(flatDump(core, { owners, style, ...(form === 'dispatch' && { pageBits }) }));
  if (text === '') throw noSpaces(path);
  return text;
}

/** A flat dump alone can be printed again and searched, no more. */
function showFlat(
  path: string,
  { flat }: Extract<Loaded, { kind: 'flat' }>,
  options: MtreeOptions,
  form: Form,
  address: bigint | null,
): number {
  if (options.owners) throw new UserError(`${nameOf(path)} is a flat dump; --owners needs the tree (\`info mtree\`)`);
  if (address !== null) print(findInFlat(flat, address, options));
  else if (form === 'flat') print(printFlatDump({ views: flat.views.map((view) => ({ ...view, dispatch: null })) }));
  else throw new UserError(`${nameOf(path)} is a flat dump; --${form} needs the tree (\`info mtree -D\`)`);
  return 0;
}

function knowledgeOf({ withFlat, facts }: MtreeOptions): Knowledge {
  if (withFlat !== undefined) return { flat: loadFlat(withFlat) };
  return facts === undefined ? {} : { facts: loadFacts(facts) };
}

function pageBitsOf(text: string): number {
  const size = Number(text);
  const bits = Math.log2(size);
  if (!Number.isInteger(bits) || bits < 1 || bits > 18)
    throw new UserError(`--page-size must be a power of two from 2 to 262144, not ${text}`);
  return bits;
}

function print(text: string): void {
  process.stdout.write(text);
}
