/** Numbers as the qtest protocol reads and writes them: C's strtoull with base 0, hex digits of fixed width.. */

const SPACE_END = 1n << 64n;

/**
 * Reads an unsigned number of 64 bits: decimal, `0x` hexadecimal or `0` octal; a minus sign gives the two's complement.
 *
 * @returns a number where it is a safe integer, else a bigint; null where the word is not a number or too wide.
 */
export function parseUnsigned(word: string | undefined): number | bigint | null {
  if (word === undefined) return null;
  // Nearly every number a client sends: 0x and few digits.
  if (word.length <= 13 && SHORT_HEX.test(word)) return Number.parseInt(word, 16);
  const value = parse(word);
  if (value === null || value >= SPACE_END || value <= -SPACE_END) return null;
  return normal(value < 0n ? value + SPACE_END : value);
}

/** Reads a signed number of `bits` bits. @returns as `parseUnsigned`. */
export function parseSigned(word: string | undefined, bits: 32 | 64): number | bigint | null {
  const value = word === undefined ? null : parse(word);
  if (value === null || value !== BigInt.asIntN(bits, value)) return null;
  return normal(value);
}

/** `value` in lower-case hex digits, at least `digits`. */
export function hexDigits(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** The two hex digits of each byte value. */
export const HEX_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => hexDigits(byte, 2));

const SHORT_HEX = /^0[xX][0-9a-fA-F]+$/;
// White space before the number is what strtoull skips; a space cannot be in a word.
const NUMBER = /^[\t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

function parse(word: string): bigint | null {
  const match = word.length > 100 ? null : NUMBER.exec(word);
  if (match === null) return null;
  const digits = match[2]!;
  const octal = digits.length > 1 && digits[0] === '0' && digits[1] !== 'x' && digits[1] !== 'X';
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return match[1] === '-' ? -value : value;
}

function normal(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
