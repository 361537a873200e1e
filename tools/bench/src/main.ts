/** `npm run bench`: runs all rows on all engines, prints the table, writes results and the README's chart. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { bars } from './bars.ts';
import { type BundleResult, bundles } from './bundle.ts';
import { engine } from './engines.ts';
import type { Row } from './harness/row.ts';
import { type SessionResult, session } from './harness/session.ts';
import { nativePeer } from './native-peer.ts';
import { type Options, options, USAGE } from './options.ts';
import { judge } from './report/judge.ts';
import { chart } from './report/svg.ts';
import { figure, table } from './report/table.ts';
import { rows } from './rows/index.ts';

const DIST = dirname(fileURLToPath(import.meta.url));
const FOLDER = resolve(DIST, '..');
const ROOT = resolve(FOLDER, '../..');

const wanted = parse();
const selected = select();
const native = nativePeer(FOLDER);
if ('missing' in native) stderr.write(`The native rows are skipped: ${native.missing}.\n`);
const results: SessionResult[] = [];
for (const name of wanted.engines) {
  const found = engine(name, FOLDER);
  if ('missing' in found) stderr.write(`Skipped: ${found.missing}.\n`);
  else results.push(session(selected, found, native, wanted.rounds, wanted, DIST));
  // What one engine took minutes for is kept if the next is interrupted.
  if (wanted.write && results.length > 0) write(results, []);
}
const sizes = await bundles(FOLDER, isWanted);
stdout.write(`${heading()}\n\n${table(results)}\n${sizes.map(sizeLine).join('')}`);
for (const { disagreements } of results) for (const line of disagreements) stdout.write(`DIFFERENT SUMS: ${line}\n`);
if (wanted.write) write(results, sizes);
exit(results.some((result) => result.disagreements.length > 0) ? 1 : 0);

function parse(): Options {
  try {
    return options(argv.slice(2));
  } catch (error) {
    stderr.write(`${(error as Error).message}\n${USAGE}`);
    exit(2);
  }
}

function isWanted(id: string): boolean {
  return wanted.rows === null ? wanted.variants || !id.startsWith('variant') : wanted.rows.test(id);
}

/** The rows that are wanted, and where they are asked for by name their opponents. */
function select(): readonly Row[] {
  const ids = new Set(rows.map((row) => row.id).filter(isWanted));
  if (wanted.rows !== null) for (const bar of bars) if (isWanted(bar.ours)) ids.add(bar.theirs);
  return rows.filter((row) => ids.has(row.id));
}

function heading(): string {
  const versions = results.map((result) => result.version).join(', ');
  return `guestmem bench, ${date()}, commit ${commit()}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${versions}, ${wanted.rounds} rounds`;
}

function sizeLine({ label, bytes, bound }: BundleResult): string {
  const size = `\nbundle, minified + gzip, ${label}: ${figure(bytes / 1024)} kB`;
  return bound === null ? size : `${size}, wanted <= ${bound / 1024} kB, ${bytes <= bound ? 'pass' : 'MISS'}`;
}

function date(): string {
  return new Date().toISOString().slice(0, 10);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function write(all: readonly SessionResult[], bundleSizes: readonly BundleResult[]): void {
  const folder = join(FOLDER, 'results');
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(ROOT, 'docs'), { recursive: true });
  const data = {
    date: date(),
    commit: commit(),
    cpu: cpus()[0]?.model ?? null,
    rounds: wanted.rounds,
    engines: all.map((result) => ({
      ...result,
      bars: judge(result).map(({ bar, ratio, pass }) => ({ ...bar, ratio, pass })),
    })),
    bundles: bundleSizes,
  };
  writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(data, null, 1)}\n`);
  writeFileSync(join(folder, 'latest.txt'), `${heading()}\n\n${table(all)}\n${bundleSizes.map(sizeLine).join('')}\n`);
  const shown = all[0];
  if (shown !== undefined)
    writeFileSync(
      join(ROOT, 'docs', 'bench.svg'),
      chart(shown, `${shown.version}, ${data.cpu}, ${data.date}, commit ${data.commit}`),
    );
}
