/**
 * Guest memory to and from streams of any make, by duck type: Web Streams, Node streams, Blobs and files, async and plain
 * iterables of bytes. Nothing is read ahead; a slow sink is waited for. V-1.5, V-1.10, D7.
 */
import { type GuestAddress, hex, toAddress } from './address.ts';
import { uncheckedAdd } from './address-math.ts';
import type { Bytes } from './bytes.ts';
import { checkCount, endOfSource, partialBuffer, streamFailed } from './bytes-check.ts';
import type { OwnBytes } from './own-bytes.ts';
import { badNumber } from './shown.ts';
import { openSink, type StreamSink } from './stream-sink.ts';

/**
 * What `loadFrom` takes. A Blob or File is one, by its `stream()`; so is a Node Readable, by its async iterator; bytes at
 * hand are one chunk.
 */
export type StreamSource =
  | Uint8Array
  | ArrayBuffer
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
 *   failed (what it threw is the `cause`), or ended before `count`. Both tell `completed`; the source is cancelled.
 * @throws {TypeError} `source` is none, or gives what is no bytes; a stream that somebody else has locked.
 * @throws {RangeError} `addr` is no address, or `count` no count. Nothing was taken of the source.
 */
export async function loadFrom(
  memory: Bytes<GuestAddress>,
  addr: GuestAddress,
  source: StreamSource,
  options: LoadOptions = {},
): Promise<number> {
  const start = toAddress(addr);
  const { count = Number.POSITIVE_INFINITY } = options;
  if (options.count !== undefined) checkCount(options.count);
  let done = 0;
  if (count === 0) return 0;
  const chunks = chunksFrom(source);
  try {
    while (done < count) {
      const next = await chunks.next().catch((cause: unknown) => {
        throw streamFailed('the source', start, cause, {
          ...(options.count !== undefined && { expected: options.count }),
          completed: done,
        });
      });
      if (next.done === true) break;
      const chunk = bytesOf(next.value);
      const part = chunk.length <= count - done ? chunk : chunk.subarray(0, count - done);
      if (part.length === 0) continue;
      try {
        memory.writeSlice(part, uncheckedAdd(start, done));
      } catch (cause) {
        const moved = done + ((cause as { completed?: number }).completed ?? 0);
        throw partialBuffer(`load into memory at ${hex(start)}`, start, done + part.length, moved, cause);
      }
      done += part.length;
    }
  } finally {
    await chunks.return().catch(() => undefined); // a source that cannot be cancelled changes nothing of what was loaded
  }
  if (options.count !== undefined && done < count) throw endOfSource(start, count, done, 'leave count out');
  return done;
}

/**
 * Copies [addr, addr + count) into a sink, chunk by chunk, each when the one before was taken.
 *
 * @throws {GuestMemoryError} `partial-buffer`: memory ends before; the sink is aborted. What the sink throws is passed on.
 * @throws {TypeError | RangeError} an argument is out of range or of the wrong kind. The sink was not touched.
 */
export async function saveTo(
  memory: Bytes<GuestAddress>,
  addr: GuestAddress,
  count: number,
  sink: StreamSink,
  options: SaveOptions = {},
): Promise<void> {
  const chunks = chunksOf(memory, addr, count, options);
  const open = openSink(sink);
  try {
    for (const chunk of chunks) await open.write(chunk);
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
 * @throws {TypeError | RangeError} at once: `addr`, `count` or `chunkSize` is out of range or of the wrong kind.
 */
export function chunksOf(
  memory: Bytes<GuestAddress>,
  addr: GuestAddress,
  count: number,
  options: SaveOptions = {},
): Generator<OwnBytes, void, undefined> {
  const start = toAddress(addr);
  checkCount(count);
  const { chunkSize = 0x1_0000 } = options;
  if (!Number.isInteger(chunkSize) || chunkSize < 1)
    throw badNumber('chunkSize must be an integer of at least 1', chunkSize);
  return readChunks(memory, start, count, chunkSize);
}

function* readChunks(
  memory: Bytes<GuestAddress>,
  addr: GuestAddress,
  count: number,
  chunkSize: number,
): Generator<OwnBytes, void, undefined> {
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

type Chunks = AsyncGenerator<Uint8Array | ArrayBuffer, void, undefined>;

/** The chunks of any source. @throws {TypeError} at once: it is none, or is locked. */
function chunksFrom(source: StreamSource): Chunks {
  const kind = typeof source === 'object' ? (source as Partial<WebReadableLike> & { stream?: unknown }) : null;
  if (kind === null) throw new TypeError(NO_SOURCE);
  if (isBytes(source)) return chunksOfIterable([source]);
  if (typeof kind.getReader === 'function') return chunksOfReader(kind.getReader());
  if (typeof kind.stream === 'function') return chunksFrom((source as { stream(): WebReadableLike }).stream());
  if (Symbol.asyncIterator in kind || Symbol.iterator in kind)
    return chunksOfIterable(source as Iterable<Uint8Array | ArrayBuffer>);
  throw new TypeError(NO_SOURCE);
}

const NO_SOURCE =
  'a stream source must be a ReadableStream, a Node Readable, a Blob, an iterable of byte chunks, a Uint8Array or an ArrayBuffer';

async function* chunksOfReader(reader: WebReaderLike): Chunks {
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
}

async function* chunksOfIterable(
  source: Iterable<Uint8Array | ArrayBuffer> | AsyncIterable<Uint8Array | ArrayBuffer>,
): Chunks {
  yield* source;
}

/** Bytes of any realm, as `checkBuffer` takes them, or a buffer of them. */
function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  return value instanceof ArrayBuffer || (ArrayBuffer.isView(value) && (value as Uint8Array).BYTES_PER_ELEMENT === 1);
}

/** One chunk as bytes. @throws {TypeError} it is something else. */
function bytesOf(piece: unknown): Uint8Array {
  if (isBytes(piece)) return piece instanceof ArrayBuffer ? new Uint8Array(piece) : piece;
  throw new TypeError(
    `a stream source must give Uint8Arrays or ArrayBuffers, not ${piece === null ? 'null' : typeof piece}s; a Readable with an encoding gives text`,
  );
}
