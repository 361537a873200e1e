/** The typed error for text and data that are not what QEMU prints or what this package writes. */

export type MtreeErrorCode =
  /** Neither a tree dump nor a flat dump: no line that begins one. */
  | 'no-dump'
  /** A line that does not have the form its place asks for. */
  | 'bad-line'
  /** A line that has the form but contradicts itself or what stands before it. */
  | 'inconsistent'
  /** Facts that name a line which is not what they say. */
  | 'bad-facts'
  /** Map data that breaks the format of its version. */
  | 'bad-map';

/** The input is refused as a whole; nothing was built. */
export class MtreeError extends Error {
  override readonly name = 'MtreeError';
  readonly code: MtreeErrorCode;
  /** Line of the text, from 1; 0 where the reason has no line. */
  readonly line: number;
  /** The message without the line number. */
  readonly reason: string;

  constructor(code: MtreeErrorCode, line: number, reason: string, options?: { readonly cause?: unknown }) {
    super(line > 0 ? `line ${line}: ${reason}` : reason, options);
    this.code = code;
    this.line = line;
    this.reason = reason;
  }
}

/** A line as messages show it: quoted, cut to 80 characters. */
export function quoteLine(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
