#!/usr/bin/env node
/** Packs the package in the current folder as it would be published and holds the tarball against publint and are-the-types-wrong. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { execPath, exit, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'guestmem-pack-'));

try {
  const packed = JSON.parse(
    // Without its scripts: pnpm would print their names into the JSON.
    step('pnpm', ['pack', '--json', '--config.ignore-scripts=true', '--pack-destination', folder], {
      shell: platform === 'win32',
    }),
  );
  const file = join(folder, readdirSync(folder)[0]);
  checkContents(packed.files.map(({ path }) => path));
  step(execPath, [bin('publint', 'publint'), 'run', file, '--strict']);
  step(execPath, [
    bin('@arethetypeswrong/cli', 'attw'),
    file,
    '--profile',
    'esm-only',
    '--format',
    'ascii',
    '--no-emoji',
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Licence and README are in, tests and tools are not, and no source map points to a file that is not shipped. */
function checkContents(files) {
  const problems = ['LICENSE', 'README.md', 'package.json']
    .filter((name) => !files.includes(name))
    .map((name) => `${name} is missing`);
  problems.push(
    ...files
      .filter((name) => /(^|\/)(test|bench|node_modules)\/|\.(test|bench|tsbuildinfo)\b/.test(name))
      .map((name) => `${name} is shipped`),
  );
  for (const map of files.filter((name) => name.endsWith('.map'))) {
    for (const source of JSON.parse(readFileSync(map, 'utf8')).sources) {
      const target = posix.join(posix.dirname(map), source);
      if (!files.includes(target)) problems.push(`${map} points to ${target}, which is not shipped`);
    }
  }
  if (problems.length === 0) return;
  console.error(problems.join('\n'));
  rmSync(folder, { recursive: true, force: true });
  exit(1);
}

/** The path of a dependency's program. */
function bin(name, program) {
  const home = join(dirname(fileURLToPath(import.meta.url)), '../node_modules', name);
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  return join(home, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[program]);
}

function step(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  console.error(stdout + stderr);
  rmSync(folder, { recursive: true, force: true });
  exit(status ?? 1);
}
