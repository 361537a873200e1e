/** The typed error for edits and requests that the model refuses. Both parties are named in the message. T-51, D10. */
export type MemoryRegionErrorCode =
  | 'already-mapped'
  | 'not-a-subregion'
  | 'subregion-of-alias'
  | 'container-cycle'
  | 'not-an-alias'
  | 'disposed'
  | 'missing-callback'
  | 'transaction';

/** The program asked for something a region cannot do; the tree is as before. */
export class MemoryRegionError extends Error {
  override readonly name = 'MemoryRegionError';
  readonly code: MemoryRegionErrorCode;

  constructor(code: MemoryRegionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
