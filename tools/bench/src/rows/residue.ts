/** What stores leave behind, as one number that every peer computes the same way. */

/** The sum of the 32-bit little-endian words of the first 8 KiB of each region. */
export function residueOf(regions: readonly DataView[]): bigint {
  let sum = 0;
  for (const view of regions) for (let at = 0; at < 8192; at += 4) sum += view.getUint32(at, true);
  return BigInt(sum);
}
