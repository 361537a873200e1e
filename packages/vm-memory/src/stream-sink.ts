/** Sinks of any make behind one shape: Web WritableStreams and Node Writables. V-1.5. */

import type { OwnBytes } from './own-bytes.ts';

/** What `saveTo` takes. */
export type StreamSink = WebWritableLike | NodeWritableLike;

/** What is used of a Web WritableStream. */
export interface WebWritableLike {
  getWriter(): WebWriterLike;
}

/** What is used of its writer. */
export interface WebWriterLike {
  readonly ready: Promise<unknown>;
  write(chunk: OwnBytes): Promise<unknown>;
  close(): Promise<unknown>;
  abort(reason?: unknown): Promise<unknown>;
  releaseLock(): void;
}

/** What is used of a Node Writable: a file stream, a socket, standard output. */
export interface NodeWritableLike {
  write(chunk: Uint8Array, callback: (error?: Error | null) => void): unknown;
  end(callback: (error?: Error | null) => void): unknown;
  destroy?(error?: Error): unknown;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  off?(event: 'error', listener: (error: Error) => void): unknown;
}

/** One sink, ready for chunks. */
export interface OpenSink {
  /** Resolves when the sink has taken the chunk; the chunk is then the sink's. */
  write(chunk: OwnBytes): Promise<unknown>;
  close(): Promise<unknown>;
  abort(cause: unknown): Promise<unknown>;
  /** Gives the sink back open. */
  release(): Promise<unknown>;
}

/** @throws {TypeError} neither kind. */
export function openSink(sink: StreamSink): OpenSink {
  if (typeof (sink as Partial<WebWritableLike>).getWriter === 'function') return webSink(sink as WebWritableLike);
  const { write, end } = sink as Partial<NodeWritableLike>;
  if (typeof write === 'function' && typeof end === 'function') return nodeSink(sink as NodeWritableLike);
  throw new TypeError('a stream sink must be a WritableStream or a Node Writable');
}

function webSink(sink: WebWritableLike): OpenSink {
  const writer = sink.getWriter();
  return {
    write: async (chunk) => {
      await writer.ready;
      await writer.write(chunk);
    },
    close: () => writer.close(),
    abort: (cause) => writer.abort(cause).catch(() => undefined),
    release: async () => writer.releaseLock(),
  };
}

function nodeSink(sink: NodeWritableLike): OpenSink {
  // Without a listener an error event would end the process; the callbacks tell us the same error.
  const ignore = (): void => undefined;
  sink.on?.('error', ignore);
  let failed = false;
  const settle = (run: (callback: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) =>
      run((error) => {
        failed ||= error != null;
        if (error == null) resolve();
        else reject(error);
      }),
    );
  return {
    write: (chunk) => settle((callback) => sink.write(chunk, callback)),
    close: async () => {
      await settle((callback) => sink.end(callback));
      sink.off?.('error', ignore);
    },
    abort: async (cause) => {
      sink.destroy?.(cause instanceof Error ? cause : undefined); // the listener stays: its error event is still to come
    },
    release: async () => {
      if (!failed) sink.off?.('error', ignore); // else its error event is still to come
    },
  };
}
