/** The outcome of a transaction: bits that are OR-ed over the parts of an access.. */

/** OK is 0; any other combination is a failure. A device may return any bits. */
export const MemTxResult = {
  OK: 0,
  /** The device reported an error. */
  ERROR: 1,
  /** Nothing there, or the access is not valid there. */
  DECODE_ERROR: 2,
  /** Denied. */
  ACCESS_ERROR: 4,
} as const;

/** Bits of the `MemTxResult` constants, in 0 to 2^32 - 1. */
export type MemTxResult = number;

/** The names of the bits that are set, for messages: `OK`, `DECODE_ERROR`, `ERROR|0x10`. */
export function memTxResultName(result: MemTxResult): string {
  if (result === MemTxResult.OK) return 'OK';
  const names: string[] = [];
  if (result & MemTxResult.ERROR) names.push('ERROR');
  if (result & MemTxResult.DECODE_ERROR) names.push('DECODE_ERROR');
  if (result & MemTxResult.ACCESS_ERROR) names.push('ACCESS_ERROR');
  const rest = (result & ~7) >>> 0;
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.join('|');
}
