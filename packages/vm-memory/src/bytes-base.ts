/**
 * The exact and object forms of `Bytes`, made from the short ones: what an implementor gets for free. Override any of
 * them; nothing in this package goes around an override. V-1.2.
 */
import { type GuestAddress, hex, toAddress } from './address.ts';
import type { Bytes } from './bytes.ts';
import { checkCount, checkMoved, endOfSource, fullSink, partialBuffer } from './bytes-check.ts';
import type { Codec, ScalarCodec } from './codec.ts';
import type { GuestMemoryError } from './error.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import type { Ordering } from './ordering.ts';

/** Give it the six short forms; the rest is here. What they answer is checked: `callback-out-of-range` where it is no count of bytes. */
export abstract class BytesBase<A extends GuestAddress = GuestAddress> implements Bytes<A> {
  abstract read(buf: Uint8Array, addr: A): number;
  abstract write(buf: Uint8Array, addr: A): number;
  abstract load<T>(addr: A, codec: ScalarCodec<T>, ordering?: Ordering): T;
  abstract store<T>(addr: A, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void;
  abstract readVolatileFrom(addr: A, src: ReadVolatile, count: number): number;
  abstract writeVolatileTo(addr: A, dst: WriteVolatile, count: number): number;

  readSlice(buf: Uint8Array, addr: A): void {
    const done = checkMoved(this.read(buf, addr), buf.length, 'the read of this memory', addr);
    if (done < buf.length) throw this.incomplete('read', addr, buf.length, done);
  }

  writeSlice(buf: Uint8Array, addr: A): void {
    const done = checkMoved(this.write(buf, addr), buf.length, 'the write of this memory', addr);
    if (done < buf.length) throw this.incomplete('write', addr, buf.length, done);
  }

  readObj<T>(addr: A, codec: Codec<T>): T {
    const bytes = new Uint8Array(codec.size);
    this.readSlice(bytes, addr);
    return codec.get(new DataView(bytes.buffer), 0);
  }

  writeObj<T>(addr: A, codec: Codec<T>, value: T): void {
    const bytes = new Uint8Array(codec.size);
    codec.set(new DataView(bytes.buffer), 0, value);
    this.writeSlice(bytes, addr);
  }

  /** Calls `src` until `count` bytes have come. @throws {GuestMemoryError} `io-error`: it ended before; `partial-buffer`: memory did. */
  readExactVolatileFrom(addr: A, src: ReadVolatile, count: number): void {
    checkCount(count);
    toAddress(addr);
    let done = 0;
    const counted: ReadVolatile & { called: boolean } = {
      called: false,
      readVolatile(into) {
        this.called = true;
        return src.readVolatile(into);
      },
    };
    while (done < count) {
      counted.called = false;
      const step = this.#step('read', addr, count, done, () =>
        this.readVolatileFrom(this.advance(addr, done), counted, count - done),
      );
      if (step === 0)
        throw counted.called
          ? endOfSource(addr, count, done)
          : this.incomplete('stream read into memory', addr, count, done);
      done += step;
    }
  }

  /** Calls `dst` until it has taken `count` bytes. @throws {GuestMemoryError} `io-error`: it takes no more; `partial-buffer`: memory ended. */
  writeAllVolatileTo(addr: A, dst: WriteVolatile, count: number): void {
    checkCount(count);
    toAddress(addr);
    let done = 0;
    const counted: WriteVolatile & { called: boolean } = {
      called: false,
      writeVolatile(from) {
        this.called = true;
        return dst.writeVolatile(from);
      },
    };
    while (done < count) {
      counted.called = false;
      const step = this.#step('write', addr, count, done, () =>
        this.writeVolatileTo(this.advance(addr, done), counted, count - done),
      );
      if (step === 0)
        throw counted.called
          ? fullSink(addr, count, done)
          : this.incomplete('stream write from memory', addr, count, done);
      done += step;
    }
  }

  /** `addr + done`, in this container's kind of address; only called while that lies inside what was asked. */
  protected advance(addr: A, done: number): A {
    return (done === 0 ? addr : typeof addr === 'bigint' ? addr + BigInt(done) : add(addr as number, done)) as A;
  }

  /** The error for a transfer that ended early. */
  protected incomplete(what: string, addr: A, expected: number, completed: number, cause?: unknown): GuestMemoryError {
    return partialBuffer(`${what} of ${expected} bytes at ${hex(addr)}`, addr, expected, completed, cause);
  }

  /** A failure after progress becomes `partial-buffer` with its cause; one before stays as it is. */
  #step(what: string, addr: A, expected: number, done: number, run: () => number): number {
    try {
      return checkMoved(run(), expected - done, `the stream ${what} of this memory`, addr);
    } catch (cause) {
      if (done === 0) throw cause;
      throw this.incomplete(`stream ${what}`, addr, expected, done, cause);
    }
  }
}

function add(addr: number, done: number): GuestAddress {
  const sum = addr + done;
  return Number.isSafeInteger(sum) ? sum : BigInt(addr) + BigInt(done);
}
