/** Runs examples/vcpus in Node and in headless Chromium. D8. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Summary } from '../../examples/vcpus/machine.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/vcpus/', import.meta.url));
const { CHROMIUM } = process.env;
const BROWSERS = [CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const browserPath = BROWSERS.find((path) => path !== undefined && existsSync(path));
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'guestmem-example-'));
  const entryPoints = ['node', 'node-worker', 'browser', 'browser-worker'].map((name) => join(EXAMPLE, `${name}.ts`));
  await build({
    entryPoints,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['node:*'],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
  });
  copyFileSync(join(EXAMPLE, 'index.html'), join(folder, 'index.html'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(summary: Summary): void {
  expect(summary.counters).toEqual([20_000, 20_000]);
  expect(summary.vcpus.map(({ wrong }) => wrong)).toEqual([0, 0]);
  const found = summary.vcpus.reduce((sum, vcpu) => sum + vcpu.deviceReads, 0);
  const missed = summary.vcpus.reduce((sum, vcpu) => sum + vcpu.misses, 0);
  expect(found).toBe(summary.deviceReads);
  expect(found + missed).toBe(400);
  expect(summary.barMoves).toBe(Math.floor(summary.deviceReads / 10));
  expect(summary.barMoves).toBeGreaterThan(10);
}

it('D8: the example runs in Node: two vCPU workers meet a device that moves its BAR', () => {
  const output = execFileSync(process.execPath, [join(folder, 'node.mjs')], { encoding: 'utf8', timeout: 60_000 });
  check(JSON.parse(output) as Summary);
}, 70_000);

if (browserPath === undefined)
  console.warn(
    'NOT TESTED: the browser half of examples/vcpus: no Chromium here (install it, or set CHROMIUM to its path)',
  );

it.skipIf(browserPath === undefined)(
  'D8: the same example runs in a page of headless Chromium, cross-origin isolated',
  async () => {
    const types: Readonly<Record<string, string>> = { html: 'text/html', mjs: 'text/javascript' };
    const server = createServer((request, response) => {
      const name = request.url === '/' ? 'index.html' : (request.url ?? '').slice(1);
      const known = /^[a-z-]+\.(html|mjs)$/.exec(name);
      if (known === null || !existsSync(join(folder, name))) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, {
        'Content-Type': types[known[1]!]!,
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      });
      response.end(readFileSync(join(folder, name)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const browser = await chromium.launch({
      executablePath: browserPath!,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.waitForFunction('document.body.textContent.trim() !== "running"', undefined, { timeout: 60_000 });
      const text = await page.evaluate('document.body.textContent');
      expect(text).not.toMatch(/^failed/);
      check(JSON.parse(String(text)) as Summary);
    } finally {
      await browser.close();
      server.close();
    }
  },
  90_000,
);
