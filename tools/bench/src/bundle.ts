/** How much a page loads: the published code, minified and compressed, of what a program imports. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** One bundle. */
export interface BundleResult {
  readonly label: string;
  /** Bytes after gzip. */
  readonly bytes: number;
  /** Most bytes allowed; null: no bar, to compare with. */
  readonly bound: number | null;
}

const BUNDLES = [
  {
    label: 'vm-memory: interfaces and RAM',
    bound: 5 * 1024,
    source: "export { guestMemory, u8, u16, u32, u64 } from '@guestmem/vm-memory';",
  },
  {
    label: 'a machine: core, RAM, a device, a space',
    bound: null,
    source: "export { MemoryCore } from '@guestmem/qemu-memory'; export { le32 } from '@guestmem/memtx';",
  },
  {
    label: 'everything without devices',
    bound: 16 * 1024,
    source:
      "export * from '@guestmem/vm-memory'; export * from '@guestmem/memtx'; export * from '@guestmem/qemu-memory';",
  },
] as const;

/** @param folder tools/bench, from which the packages are resolved, as they are published (dist). */
export async function bundles(folder: string): Promise<readonly BundleResult[]> {
  const results: BundleResult[] = [];
  for (const { label, bound, source } of BUNDLES) {
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: join(folder, 'src'), loader: 'js' },
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      conditions: ['dist'],
      write: false,
      logLevel: 'silent',
    });
    results.push({ label, bound, bytes: gzipSync(outputFiles[0]!.contents, { level: 9 }).length });
  }
  return results;
}
