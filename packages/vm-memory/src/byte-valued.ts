/**
 * Values to and from loose bytes: what the methods of `ByteValued` do in Rust for a value in hand. Bytes are copied, so
 * alignment never matters. V-1.2.
 */
import { checkBuffer, checkMoved, endOfSource, fullSink } from './bytes-check.ts';
import type { Codec } from './codec.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import type { OwnBytes } from './own-bytes.ts';

/** The value that `bytes` are, or undefined unless there are exactly as many as the codec has. */
export function fromBytes<T>(codec: Codec<T>, bytes: Uint8Array): T | undefined {
  checkBuffer(bytes);
  return bytes.length === codec.size
    ? codec.get(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0)
    : undefined;
}

/** The bytes that `value` is; gaps of a struct are zero. @throws {TypeError | RangeError} not a value of the codec. */
export function toBytes<T>(codec: Codec<T>, value: T): OwnBytes {
  const bytes = new Uint8Array(codec.size);
  codec.set(new DataView(bytes.buffer), 0, value);
  return bytes;
}

/** The value whose bytes are all zero. */
export function zeroed<T>(codec: Codec<T>): T {
  return codec.get(new DataView(new ArrayBuffer(codec.size)), 0);
}

/** Reads one value from a source. @throws {GuestMemoryError} `io-error`: it ended before; `callback-out-of-range`: it answered nonsense. */
export function readExactFrom<T>(codec: Codec<T>, src: ReadVolatile): T {
  const bytes = new Uint8Array(codec.size);
  for (let done = 0; done < bytes.length; ) {
    const moved = checkMoved(src.readVolatile(bytes.subarray(done)), bytes.length - done, 'the source');
    if (moved === 0) throw endOfSource(0, bytes.length, done);
    done += moved;
  }
  return codec.get(new DataView(bytes.buffer), 0);
}

/** Gives a value to a sink. @throws {GuestMemoryError} `io-error`: it took less; `callback-out-of-range`: it answered nonsense. */
export function writeAllTo<T>(codec: Codec<T>, value: T, dst: WriteVolatile): void {
  const bytes = toBytes(codec, value);
  for (let done = 0; done < bytes.length; ) {
    const moved = checkMoved(dst.writeVolatile(bytes.subarray(done)), bytes.length - done, 'the sink');
    if (moved === 0) throw fullSink(0, bytes.length, done);
    done += moved;
  }
}
