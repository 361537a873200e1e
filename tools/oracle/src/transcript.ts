/** Replays a recorded conversation over QEMU's test protocol on a machine of `guestmem qtest`. */
import { basename } from 'node:path';
import { replayFile } from '@guestmem/cli';
import { type Replay, ReplayBuilder } from './replay.ts';

/** A command is equal if its reply is, and the interrupt lines before it. */
export function replayTranscriptFile(path: string): Replay {
  const out = new ReplayBuilder(basename(path).replace(/\.transcript$/, ''));
  try {
    const { commands, interrupts, fatal, differences, excepted } = replayFile(path);
    const different = new Set(differences.map(({ line }) => line)).size;
    const total = commands - excepted.length;
    const [first] = differences;
    const told =
      first === undefined
        ? ''
        : `line ${first.line}, ${first.command}: expected ${JSON.stringify(first.expected)}, found ${JSON.stringify(first.actual)}`;
    out.count('commands', total - different, total, told);
    if (different === 0) out.count('interrupt lines', interrupts, interrupts, '');
    if (fatal > 0) out.note(`${fatal} where QEMU ends itself: answered`);
    for (const { line, reason } of excepted) out.note(`line ${line} not compared: ${reason}`);
  } catch (error) {
    out.fail('commands', error);
  }
  return out.finish();
}
