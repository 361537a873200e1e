/** Base64 with the standard alphabet and padding, written out since the package has neither Buffer nor atob.. */
import { AsciiText } from './ascii-text.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CODES = Uint8Array.from(ALPHABET, (char) => char.charCodeAt(0));
const PADDING = 0x3d; // =

/** `bytes` as base64 behind `prefix`, padded, without line breaks. */
export function toBase64(bytes: Uint8Array, prefix = ''): string {
  const text = new AsciiText();
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text.add(CODES[group >> 18]!);
    text.add(CODES[(group >> 12) & 63]!);
    text.add(left > 1 ? CODES[(group >> 6) & 63]! : PADDING);
    text.add(left > 2 ? CODES[group & 63]! : PADDING);
  }
  return text.text(prefix);
}

/**
 * The first `length` bytes of what `text` decodes to; missing ones are 0. Characters outside the alphabet are skipped. Padding is no end: it
 * is a digit of 0 in its group of four and drops a byte of it, as in QEMU (seen). An unfinished group at the end gives what it has.
 */
export function fromBase64(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  let group = 0;
  let digits = 0;
  /** Bit n: digit n of the group is padding. */
  let padded = 0;
  const take = (): void => {
    for (let i = 0; i < digits - 1; i++)
      if (at < length && (i === 0 || (padded & (2 << i)) === 0)) bytes[at++] = group >> (16 - 8 * i);
    group = 0;
    digits = 0;
    padded = 0;
  };
  for (const char of text) {
    const value = char === '=' ? 0 : VALUES.get(char);
    if (value === undefined) continue;
    group |= value << (18 - 6 * digits);
    if (char === '=') padded |= 1 << digits;
    if (++digits === 4) take();
  }
  take();
  return bytes;
}

const VALUES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((char, value) => [char, value]));
