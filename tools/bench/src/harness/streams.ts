/**
 * The address streams, in 32-bit arithmetic that every peer can do: the Rust program has the same ones in
 * native/src/streams.rs. As source text, because each row's loop is generated with its stream and access written out.
 */

/** Bytes of one RAM region of the bench; eight of them lie side by side. */
export const REGION_BYTES = 64 << 20;

export type StreamName = 'seq' | 'hot' | 'hot8' | 'rand' | 'rand8' | 'touch' | 'device1' | 'device8' | 'pages';

/** A stream: what stands before the loop, and what each round computes; `a` is the address. */
export interface Stream {
  readonly start: string;
  readonly step: string;
}

const LCG = 'x = (Math.imul(x, 1664525) + 1013904223) | 0;';

/** @param size bytes of one access; @param base first address; @param shift log2 of the distance of two devices. */
export function stream(name: StreamName, size: number, base = 0, shift = 12): Stream {
  const from = base === 0 ? '' : `${base} + `;
  const random = (address: string): Stream => ({
    start: 'let x = 12345;',
    step: `${LCG} const a = ${from}(${address});`,
  });
  switch (name) {
    case 'seq':
      return {
        start: 'let next = 0;',
        step: `const a = ${from}next; next = (next + ${size}) & ${REGION_BYTES - 1};`,
      };
    case 'touch':
      return { start: '', step: `const a = ${from}((i << 12) & ${REGION_BYTES - 1});` };
    case 'hot':
    case 'device1':
      return random('(x >>> 20) & 0xff8');
    case 'hot8':
      return random('((x >>> 20) & 0xff8) | (((x >>> 14) & 7) << 26)');
    case 'rand':
      return random('(x >>> 6) & 0x03fffff8');
    case 'rand8':
      return random('(x >>> 3) & 0x1ffffff8');
    case 'device8':
      return random(`((x >>> 20) & 0xff8) + ((i & 7) << ${shift})`);
    case 'pages':
      return random('(x >>> 6) & 0x03fffff8');
  }
}

/** The 64-bit word that memory holds at `addr` (a multiple of 8) before any check: low half, high half (0 or 1). */
function fillWord(addr: number): readonly [number, number] {
  return [Math.imul(addr, 2654435761) >>> 0, (addr >>> 3) & 1];
}

/** Fills `view`, which lies at guest address `addr`, with `fillWord`. */
export function fill(view: DataView, addr: number, limit: number = view.byteLength): void {
  for (let at = 0; at + 8 <= Math.min(limit, view.byteLength); at += 8) {
    const [low, high] = fillWord(addr + at);
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
  }
}
