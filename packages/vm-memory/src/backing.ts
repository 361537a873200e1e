/**
 * The host memory behind a region: one buffer, or several that are allocated when first touched. What a region, a RAM
 * block and a worker share is a Backing; nothing here knows of guest addresses. D7.
 */

/** One contiguous host buffer of a backing. Unless the backing is `detachable`, `bytes` and `view` live as long as it: hot paths keep them. */
export interface BackingSegment {
  /** Offset of its first byte in the backing. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** The same bytes as `bytes`. */
  readonly view: DataView;
}

/** Host memory of a fixed length. */
export interface Backing {
  /** Bytes, 1 to 2^53 - 1. */
  readonly length: number;
  /** Is all of it in SharedArrayBuffers, so that workers can use it? */
  readonly shared: boolean;
  /**
   * May its buffers be replaced by others while it lives (WebAssembly memory that grows)? Then ask `segmentAt` again
   * before each access instead of keeping a segment. Absent means no.
   */
  readonly detachable?: boolean;
  /** The only segment, for a backing that is one buffer and stays so: asking for it allocates nothing. */
  readonly whole?: BackingSegment;
  /**
   * The segment that holds `offset`; a sparse one is allocated now, full of zeros. All segments but the last have a
   * length that is a multiple of 8, so that an aligned scalar never lies in two.
   *
   * @throws {RangeError} `offset` is not an integer in 0 to length - 1.
   */
  segmentAt(offset: number): BackingSegment;
}
