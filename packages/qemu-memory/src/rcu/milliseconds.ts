/** Times that callers give. */
import { badNumber } from '@guestmem/vm-memory';

/** @returns `given`, or `otherwise` where it is undefined. @throws {TypeError | RangeError} no time: no number, NaN, negative. */
export function milliseconds(given: number | undefined, otherwise: number, what: string): number {
  const time = given ?? otherwise;
  if (typeof time === 'number' && time >= 0) return time;
  throw badNumber(`${what} must be 0 to Infinity milliseconds`, time);
}
