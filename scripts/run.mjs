/**
 * The one entry behind `npm start`, `npm test` and the other root scripts. Needs Node 20 and npm and nothing else:
 * the pinned pnpm is fetched when the workspace is not installed yet, and everything after runs from the workspace.
 */
import { argv, exit } from 'node:process';
import { install } from './install.mjs';
import { node, pnpm, turbo } from './spawn.mjs';

const [, , name, ...rest] = argv;

/** Runs turbo over the workspace; `quiet` shows only tasks that fail. */
const tasks = (names, { quiet = false, filter = [], args = [] } = {}) =>
  turbo(
    [
      'run',
      ...names,
      ...filter.map((f) => `--filter=${f}`),
      quiet ? '--output-logs=errors-only' : '--output-logs=new-only',
      ...(quiet ? ['--log-prefix=none'] : []),
      ...(args.length > 0 ? ['--', ...args] : []),
    ],
    { quiet },
  );

const COMMANDS = {
  /** Install, build, run the main job: the memory of a real Q35 PC at work. */
  start: () => {
    tasks(['build'], { quiet: true });
    node(['-C', 'dist', 'packages/cli/dist/main.js', 'run', ...rest]);
  },
  /** Everything that must hold. A failure names its package. */
  test: () => tasks(['lint', 'typecheck', 'build', 'check', 'test']),
  /** What takes minutes: stress, long fuzzing, model checking, release rehearsal. */
  'test:long': () => tasks(['test:long'], { args: rest }),
  build: () => tasks(['build']),
  format: () => pnpm(['exec', 'biome', 'check', '--write', '.']),
  /** Replays captures of a real QEMU against the packages. */
  oracle: () => {
    tasks(['build'], { quiet: true, filter: ['@guestmem-tools/oracle...'] });
    node(['-C', 'dist', 'tools/oracle/dist/main.js', ...rest]);
  },
  bench: () => {
    tasks(['build'], { quiet: true });
    node(['-C', 'dist', 'tools/bench/dist/main.js', ...rest]);
  },
};

const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
if (command === undefined) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join(' | ')}`);
  exit(2);
}
install();
command();
