/**
 * What a bundle of RAM weighs, and what would be left of it without parts that a program may not use, though a method of
 * some memory needs them: `node bench/size.mjs` after a build. Minified, then gzip -9; bytes.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const SOURCE = "export { guestMemory, u8, u16, u32, u64 } from '@guestmem/vm-memory';";
const SLICES = ['volatile-slice', 'volatile-ref', 'atomic-ref', 'atomic-access'];
const BITMAPS = ['atomic-bitmap', 'bitmap'];

for (const [label, left, fast] of [
  ['all', [], true],
  ['no fast paths', [], false],
  ['no slices, refs, atomics', SLICES, true],
  ['no slices, refs, atomics, bitmaps', [...SLICES, ...BITMAPS], true],
  ['none of these', [...SLICES, ...BITMAPS], false],
]) {
  const code = await bundle(new Set(left), fast);
  console.log(label.padEnd(36), String(zipped(code)).padStart(6), 'without texts', zipped(withoutTexts(code)));
}

function zipped(code) {
  return gzipSync(code, { level: 9 }).length;
}

/** @param left modules whose exports become empty. @param fast keep what GuestRegionCollection puts in front of RegionWalk. */
async function bundle(left, fast) {
  const { outputFiles } = await build({
    stdin: { contents: SOURCE, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['dist'],
    write: false,
    plugins: [
      {
        name: 'leave-out',
        setup(plugin) {
          plugin.onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, async ({ path }) => {
            const name = basename(path, '.js');
            if (left.has(name)) return { contents: await emptied(path), loader: 'js' };
            if (name === 'region-collection' && !fast)
              return { contents: plain(readFileSync(path, 'utf8')), loader: 'js' };
            return undefined;
          });
        },
      },
    ],
  });
  return outputFiles[0].text;
}

/** The same names, with nothing behind them. */
async function emptied(path) {
  const names = Object.entries(await import(path));
  return names
    .map(([name, value]) => (/^class/.test(String(value)) ? `export class ${name} {}` : `export const ${name} = 0;`))
    .join('\n');
}

/** The collection without its windows and the methods that use them. */
function plain(code) {
  return without(
    without(code, '        this.windows =', '    /**\n     * A map of regions that are sorted', '    }\n'),
    '    load(addr, codec',
    'function overlap(',
    '}\n',
  );
}

function without(code, from, to, instead) {
  const start = code.indexOf(from);
  const end = code.indexOf(to, start);
  if (start < 0 || end < 0) throw new Error(`the built code has no "${from}" ... "${to}" any more; adapt this script`);
  return code.slice(0, start) + instead + code.slice(end);
}

/** Strings with a space in them, and all templates, become empty. */
function withoutTexts(code) {
  return code.replace(/"(?:[^"\\]|\\.)*"|`(?:\$\{(?:[^{}`]|`(?:\$\{[^}]*\}|[^`])*`|\{[^}]*\})*\}|[^`])*`/g, (text) =>
    text.startsWith('"') && !text.includes(' ') ? text : '""',
  );
}
