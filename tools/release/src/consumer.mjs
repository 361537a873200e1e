/** One user of one layer: an empty folder, an install, and what must be true of what came. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { PROGRAM, ROOT, withLower } from './layers.mjs';
import { run } from './run.mjs';
import { pnpm } from './workspace.mjs';

export const MANAGERS = { npm: (cwd, ...args) => run('npm', args, { cwd }), pnpm };

/** A new empty folder that installs from `registry`. */
export function newConsumer(folder, name, registry) {
  const home = join(folder, 'consumers', name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  writeFileSync(join(home, '.npmrc'), registry.npmrc);
  writeFileSync(join(home, 'pnpm-workspace.yaml'), 'packages: []\nminimumReleaseAge: 0\nmodulesCacheMaxAge: 0\n');
  return home;
}

/** Installs `layer` alone and demands that exactly its lower layers came with it, all at `version`. */
export async function installAlone(home, manager, layer, version) {
  await MANAGERS[manager](home, manager === 'npm' ? 'install' : 'add', `@guestmem/${layer}`);
  checkTree(home, manager, layer, version);
}

/** What is installed below `home` is `layer`, its lower layers at the same version, and nothing that none of them asks for from outside. */
export function checkTree(home, manager, layer, version) {
  const found = installed(home, manager);
  const wanted = withLower(layer).map((name) => `@guestmem/${name}`);
  const expected = new Set(wanted.map((name) => `${name}@${version}`));
  const outside = reachable(found, layer === PROGRAM ? [`@guestmem/${PROGRAM}`] : []);
  const strangers = found.filter(
    ({ id, name }) => !expected.has(id) && (name.startsWith('@guestmem/') || !outside.has(name)),
  );
  const missing = [...expected].filter((id) => !found.some((each) => each.id === id));
  if (strangers.length > 0 || missing.length > 0)
    throw new Error(
      `${manager} install of ${layer} alone: wanted ${[...expected].join(' ')}, missing [${missing.join(' ')}], unexpected [${strangers.map(({ id }) => id).join(' ')}]`,
    );
}

/** Names of everything that `roots` depend on, however far. */
function reachable(found, roots) {
  const names = new Set(roots);
  for (const name of names) {
    for (const { dependencies } of found.filter((each) => each.name === name))
      for (const dependency of dependencies) names.add(dependency);
  }
  return names;
}

/** Every package below node_modules. */
function installed(home, manager) {
  const store = manager === 'npm' ? [join(home, 'node_modules')] : pnpmStores(join(home, 'node_modules/.pnpm'));
  const packages = new Map();
  for (const folder of store) {
    for (const name of packagesIn(folder)) {
      const file = join(folder, name, 'package.json');
      if (!existsSync(file)) continue;
      const { version, dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(file, 'utf8'));
      const id = `${name}@${version}`;
      packages.set(id, { id, name, dependencies: Object.keys({ ...dependencies, ...optionalDependencies }) });
    }
  }
  return [...packages.values()];
}

const pnpmStores = (folder) =>
  readdirSync(folder)
    .map((entry) => join(folder, entry, 'node_modules'))
    .filter((entry) => existsSync(entry));

function packagesIn(folder) {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
    );
}

/** The first TypeScript block of a layer's README: its worked example. */
function readmeExample(layer) {
  const text = readFileSync(join(ROOT, 'packages', layer, 'README.md'), 'utf8');
  const block = /```ts\n([\s\S]*?)```/.exec(text);
  if (block === null) throw new Error(`packages/${layer}/README.md has no TypeScript example`);
  return block[1];
}

const COMPILERS = ['typescript-5.4', 'typescript-5.9', 'typescript'];
/** What users set: the module resolution and what goes with it. */
const RESOLUTIONS = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

/** What every runtime has and the language's own library does not declare. */
const GLOBALS = `declare const console: { log(...values: unknown[]): void };
declare class TextEncoder { encode(text?: string): Uint8Array }
declare class TextDecoder { decode(bytes?: Uint8Array): string }
`;

/** Compiles the README example of `layer` in every way users compile, as a list of jobs. */
export function compileJobs(home, layer) {
  writeFileSync(join(home, 'example.ts'), readmeExample(layer));
  writeFileSync(join(home, 'globals.d.ts'), GLOBALS);
  return COMPILERS.flatMap((compiler) =>
    Object.entries(RESOLUTIONS).map(([name, modules]) => async () => {
      const config = join(home, `tsconfig.${compiler}.${name}.json`);
      writeFileSync(
        config,
        JSON.stringify({
          compilerOptions: {
            ...modules,
            target: 'ES2022',
            lib: ['ES2022'],
            types: [],
            strict: true,
            skipLibCheck: false,
            outDir: `out/${compiler}.${name}`,
          },
          files: ['example.ts', 'globals.d.ts'],
        }),
      );
      const home54 = join(ROOT, 'tools/release/node_modules', compiler);
      const { bin } = JSON.parse(readFileSync(join(home54, 'package.json'), 'utf8'));
      await run(execPath, [join(home54, bin.tsc), '-p', config], { cwd: home });
    }),
  );
}

/** Runs the compiled example; it must end well. @returns how many lines it printed. */
export async function runExample(home) {
  const said = await run(execPath, ['out/typescript.nodenext/example.js'], { cwd: home });
  return said.split('\n').length - 1;
}

/** Runs the installed program. */
export async function runProgram(home, version) {
  const program = join(home, 'node_modules/.bin/guestmem');
  const said = (await run(program, ['--version'], { cwd: home })).trim();
  if (said !== version) throw new Error(`guestmem --version says ${said}, not ${version}`);
  await run(program, ['run'], { cwd: home });
}
