#!/usr/bin/env node
/** Packs the package in the current folder as it would be published and holds the tarball against publint and are-the-types-wrong. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execPath, exit, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'guestmem-pack-'));

try {
  step('pnpm', ['pack', '--pack-destination', folder], { shell: platform === 'win32' });
  const [tarball] = readdirSync(folder);
  const file = join(folder, tarball);
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

/** The path of a dependency's program. */
function bin(name, program) {
  const home = join(dirname(fileURLToPath(import.meta.url)), '../node_modules', name);
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  return join(home, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[program]);
}

function step(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status === 0) return;
  console.error(stdout + stderr);
  rmSync(folder, { recursive: true, force: true });
  exit(status ?? 1);
}
