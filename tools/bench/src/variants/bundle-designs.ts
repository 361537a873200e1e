/**
 * What a smaller bundle would cost: everything without devices, with parts of it left out by an empty module in their place. Figures of
 * 2026-11-23, kB after gzip, beside 105 of the real thing; the bar is 16. `npm run bench -- --rows '^variant'` prints them.
 */

/** Modules of packages that are left out, by the part of their path after `dist/`. */
export const BUNDLE_DESIGNS = {
  /** 88.9. Readers and printers of `info mtree` text, and maps as data, in an entry of their own. */
  'without texts and maps': /qemu-memory\/dist\/(mtree|map)\//,
  /** 89.0. Sharing with workers by functions instead of a method of the space, so that a program that does not share leaves it out. */
  'without sharing': /qemu-memory\/dist\/(worker\/|rcu\/shared)/,
  /** 56.6. Both, and IOMMUs, dirty logs, taps, mappings, caches, streams, slices, and views of memtx by functions, too. */
  'the core alone':
    /qemu-memory\/dist\/(mtree\/|map\/|worker\/|rcu\/shared|iommu\/|dirty\/dirty-|taps\/|access\/(mapping|memory-region-cache|streams|slices|chunks|section-helpers|pinned))|vm-memory\/dist\/(stream|struct|array|iotlb|iommu|backing-(sparse|wasm)|byte-stream)|memtx\/dist\/(data-view|forms|view)/,
} as const;
