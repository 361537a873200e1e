/** What a program without types handed in, in the words of a message. */

/** A value of the wrong kind, for a message: `undefined`, `the string "x"`, `the bigint 1`, `a function`, `a value of Map`. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`;
  if (typeof value === 'bigint') return `the bigint ${value}`;
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  return `a value of ${value.constructor?.name ?? 'no class'}`;
}

/**
 * The error for an argument that is not the number it must be: a TypeError where it is no number at all, else a RangeError. D10.
 *
 * @param rule says what it must be, such as `count must be an integer in 0 to 2^53 - 1`; the message goes on with `, not ...`.
 */
export function badNumber(rule: string, value: unknown): TypeError | RangeError {
  if (typeof value === 'number') return new RangeError(`${rule}, not ${value}`);
  return new TypeError(`${rule}, not ${shown(value)}`);
}

/** `[object ArrayBuffer]`, `[object Uint8Array]`: what it is, also where it is of another realm, for which instanceof does not tell. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

/** What was thrown, for a message: its text, where it has one. A program may throw anything. */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.message}` : String(thrown);
  } catch {
    return 'a value without text';
  }
}
