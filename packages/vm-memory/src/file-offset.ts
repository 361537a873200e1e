/** Where in a file a region begins: for whoever loads it, saves it or shares it with another process. V-1.8. */
import { checkCount } from './bytes-check.ts';

/** `file` is whatever stands for the file to the program: a path, a handle, a Blob. Kept, never opened. */
export class FileOffset<F = unknown> {
  readonly file: F;
  /** Byte in the file at which the region starts. */
  readonly start: number;

  /** @throws {TypeError | RangeError} `start` is not an integer in 0 to 2^53 - 1. */
  constructor(file: F, start: number) {
    this.file = file;
    this.start = checkCount(start, 'start');
  }
}
