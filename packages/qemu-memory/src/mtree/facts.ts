/**
 * What a tree dump does not tell and the flat view depends on, by line numbers of the dump: given from outside, or
 * inferred from a flat dump (infer.ts). T-225, T-226.
 */

/** Facts about a dump. Lines count from 1; a region that several lines show may be named by any of them. */
export interface MtreeFacts {
  /** `i/o` regions with children that answer what no child claims; all others with children are containers. */
  readonly answers?: readonly number[];
  /** `i/o` regions without children that are empty containers; all others without children answer. */
  readonly empty?: readonly number[];
  /** Aliases (or containers) that make what they show read-only. */
  readonly readonly?: readonly number[];
  /** Pairs [a, b] of siblings of equal priority: a lies over b. */
  readonly over?: readonly (readonly [number, number])[];
  /** Line of an alias -> line of the first region of the `memory-region:` section it means. */
  readonly target?: Readonly<Record<string, number>>;
  /** Regions whose start and end are equal that hold one byte (true) or none (false). */
  readonly oneByte?: Readonly<Record<string, boolean>>;
}

/** How siblings of equal priority that start at different addresses lie over each other where no fact says. */
export type SiblingGuess =
  /** The higher start lies over. */
  | 'higher-start'
  /** The smaller region lies over, of equal sizes the higher start (T-226). */
  | 'smaller';

/** What to assume where neither the dump nor the facts tell. */
export interface MtreeGuesses {
  /** Default `smaller`; `higher-start` where facts are given, because their `over` leaves out what that tells. */
  readonly siblings?: SiblingGuess;
}
