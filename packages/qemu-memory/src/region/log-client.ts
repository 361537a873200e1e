/** Who asks for dirty pages. The numbers are bits of a mask. T-24. */
export const LogClient = { VGA: 0, CODE: 1, MIGRATION: 2 } as const;
export type LogClient = (typeof LogClient)[keyof typeof LogClient];
