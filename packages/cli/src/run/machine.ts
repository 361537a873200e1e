/**
 * A machine from the text of `info mtree`: the tree rebuilt, its flat views compared with QEMU's own where they are known,
 * real bytes behind RAM and ROM.
 */
import {
  buildMap,
  compareFlatDumps,
  countEqualRanges,
  flatDump,
  type MapRegion,
  type MemoryCore,
  parseFlatDump,
  parseMap,
} from '@guestmem/qemu-memory';
import { type Backing, bufferBacking, sparseBacking } from '@guestmem/vm-memory';
import { type Capture, openCapture, readText } from '../files.ts';
import { bestTree, explained, namedTree, parseTree } from '../mtree/load.ts';
import { resizeRam } from './resize-ram.ts';

/** A rebuilt machine and how it compares. */
export interface Machine {
  readonly name: string;
  readonly core: MemoryCore;
  /** Absent where no capture of `info mtree -f` lies beside the tree, or where the RAM was resized. */
  readonly comparison: Comparison | undefined;
  /** Why there is no comparison. */
  readonly uncompared: string;
}

/** Our flat views beside QEMU's. */
export interface Comparison {
  readonly ranges: number;
  readonly equalRanges: number;
  readonly spaces: number;
  readonly equalSpaces: number;
  /** The first difference in words; empty if there is none. */
  readonly difference: string;
}

/** ROM gets bytes that tell where they are; the same pattern as the ROM file of QEMU's recordings. */
export function romByte(offset: number): number {
  return (7 * offset + 13 * Math.floor(offset / 256) + 3) % 256;
}

/**
 * Rebuilds the machine whose tree is in `path` (`-`: standard input), with `ramSize` bytes of RAM instead of the dump's if given.
 *
 * @throws {UserError} unreadable, malformed, or not to be resized so.
 */
export function openMachine(path: string, ramSize: number | undefined): Machine {
  const capture = path === '-' ? undefined : openCapture(path);
  const named = path === '-' ? undefined : namedTree(path);
  const text = named?.text ?? readText(path);
  const name = capture?.name ?? 'standard input';
  const { core } = explained(path, () => {
    const map = text.trimStart().startsWith('{') ? parseMap(text) : parseTree(named ?? bestTree(path, text));
    const resized = ramSize === undefined ? map : resizeRam(map, ramSize);
    return buildMap(resized, { backing: bytesBehind, targetOrder: targetOrder(capture) });
  });
  if (ramSize !== undefined) return { name, core, comparison: undefined, uncompared: 'the RAM was resized' };
  const flat = capture?.text('flat');
  if (flat === undefined)
    return { name, core, comparison: undefined, uncompared: 'no capture of "info mtree -f" lies beside it' };
  const expected = explained(`${name}.flat`, () => parseFlatDump(flat));
  return { name, core, comparison: compare(core, expected), uncompared: '' };
}

function compare(core: MemoryCore, expected: ReturnType<typeof parseFlatDump>): Comparison {
  const actual = flatDump(core);
  const { total, equal, difference } = compareFlatDumps(expected, actual);
  const ranges = countEqualRanges(expected, actual);
  return { ranges: ranges.total, equalRanges: ranges.equal, spaces: total, equalSpaces: equal, difference };
}

/** Sparse memory for RAM, however large; a buffer full of the pattern for ROM. */
function bytesBehind(region: MapRegion, length: number): Backing {
  if (region.readonly !== true || length > MAX_ROM) return sparseBacking(length);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = romByte(i);
  return bufferBacking(bytes);
}

const MAX_ROM = 1 << 26;

/** Names of QEMU's big-endian targets, as in `qemu-system-NAME`. */
const BIG_ENDIAN = /-(?:hppa|m68k|microblaze|mips|mips64|or1k|ppc|ppc64|s390x|sh4eb|sparc|sparc64|xtensaeb)$/;

function targetOrder(capture: Capture | undefined): 'little' | 'big' {
  const json = capture?.text('json');
  if (json === undefined) return 'little';
  const program = (JSON.parse(json) as { program?: unknown } | null)?.program;
  return typeof program === 'string' && BIG_ENDIAN.test(program) ? 'big' : 'little';
}
