/** Builds the native program where cargo and the packaged crate are there; says how to get them elsewhere. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';

/** Where Debian's librust-vm-memory-dev puts crates. */
const REGISTRY = '/usr/share/cargo/registry';

/** The program's path, or why there is none. */
export type NativePeer = { readonly program: string } | { readonly missing: string };

/** @param folder tools/bench */
export function nativePeer(folder: string): NativePeer {
  const hint = 'on Debian: sh tools/bench/scripts/install-native.sh';
  if (!existsSync(join(REGISTRY, 'vm-memory-0.10.0')))
    return { missing: `the crate vm-memory 0.10 is not installed (${hint})` };
  const cargo = findCargo();
  if (cargo === undefined) return { missing: `cargo is not installed (${hint})` };
  const target = join(folder, 'node_modules', '.cache', 'native');
  const built = spawnSync(cargo, ['build', '--release', '--quiet'], {
    cwd: join(folder, 'native'),
    env: { ...env, CARGO_TARGET_DIR: target },
    encoding: 'utf8',
  });
  if (built.status !== 0) return { missing: `cargo could not build it: ${(built.stderr ?? '').trim().split('\n')[0]}` };
  return { program: join(target, 'release', 'guestmem-bench-native') };
}

function findCargo(): string | undefined {
  return ['cargo', join(env['CARGO_HOME'] ?? join(homedir(), '.cargo'), 'bin', 'cargo')].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
}
