import { mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  AtomicBitmap,
  ByteSink,
  ByteSource,
  GrowingSink,
  GuestMemoryError,
  guestMemory,
  IommuMemory,
  readExactVolatile,
  u8,
  VolatileSlice,
  writeAllVolatile,
} from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'vm-memory-io-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => i + 1);
let files = 0;
const file = (contents: Uint8Array) => {
  const path = join(folder, String(files++));
  writeFileSync(path, contents);
  return path;
};

describe('sources and sinks', () => {
  it('io::test_read_volatile: never past the slice; exact reads fail at the end of the source', () => {
    for (const n of [2, 4, 5]) {
      const fd = openSync(file(bytes(n)), 'r');
      for (const source of [new ByteSource(bytes(n)), { readVolatile: (into: Uint8Array) => readSync(fd, into) }]) {
        const memory = new Uint8Array(5);
        const slice = new VolatileSlice(memory).subslice(0, 4);
        const moved = Math.min(n, 4);
        expect(slice.readVolatileFrom(0, source, 4)).toBe(moved);
        expect([...memory]).toEqual([...bytes(moved), ...new Array(5 - moved).fill(0)]);
      }
    }
    const untouched = new Uint8Array(4);
    expect(() => readExactVolatile(new ByteSource(bytes(3)), new VolatileSlice(untouched))).toThrow(GuestMemoryError);
    expect([...untouched]).toEqual([0, 0, 0, 0]);
    const fd = openSync(file(bytes(3)), 'r');
    const touched = new Uint8Array(4);
    expect(() => readExactVolatile({ readVolatile: (into) => readSync(fd, into) }, new VolatileSlice(touched))).toThrow(
      /after 3 of 4/,
    );
    expect([...touched]).toEqual([1, 2, 3, 0]);
  });

  it('io::test_write_volatile: never past the sink; writing all fails where the sink is full', () => {
    for (const n of [2, 4, 5]) {
      const sink = new ByteSink(new Uint8Array(n));
      expect(new VolatileSlice(bytes(4)).writeVolatileTo(0, sink, 4)).toBe(Math.min(n, 4));
      expect([...sink.bytes]).toEqual([...bytes(Math.min(n, 4)), ...new Array(Math.max(0, n - 4)).fill(0)]);
    }
    const path = file(new Uint8Array(0));
    const fd = openSync(path, 'w');
    writeAllVolatile({ writeVolatile: (from) => writeSync(fd, from) }, new VolatileSlice(bytes(5)).subslice(0, 4));
    expect([...readFileSync(path)]).toEqual([1, 2, 3, 4]);
    const full = new ByteSink(new Uint8Array(4));
    expect(() => writeAllVolatile(full, new VolatileSlice(bytes(5)))).toThrow(/took 4 of 5/);
    expect([...full.bytes]).toEqual([1, 2, 3, 4]);
  });

  it('io::test_read_volatile_for_cursor: seven bytes as four and three; an exact read of more changes nothing', () => {
    const source = new ByteSource(bytes(7));
    const first = new VolatileSlice(new Uint8Array(4));
    readExactVolatile(source, first);
    expect([...first.bytes]).toEqual([1, 2, 3, 4]);
    const second = new VolatileSlice(new Uint8Array(4));
    expect(() => readExactVolatile(source, second)).toThrow(GuestMemoryError);
    expect([[...second.bytes], source.position]).toEqual([[0, 0, 0, 0], 4]);
    expect(second.readVolatileFrom(0, source, 4)).toBe(3);
    expect([[...second.bytes], source.remaining]).toEqual([[5, 6, 7, 0], 0]);
  });

  it('io::test_write_volatile_for_cursor: four and three into seven', () => {
    const sink = new ByteSink(new Uint8Array(7));
    const slice = new VolatileSlice(bytes(4));
    expect([
      slice.writeVolatileTo(0, sink, 4),
      slice.writeVolatileTo(0, sink, 4),
      slice.writeVolatileTo(0, sink, 4),
    ]).toEqual([4, 3, 0]);
    expect([...sink.bytes]).toEqual([1, 2, 3, 4, 1, 2, 3]);
  });

  it('io::test_write_volatile_for_vec: appends, and grows as it must', () => {
    const sink = new GrowingSink();
    writeAllVolatile(sink, new VolatileSlice(bytes(4)));
    writeAllVolatile(sink, new VolatileSlice(bytes(200)));
    expect([sink.length, [...sink.toBytes()]]).toEqual([204, [...bytes(4), ...bytes(200)]]);
  });

  it('V-1.5: a source that fails leaves the whole slice marked, one that succeeds just its bytes', () => {
    const bitmap = new AtomicBitmap(16, { pageSize: 1 });
    const slice = new VolatileSlice(new Uint8Array(16), bitmap);
    slice.readVolatileFrom(0, new ByteSource(bytes(3)), 8);
    expect([2, 3].map((i) => bitmap.dirtyAt(i))).toEqual([true, false]);
    const failing = {
      readVolatile(): number {
        throw new Error('EIO');
      },
    };
    expect(() => slice.readVolatileFrom(4, failing, 8)).toThrow(expect.objectContaining({ code: 'io-error' }));
    expect([3, 4, 11, 12].map((i) => bitmap.dirtyAt(i))).toEqual([false, true, true, false]);
  });
});

it.each([
  ['an object without a prototype', Object.create(null)],
  [
    'an error whose text is an object without a prototype',
    Object.assign(new Error('no'), { message: Object.create(null) }),
  ],
  ['an error whose text is a symbol', Object.assign(new Error('no'), { message: Symbol('no') })],
])('V-1.5, V-1.12: what a stream or a translation throws may have no text: %s', (_, thrown) => {
  const failing = (): never => {
    throw thrown;
  };
  const memory = guestMemory([{ startAddr: 0, memory: 16 }]);
  expect(() => memory.readVolatileFrom(4, { readVolatile: failing }, 8)).toThrow(
    expect.objectContaining({
      code: 'io-error',
      message: expect.stringMatching(/ failed .*: a value without text$/),
      cause: thrown,
    }),
  );
  const behind = new IommuMemory(memory, { translate: failing });
  expect(() => behind.load(4, u8)).toThrow(
    expect.objectContaining({
      code: 'iommu-error',
      message: 'translation of 0x4 failed: a value without text',
      cause: thrown,
    }),
  );
});
