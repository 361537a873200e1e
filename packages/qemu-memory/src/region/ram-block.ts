/** The memory of a RAM, ROM or ROM device region. One block may stand behind many regions and machines. D7, A-180. */
import type { Backing } from '@guestmem/vm-memory';
import { DirtyPages } from '../dirty/dirty-pages.ts';
import type { DirtyTrackers } from '../dirty/dirty-tracker.ts';
import { shown } from './shown.ts';

/** Options of a block. */
export interface RamBlockOptions {
  /** Bytes per dirty-tracking page, a power of two (default 4096, the target page of most machines). */
  readonly pageSize?: number;
}

/** RAM: a backing and what is tracked about it. */
export class RamBlock {
  readonly name: string;
  readonly backing: Backing;
  /** Bytes, 1 to 2^53 - 1. */
  readonly length: number;
  /** Which pages were written, per client. */
  readonly dirty: DirtyPages;
  /** @internal Whose trackers have met it: what one core collects is for those of the others, too. */
  readonly followers: Set<DirtyTrackers> = new Set();

  /** @throws {TypeError} `backing` is none. @throws {RangeError} `pageSize` is no page size. */
  constructor(name: string, backing: Backing, options: RamBlockOptions = {}) {
    if (typeof (backing as Backing | undefined)?.segmentAt !== 'function') throw noBacking(name, backing);
    this.name = name;
    this.backing = backing;
    this.length = backing.length;
    this.dirty = new DirtyPages(backing.length, options.pageSize ?? 4096, backing.shared);
  }
}

/** Lengths and buffers are what vm-memory's `guestMemory` takes, and the likely slip. */
function noBacking(name: string, given: unknown): TypeError {
  return new TypeError(
    `the memory of "${name}" must be a Backing, such as bufferBacking(0x1000), or a RamBlock, not ${shown(given)}`,
  );
}
