/**
 * Guest memory to and from streams of any make, by duck type: Web Streams, Node streams, Blobs and files, async and plain
 * iterables of bytes. Nothing is read ahead; a slow sink is waited for. V-1.5, V-1.10, D7.
 */
import { type GuestAddress, hex } from './address.ts';
import { uncheckedAdd } from './address-math.ts';
import type { Bytes } from './bytes.ts';
import { checkBuffer, checkCount, endOfSource, partialBuffer } from './bytes-check.ts';
import { openSink, type StreamSink } from './stream-sink.ts';

/** What `loadFrom` takes. A Blob or File is one, by its `stream()`; so is a Node Readable, by its async iterator. */
export type StreamSource =
  | WebReadableLike
  | AsyncIterable<Uint8Array | ArrayBuffer>
  | Iterable<Uint8Array | ArrayBuffer>
  | { stream(): WebReadableLike };

/** What is used of a Web ReadableStream. */
export interface WebReadableLike {
  getReader(): WebReaderLike;
}

/** What is used of its reader. */
export interface WebReaderLike {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | ArrayBuffer | undefined }>;
  cancel(reason?: unknown): Promise<unknown>;
  releaseLock(): void;
}

/** Options of `loadFrom`. */
export interface LoadOptions {
  /** Load exactly this many bytes, then stop and cancel the source (default: until it ends). */
  readonly count?: number;
}

/** Options of `saveTo` and `chunksOf`. */
export interface SaveOptions {
  /** Bytes per chunk (default 64 KiB). */
  readonly chunkSize?: number;
  /** Leave the sink open afterwards (default false: it is closed, or aborted on failure). */
  readonly keepOpen?: boolean;
}

/**
 * Copies a stream into memory from `addr` on.
 *
 * @returns bytes loaded.
 * @throws {GuestMemoryError} `partial-buffer`: memory ended before the source, whose rest is lost; `io-error`: the source
 *   failed, or ended before `count`. Both tell `completed`; the source is cancelled.
 */
export async function loadFrom(
  memory: Bytes<GuestAddress>,
  addr: GuestAddress,
  source: StreamSource,
  options: LoadOptions = {},
): Promise<number> {
  const { count = Number.POSITIVE_INFINITY } = options;
  if (options.count !== undefined) checkCount(options.count);
  let done = 0;
  if (count === 0) return 0;
  for await (const piece of chunksFrom(source)) {
    const chunk = piece instanceof ArrayBuffer ? new Uint8Array(piece) : piece;
    checkBuffer(chunk);
    const part = chunk.length <= count - done ? chunk : chunk.subarray(0, count - done);
    if (part.length === 0) continue;
    try {
      memory.writeSlice(part, uncheckedAdd(addr, done));
    } catch (cause) {
      const moved = done + ((cause as { completed?: number }).completed ?? 0);
      throw partialBuffer(`load into memory at ${hex(addr)}`, addr, done + part.length, moved, cause);
    }
    done += part.length;
    if (done === count) return done;
  }
  if (options.count !== undefined && done < count) throw endOfSource(addr, count, done);
  return done;
}

/**
 * Copies [addr, addr + count) into a sink, chunk by chunk, each when the one before was taken.
 *
 * @throws {GuestMemoryError} `partial-buffer`: memory ends before; the sink is aborted. What the sink throws is passed on.
 */
export async function saveTo(
  memory: Bytes<GuestAddress>,
  addr: GuestAddress,
  count: number,
  sink: StreamSink,
  options: SaveOptions = {},
): Promise<void> {
  const open = openSink(sink);
  try {
    for (const chunk of chunksOf(memory, addr, count, options)) await open.write(chunk);
    await (options.keepOpen === true ? open.release() : open.close());
  } catch (cause) {
    await (options.keepOpen === true ? open.release() : open.abort(cause));
    throw cause;
  }
}

/**
 * [addr, addr + count) as copies of `chunkSize` bytes, read when asked for: for `Readable.from`, `ReadableStream.from`,
 * `new Blob([...])` or a loop.
 *
 * @throws {GuestMemoryError} `partial-buffer`, at the chunk that memory does not have.
 */
export function* chunksOf(
  memory: Bytes<GuestAddress>,
  addr: GuestAddress,
  count: number,
  options: SaveOptions = {},
): Generator<Uint8Array, void, undefined> {
  checkCount(count);
  const { chunkSize = 0x1_0000 } = options;
  if (!Number.isInteger(chunkSize) || chunkSize < 1)
    throw new RangeError(`chunkSize must be an integer of at least 1, not ${String(chunkSize)}`);
  for (let done = 0; done < count; ) {
    const chunk = new Uint8Array(Math.min(chunkSize, count - done));
    try {
      memory.readSlice(chunk, uncheckedAdd(addr, done));
    } catch (cause) {
      const moved = done + ((cause as { completed?: number }).completed ?? 0);
      throw partialBuffer(`save of memory at ${hex(addr)}`, addr, count, moved, cause);
    }
    done += chunk.length;
    yield chunk;
  }
}

async function* chunksFrom(source: StreamSource): AsyncGenerator<Uint8Array | ArrayBuffer, void, undefined> {
  if (typeof (source as Partial<WebReadableLike>).getReader === 'function') {
    const reader = (source as WebReadableLike).getReader();
    let ended = false;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          ended = true;
          return;
        }
        if (value !== undefined) yield value;
      }
    } finally {
      if (!ended) await reader.cancel().catch(() => undefined);
      reader.releaseLock();
    }
  } else if (typeof (source as { stream?: unknown }).stream === 'function')
    yield* chunksFrom((source as { stream(): WebReadableLike }).stream());
  else if (Symbol.asyncIterator in source) yield* source as AsyncIterable<Uint8Array | ArrayBuffer>;
  else if (Symbol.iterator in source) yield* source as Iterable<Uint8Array | ArrayBuffer>;
  else throw new TypeError('a stream source must be a ReadableStream, a Node Readable, a Blob or an iterable of bytes');
}
