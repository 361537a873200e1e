/**
 * Ways to read 4 KiB out of a buffer, as loops over `b` (the caller's bytes) and `u` (the memory). Figures of 2026-11-23, Node
 * 20 / 26, ns with the loop; native `read`, which is a memcpy, takes 76. Each way in needs a view of the source first: `set`
 * of one that is there takes 70, `set` alone, which is all that a write needs, 80 / 76. So 0.9 of native is out of reach for
 * reads, and at the edge for writes.
 */

/** The text of each access; `a` is the address. */
export const COPIES = {
  /** 124 / 119. */
  subarray: '(b.set(u.subarray(a, a + 4096)), b[0])',
  /** 118 / 110 to 165: `buffer` is a call. */
  view: '(b.set(new Uint8Array(u.buffer, a, 4096)), b[0])',
  /** 95 / 91: the real thing. */
  buffer: '(b.set(new Uint8Array(r, a, 4096)), b[0])',
  /** 85 / 86: a table of the views that were made, which are 64 KiB themselves. */
  kept: '(b.set(kept(a)), b[0])',
  /** 121 / 118, where `buffer` took 99 / 98: `slice` into bytes that are there, without a view; to ask the class for its species costs more than a view. */
  species: '(s.slice(a, a + 4096), b[0])',
  /** 480 / 226: V8 does not vectorise. Only for multiples of 8. */
  doubles: '(copy(a), b[0])',
} as const;

/** The loop of `doubles`. */
export function doublesCopy(u: Uint8Array, b: Uint8Array): (addr: number) => void {
  const from = new Float64Array(u.buffer, u.byteOffset, u.byteLength >>> 3);
  const to = new Float64Array(b.buffer, b.byteOffset, b.byteLength >>> 3);
  return (addr) => {
    const at = addr >>> 3;
    for (let i = 0; i < to.length; i++) to[i] = from[at + i]!;
  };
}

/** The memory of `species`: its slices go into `b`. */
export function slicedInto(u: Uint8Array, b: Uint8Array): Uint8Array {
  class Memory extends Uint8Array<ArrayBufferLike> {}
  // A function, as a class would have to make an object first.
  function take(): Uint8Array {
    return b;
  }
  Object.defineProperty(Memory, Symbol.species, { value: take });
  return new Memory(u.buffer, u.byteOffset, u.byteLength);
}

/** The views of `kept`: one for each offset of the stream. */
export function keptViews(u: Uint8Array): (addr: number) => Uint8Array {
  const views = Array.from({ length: 512 }, (_, i) => u.subarray(8 * i, 8 * i + 4096));
  return (addr) => views[(addr >>> 3) & 511]!;
}
