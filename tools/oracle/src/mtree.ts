/**
 * Replays a capture of `info mtree`: renders its tree and compares every address space and the sharing of views with the
 * flat dump; parses every text and prints it again; builds the dispatch maps and compares them with the printed ones.
 */
import { basename } from 'node:path';
import { type Capture, openCapture } from '@guestmem/cli';
import {
  buildMap,
  compareFlatDumps,
  type FlatDump,
  flatDump,
  inferFacts,
  type MemoryCore,
  mtreeStyle,
  parseFlatDump,
  parseMtree,
  printFlatDump,
  printMtree,
} from '@guestmem/qemu-memory';
import { compareDispatch } from './dispatch.ts';
import { type Replay, ReplayBuilder, type ReplayOptions } from './replay.ts';

/** Replays `NAME.mtree` with the files of the same name beside it. */
export function replayMtree(path: string, options: ReplayOptions): Replay {
  const out = new ReplayBuilder(basename(path).replace(/\.mtree(\.gz)?$/, ''));
  attempt(out, 'files', () => {
    const capture = openCapture(path);
    const flatText = capture.text('flat');
    if (flatText === undefined) throw new Error(`there is no ${capture.name}.flat beside it`);
    attempt(out, 'address spaces', () => compareSpaces(capture, parseFlatDump(flatText), options, out));
    roundTrips(capture, out);
  });
  return out.finish();
}

function compareSpaces(capture: Capture, expected: FlatDump, options: ReplayOptions, out: ReplayBuilder): void {
  const core = readTree(capture, options, expected);
  const actual = flatDump(core, { canonical: true });
  const { equal, total, sharing, difference } = compareFlatDumps(expected, actual);
  out.count('address spaces', equal, total, difference);
  if (equal === total && sharing === 'untold') out.note(difference);
  else if (equal === total) out.count('sharing of views', sharing === 'same' ? 1 : 0, 1, difference);
  const dispatch = capture.text('dispatch');
  if (dispatch !== undefined) attempt(out, 'dispatch maps', () => compareDispatch(dispatch, core, out));
}

function readTree(capture: Capture, { tree }: ReplayOptions, flat: FlatDump): MemoryCore {
  const recorded = tree === 'facts' ? capture.facts : undefined;
  const ending = tree === 'plain' || recorded?.tree === 'mtree' ? 'mtree' : 'disabled';
  const text = capture.text(ending) ?? capture.text('mtree')!;
  if (tree === 'inferred')
    return buildMap(parseMtree(text, { facts: inferFacts(text, flat), siblings: 'smaller' })).core;
  return buildMap(parseMtree(text, recorded === undefined ? {} : { facts: recorded })).core;
}

/** Every text of the capture, parsed and printed again; trees by way of the regions they describe. */
function roundTrips(capture: Capture, out: ReplayBuilder): void {
  for (const [ending, print] of Object.entries(PRINTERS)) {
    const text = capture.text(ending as keyof typeof PRINTERS);
    if (text !== undefined) attempt(out, 'texts', () => out.text('texts', text, print(text)));
  }
}

const PRINTERS = {
  mtree: (text: string) => printMtree(buildMap(parseMtree(text)).core, { style: mtreeStyle(text) }),
  disabled: (text: string) => printMtree(buildMap(parseMtree(text)).core, { disabled: true, style: mtreeStyle(text) }),
  owners: (text: string) =>
    printMtree(buildMap(parseMtree(text)).core, { disabled: true, owners: true, style: mtreeStyle(text) }),
  flat: (text: string) => printFlatDump(parseFlatDump(text)),
  dispatch: (text: string) => printFlatDump(parseFlatDump(text)),
};

function attempt(out: ReplayBuilder, part: string, replay: () => void): void {
  try {
    replay();
  } catch (error) {
    out.fail(part, error);
  }
}
