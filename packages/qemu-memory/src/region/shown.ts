/** What a program without types handed in, in the words of a message; and the message of all transfers. */

/** What a transfer says that is given no bytes. */
export function noBytes(value: unknown): TypeError {
  return new TypeError(
    `a transfer moves the bytes of a Uint8Array, not ${shown(value)}; wrap other views as new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`,
  );
}

/** A value of the wrong kind, for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`;
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  return `a value of ${value.constructor?.name ?? 'no class'}`;
}
