/**
 * Objects of another copy of this package, of which a program may hold two (two versions of it, or one installed twice). They have the fields of
 * ours and are no instances, so they would be taken for objects of options: an outcome for attributes.
 */

/** Which class `value` would be of, had this copy made it; undefined: none, as with plain objects, which may have attributes of these names. */
function classOf(value: object): string | undefined {
  const made: object | null = Object.getPrototypeOf(value);
  if (made === null || Object.getPrototypeOf(made) === null) return undefined;
  if ('result' in value && 'done' in value) return 'MemTx';
  return 'bits' in value && 'own' in value ? 'MemTxAttrs' : undefined;
}

/** @throws {TypeError} `value`, given as attributes or options, is a MemTx or MemTxAttrs that this copy did not make. */
export function refuseAnotherCopy(value: object): void {
  const name = classOf(value);
  if (name !== undefined)
    throw new TypeError(
      `this has the fields of a ${name} and is none of this copy of @guestmem/memtx: make it with this copy's ${name === 'MemTx' ? 'new MemTx()' : 'memTxAttrs'}, or install one copy only (npm ls @guestmem/memtx shows them)`,
    );
}
