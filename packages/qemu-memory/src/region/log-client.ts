/** Who asks for dirty pages. The numbers are those of bits: client n is 1 << n of a mask. T-24, A-180. */
export const LogClient = {
  /** Displays: set per region with `setLog`. */
  VGA: 0,
  /** Translated code. */
  CODE: 1,
  /** Migration, dirty rate, dirty limit: set globally. */
  MIGRATION: 2,
} as const;
/** One of the `LogClient` numbers. */
export type LogClient = (typeof LogClient)[keyof typeof LogClient];
