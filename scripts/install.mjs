/** Installs the workspace with the pinned pnpm, unless what is installed is what the lock file and manifests ask for. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmExec, ROOT } from './spawn.mjs';

const STAMP = join(ROOT, 'node_modules', '.guestmem-install');

export function install() {
  const wanted = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  npmExec(packageManager, ['pnpm', 'install', '--frozen-lockfile', '--reporter=append-only']);
  writeFileSync(STAMP, wanted);
}

/** A hash of the lock file and of every manifest of the workspace. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', ...manifests()]) {
    hash.update(file).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex');
}

function manifests() {
  return ['packages', 'tools'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .map((name) => `${folder}/${name}/package.json`)
      .filter((file) => existsSync(join(ROOT, file))),
  );
}
