/** A backing whose buffers are allocated when first touched: a guest of many GiB that uses few of them. D7. */
import type { Backing, BackingSegment } from './backing.ts';
import { allocate, segment } from './backing-buffer.ts';
import { badOffset, checkLength } from './backing-check.ts';
import { badNumber } from './shown.ts';

/** Options of `sparseBacking`. */
export interface SparseBackingOptions {
  /** Bytes per segment, a multiple of 8 (default 2 MiB). Scalars inside a segment are fast, across two slower. */
  readonly segmentSize?: number;
}

/** A SparseBacking, with what it has allocated. */
export interface SparseBacking extends Backing {
  readonly segmentSize: number;
  /** Bytes allocated until now. */
  readonly allocated: number;
  /** Has the segment that holds `offset` been touched? Allocates nothing, so dumps can skip what is all zeros. */
  isAllocated(offset: number): boolean;
}

/**
 * `length` bytes, all zero, allocated segment by segment at the first access, reads included. Never shared: which
 * segments exist is known to this agent only; give workers a `segmentedBacking` of SharedArrayBuffers.
 *
 * @throws {RangeError} `length` not in 1 to 2^53 - 1; `segmentSize` not a positive multiple of 8 below 2^32.
 */
export function sparseBacking(length: number, options: SparseBackingOptions = {}): SparseBacking {
  const segmentSize = options.segmentSize ?? 0x20_0000;
  checkLength(length, 'length');
  if (!Number.isInteger(segmentSize) || segmentSize < 8 || segmentSize % 8 !== 0 || segmentSize > 0xffff_ffff)
    throw badNumber('segmentSize must be a multiple of 8 from 8 to 0xfffffff8', segmentSize);
  return new Sparse(length, segmentSize);
}

class Sparse implements SparseBacking {
  readonly length: number;
  readonly shared: boolean = false;
  readonly segmentSize: number;
  readonly #segments = new Map<number, BackingSegment>();
  #allocated = 0;

  constructor(length: number, segmentSize: number) {
    this.length = length;
    this.segmentSize = segmentSize;
  }

  get allocated(): number {
    return this.#allocated;
  }

  isAllocated(offset: number): boolean {
    return this.#segments.has(this.#index(offset));
  }

  segmentAt(offset: number): BackingSegment {
    const index = this.#index(offset);
    const found = this.#segments.get(index);
    if (found !== undefined) return found;
    const start = index * this.segmentSize;
    const made = segment(start, allocate(Math.min(this.segmentSize, this.length - start), false));
    this.#segments.set(index, made);
    this.#allocated += made.bytes.length;
    return made;
  }

  #index(offset: number): number {
    if (!(offset >= 0 && offset < this.length && Number.isInteger(offset))) throw badOffset(offset, this.length);
    return Math.floor(offset / this.segmentSize);
  }
}
