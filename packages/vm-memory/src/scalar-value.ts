/** Messages for values that a scalar codec does not take or cannot give. Built on failure only. D2, D10. */
import { ScalarKind, type ScalarShape } from './codec.ts';

/** Why `value` is not one of `codec`'s: a TypeError for the wrong kind, a RangeError for the wrong size. */
export function badScalarValue(codec: ScalarShape, value: unknown): TypeError | RangeError {
  const bits = codec.size * 8;
  if (codec.kind === ScalarKind.U64 || codec.kind === ScalarKind.I64) {
    if (typeof value !== 'bigint')
      return new TypeError(
        `${codec.name} takes a bigint, not ${typeof value}; use the 64-bit number codec for numbers`,
      );
  } else if (typeof value !== 'number') {
    const wide = typeof value === 'bigint' && bits === 64 ? '; use the bigint codec for bigints' : '';
    return new TypeError(`${codec.name} takes a number, not ${value === null ? 'null' : typeof value}${wide}`);
  }
  const shown =
    typeof value === 'bigint' || Number.isInteger(value) ? signedHex(value as number | bigint) : String(value);
  return new RangeError(`${codec.name} takes ${limits(codec)}, not ${shown}`);
}

/** A 64-bit number codec met an integer that a number cannot hold exactly. */
export function unsafeScalar(kind: 'u64' | 'i64', value: bigint): RangeError {
  return new RangeError(`${kind} value ${signedHex(value)} is not a safe integer; load it with the bigint codec`);
}

function limits(codec: ScalarShape): string {
  switch (codec.kind) {
    case ScalarKind.U64_NUMBER:
      return 'safe integers from 0 to 0x1fffffffffffff';
    case ScalarKind.I64_NUMBER:
      return 'safe integers from -0x1fffffffffffff to 0x1fffffffffffff';
    case ScalarKind.I8:
    case ScalarKind.I16:
    case ScalarKind.I32:
    case ScalarKind.I64: {
      const half = 1n << BigInt(codec.size * 8 - 1);
      return `integers from ${signedHex(-half)} to ${signedHex(half - 1n)}`;
    }
    default:
      return `integers from 0 to ${signedHex((1n << BigInt(codec.size * 8)) - 1n)}`;
  }
}

function signedHex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
