/**
 * The host memory behind a region: one buffer, or several that are allocated when first touched. What a region, a RAM
 * block and a worker share is a Backing; nothing here knows of guest addresses. D7.
 */

/** One contiguous host buffer of a backing. `bytes` and `view` are long-lived: hot paths keep them. */
export interface BackingSegment {
  /** Offset of its first byte in the backing. */
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Host memory of a fixed length. */
export interface Backing {
  /** Bytes, 1 to 2^53 - 1. */
  readonly length: number;
  /** Is all of it in SharedArrayBuffers, so that workers can use it? */
  readonly shared: boolean;
  /** The segment that holds `offset` (0 to length - 1); a sparse one is allocated now, full of zeros. */
  segmentAt(offset: number): BackingSegment;
}
