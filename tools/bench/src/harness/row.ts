/** What a row of the bench is: one way to reach memory, one stream, one access; built in a process of its own. */
import type { StreamName } from './streams.ts';

/**
 * What the loop does with each access. `number` adds a result modulo 2^32, `float` adds it as a double (64-bit numbers),
 * `bigint` modulo 2^64, `store` counts.
 */
export type Kind = 'number' | 'float' | 'bigint' | 'store';

/** A built row, ready to be timed. */
export interface Built {
  /** The values that `access` names. */
  readonly scope: Readonly<Record<string, unknown>>;
  /** The access as source text; `a` is the address, `i` the round. */
  readonly access: string;
  readonly kind: Kind;
  /** What `access` leaves behind: the sum of the 32-bit words it may have written. Compared beside the sums. */
  readonly residue?: () => bigint;
  /** Called, untimed, before each timed call of the loop. With it a call makes `count` rounds. */
  readonly reset?: { readonly count: number; readonly run: () => void };
}

/** One row. */
export interface Row {
  /** `who/access/stream`. */
  readonly id: string;
  readonly stream: StreamName;
  /** Bytes of one access. */
  readonly size: number;
  /** First address of the stream. */
  readonly base?: number;
  /** log2 of the distance of two devices, for the stream `device8`. */
  readonly shift?: number;
  /** Rows with the same key must give the same sum and residue; without one the sum is not comparable. */
  readonly same?: string;
  /** Rounds of the check; small for bulk rows. */
  readonly checkCount?: number;
  /** Run by the native program with these arguments instead of in a child Node. */
  readonly native?: { readonly reach: string; readonly op: string };
  readonly build?: () => Promise<Built>;
}
