/**
 * Ways to read 4 KiB out of a buffer, as loops over `b` (the caller's bytes) and `u` (the memory). Figures of 2026-11-22, Node
 * 20 / 26, ns with the loop; native `read`, which is a memcpy, takes 76. Each way in needs a view of the source first: `set`
 * alone, which is all that a write needs, takes 80 / 81. So 0.9 of native is out of reach for reads, and at the edge for writes.
 */

/** The text of each access; `a` is the address. */
export const COPIES = {
  /** 120 / 116. */
  subarray: '(b.set(u.subarray(a, a + 4096)), b[0])',
  /** 126 / 104: the real thing. */
  view: '(b.set(new Uint8Array(u.buffer, a, 4096)), b[0])',
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
