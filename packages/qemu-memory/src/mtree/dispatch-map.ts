/**
 * The multi-level map that QEMU builds over a view, to print it: look-ups here do not use it. Ranges are cut at pages,
 * pages that several ranges share become sections of their own, runs of pages fill a radix tree of 512-entry nodes,
 * and nodes with one used entry are skipped. T-170 to T-174.
 */
import { RegionKind } from '../region/kind.ts';
import type { MemoryRegion } from '../region/memory-region.ts';
import { SPACE_SIZE } from '../view/big.ts';
import type { FlatRange } from '../view/flat-range.ts';
import type { DispatchDump, DispatchRun, DispatchSection } from './dispatch-dump.ts';

const NODE_BITS = 9n;
const NODE_ENTRIES = 512;

/** The dispatch part of a view with `ranges` (at least one) and canonical root `root`, for pages of 2^`pageBits` bytes (1 to 18). */
export function dispatchMap(ranges: readonly FlatRange[], root: MemoryRegion | null, pageBits: number): DispatchDump {
  const map = new MapBuilder(BigInt(pageBits), root);
  for (const range of ranges) map.add(range);
  return map.finish();
}

/** An entry of a node: a section where `skip` is 0, else the node `skip` levels down; ptr null is NIL. */
interface Entry {
  skip: number;
  ptr: number | null;
}

class MapBuilder {
  readonly #pageBits: bigint;
  readonly #root: MemoryRegion | null;
  readonly #levels: number;
  readonly #sections: DispatchSection[];
  readonly #nodes: Entry[][] = [];
  readonly #top: Entry = { skip: 1, ptr: null };
  /** The page that the last subpage section was made for. */
  #subpage = -1n;

  constructor(pageBits: bigint, root: MemoryRegion | null) {
    this.#pageBits = pageBits;
    this.#root = root;
    this.#levels = Number((64n - pageBits - 1n) / NODE_BITS) + 1;
    this.#sections = [unnamed(0n, SPACE_SIZE - 1n)];
  }

  /** T-171: an unaligned head, whole pages, an unaligned tail. */
  add(range: FlatRange): void {
    const page = 1n << this.#pageBits;
    const end = range.last + 1n;
    let at = range.first;
    if (at % page !== 0n) {
      const headEnd = min(end, (at / page + 1n) * page);
      this.#partOfPage(range, at, headEnd);
      at = headEnd;
    }
    const pages = (end - at) / page;
    if (pages > 0n) {
      this.#insert(at >> this.#pageBits, pages, this.#section(range, at, at + pages * page));
      at += pages * page;
    }
    if (at < end) this.#partOfPage(range, at, end);
  }

  finish(): DispatchDump {
    this.#compact(this.#top);
    const nodes = this.#nodes.map(runs);
    return { sections: this.#sections, levels: this.#levels, ptr: this.#top.ptr ?? 0, skip: this.#top.skip, nodes };
  }

  /** T-172. Ranges come in ascending order, so the last subpage is the only one that can be met again. */
  #partOfPage(range: FlatRange, first: bigint, end: bigint): void {
    const index = first >> this.#pageBits;
    if (index !== this.#subpage) {
      this.#subpage = index;
      const start = index << this.#pageBits;
      this.#sections.push(unnamed(start, start + (1n << this.#pageBits) - 1n));
      this.#insert(index, 1n, this.#sections.length - 1);
    }
    this.#section(range, first, end);
  }

  #section({ region }: FlatRange, first: bigint, end: bigint): number {
    this.#sections.push({
      first,
      last: end - 1n,
      name: region.name === '' ? null : region.name,
      root: region === this.#root,
      mostRecent: false,
      iommu: region.kind === RegionKind.IOMMU,
    });
    return this.#sections.length - 1;
  }

  /** T-173. */
  #insert(index: bigint, count: bigint, section: number): void {
    this.#insertAt(this.#top, { index, count }, section, this.#levels - 1);
  }

  #insertAt(entry: Entry, run: { index: bigint; count: bigint }, section: number, level: number): void {
    if (entry.ptr === null) {
      entry.ptr = this.#nodes.length;
      this.#nodes.push(newNode(level));
    }
    const node = this.#nodes[entry.ptr]!;
    const shift = BigInt(level) * NODE_BITS;
    const step = 1n << shift;
    for (let slot = Number((run.index >> shift) & 511n); run.count > 0n && slot < NODE_ENTRIES; slot++) {
      const child = node[slot]!;
      if ((run.index & (step - 1n)) === 0n && run.count >= step) {
        child.skip = 0;
        child.ptr = section;
        run.index += step;
        run.count -= step;
      } else this.#insertAt(child, run, section, level - 1);
    }
  }

  /** T-174. */
  #compact(entry: Entry): void {
    if (entry.ptr === null) return;
    const used = this.#nodes[entry.ptr]!.filter((child) => child.ptr !== null);
    for (const child of used) if (child.skip > 0) this.#compact(child);
    const only = used[0];
    if (used.length !== 1 || only === undefined) return;
    entry.ptr = only.ptr;
    entry.skip = only.skip === 0 ? 0 : entry.skip + only.skip;
  }
}

function newNode(level: number): Entry[] {
  return Array.from({ length: NODE_ENTRIES }, () => (level === 0 ? { skip: 0, ptr: 0 } : { skip: 1, ptr: null }));
}

/** T-212: one run for equal consecutive entries. */
function runs(node: readonly Entry[]): DispatchRun[] {
  const out: DispatchRun[] = [];
  let first = 0;
  for (let i = 1; i <= node.length; i++) {
    const { skip, ptr } = node[first]!;
    if (i < node.length && node[i]!.skip === skip && node[i]!.ptr === ptr) continue;
    out.push({ first, last: i - 1, skip, ptr });
    first = i;
  }
  return out;
}

function unnamed(first: bigint, last: bigint): DispatchSection {
  return { first, last, name: null, root: false, mostRecent: false, iommu: false };
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
