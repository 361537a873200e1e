/** How much a page loads: the published code, minified and compressed, of what a program imports. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { BUNDLE_DESIGNS } from './variants/bundle-designs.ts';

/** One bundle. */
export interface BundleResult {
  readonly label: string;
  /** Bytes after gzip. */
  readonly bytes: number;
  /** Most bytes allowed; null: no bar, to compare with. */
  readonly bound: number | null;
}

interface Bundle {
  /** As of a row: `--rows` asks for it by this. */
  readonly id: string;
  readonly label: string;
  readonly bound: number | null;
  readonly source: string;
  /** Modules that are left out. */
  readonly without?: RegExp;
}

const EVERYTHING =
  "export * from '@guestmem/vm-memory'; export * from '@guestmem/memtx'; export * from '@guestmem/qemu-memory';";

const BUNDLES: readonly Bundle[] = [
  {
    id: 'bundle/vm-memory',
    label: 'vm-memory: interfaces and RAM',
    bound: 5 * 1024,
    source: "export { guestMemory, u8, u16, u32, u64 } from '@guestmem/vm-memory';",
  },
  {
    id: 'bundle/machine',
    label: 'a machine: core, RAM, a device, a space',
    bound: null,
    source: "export { MemoryCore } from '@guestmem/qemu-memory'; export { le32 } from '@guestmem/memtx';",
  },
  { id: 'bundle/everything', label: 'everything without devices', bound: 16 * 1024, source: EVERYTHING },
  ...Object.entries(BUNDLE_DESIGNS).map(([name, without]) => ({
    id: `variant-bundle/${name.replaceAll(' ', '-')}`,
    label: `everything ${name}`,
    bound: null,
    source: EVERYTHING,
    without,
  })),
];

/** Puts an empty module in the place of each whose path matches. */
function leaveOut(pattern: RegExp): Plugin {
  return {
    name: 'leave-out',
    setup({ onLoad, onResolve, resolve }) {
      onResolve({ filter: /./ }, async ({ path, pluginData, ...options }) => {
        if (pluginData === 'asked') return undefined;
        const found = await resolve(path, { ...options, pluginData: 'asked' });
        return pattern.test(found.path) ? { path: found.path, namespace: 'left-out' } : undefined;
      });
      onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
    },
  };
}

/**
 * @param folder tools/bench, from which the packages are resolved, as they are published (dist).
 * @param isWanted by id, as for rows.
 */
export async function bundles(folder: string, isWanted: (id: string) => boolean): Promise<readonly BundleResult[]> {
  const results: BundleResult[] = [];
  for (const { id, label, bound, source, without } of BUNDLES) {
    if (!isWanted(id)) continue;
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: join(folder, 'src'), loader: 'js' },
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      conditions: ['dist'],
      write: false,
      logLevel: 'silent',
      plugins: without === undefined ? [] : [leaveOut(without)],
    });
    results.push({ label, bound, bytes: gzipSync(outputFiles[0]!.contents, { level: 9 }).length });
  }
  return results;
}
