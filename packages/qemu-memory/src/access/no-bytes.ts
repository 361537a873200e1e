/** What every transfer says, here and in a worker, that is given no bytes. */
import { shown } from '@guestmem/vm-memory';

/** The buffer of a transfer is no Uint8Array. */
export function noBytes(value: unknown): TypeError {
  return new TypeError(
    `a transfer moves the bytes of a Uint8Array, not ${shown(value)}; wrap other views as new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`,
  );
}
