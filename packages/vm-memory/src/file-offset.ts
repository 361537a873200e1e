/** Where in a file a region begins: for whoever loads it, saves it or shares it with another process. V-1.8. */

/** `file` is whatever stands for the file to the program: a path, a handle, a Blob. Kept, never opened. */
export class FileOffset<F = unknown> {
  readonly file: F;
  /** Byte in the file at which the region starts. */
  readonly start: number;

  /** @throws {RangeError} `start` is not an integer in 0 to 2^53 - 1. */
  constructor(file: F, start: number) {
    if (!Number.isSafeInteger(start) || start < 0)
      throw new RangeError(`start must be an integer in 0 to 2^53 - 1, not ${String(start)}`);
    this.file = file;
    this.start = start;
  }
}
