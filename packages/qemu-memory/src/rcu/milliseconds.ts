/** Times that callers give. */

/** @returns `given`, or `otherwise` where it is undefined. @throws {RangeError} no time: NaN, negative, no number. */
export function milliseconds(given: number | undefined, otherwise: number, what: string): number {
  const time = given ?? otherwise;
  if (typeof time === 'number' && time >= 0) return time;
  throw new RangeError(
    `${what} must be 0 to Infinity milliseconds, not ${typeof time === 'number' ? time : typeof time}`,
  );
}
