/** The published exports through the bundlers people use: the smoke suite in one file, and how little one codec costs. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import * as esbuild from 'esbuild';
import { rolldown } from 'rolldown';
import webpack from 'webpack';
import { run } from './run.mjs';

/** Bytes, minified, that importing one codec may pull in. */
const ONE_CODEC_LIMIT = 1500;

const BUNDLERS = {
  esbuild: async (entry, out) => {
    await esbuild.build({
      entryPoints: [entry],
      outfile: out,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'neutral',
      logLevel: 'error',
    });
    return esbuild.version;
  },
  rolldown: async (entry, out) => {
    const bundle = await rolldown({ input: entry, platform: 'neutral', logLevel: 'silent' });
    await bundle.write({ file: out, format: 'esm', minify: true });
    await bundle.close();
    return '';
  },
  webpack: async (entry, out) => {
    await new Promise((resolve, reject) => {
      webpack(
        {
          mode: 'production',
          target: 'es2022',
          entry,
          experiments: { outputModule: true },
          output: {
            path: join(out, '..'),
            filename: out.split(/[\\/]/).at(-1),
            library: { type: 'module' },
            module: true,
          },
          performance: false,
        },
        (error, stats) => {
          if (error) reject(error);
          else if (stats.hasErrors()) reject(new Error(stats.toString({ all: false, errors: true })));
          else resolve();
        },
      );
    });
    return webpack.version;
  },
};

/** A row for each bundler: bundle, run, and measure one codec. */
export function bundlerRows(home) {
  return Object.entries(BUNDLERS).map(([name, bundle]) => ({
    name: `bundled by ${name}`,
    job: async () => {
      const folder = join(home, 'bundles', name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(home, 'one-codec.mjs'), "export { le32 } from '@guestmem/memtx';\n");
      await bundle(join(home, 'one-codec.mjs'), join(folder, 'one-codec.mjs'));
      const { size } = statSync(join(folder, 'one-codec.mjs'));
      if (size > ONE_CODEC_LIMIT) throw new Error(`one codec pulls in ${size} bytes, more than ${ONE_CODEC_LIMIT}`);
      await bundle(join(home, 'smoke/main.mjs'), join(folder, 'smoke.mjs'));
      const said = (await run(execPath, [join(folder, 'smoke.mjs')], { cwd: folder })).trim();
      return `${said}; one codec ${size} bytes`;
    },
  }));
}
