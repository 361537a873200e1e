/**
 * 64-bit values as two 32-bit halves: no bigint, so no allocation, and every value fits (D2). The pair belongs to the
 * caller: make one, and the codec over it, once per place that loads or stores. Hot.
 */
import { type ByteOrder, ScalarCodec, ScalarKind } from '@guestmem/vm-memory';

/** A 64-bit value: `hi * 2^32 + lo`, both unsigned 32-bit. */
export class U64Halves {
  lo = 0;
  hi = 0;

  /** The value as a bigint. For cold code. */
  toBigInt(): bigint {
    return (BigInt(this.hi) << 32n) | BigInt(this.lo);
  }

  /** Takes the low 64 bits of `value`. @returns this. */
  set(value: bigint): this {
    this.lo = Number(BigInt.asUintN(32, value));
    this.hi = Number(BigInt.asUintN(32, value >> 32n));
    return this;
  }
}

/**
 * A codec of 8 bytes whose loads go into `pair` and return it: `view.load(addr, codec).hi`. Stores take any pair.
 * The next load overwrites the pair, so a codec is not to be shared between places that can interrupt one another.
 *
 * @throws {TypeError} no order.
 */
export function halvesCodec(order: ByteOrder, pair: U64Halves = new U64Halves()): ScalarCodec<U64Halves> {
  if (order !== 'little' && order !== 'big')
    throw new TypeError(`byte order must be 'little' or 'big', not ${String(order)}`);
  return order === 'little' ? little(pair) : big(pair);
}

function little(pair: U64Halves): ScalarCodec<U64Halves> {
  return new ScalarCodec<U64Halves>(
    'le64halves',
    ScalarKind.OTHER,
    8,
    true,
    (view, offset) => {
      pair.lo = view.getUint32(offset, true);
      pair.hi = view.getUint32(offset + 4, true);
      return pair;
    },
    (view, offset, value) => {
      if (!isPair(value)) throw noPair('le64halves', value);
      view.setUint32(offset, value.lo, true);
      view.setUint32(offset + 4, value.hi, true);
    },
  );
}

function big(pair: U64Halves): ScalarCodec<U64Halves> {
  return new ScalarCodec<U64Halves>(
    'be64halves',
    ScalarKind.OTHER,
    8,
    false,
    (view, offset) => {
      pair.hi = view.getUint32(offset, false);
      pair.lo = view.getUint32(offset + 4, false);
      return pair;
    },
    (view, offset, value) => {
      if (!isPair(value)) throw noPair('be64halves', value);
      view.setUint32(offset, value.hi, false);
      view.setUint32(offset + 4, value.lo, false);
    },
  );
}

function isPair(value: U64Halves): boolean {
  return value.lo >>> 0 === value.lo && value.hi >>> 0 === value.hi;
}

function noPair(name: string, { lo, hi }: U64Halves): Error {
  const shown = `lo ${String(lo)}, hi ${String(hi)}`;
  if (typeof lo !== 'number' || typeof hi !== 'number')
    return new TypeError(`${name} takes a pair of numbers lo and hi, not ${shown}`);
  return new RangeError(`${name} takes lo and hi from 0 to 0xffffffff, not ${shown}`);
}
