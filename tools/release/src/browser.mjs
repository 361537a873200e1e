/** The smoke suite in a browser page, with and without cross-origin isolation (which SharedArrayBuffer needs). */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { env } from 'node:process';
import { chromium } from 'playwright-core';
import { LAYERS } from './layers.mjs';

const CHROMIUM = [env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
};

/** Two rows; `row` makes one from a name and a job. */
export async function browserRows(home, onEnd, row) {
  const program = CHROMIUM.find((file) => file !== undefined && existsSync(file));
  const rows = [];
  for (const isolated of [false, true]) {
    rows.push(
      await row(`Chromium${isolated ? ', cross-origin isolated' : ''}`, async () => {
        if (program === undefined)
          throw Object.assign(new Error('no Chromium here; install one or set CHROMIUM to its path'), {
            skipped: true,
          });
        return inPage(program, home, isolated, onEnd);
      }),
    );
  }
  return rows;
}

async function inPage(program, home, isolated, onEnd) {
  const server = await serve(home, isolated);
  onEnd(() => server.close());
  const browser = await chromium.launch({ executablePath: program, headless: true, args: FLAGS.split(' ') });
  onEnd(() => void browser.close());
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
    const said = await page
      .waitForFunction(() => globalThis.smoke, undefined, { timeout: 60_000 })
      .then((handle) => handle.jsonValue())
      .catch((error) => Promise.reject(new Error([error.message, ...errors].join('\n'))));
    const state = await page.evaluate(() => globalThis.crossOriginIsolated);
    if (state !== isolated) throw new Error(`the page is ${state ? '' : 'not '}cross-origin isolated`);
    return `${said} (${browser.version()})`;
  } finally {
    await browser.close();
    server.close();
  }
}

/** A static server on a free loopback port; `isolated` adds the two headers. */
function serve(home, isolated) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const file = join(home, path);
    const headers = { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' };
    if (isolated)
      Object.assign(headers, {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
    if (path === '/page.html') response.writeHead(200, headers).end(PAGE);
    else if (existsSync(file)) response.writeHead(200, headers).end(readFileSync(file));
    else response.writeHead(404).end();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const IMPORTS = Object.fromEntries(
  LAYERS.filter((layer) => layer !== 'cli').map((layer) => [
    `@guestmem/${layer}`,
    `/node_modules/@guestmem/${layer}/dist/index.js`,
  ]),
);
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module">import { smoke } from '/smoke/suite.mjs'; globalThis.smoke = smoke();</script>`;
