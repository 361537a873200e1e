/** The accesses that every memory of the bench does, and how the loop spells them on an object with vm-memory's `Bytes`. */
import type { Kind } from '../harness/row.ts';

/** One access. */
export interface Access {
  /** Bytes. */
  readonly size: number;
  readonly kind: Kind;
  /** On `m` with codec `c`; bulk accesses use `b`, a buffer of `size` bytes. */
  readonly bytes: string;
  /** On a DataView `m` (bulk: on the Uint8Array `u`): the floor. */
  readonly floor: string;
  /** What the native program calls it. */
  readonly native: string;
  /** Which codec: bits, and as what. */
  readonly codec: 'u8' | 'i16' | 'u32' | 'u32be' | 'u64' | 'u64Number';
}

const READ = 'm.readSlice(b, a), b[0]';
const WRITE = 'b[0] = b[0] + 1; m.writeSlice(b, a)';

function bulk(size: number, write: boolean): Access {
  return write
    ? {
        size,
        kind: 'store',
        bytes: WRITE,
        floor: 'b[0] = b[0] + 1; u.set(b, a)',
        native: `write:${size}`,
        codec: 'u32',
      }
    : {
        size,
        kind: 'number',
        bytes: `(${READ})`,
        floor: `(b.set(u.subarray(a, a + ${size})), b[0])`,
        native: `read:${size}`,
        codec: 'u32',
      };
}

export const ACCESSES = {
  load32: {
    size: 4,
    kind: 'number',
    bytes: 'm.load(a, c)',
    floor: 'm.getUint32(a, true)',
    native: 'load32',
    codec: 'u32',
  },
  load8: { size: 1, kind: 'number', bytes: 'm.load(a, c)', floor: 'm.getUint8(a)', native: '', codec: 'u8' },
  store8: {
    size: 1,
    kind: 'store',
    bytes: 'm.store(a, c, i & 0xff)',
    floor: 'm.setUint8(a, i)',
    native: '',
    codec: 'u8',
  },
  load16s: { size: 2, kind: 'number', bytes: 'm.load(a, c)', floor: 'm.getInt16(a, true)', native: '', codec: 'i16' },
  load32be: {
    size: 4,
    kind: 'number',
    bytes: 'm.load(a, c)',
    floor: 'm.getUint32(a, false)',
    native: '',
    codec: 'u32be',
  },
  load64n: {
    size: 8,
    kind: 'float',
    bytes: 'm.load(a, c)',
    floor: '(m.getUint32(a, true) + m.getUint32(a + 4, true) * 4294967296)',
    native: 'load64',
    codec: 'u64Number',
  },
  load64: {
    size: 8,
    kind: 'bigint',
    bytes: 'm.load(a, c)',
    floor: 'm.getBigUint64(a, true)',
    native: 'load64',
    codec: 'u64',
  },
  store32: {
    size: 4,
    kind: 'store',
    bytes: 'm.store(a, c, i)',
    floor: 'm.setUint32(a, i, true)',
    native: 'store32',
    codec: 'u32',
  },
  store64n: {
    size: 8,
    kind: 'store',
    bytes: 'm.store(a, c, i)',
    floor: 'm.setUint32(a, i, true); m.setUint32(a + 4, 0, true)',
    native: 'store64',
    codec: 'u64Number',
  },
  readObj32: { size: 4, kind: 'number', bytes: 'm.readObj(a, c)', floor: '', native: 'readObj32', codec: 'u32' },
  readObj64n: { size: 8, kind: 'float', bytes: 'm.readObj(a, c)', floor: '', native: 'readObj64', codec: 'u64Number' },
  writeObj32: { size: 4, kind: 'store', bytes: 'm.writeObj(a, c, i)', floor: '', native: 'writeObj32', codec: 'u32' },
  writeObj64n: {
    size: 8,
    kind: 'store',
    bytes: 'm.writeObj(a, c, i)',
    floor: '',
    native: 'writeObj64',
    codec: 'u64Number',
  },
  touch32: {
    size: 4,
    kind: 'store',
    bytes: 'm.store(a, c, i)',
    floor: 'm.setUint32(a, i, true)',
    native: 'touch32',
    codec: 'u32',
  },
  read4K: bulk(4096, false),
  write4K: bulk(4096, true),
  read1M: bulk(1 << 20, false),
  write1M: bulk(1 << 20, true),
} as const satisfies Record<string, Access>;

export type AccessName = keyof typeof ACCESSES;

/** Is it a transfer of a buffer? Those are checked with fewer rounds. */
export function isBulk(access: Access): boolean {
  return access.size > 8;
}

/** Rounds of the check of `access`. */
export function checkCount(access: Access): number {
  return isBulk(access) ? 64 : 1 << 20;
}
