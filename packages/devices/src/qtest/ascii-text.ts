/** Gathers long texts character by character without an object for each: replies of blocks.. */

/** Few enough to be arguments of one call. */
const CHUNK = 8192;

/** A text of ASCII characters that grows. Takes about three times its length while it does. */
export class AsciiText {
  readonly #codes = new Uint8Array(CHUNK);
  #used = 0;
  readonly #chunks: string[] = [];

  /** Appends one character. @param code 0 to 127. */
  add(code: number): void {
    if (this.#used === CHUNK) this.#take();
    this.#codes[this.#used++] = code;
  }

  /** All that was appended, after `prefix`. */
  text(prefix: string): string {
    this.#take();
    return prefix + this.#chunks.join('');
  }

  #take(): void {
    const codes = this.#codes.subarray(0, this.#used);
    // An array-like does for apply; its type asks for an array.
    this.#chunks.push(String.fromCharCode.apply(null, codes as unknown as number[]));
    this.#used = 0;
  }
}
