/** The kinds of captures, by the ends of their names, and who replays each. */
import { replayAccessFile } from './access.ts';
import { replayMtree } from './mtree.ts';
import type { Replay, ReplayOptions } from './replay.ts';
import { replayTranscriptFile } from './transcript.ts';

/** Replays one file. Never throws for what is wrong with the capture: that is a difference. */
export type Replayer = (path: string, options: ReplayOptions) => Replay;

/** A kind is chosen by the first ending that fits. */
export interface Kind {
  readonly endings: readonly string[];
  readonly replay: Replayer;
}

/** One line for each kind. */
export const KINDS: readonly Kind[] = [
  { endings: ['.mtree', '.mtree.gz'], replay: replayMtree },
  { endings: ['.transcript'], replay: replayTranscriptFile },
  { endings: ['.json', '.json.gz'], replay: replayAccessFile },
];

/** The kind of a file, undefined for a name that none claims. */
export function kindOf(path: string): Kind | undefined {
  return KINDS.find(({ endings }) => endings.some((ending) => path.endsWith(ending)));
}
