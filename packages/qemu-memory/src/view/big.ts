/** The smaller and the larger of two bigints: Math has no such thing. */
export function min(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

export function max(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
