/** 2^64: the size of a whole space. */
export const SPACE_SIZE: bigint = 1n << 64n;

/** The smaller and the larger of two bigints: Math has no such thing. */
export function min(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

export function max(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
