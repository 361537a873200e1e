/** The five published manifests are complete and alike: the same keys in the same order, the same values where nothing is a package's own. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const NAMES = ['vm-memory', 'memtx', 'qemu-memory', 'devices', 'cli'];
const ORDER = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'repository',
  'type',
  'sideEffects',
  'engines',
  'bin',
  'exports',
  'files',
  'scripts',
  'dependencies',
  'devDependencies',
  'publishConfig',
];
/** Keys that not every package has. */
const OPTIONAL = ['bin', 'dependencies'];
const ALIKE = ['keywords', 'license', 'type', 'sideEffects', 'engines'];
const SCRIPTS = ['build', 'typecheck', 'lint', 'test', 'check', 'prepack'];

const problems = [];
const manifests = NAMES.map((name) => JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')));
const [first] = manifests;

for (const [index, manifest] of manifests.entries()) {
  const say = (text) => problems.push(`packages/${NAMES[index]}/package.json: ${text}`);
  const keys = Object.keys(manifest);
  const wanted = ORDER.filter((key) => keys.includes(key) || !OPTIONAL.includes(key));
  if (keys.join() !== wanted.join()) say(`keys are ${keys.join(' ')}; they should be ${wanted.join(' ')}`);
  for (const key of ALIKE)
    if (JSON.stringify(manifest[key]) !== JSON.stringify(first[key])) say(`"${key}" differs from the other packages`);
  if (manifest.name !== `@guestmem/${NAMES[index]}`) say(`is named ${manifest.name}`);
  if (manifest.repository.directory !== `packages/${NAMES[index]}`) say('repository.directory is not its folder');
  if (!(manifest.description?.length > 20)) say('has no description');
  for (const script of SCRIPTS) if (manifest.scripts[script] === undefined) say(`has no script "${script}"`);
  if (manifest.publishConfig.access !== 'public') say('would not be published as public');
  const entries = Object.keys(manifest.exports).join();
  if (Object.keys(manifest.publishConfig.exports).join() !== entries)
    say('exports and publishConfig.exports name different entries');
  for (const [entry, target] of Object.entries(manifest.publishConfig.exports)) {
    if (entry === './package.json') continue;
    if (Object.keys(target).join() !== 'types,default') say(`published entry ${entry} should be types, default`);
  }
  for (const file of ['dist', 'src']) if (!manifest.files.includes(file)) say(`does not ship ${file}`);
  for (const [name, range] of Object.entries(manifest.dependencies ?? {}))
    if (name.startsWith('@guestmem/') ? range !== 'workspace:^' : range !== 'catalog:')
      say(`${name} should be workspace:^ or catalog:`);
}

if (problems.length > 0) {
  console.error(problems.map((problem) => `manifests: ${problem}`).join('\n'));
  exit(1);
}
console.log(`manifests: ${NAMES.length} are complete and alike`);
