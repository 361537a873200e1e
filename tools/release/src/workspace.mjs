/** A copy of the repository in which versions are raised, packages built and published, without a trace in the original. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LAYERS, ROOT } from './layers.mjs';
import { run } from './run.mjs';

/** Copies what git knows or would add, installs it, and makes it a repository of its own (changesets asks git). */
export async function copyWorkspace(folder) {
  const copy = join(folder, 'workspace');
  const files = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  for (const file of files.split('\0')) {
    if (file === '' || !existsSync(join(ROOT, file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  const git = (...args) =>
    run(
      'git',
      ['-c', 'user.name=rehearsal', '-c', 'user.email=rehearsal@localhost', '-c', 'core.autocrlf=false', ...args],
      { cwd: copy },
    );
  await git('init', '-q', '-b', 'main');
  await git('add', '-A');
  await git('commit', '-q', '-m', 'copy');
  await pnpm(
    copy,
    'install',
    '--frozen-lockfile',
    '--prefer-offline',
    '--ignore-scripts',
    '--filter',
    'guestmem',
    '--filter',
    './packages/*...',
  );
  return copy;
}

/** Applies the pending changesets of `copy`. @returns the version all packages carry now. */
export async function raiseVersions(copy) {
  if (pending(copy).length > 0) await pnpm(copy, 'exec', 'changeset', 'version');
  const versions = new Set(LAYERS.map((layer) => manifest(copy, layer).version));
  if (versions.size !== 1) throw new Error(`the packages do not carry one version: ${[...versions].join(', ')}`);
  return [...versions][0];
}

/** Adds a changeset of `kind` to `copy`, as a developer would. */
export function addChangeset(copy, kind) {
  writeFileSync(
    join(copy, '.changeset/rehearsal.md'),
    `---\n"@guestmem/vm-memory": ${kind}\n---\n\nA change for the rehearsal.\n`,
  );
}

/** Builds the five packages of `copy` and publishes them to the registry at `url`. */
export async function publish(copy, registry) {
  writeFileSync(join(copy, '.npmrc'), registry.npmrc);
  for (const layer of LAYERS) await pnpm(copy, '--filter', `@guestmem/${layer}`, 'run', 'build');
  await pnpm(copy, '-r', '--filter', './packages/*', 'publish', '--no-git-checks', '--registry', registry.url);
}

const manifest = (copy, layer) => JSON.parse(readFileSync(join(copy, 'packages', layer, 'package.json'), 'utf8'));

const pending = (copy) =>
  readdirSync(join(copy, '.changeset')).filter((file) => file.endsWith('.md') && file !== 'README.md');

/** The workspace's own pinned pnpm. */
export const pnpm = (cwd, ...args) => run(join(ROOT, 'node_modules/.bin/pnpm'), args, { cwd });
