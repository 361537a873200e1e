/** Tables that begin as a shared blank one: most views and workers are given up before they have met much. */

/** `table` with `entry` at `index`: another one while it is still `blank`. */
export function entered<T>(table: readonly T[], blank: readonly T[], index: number, entry: T): readonly T[] {
  const own = (table === blank ? [...blank] : table) as T[];
  own[index] = entry;
  return own;
}
