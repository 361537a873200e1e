/** A scratch npm registry on a free loopback port: ours are published to it, everything else comes from the usual one. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

/** Starts it with its storage below `folder`. @returns its URL and the text of an .npmrc that uses it. */
export async function startRegistry(folder, onEnd) {
  const home = join(folder, 'registry');
  mkdirSync(home);
  const port = await freePort();
  const upstream = (await run('npm', ['config', 'get', 'registry'], { cwd: folder })).trim();
  writeFileSync(
    join(home, 'config.yaml'),
    [
      `storage: ${join(home, 'storage')}`,
      'auth:',
      `  htpasswd: { file: ${join(home, 'htpasswd')}, max_users: -1 }`,
      `uplinks: { usual: { url: '${upstream}', cache: true, maxage: 60m } }`,
      'packages:',
      "  '@guestmem/*': { access: $all, publish: $all, unpublish: $all }",
      "  '**': { access: $all, proxy: usual }",
      'log: { type: stdout, format: pretty, level: error }',
      '',
    ].join('\n'),
  );
  const child = spawn(execPath, [verdaccio(), '--config', join(home, 'config.yaml'), '--listen', `127.0.0.1:${port}`], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onEnd(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const url = `http://127.0.0.1:${port}/`;
  await answering(`${url}-/ping`, child, () => said);
  return {
    url,
    npmrc: `registry=${url}\n//127.0.0.1:${port}/:_authToken=rehearsal\nfund=false\naudit=false\nupdate-notifier=false\n`,
  };
}

/** Waits until the registry answers, at most 30 s. */
async function answering(url, child, said) {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`the scratch registry ended with ${child.exitCode}\n${said()}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {}
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the scratch registry does not answer at ${url}\n${said()}`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function verdaccio() {
  const home = join(dirname(fileURLToPath(import.meta.url)), '../node_modules/verdaccio');
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  return join(home, typeof bin === 'string' ? bin : bin.verdaccio);
}
