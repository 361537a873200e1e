/** The oracle's command line: arguments in, lines out, exit code back. */
import { statSync } from 'node:fs';
import { kindOf } from './kinds.ts';
import type { Replay, ReplayOptions, Tally } from './replay.ts';

const USAGE = `usage: oracle [--tree facts|inferred|disabled|plain] FILE...
  FILE is a capture: NAME.mtree or NAME.mtree.gz, with NAME.disabled, .flat, .json, .dispatch.gz, .owners.gz beside it;
  or a recorded conversation: NAME.transcript, replayed as \`guestmem qtest --replay\` does it;
  or random accesses: NAME.json or NAME.json.gz with targetEndianness, regions and accesses, replayed call by call.
  --tree says how trees are read: with the facts of NAME.json (default), with facts inferred from the flat dump,
  or without any, from -D or from the plain dump.`;

/** Replays the files named in `args`. Gives 0 if all are equal, 1 if not, 2 for a command line that makes no sense. */
export function run(args: readonly string[], print: (line: string) => void): number {
  const parsed = parseArguments(args);
  if (typeof parsed === 'string') {
    if (parsed !== '') print(parsed);
    print(USAGE);
    return 2;
  }
  const totals = new Map<string, Tally>();
  let equal = 0;
  for (const path of parsed.files) {
    const reason = unreadable(path);
    if (reason !== null) {
      print(`${path} 0/1 ${reason}`);
      continue;
    }
    const kind = kindOf(path);
    if (kind === undefined) {
      print(`${path} 0/1 no kind of capture has this ending`);
      continue;
    }
    const replay = kind.replay(path, parsed.options);
    if (report(replay, totals, print)) equal++;
  }
  for (const [part, tally] of totals) print(`${part}: ${tally.equal} of ${tally.total}`);
  print(`${equal} of ${parsed.files.length} files equal`);
  return equal === parsed.files.length ? 0 : 1;
}

/** Why `path` is no file that could be a capture; null if it is one. */
function unreadable(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'there is no such file';
  return stat.isDirectory() ? 'it is a directory; name the files in it' : null;
}

/** Prints the line of one file; tells whether it is equal. */
function report(replay: Replay, totals: Map<string, Tally>, print: (line: string) => void): boolean {
  let equal = 0;
  let total = 0;
  for (const [part, tally] of replay.parts) {
    equal += tally.equal;
    total += tally.total;
    const sum = totals.get(part) ?? { equal: 0, total: 0 };
    totals.set(part, { equal: sum.equal + tally.equal, total: sum.total + tally.total });
  }
  const rest = [replay.difference, ...replay.notes].filter((text) => text !== '').join('; ');
  print(`${replay.name} ${equal}/${total}${rest === '' ? '' : ` ${rest}`}`);
  return equal === total && total > 0;
}

function parseArguments(args: readonly string[]): { files: string[]; options: ReplayOptions } | string {
  const files: string[] = [];
  let tree: ReplayOptions['tree'] = 'facts';
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--tree') {
      const value = args[++i];
      if (value !== 'facts' && value !== 'inferred' && value !== 'disabled' && value !== 'plain')
        return `--tree cannot be ${value ?? 'left without a value'}`;
      tree = value;
    } else if (arg === '--help' || arg === '-h') return '';
    else if (arg.startsWith('--')) return `unknown option ${arg}`;
    else files.push(arg);
  }
  return files.length === 0 ? 'no file given' : { files, options: { tree } };
}
