/** The type of copies that are handed out. TypeScript 5.7 and newer tell a buffer of one's own from one that may be shared. */

/**
 * Bytes in an ArrayBuffer of their own: `Uint8Array<ArrayBuffer>` where TypeScript knows that, as `Blob`, `fetch` and
 * `WritableStream` ask for it; plain `Uint8Array` before 5.7.
 */
export type OwnBytes = ReturnType<Uint8ArrayConstructor['of']>;
