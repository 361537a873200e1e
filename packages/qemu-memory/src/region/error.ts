/** The typed error for edits and requests that the model refuses. Both parties are named in the message. T-51, D10. */
export type MemoryRegionErrorCode =
  /** The region has a container already (T-40). */
  | 'already-mapped'
  /** It is not a child of that container (T-43). */
  | 'not-a-subregion'
  /** An alias takes no children (T-20). */
  | 'subregion-of-alias'
  /** It would contain itself (T-51). */
  | 'container-cycle'
  /** Only an alias has an alias offset (T-47). */
  | 'not-an-alias'
  /** The regions belong to different cores. */
  | 'foreign-region'
  /** The region, address space or transaction has been disposed of. */
  | 'disposed'
  /** It cannot be disposed of while it is mapped, is a root, or a live view names it (T-33, T-35). */
  | 'still-used'
  /** Rendering would descend for ever: the same region at the same place on its own path (T-52). */
  | 'endless-alias'
  /** Rendering would visit more regions than the core's limit. */
  | 'too-complex'
  /** Edits from inside a listener callback other than `commit` (T-108). */
  | 'in-callback'
  /** A commit without begin, or out of order (T-51, T-101). */
  | 'transaction'
  /** No such eventfd on the region (T-125). */
  | 'no-such-eventfd'
  /** Only the VGA client may ask for logging of one region (T-25). */
  | 'bad-log-client'
  /** A listener that has both `logSync` and `logSyncGlobal` (T-121), or is registered already. */
  | 'bad-listener'
  /** A device declares a size that it has no callback for. */
  | 'missing-callback'
  /** The model of an IOMMU vetoed a notifier. */
  | 'notifier-refused'
  /** A store through a cache that was opened for reading. */
  | 'read-only-cache'
  /** Dirty pages of a region without a RAM block. */
  | 'no-ram';

/** The program asked for something a region cannot do; the tree is as before. */
export class MemoryRegionError extends Error {
  override readonly name = 'MemoryRegionError';
  readonly code: MemoryRegionErrorCode;

  constructor(code: MemoryRegionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
