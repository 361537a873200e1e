/**
 * The one entry behind `npm start`, `npm test` and the other root scripts. Needs Node 20 and npm and nothing else:
 * the pinned pnpm is fetched when the workspace is not installed yet, and everything after runs from the workspace.
 */
import { argv, env, exit } from 'node:process';
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
      '--continue=dependencies-successful',
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
  /** The API pages, from the docstrings, into docs/api. */
  docs: () => node(['tools/api/src/docs.mjs']),
  /** Accepts the present public interface as the one that reviews compare with. */
  'api:update': () => {
    tasks(['build'], { quiet: true });
    node(['tools/api/src/report.mjs', '--update']);
  },
  /** Applies the pending changesets: versions, changelogs, internal ranges. */
  'release:version': () => {
    pnpm(['exec', 'changeset', 'version']);
    pnpm(['install', '--lockfile-only']);
  },
  /** Rehearses the release against a scratch registry. */
  'release:check': () => node(['tools/release/src/check.mjs', ...rest]),
  /** The packed packages on every runtime and bundler. */
  'release:runtimes': () => node(['tools/release/src/runtimes.mjs', ...rest]),
  /** Publishes what is not on the registry yet; with provenance where the CI can vouch for the build. */
  'release:publish': () => {
    tasks(['build']);
    if (env.ACTIONS_ID_TOKEN_REQUEST_URL !== undefined) env.NPM_CONFIG_PROVENANCE = 'true';
    pnpm(['exec', 'changeset', 'publish']);
  },
};

const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
if (command === undefined) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join(' | ')}`);
  exit(2);
}
install();
command();
