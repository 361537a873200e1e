/**
 * Hot. One scalar in or out of a DataView, by the codec's kind: the innermost step of every load and store. Allocates
 * nothing except the bigint of 64-bit bigint codecs. The common kinds are cases here, as literals (their names beside
 * them), because a switch over small literals becomes a jump table and the codec's own functions are not inlined; what
 * does not fit is left to the codec, which throws. V-1.3, D2.
 */
import type { ScalarCodec } from './codec.ts';

/** Decodes; the caller has checked that `codec.size` bytes at `offset` are in `view`. @throws {RangeError} a 64-bit number codec met an unsafe integer. */
export function getScalar<T>(view: DataView, offset: number, codec: ScalarCodec<T>): T {
  switch (codec.kind) {
    case 0: // U8
      return view.getUint8(offset) as T;
    case 2: // U16
      return view.getUint16(offset, codec.littleEndian === true) as T;
    case 4: // U32
      return view.getUint32(offset, codec.littleEndian === true) as T;
    default:
      return getWide(view, offset, codec);
  }
}

/** Encodes after checking `value`; nothing is written when it throws. @throws {TypeError | RangeError} not a value of this codec. */
export function setScalar<T>(view: DataView, offset: number, codec: ScalarCodec<T>, value: T): void {
  const n = value as number;
  if (typeof n === 'number') {
    switch (codec.kind) {
      case 0:
        if ((n & 0xff) !== n) break;
        view.setUint8(offset, n);
        return;
      case 2:
        if ((n & 0xffff) !== n) break;
        view.setUint16(offset, n, codec.littleEndian === true);
        return;
      case 4:
        if (!(n >= 0 && n <= 0xffff_ffff && Math.floor(n) === n)) break;
        view.setUint32(offset, n, codec.littleEndian === true);
        return;
    }
  }
  codec.set(view, offset, value);
}

/** Apart, so that the common kinds stay small enough to be inlined several times in one caller. */
function getWide<T>(view: DataView, offset: number, codec: ScalarCodec<T>): T {
  if (codec.kind !== 8) return codec.get(view, offset);
  const little = codec.littleEndian === true;
  const high = view.getUint32(little ? offset + 4 : offset, little);
  if (high > 0x1f_ffff) return codec.get(view, offset); // throws
  return (high * 0x1_0000_0000 + view.getUint32(little ? offset : offset + 4, little)) as T;
}

/** Would `codec.set` take `value`? Throws what it would. For callers that must refuse before they move anything. */
export function checkScalar<T>(codec: ScalarCodec<T>, value: T): void {
  codec.set(SCRATCH, 0, value);
}

/** Written to check values, never read. */
const SCRATCH: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));
