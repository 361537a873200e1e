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

/** The first `length` bytes of what `text` decodes to; missing ones are 0. Characters outside the alphabet are skipped. */
export function fromBase64(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  let bits = 0;
  let held = 0;
  for (const char of text) {
    const value = VALUES.get(char);
    if (value === undefined) continue;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    if (at < length) bytes[at++] = bits >> held;
  }
  return bytes;
}

const VALUES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((char, value) => [char, value]));
