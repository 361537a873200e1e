/** Half a line of a client, in the pieces in which it came, up to a length. Q-6. */

/** Pieces that are held apart before they are joined: one that comes byte by byte costs little more than its bytes. */
const PIECES = 1024;

/** The start of a line. */
export class LineBuffer {
  readonly #limit: number;
  #blocks: string[] = [];
  #pieces: string[] = [];
  #length = 0;

  /** @param limit characters that a line may have. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get empty(): boolean {
    return this.#length === 0;
  }

  /** Appends `piece`. @returns is the line still within the limit? If not, nothing is held any more. */
  add(piece: string): boolean {
    if (this.#length + piece.length > this.#limit) {
      this.clear();
      return false;
    }
    this.#length += piece.length;
    this.#pieces.push(piece);
    if (this.#pieces.length === PIECES) {
      this.#blocks.push(this.#pieces.join(''));
      this.#pieces = [];
    }
    return true;
  }

  /** Gives the text, and is empty. */
  take(): string {
    const text = this.#blocks.join('') + this.#pieces.join('');
    this.clear();
    return text;
  }

  clear(): void {
    this.#blocks = [];
    this.#pieces = [];
    this.#length = 0;
  }
}
