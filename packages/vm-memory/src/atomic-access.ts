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

/** By log2 of the size. Whoever takes one out takes it for numbers: what it holds is only passed on, and compared. */
const KINDS = [Int8Array, Int16Array, Int32Array, BigInt64Array] as unknown as readonly Int32ArrayConstructor[];

/** Typed arrays over one buffer, made when first used: Atomics need them, DataView has none. */
export class AtomicCells {
  readonly buffer: ArrayBufferLike;
  /** As `KINDS`; null before its first use. */
  readonly #cells: (Int32Array | null)[] = [null, null, null, null];
  /** Has the last `compareExchange` stored its value? */
  stored = false;
  readonly #scratch: DataView;
  /** The scratch, as `KINDS`. */
  readonly #raw: readonly Int32Array[];

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
    const scratch = new ArrayBuffer(8);
    this.#scratch = new DataView(scratch);
    this.#raw = KINDS.map((Kind) => new Kind(scratch));
  }

  /** Loads at `byte` of the buffer, a multiple of `codec.size`. */
  load<T>(byte: number, codec: ScalarCodec<T>): T {
    if (codec.kind === 4 && codec.littleEndian === HOST_LITTLE) return (Atomics.load(this.#of(2), byte / 4) >>> 0) as T; // u32 in host order needs no scratch
    const { size } = codec;
    const log = logOf(size);
    this.#raw[log]![0] = Atomics.load(this.#of(log), byte / size);
    return codec.get(this.#scratch, 0);
  }

  /** Stores at `byte` of the buffer, a multiple of `codec.size`. @throws {TypeError | RangeError} not a value of `codec`; nothing is stored. */
  store<T>(byte: number, codec: ScalarCodec<T>, value: T): void {
    const { size } = codec;
    const log = logOf(size);
    codec.set(this.#scratch, 0, value);
    Atomics.store(this.#of(log), byte / size, this.#raw[log]![0]!);
  }

  /** Stores `value` where `expected` is, byte for byte; gives what was there, and tells in `stored` whether it did. */
  compareExchange<T>(byte: number, codec: ScalarCodec<T>, expected: T, value: T): T {
    const { size } = codec;
    const log = logOf(size);
    const raw = this.#raw[log]!;
    codec.set(this.#scratch, 0, expected);
    const old = raw[0]!;
    codec.set(this.#scratch, 0, value);
    raw[0] = Atomics.compareExchange(this.#of(log), byte / size, old, raw[0]!);
    this.stored = raw[0] === old;
    return codec.get(this.#scratch, 0);
  }

  /** Replaces the value by `change` of it, again if another agent was faster; gives what was there. Compares bits, so that NaN ends too. */
  update<T>(byte: number, codec: ScalarCodec<T>, change: (value: T) => T): T {
    const { size } = codec;
    const log = logOf(size);
    const raw = this.#raw[log]!;
    const cells = this.#of(log);
    let old = Atomics.load(cells, byte / size);
    for (;;) {
      raw[0] = old;
      const before = codec.get(this.#scratch, 0);
      codec.set(this.#scratch, 0, change(before)); // `change` may use the scratch itself.
      const seen = Atomics.compareExchange(cells, byte / size, old, raw[0]);
      if (seen === old) return before;
      old = seen;
    }
  }

  #of(log: number): Int32Array {
    const { buffer } = this;
    const found = this.#cells[log]!;
    if (found !== null) return found;
    const Kind = KINDS[log]!;
    const made = new Kind(buffer, 0, Math.floor(buffer.byteLength / Kind.BYTES_PER_ELEMENT));
    this.#cells[log] = made;
    return made;
  }
}

function logOf(size: number): number {
  return 31 - Math.clz32(size);
}
