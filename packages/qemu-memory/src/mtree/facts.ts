/**
 * What a tree dump does not tell and the flat view depends on, by line numbers of the dump: given from outside, or
 * inferred from a flat dump (infer.ts). T-225, T-226.
 */

import { MtreeError } from './error.ts';

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

/**
 * Checks that an unknown value, for example from JSON, has the form of facts; unknown keys are let pass. Whether the lines
 * are regions of a dump is found out when the dump is read.
 *
 * @throws {MtreeError} `bad-facts`, with the key that is wrong.
 */
export function checkFacts(value: unknown): asserts value is MtreeFacts {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('the facts', 'must be an object');
  const facts: { readonly [Key in keyof MtreeFacts]?: unknown } = value;
  for (const key of ['answers', 'empty', 'readonly'] as const)
    if (facts[key] !== undefined && !isListOf(facts[key], isLine)) throw bad(key, 'must be a list of line numbers');
  const isPair = (pair: unknown): boolean => isListOf(pair, isLine) && (pair as unknown[]).length === 2;
  if (facts.over !== undefined && !isListOf(facts.over, isPair))
    throw bad('over', 'must be a list of pairs of line numbers');
  if (facts.target !== undefined && !isTable(facts.target, isLine))
    throw bad('target', 'must give line numbers by line numbers');
  if (facts.oneByte !== undefined && !isTable(facts.oneByte, (one) => typeof one === 'boolean'))
    throw bad('oneByte', 'must give true or false by line numbers');
}

function isLine(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isListOf(value: unknown, test: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(test);
}

function isTable(value: unknown, test: (item: unknown) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([line, item]) => isLine(Number(line)) && test(item));
}

function bad(what: string, reason: string): MtreeError {
  return new MtreeError('bad-facts', 0, `${what} ${reason}`);
}
