/**
 * One atomic access of 1, 2, 4 or 8 bytes, in any byte order and for every scalar codec: the integer moves through
 * Atomics, the codec reads it from, or writes it to, a scratch in the order that memory has. V-1.3.
 */
import type { ScalarCodec } from './codec.ts';
import { HOST_BYTE_ORDER } from './scalar.ts';

const HOST_LITTLE: boolean = HOST_BYTE_ORDER === 'little';

/** By buffer, while it lives. Nothing but time depends on it. */
const KEPT: WeakMap<ArrayBufferLike, AtomicCells> = /* @__PURE__ */ new WeakMap();

/**
 * The cells of `buffer`, made once for all its slices: a slice is often made for one access (an atomic instruction of a
 * guest), and to make the cells with each took 0.8 us of 1.1.
 */
export function cellsOf(buffer: ArrayBufferLike): AtomicCells {
  let cells = KEPT.get(buffer);
  if (cells === undefined) {
    cells = new AtomicCells(buffer);
    KEPT.set(buffer, cells);
  }
  return cells;
}

/** Typed arrays over one buffer, made when first used: Atomics need them, DataView has none. */
export class AtomicCells {
  readonly #buffer: ArrayBufferLike;
  #i8: Int8Array | null = null;
  #i16: Int16Array | null = null;
  #i32: Int32Array | null = null;
  #i64: BigInt64Array | null = null;
  /** Has the last `compareExchange` stored its value? */
  stored = false;
  readonly #scratch: DataView;
  readonly #s8: Int8Array;
  readonly #s16: Int16Array;
  readonly #s32: Int32Array;
  readonly #s64: BigInt64Array;

  constructor(buffer: ArrayBufferLike) {
    this.#buffer = buffer;
    const scratch = new ArrayBuffer(8);
    this.#scratch = new DataView(scratch);
    this.#s8 = new Int8Array(scratch);
    this.#s16 = new Int16Array(scratch);
    this.#s32 = new Int32Array(scratch);
    this.#s64 = new BigInt64Array(scratch);
  }

  get buffer(): ArrayBufferLike {
    return this.#buffer;
  }

  /** Loads at `byte` of the buffer, a multiple of `codec.size`. */
  load<T>(byte: number, codec: ScalarCodec<T>): T {
    if (codec.kind === 4 && codec.littleEndian === HOST_LITTLE)
      return (Atomics.load(this.#cells32(), byte / 4) >>> 0) as T; // u32 in host order needs no scratch
    switch (codec.size) {
      case 1:
        this.#s8[0] = Atomics.load(this.#cells8(), byte);
        break;
      case 2:
        this.#s16[0] = Atomics.load(this.#cells16(), byte / 2);
        break;
      case 4:
        this.#s32[0] = Atomics.load(this.#cells32(), byte / 4);
        break;
      default:
        this.#s64[0] = Atomics.load(this.#cells64(), byte / 8);
    }
    return codec.get(this.#scratch, 0);
  }

  /** Stores at `byte` of the buffer, a multiple of `codec.size`. @throws {TypeError | RangeError} not a value of `codec`; nothing is stored. */
  store<T>(byte: number, codec: ScalarCodec<T>, value: T): void {
    codec.set(this.#scratch, 0, value);
    switch (codec.size) {
      case 1:
        Atomics.store(this.#cells8(), byte, this.#s8[0]!);
        break;
      case 2:
        Atomics.store(this.#cells16(), byte / 2, this.#s16[0]!);
        break;
      case 4:
        Atomics.store(this.#cells32(), byte / 4, this.#s32[0]!);
        break;
      default:
        Atomics.store(this.#cells64(), byte / 8, this.#s64[0]!);
    }
  }

  /** Stores `value` where `expected` is, byte for byte; gives what was there, and tells in `stored` whether it did. */
  compareExchange<T>(byte: number, codec: ScalarCodec<T>, expected: T, value: T): T {
    const old = this.#raw(codec, expected);
    const raw = this.#raw(codec, value);
    const seen = this.#compareExchangeRaw(byte, codec.size, old, raw);
    this.stored = seen === old;
    this.#setRaw(codec.size, seen);
    return codec.get(this.#scratch, 0);
  }

  /** Replaces the value by `change` of it, again if another agent was faster; gives what was there. Compares bits, so that NaN ends too. */
  update<T>(byte: number, codec: ScalarCodec<T>, change: (value: T) => T): T {
    const { size } = codec;
    let old = this.#loadRaw(byte, size);
    for (;;) {
      this.#setRaw(size, old);
      const before = codec.get(this.#scratch, 0);
      const seen = this.#compareExchangeRaw(byte, size, old, this.#raw(codec, change(before)));
      if (seen === old) return before;
      old = seen;
    }
  }

  #loadRaw(byte: number, size: number): number | bigint {
    if (size === 1) return Atomics.load(this.#cells8(), byte);
    if (size === 2) return Atomics.load(this.#cells16(), byte / 2);
    if (size === 4) return Atomics.load(this.#cells32(), byte / 4);
    return Atomics.load(this.#cells64(), byte / 8);
  }

  #compareExchangeRaw(byte: number, size: number, old: number | bigint, raw: number | bigint): number | bigint {
    if (size === 1) return Atomics.compareExchange(this.#cells8(), byte, old as number, raw as number);
    if (size === 2) return Atomics.compareExchange(this.#cells16(), byte / 2, old as number, raw as number);
    if (size === 4) return Atomics.compareExchange(this.#cells32(), byte / 4, old as number, raw as number);
    return Atomics.compareExchange(this.#cells64(), byte / 8, old as bigint, raw as bigint);
  }

  /** The integer that lies in memory where `value` does. */
  #raw<T>(codec: ScalarCodec<T>, value: T): number | bigint {
    codec.set(this.#scratch, 0, value);
    return this.#scratchRaw(codec.size);
  }

  #scratchRaw(size: number): number | bigint {
    if (size === 1) return this.#s8[0]!;
    if (size === 2) return this.#s16[0]!;
    if (size === 4) return this.#s32[0]!;
    return this.#s64[0]!;
  }

  #setRaw(size: number, raw: number | bigint): void {
    if (size === 1) this.#s8[0] = raw as number;
    else if (size === 2) this.#s16[0] = raw as number;
    else if (size === 4) this.#s32[0] = raw as number;
    else this.#s64[0] = raw as bigint;
  }

  #cells8(): Int8Array {
    this.#i8 ??= new Int8Array(this.#buffer);
    return this.#i8;
  }

  #cells16(): Int16Array {
    this.#i16 ??= new Int16Array(this.#buffer, 0, Math.floor(this.#buffer.byteLength / 2));
    return this.#i16;
  }

  #cells32(): Int32Array {
    this.#i32 ??= new Int32Array(this.#buffer, 0, Math.floor(this.#buffer.byteLength / 4));
    return this.#i32;
  }

  #cells64(): BigInt64Array {
    this.#i64 ??= new BigInt64Array(this.#buffer, 0, Math.floor(this.#buffer.byteLength / 8));
    return this.#i64;
  }
}
