import { expect } from 'vitest';
import { GuestMemoryError } from '../../src/index.ts';

/** The GuestMemoryError that `run` throws. */
export function fails(run: () => unknown): GuestMemoryError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(GuestMemoryError);
    return error as GuestMemoryError;
  }
  throw new Error('expected a GuestMemoryError, and nothing was thrown');
}
