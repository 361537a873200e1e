/**
 * Rehearses a release: pending changesets applied in a copy, all packages published to a scratch registry, each layer
 * installed alone by npm and by pnpm, its README example compiled and run; then a second release on top. Leaves nothing.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { checkTree, compileJobs, installAlone, MANAGERS, newConsumer, runExample, runProgram } from './consumer.mjs';
import { LAYERS } from './layers.mjs';
import { startRegistry } from './registry.mjs';
import { inParallel, run } from './run.mjs';
import { withScratch } from './scratch.mjs';
import { addChangeset, copyWorkspace, pnpm, publish, raiseVersions } from './workspace.mjs';

const WIDTH = 2;
const started = Date.now();
const say = (text) => console.log(`release: ${((Date.now() - started) / 1000).toFixed(0).padStart(3)} s  ${text}`);

await withScratch(async (folder, onEnd) => {
  const registry = await startRegistry(folder, onEnd);
  say('scratch registry is up');
  const copy = await copyWorkspace(folder);
  const first = await raiseVersions(copy);
  await publish(copy, registry);
  say(`published all five packages at ${first}`);
  await sizes(copy);
  await npmRefused(copy);

  const consumers = LAYERS.flatMap((layer) => Object.keys(MANAGERS).map((manager) => ({ layer, manager })));
  await inParallel(
    WIDTH,
    consumers.map((consumer) => async () => {
      const { layer, manager } = consumer;
      consumer.home = newConsumer(folder, `${layer}-${manager}`, registry);
      await installAlone(consumer.home, manager, layer, first);
      if (layer === 'cli') await runProgram(consumer.home, first);
      say(`${manager}: ${layer} installs alone`);
    }),
  );

  const examples = consumers.filter(({ layer }) => layer !== 'cli');
  const jobs = examples
    .filter(({ manager }) => manager === 'npm')
    .flatMap(({ home, layer }) => compileJobs(home, layer));
  await inParallel(WIDTH, jobs);
  say(`${jobs.length} compilations of README examples (strict, skipLibCheck false)`);
  for (const { home, layer, manager } of examples.filter((each) => each.manager === 'npm')) {
    const lines = await runExample(home);
    say(`${manager}: the README example of ${layer} runs and prints ${lines} lines`);
  }

  addChangeset(copy, 'minor');
  const second = await raiseVersions(copy);
  if (second === first) throw new Error('a minor changeset did not raise the version');
  await publish(copy, registry);
  say(`published all five packages at ${second}`);
  await inParallel(
    WIDTH,
    consumers.map(({ layer, manager, home }) => async () => {
      await MANAGERS[manager](home, manager === 'npm' ? 'install' : 'add', `@guestmem/${layer}@latest`);
      checkTree(home, manager, layer, second);
      if (layer === 'cli') await runProgram(home, second);
    }),
  );
  say('all ten consumers upgraded in place, all layers together');
});
say('the scratch registry and folders are gone');

/** Prints the size of every tarball. */
async function sizes(copy) {
  for (const layer of LAYERS) {
    await pnpm(join(copy, 'packages', layer), 'pack', '--out', `../../${layer}.tgz`);
    say(`tarball of ${layer}: ${(statSync(join(copy, `${layer}.tgz`)).size / 1024).toFixed(1)} kB`);
  }
}

/** What npm packs could not be installed; it must say so. */
async function npmRefused(copy) {
  for (const layer of LAYERS) {
    const said = await run('npm', ['pack', '--dry-run'], { cwd: join(copy, 'packages', layer) }).catch(String);
    if (!said.includes(`@guestmem/${layer} must be packed by pnpm`)) throw new Error(`npm packs ${layer}: ${said}`);
  }
  say('npm pack refuses all five');
}
