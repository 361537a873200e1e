/**
 * Packs the five packages, installs the tarballs in an empty folder and runs the smoke suite on every runtime and
 * through every bundler. Prints a table; with `--write` puts it into the README between its markers.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { browserRows } from './browser.mjs';
import { bundlerRows } from './bundlers.mjs';
import { LAYERS, ROOT } from './layers.mjs';
import { inParallel, run } from './run.mjs';
import { withScratch } from './scratch.mjs';
import { pnpm } from './workspace.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const NODES = [20, 22, 24, 'latest'];

const rows = await withScratch(async (folder, onEnd) => {
  const home = await installTarballs(folder);
  const runtimes = await fetchRuntimes(folder);
  const all = await inParallel(2, [
    ...runtimes.map((runtime) => () => row(runtime.name, () => run(runtime.command, runtime.args, { cwd: home }))),
    ...bundlerRows(home).map((bundler) => () => row(bundler.name, bundler.job)),
  ]);
  return [...all, ...(await browserRows(home, onEnd, row))];
});

const table = ['| where | smoke suite |', '|---|---|', ...rows.map(({ name, said }) => `| ${name} | ${said} |`)].join(
  '\n',
);
console.log(table);
if (argv.includes('--write')) writeTable(table);
exit(rows.every((each) => each.ok) ? 0 : 1);

/** One line of the table: what `job` said last, or why it failed. */
async function row(name, job) {
  try {
    const said = (await job()).trim().split('\n').at(-1);
    return { name, said, ok: true };
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    return { name, said: error.skipped ? `not run: ${error.message}` : 'failed', ok: error.skipped === true };
  }
}

/** Packs all packages as they would be published and installs them, with the smoke suite beside. */
async function installTarballs(folder) {
  const home = join(folder, 'smoke');
  mkdirSync(home);
  const dependencies = {};
  for (const layer of LAYERS) {
    await pnpm(join(ROOT, 'packages', layer), 'pack', '--out', join(folder, `${layer}.tgz`));
    dependencies[`@guestmem/${layer}`] = `file:../${layer}.tgz`;
  }
  writeFileSync(
    join(home, 'package.json'),
    JSON.stringify({ name: 'smoke', private: true, type: 'module', dependencies, overrides: dependencies }),
  );
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: home });
  cpSync(join(HERE, 'smoke'), join(home, 'smoke'), { recursive: true });
  return home;
}

/** Node in several versions, Deno and Bun, from npm. */
async function fetchRuntimes(folder) {
  const node = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const found = [];
  await inParallel(2, [
    ...NODES.map((version) => async () => {
      const home = await fetch1(folder, `node-${version}`, `${node}@${version}`);
      const command = join(home, 'node_modules', node, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
      const name = (await run(command, ['--version'])).trim();
      found.push({ order: NODES.indexOf(version), name: `Node ${name.slice(1)}`, command, args: ['smoke/main.mjs'] });
    }),
    async () => {
      const home = await fetch1(folder, 'deno', 'deno');
      const command = join(home, 'node_modules/.bin/deno');
      const name = /deno (\S+)/.exec(await run(command, ['--version']))[1];
      found.push({
        order: 10,
        name: `Deno ${name}`,
        command,
        args: ['run', '--node-modules-dir=manual', '--allow-read', 'smoke/main.mjs'],
      });
    },
    async () => {
      const home = await fetch1(folder, 'bun', 'bun');
      const command = join(home, 'node_modules/.bin/bun');
      found.push({
        order: 11,
        name: `Bun ${(await run(command, ['--version'])).trim()}`,
        command,
        args: ['smoke/main.mjs'],
      });
    },
  ]);
  return found.sort((a, b) => a.order - b.order);
}

/** Installs one npm package in a folder of its own. */
async function fetch1(folder, name, spec) {
  const home = join(folder, 'runtimes', name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--no-audit', '--no-fund', spec], { cwd: home });
  if (readdirSync(join(home, 'node_modules')).length === 0) throw new Error(`${spec} brought nothing`);
  return home;
}

function writeTable(text) {
  const file = join(ROOT, 'README.md');
  const [start, end] = ['<!-- runtimes -->', '<!-- /runtimes -->'];
  const readme = readFileSync(file, 'utf8');
  const [at, to] = [readme.indexOf(start), readme.indexOf(end)];
  if (at < 0 || to < at) throw new Error(`README.md has no place for the table (${start} ... ${end})`);
  writeFileSync(file, `${readme.slice(0, at + start.length)}\n${text}\n${readme.slice(to)}`);
}
