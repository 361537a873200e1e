/** Replays a capture of random bulk accesses (`targetEndianness`, `regions`, `accesses` in one JSON file). */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isAccessCapture, replayAccesses } from './access-replay.ts';
import { type Replay, ReplayBuilder } from './replay.ts';

/** Replays `path`, gzipped if its name ends so. */
export function replayAccessFile(path: string): Replay {
  const out = new ReplayBuilder(basename(path).replace(/\.json(\.gz)?$/, ''));
  try {
    const bytes = readFileSync(path);
    const capture: unknown = JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
    if (!isAccessCapture(capture)) throw new Error('not a capture of accesses: no targetEndianness, regions, accesses');
    const { accesses, differences } = replayAccesses(capture);
    out.count('accesses', accesses - differences.length, accesses, differences[0] ?? '');
  } catch (error) {
    out.fail('accesses', error);
  }
  return out.finish();
}
