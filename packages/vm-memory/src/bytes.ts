/** Access to a container of bytes by address: what every guest memory, region and slice offers. V-1.2 to V-1.5. */
import type { GuestAddress } from './address.ts';
import type { Codec, ScalarCodec } from './codec.ts';
import type { ReadVolatile, WriteVolatile } from './io.ts';
import type { Ordering } from './ordering.ts';

/**
 * Reads and writes at addresses of kind `A`.
 *
 * An empty transfer succeeds at any address. One that starts out of bounds is refused. One that starts inside and runs
 * out is short (`read`, `write`) or refused with the progress made (`readSlice`, `writeSlice`, the object forms); the
 * part that fits has been transferred either way.
 *
 * A buffer may lie in the very memory: what one region holds of the transfer moves as `memmove` does it. Region comes after region,
 * in ascending order, so a part behind a border may be one that the part before it has just changed; copy the buffer first
 * (`buf.slice()`) where that can be.
 */
export interface Bytes<A = GuestAddress> {
  /** Fills `buf` from `addr` on. @returns bytes read, fewer than asked where memory ends. @throws {GuestMemoryError} nothing at `addr`. */
  read(buf: Uint8Array, addr: A): number;
  /** Writes `buf` from `addr` on. @returns bytes written, fewer than asked where memory ends. @throws {GuestMemoryError} nothing at `addr`. */
  write(buf: Uint8Array, addr: A): number;
  /** `read`, all or an error. @throws {GuestMemoryError} `partial-buffer` with expected and completed. */
  readSlice(buf: Uint8Array, addr: A): void;
  /** `write`, all or an error. @throws {GuestMemoryError} `partial-buffer` with expected and completed. */
  writeSlice(buf: Uint8Array, addr: A): void;
  /** Reads an object of any size, across regions too. No atomicity is promised. */
  readObj<T>(addr: A, codec: Codec<T>): T;
  /** Writes an object of any size, across regions too. No atomicity is promised. */
  writeObj<T>(addr: A, codec: Codec<T>, value: T): void;
  /**
   * One access of 1, 2, 4 or 8 bytes inside one region, never split.
   *
   * @param ordering with one, the access is atomic (`Atomics`) and must be aligned in its buffer; without, it is a plain
   *   access at any alignment.
   * @throws {GuestMemoryError} `invalid-guest-address`, `invalid-backend-address` (crosses an end), `misaligned`.
   */
  load<T>(addr: A, codec: ScalarCodec<T>, ordering?: Ordering): T;
  /** As `load`. Marks dirty after the bytes are in place. */
  store<T>(addr: A, codec: ScalarCodec<T>, value: T, ordering?: Ordering): void;
  /** One call of `src` for at most `count` bytes into memory at `addr`. @returns bytes moved. */
  readVolatileFrom(addr: A, src: ReadVolatile, count: number): number;
  /** `readVolatileFrom`, all or an error. */
  readExactVolatileFrom(addr: A, src: ReadVolatile, count: number): void;
  /** One call of `dst` for at most `count` bytes of memory from `addr` on. @returns bytes moved. */
  writeVolatileTo(addr: A, dst: WriteVolatile, count: number): number;
  /** `writeVolatileTo`, all or an error. */
  writeAllVolatileTo(addr: A, dst: WriteVolatile, count: number): void;
}
