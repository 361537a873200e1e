/**
 * `Bytes` for any guest memory, from its slices alone: what every `GuestMemory` gets in vm-memory, whether it wants it or
 * not. Here it is a class to extend, and each of its methods may be overridden. V-1.8.
 */
import { type GuestAddress, hex, toAddress } from './address.ts';
import { BytesBase } from './bytes-base.ts';
import { checkBuffer, checkCount } from './bytes-check.ts';
import type { ScalarCodec } from './codec.ts';
import { GuestMemoryError } from './error.ts';
import type { GuestAddressSpace, GuestMemory, GuestMemoryBackend } from './guest-memory.ts';
import type { GuestMemorySlices } from './guest-memory-slices.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import type { Ordering } from './ordering.ts';
import { Permissions } from './permissions.ts';
import type { VolatileSlice } from './volatile-slice.ts';

/** Extend it with `checkRange`, `getSlices` and `physicalMemory`. Slices that go past what was asked are a RangeError. */
export abstract class GuestMemoryBytes extends BytesBase implements GuestMemory, GuestAddressSpace {
  abstract checkRange(addr: GuestAddress, len: GuestAddress, access?: Permissions): boolean;
  abstract getSlices(addr: GuestAddress, len: GuestAddress, access?: Permissions): GuestMemorySlices;
  abstract physicalMemory(): GuestMemoryBackend | undefined;

  /** This memory: it is a snapshot of itself. */
  memory(): this {
    return this;
  }

  read(buf: Uint8Array, addr: GuestAddress): number {
    checkBuffer(buf);
    return this.#fold(addr, buf.length, Permissions.READ, (slice, done) =>
      slice.read(buf.subarray(done, done + slice.length), 0),
    );
  }

  write(buf: Uint8Array, addr: GuestAddress): number {
    checkBuffer(buf);
    return this.#fold(addr, buf.length, Permissions.WRITE, (slice, done) =>
      slice.write(buf.subarray(done, done + slice.length), 0),
    );
  }

  readVolatileFrom(addr: GuestAddress, src: ReadVolatile, count: number): number {
    checkCount(count);
    return this.#fold(addr, count, Permissions.WRITE, (slice) => slice.readVolatileFrom(0, src, slice.length));
  }

  writeVolatileTo(addr: GuestAddress, dst: WriteVolatile, count: number): number {
    checkCount(count);
    return this.#fold(addr, count, Permissions.READ, (slice) => slice.writeVolatileTo(0, dst, slice.length));
  }

  load<T>(addr: GuestAddress, codec: ScalarCodec<T>, ordering?: Ordering): T {
    return this.#single(addr, codec.size, Permissions.READ).load(0, codec, ordering);
  }

  store<T>(addr: GuestAddress, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void {
    this.#single(addr, codec.size, Permissions.WRITE).store(0, codec, value, ordering);
  }

  #fold(
    addr: GuestAddress,
    count: number,
    access: Permissions,
    step: (slice: VolatileSlice, done: number) => number,
  ): number {
    toAddress(addr);
    if (count === 0) return 0;
    let done = 0;
    for (const slice of this.getSlices(addr, count, access).stopOnError()) {
      if (slice.length > count - done) throw tooLong(addr, count, done + slice.length);
      let moved: number;
      try {
        moved = step(slice, done);
      } catch (cause) {
        if (done === 0) throw cause;
        throw this.incomplete('transfer', addr, count, done, cause);
      }
      done += moved;
      if (moved < slice.length) break;
    }
    return done;
  }

  /** The one slice of a scalar. */
  #single(addr: GuestAddress, size: number, access: Permissions): VolatileSlice {
    const { value: slice } = this.getSlices(addr, size, access).next();
    if (slice !== undefined && slice.length === size) return slice;
    throw new GuestMemoryError(
      'invalid-backend-address',
      `${size} bytes at ${hex(addr)} are not in one piece; load and store are never split, use the object forms`,
      { addr },
    );
  }
}

/** A memory of a program's own gave slices past what was asked: what lies there is not the caller's. */
function tooLong(addr: GuestAddress, count: number, given: number): RangeError {
  return new RangeError(
    `getSlices was asked for ${count} bytes at ${hex(addr)} and gave ${given} and more; its slices must add up to what was asked`,
  );
}
