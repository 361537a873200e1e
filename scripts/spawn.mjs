/** Child processes of the root scripts: inherited output, the child's exit code on failure, the workspace's own tools on PATH. */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join, resolve } from 'node:path';
import { env, execPath, exit, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const BIN = join(ROOT, 'node_modules', '.bin');
const OURS = { PATH: `${BIN}${delimiter}${env.PATH ?? ''}`, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };

/** Runs `command`; ends this process with its exit code unless that is 0. */
export function run(command, args, { cwd = process.cwd(), shell = false, quiet = false } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  const child = spawnSync(command, args, { cwd, env: { ...env, ...OURS }, stdio, shell, maxBuffer: 1 << 30 });
  if (child.error) {
    console.error(`${command}: ${child.error.message}`);
    exit(1);
  }
  if (child.status !== 0) {
    if (quiet) process.stderr.write(Buffer.concat([child.stdout, child.stderr]));
    exit(child.status ?? 1);
  }
}

/** Runs a program of the workspace's node_modules/.bin in the root folder; on Windows these are .cmd files, which need a shell. */
const bin =
  (name) =>
  (args, options = {}) =>
    run(platform === 'win32' ? `"${join(BIN, `${name}.cmd`)}"` : join(BIN, name), args, {
      cwd: ROOT,
      shell: platform === 'win32',
      ...options,
    });

export const turbo = bin('turbo');
export const pnpm = bin('pnpm');

/** Runs this Node in the caller's folder, so that file arguments mean what the caller typed. */
export const node = (args) =>
  run(
    execPath,
    args.map((arg) => (/^(packages|tools)\/.*\.m?js$/.test(arg) ? join(ROOT, arg) : arg)),
    {
      cwd: env.INIT_CWD ?? process.cwd(),
    },
  );

/** Runs npm's own `npm exec` with one package, by the npm that started us (or the one on PATH). */
export function npmExec(pkg, args) {
  const npm = env.npm_execpath?.endsWith('.js') ? [execPath, env.npm_execpath] : ['npm'];
  const [command, ...first] = npm;
  run(command, [...first, 'exec', '--yes', `--package=${pkg}`, '--', ...args], {
    cwd: ROOT,
    shell: platform === 'win32' && npm.length === 1,
  });
}
