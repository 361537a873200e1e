/** Designs of the hot path that were tried, winners and losers, with the numbers they had. */
import type { Row } from '../harness/row.ts';

export const variantRows: readonly Row[] = [];
