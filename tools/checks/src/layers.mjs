/**
 * The layer rule, checked on manifests and on every import of the sources: a package imports only packages above it in
 * the list, the four libraries have no dependency outside this repository and no Node built-in, ARCHITECTURE.md says
 * the same as the code, and all five packages carry one version.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Highest contract first: a package may import those before it. `outside`: may it depend on what is not ours? */
const LAYERS = [
  { name: 'vm-memory', outside: false },
  { name: 'memtx', outside: false },
  { name: 'qemu-memory', outside: false },
  { name: 'devices', outside: false },
  { name: 'cli', outside: true },
];

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|import\s*\(\s*['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]/gm;
const problems = [];

const architecture = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
const manifests = LAYERS.map(({ name }) =>
  JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')),
);

for (const [index, { name, outside }] of LAYERS.entries()) {
  const allowed = LAYERS.slice(0, index).map((layer) => `@guestmem/${layer.name}`);
  const manifest = manifests[index];
  for (const dependency of Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  })) {
    if (!allowed.includes(dependency) && (!outside || dependency.startsWith('@guestmem')))
      problems.push(
        `packages/${name}/package.json depends on ${dependency}; it may depend on: ${allowed.join(', ') || 'nothing'}`,
      );
  }
  for (const file of sources(join(ROOT, 'packages', name, 'src'))) {
    for (const match of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const target = match[1] ?? match[2] ?? match[3];
      const problem = judge(target, { name, outside, allowed, manifest });
      if (problem) problems.push(`${file.slice(ROOT.length + 1)} imports ${target}: ${problem}`);
    }
  }
  const row = architecture.split('\n').find((line) => line.startsWith(`| \`@guestmem/${name}\``));
  if (row === undefined) problems.push(`ARCHITECTURE.md has no table row for @guestmem/${name}`);
  else {
    const said = [...(row.split('|').at(-2) ?? '').matchAll(/vm-memory|memtx|qemu-memory|devices/g)].map((m) => m[0]);
    const needed = LAYERS.slice(0, index).map((layer) => layer.name);
    if (said.join() !== needed.join())
      problems.push(`ARCHITECTURE.md says ${name} may import [${said}]; the layers say [${needed}]`);
  }
}

const versions = new Set(manifests.map((manifest) => manifest.version));
if (versions.size !== 1) problems.push(`the packages carry different versions: ${[...versions].join(', ')}`);

const root = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
if (root.packageManager !== `pnpm@${root.devDependencies.pnpm}`)
  problems.push(
    `package.json: packageManager ${root.packageManager} and devDependencies.pnpm ${root.devDependencies.pnpm} differ`,
  );

if (problems.length > 0) {
  console.error(problems.map((problem) => `layers: ${problem}`).join('\n'));
  exit(1);
}
console.log(`layers: ${LAYERS.length} packages hold the rule`);

/** Why `target` may not be imported, or undefined. */
function judge(target, { name, outside, allowed, manifest }) {
  if (target.startsWith('.')) return undefined;
  const owner = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
  if (owner.startsWith('@guestmem/'))
    return allowed.includes(owner) ? undefined : `${name} may import only ${allowed.join(', ') || 'nothing'}`;
  if (target.startsWith('node:') || builtinModules.includes(target))
    return name === 'cli' ? undefined : 'only cli may use Node built-ins';
  if (!outside) return 'the libraries have no dependency outside this repository';
  return manifest.dependencies?.[owner] ? undefined : 'not among its dependencies';
}

/** Every TypeScript file below `folder`. */
function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
