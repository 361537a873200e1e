/** What the devices' constructors check of what they are wired to: a part that is missing would fail in a guest's access. */
import { shown } from '@guestmem/vm-memory';

/** A part of a device's options and the method by which it is known. */
export type Part = readonly [name: string, method: string];

/** @throws {TypeError} `options` is no object, or a part of it is missing. @param what the class, for the message. */
export function checkWiring(what: string, options: object, parts: readonly Part[]): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${what} takes an object of options with ${names(parts)}, not ${shown(options)}`);
  for (const [name, method] of parts) {
    const part = (options as Readonly<Record<string, unknown>>)[name];
    if (typeof (part as Readonly<Record<string, unknown>> | null | undefined)?.[method] !== 'function')
      throw new TypeError(`${what} needs options.${name}, an object with ${method}(), not ${shown(part)}`);
  }
}

function names(parts: readonly Part[]): string {
  return parts.map(([name]) => name).join(', ');
}
