/** The memory of a RAM, ROM or ROM device region. One block may stand behind many regions and machines. D7, A-180. */
import { type AdoptableBuffer, type Backing, bufferBacking, shown } from '@guestmem/vm-memory';
import { DirtyPages } from '../dirty/dirty-pages.ts';
import type { MemoryCore } from '../space/memory-core.ts';

/** Options of a block. */
export interface RamBlockOptions {
  /** Bytes per dirty-tracking page, a power of two (default 4096, the target page of most machines). */
  readonly pageSize?: number;
}

/**
 * What RAM is made of, as vm-memory's `guestMemory` takes it: a number of bytes, which are allocated and zero; a buffer or a
 * view of one, which is adopted and stays the caller's too; a backing.
 */
export type RamSource = number | AdoptableBuffer | Backing;

/** RAM: a backing and what is tracked about it. */
export class RamBlock {
  readonly name: string;
  readonly backing: Backing;
  /** Bytes, 1 to 2^53 - 1. */
  readonly length: number;
  /** Which pages were written, per client. */
  readonly dirty: DirtyPages;
  /** @internal The machines with a region over it, which it need not outlive: see `coresOf`. */
  readonly cores: Set<WeakRef<MemoryCore>> = new Set();

  /**
   * @throws {TypeError} `source` is none of these, or a buffer that can be resized.
   * @throws {RangeError} no length, or `pageSize` is no page size.
   */
  constructor(name: string, source: RamSource, options: RamBlockOptions = {}) {
    const backing = backingOf(name, source);
    this.name = name;
    this.backing = backing;
    this.length = backing.length;
    this.dirty = new DirtyPages(backing.length, options.pageSize ?? 4096, backing.shared);
  }
}

function backingOf(name: string, source: RamSource): Backing {
  if (typeof (source as Partial<Backing> | null | undefined)?.segmentAt === 'function') return source as Backing;
  if (typeof source !== 'number' && !isBuffer(source)) throw noMemory(name, source);
  return bufferBacking(source);
}

/** Of any realm. */
function isBuffer(value: unknown): value is AdoptableBuffer {
  if (ArrayBuffer.isView(value)) return true;
  const kind = Object.prototype.toString.call(value);
  return kind === '[object ArrayBuffer]' || kind === '[object SharedArrayBuffer]';
}

function noMemory(name: string, given: unknown): TypeError {
  return new TypeError(
    `the memory of "${name}" must be a number of bytes, a buffer, a Backing such as sparseBacking(2 ** 32), or a RamBlock, not ${shown(given)}`,
  );
}
