import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { chunksOf, GuestMemoryError, guestMemory, loadFrom, type StreamSource, saveTo, u8 } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'vm-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two regions that touch at 0x1000, and a hole from 0x2000. */
const two = () =>
  guestMemory([
    { startAddr: 0, memory: 0x1000 },
    { startAddr: 0x1000, memory: 0x1000 },
  ]);
const pattern = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 31 + 7) & 0xff);

describe('streams', () => {
  it('V-1.10: a file is loaded and saved by streaming', async () => {
    const memory = two();
    const from = join(folder, 'in');
    const to = join(folder, 'out');
    writeFileSync(from, pattern(0x1800));
    expect(await loadFrom(memory, 0x400, createReadStream(from, { highWaterMark: 1000 }))).toBe(0x1800);
    await saveTo(memory, 0x400, 0x1800, createWriteStream(to), { chunkSize: 777 });
    expect(new Uint8Array(readFileSync(to))).toEqual(pattern(0x1800));
  });

  it('V-1.10: the web stream of a file is loaded, whose pieces are ArrayBuffers on Node 20', async () => {
    const memory = two();
    const from = join(folder, 'web');
    writeFileSync(from, pattern(0x1800));
    const file = await open(from);
    expect(await loadFrom(memory, 0x400, file.readableWebStream() as never)).toBe(0x1800);
    await file.close();
    const bytes = new Uint8Array(0x1800);
    memory.readSlice(bytes, 0x400);
    expect(bytes).toEqual(pattern(0x1800));
  });

  it('V-1.5: Web streams, Blobs and iterables work by duck type', async () => {
    const data = pattern(0x500);
    for (const source of [
      new Blob([data]).stream(),
      new Blob([data]),
      [data.subarray(0, 100), data.subarray(100)],
      [data.slice(0, 100).buffer, data.slice(100)],
      (async function* () {
        yield data;
      })(),
    ]) {
      const memory = two();
      expect(await loadFrom(memory, 0xf00, source as never)).toBe(0x500);
      const out: number[] = [];
      let closed = false;
      const sink = new WritableStream<Uint8Array>({
        write: (chunk) => void out.push(...chunk),
        close: () => {
          closed = true;
        },
      });
      await saveTo(memory, 0xf00, 0x500, sink, { chunkSize: 300 });
      expect([out, closed]).toEqual([[...data], true]);
    }
  });

  it('V-1.5: count stops a source and cancels it', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(100).fill(5)),
      cancel: () => {
        cancelled = true;
      },
    });
    const memory = two();
    expect(await loadFrom(memory, 0, endless, { count: 250 })).toBe(250);
    expect([cancelled, memory.load(249, u8), memory.load(250, u8)]).toEqual([true, 5, 0]);
    await expect(loadFrom(memory, 0, [pattern(9)], { count: 10 })).rejects.toMatchObject({
      code: 'io-error',
      expected: 10,
      completed: 9,
      message: 'the source ended after 9 of 10 bytes for 0x0; leave count out if that may be',
    });
  });

  it('V-1.5: memory that ends before the source tells how far it came', async () => {
    const memory = two();
    const error = await loadFrom(memory, 0x1f00, [pattern(0x80), pattern(0x100)]).catch((e) => e);
    expect(error).toBeInstanceOf(GuestMemoryError);
    expect(error).toMatchObject({ code: 'partial-buffer', completed: 0x100 });
    expect(() => [...chunksOf(memory, 0x1f00, 0x200, { chunkSize: 0x80 })]).toThrow(/ended after 256/);
    const large = guestMemory([{ startAddr: 0, memory: 0x1_0001 }]);
    expect([...chunksOf(large, 0, 0x1_0001)].map((chunk) => chunk.length)).toEqual([0x1_0000, 1]);
  });

  it.each<[string, () => StreamSource]>([
    [
      'generator',
      () =>
        (function* () {
          yield pattern(5);
          throw new Error('unplugged');
        })(),
    ],
    [
      'async generator',
      () =>
        (async function* () {
          yield pattern(5);
          throw new Error('unplugged');
        })(),
    ],
    [
      'ReadableStream',
      () => {
        let asked = 0;
        return new ReadableStream<Uint8Array>({
          pull: (to) => (asked++ === 0 ? to.enqueue(pattern(5)) : to.error(new Error('unplugged'))),
        });
      },
    ],
    [
      'Node Readable',
      () => {
        let asked = 0;
        return new Readable({
          read() {
            if (asked++ === 0) this.push(pattern(5));
            else this.destroy(new Error('unplugged'));
          },
        });
      },
    ],
  ])('V-1.5: a %s that fails is an io-error that tells cause and progress', async (_name, source) => {
    const memory = two();
    const error = await loadFrom(memory, 0x10, source(), { count: 9 }).catch((e) => e);
    expect(error).toBeInstanceOf(GuestMemoryError);
    expect(error).toMatchObject({ code: 'io-error', addr: 0x10, expected: 9, completed: 5 });
    expect(error.cause.message).toBe('unplugged');
    expect(memory.load(0x10, u8)).toBe(pattern(1)[0]);
  });

  it('V-1.5: a file that is not there is an io-error of 0 bytes', async () => {
    const error = await loadFrom(two(), 0, createReadStream(join(folder, 'nowhere'))).catch((e) => e);
    expect(error).toMatchObject({ code: 'io-error', completed: 0, cause: { code: 'ENOENT' } });
  });

  it('D1: an address out of range is a RangeError before a source or sink is touched', async () => {
    const memory = two();
    const source = new ReadableStream<Uint8Array>();
    const sink = new WritableStream<Uint8Array>();
    for (const addr of [-1, 0.5, Number.NaN, 1n << 64n]) {
      await expect(loadFrom(memory, addr, source)).rejects.toThrow(RangeError);
      await expect(saveTo(memory, addr, 1, sink)).rejects.toThrow(RangeError);
      expect(() => chunksOf(memory, addr, 1)).toThrow(RangeError);
    }
    await expect(saveTo(memory, 0, -1, sink)).rejects.toThrow(RangeError);
    await expect(saveTo(memory, 0, 1, sink, { chunkSize: 0 })).rejects.toThrow(RangeError);
    expect([source.locked, sink.locked]).toEqual([false, false]);
  });

  it('V-1.5: bytes at hand are one chunk', async () => {
    for (const source of [pattern(9), pattern(9).buffer, Buffer.from(pattern(9))]) {
      const memory = two();
      expect(await loadFrom(memory, 0xffc, source)).toBe(9);
      const back = new Uint8Array(9);
      memory.readSlice(back, 0xffc);
      expect(back).toEqual(pattern(9));
    }
  });

  it('V-1.5: a source of what is no bytes is told what to give, and is ended', async () => {
    let ended = false;
    const numbers = function* () {
      try {
        yield 1;
      } finally {
        ended = true;
      }
    };
    await expect(loadFrom(two(), 0, numbers() as never)).rejects.toThrow(/must give Uint8Arrays .*, not numbers/);
    expect(ended).toBe(true);
    for (const source of [null, undefined, 'text', 5, new Uint16Array(2)])
      await expect(loadFrom(two(), 0, source as never)).rejects.toThrow(TypeError);
  });

  it('V-1.5: a sink that fails is passed on, and the process lives', async () => {
    const memory = two();
    const broken = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('disk full')) });
    await expect(saveTo(memory, 0, 0x100, broken)).rejects.toThrow('disk full');
    expect(broken.destroyed).toBe(true);
    await expect(saveTo(memory, 0, 1, {} as never)).rejects.toThrow(TypeError);
    await expect(loadFrom(memory, 0, {} as never)).rejects.toThrow(TypeError);
    await expect(loadFrom(memory, 0, ['text'] as never)).rejects.toThrow(TypeError);
  });

  it('V-1.5: keepOpen leaves the sink to its owner, after a transfer and after memory that ended', async () => {
    const memory = two();
    const taken: number[] = [];
    let aborted = false;
    const web = new WritableStream<Uint8Array>({
      write: (chunk) => void taken.push(chunk.length),
      abort: () => {
        aborted = true;
      },
    });
    const node = new Writable({
      write: (chunk: Uint8Array, _encoding, callback) => {
        taken.push(chunk.length);
        callback();
      },
    });
    for (const sink of [web, node]) {
      await saveTo(memory, 0, 5, sink, { keepOpen: true });
      await expect(saveTo(memory, 0x1ffe, 3, sink, { keepOpen: true })).rejects.toMatchObject({ completed: 2 });
      await saveTo(memory, 0, 7, sink, { keepOpen: true });
      expect(taken.splice(0)).toEqual([5, 7]);
    }
    expect([web.locked, aborted, node.writable, node.listenerCount('error')]).toEqual([false, false, true, 0]);
  });

  it('V-1.5: a sink that fails and is kept open tells its error late, and the process lives', async () => {
    const broken = new Writable({
      write: (_chunk, _encoding, callback) => callback(new Error('disk full')),
      destroy: (error, callback) => void setTimeout(callback, 1, error), // as a file does, which is closed first
    });
    const closed = new Promise((resolve) => broken.once('close', resolve));
    await expect(saveTo(two(), 0, 0x100, broken, { keepOpen: true })).rejects.toThrow('disk full');
    await closed;
    expect(broken.errored).toMatchObject({ message: 'disk full' });
  });

  it('V-1.5: a file descriptor is a source and a sink of one call each', () => {
    const path = join(folder, 'fd');
    writeFileSync(path, pattern(0x1400));
    const fd = openSync(path, 'r+');
    const memory = two();
    memory.readExactVolatileFrom(0xc00, { readVolatile: (into) => readSync(fd, into) }, 0x1400);
    const back = new Uint8Array(0x1400);
    memory.readSlice(back, 0xc00);
    expect(back).toEqual(pattern(0x1400));
    memory.writeAllVolatileTo(0xc00, { writeVolatile: (from) => writeSync(fd, from) }, 0x1400);
    expect(new Uint8Array(readFileSync(path))).toEqual(new Uint8Array([...pattern(0x1400), ...pattern(0x1400)]));
  });

  it('V-1.8: a short source ends the transfer at the border it came to', () => {
    const memory = two();
    let calls = 0;
    const short = {
      readVolatile: (into: Uint8Array) => {
        calls++;
        into.set([9, 9, 9]);
        return 3;
      },
    };
    expect(memory.readVolatileFrom(0xff8, short, 16)).toBe(3);
    expect([calls, memory.load(0xffb, u8), memory.load(0x1000, u8)]).toEqual([1, 0, 0]);
    const oneShort = { readVolatile: (into: Uint8Array) => into.length - 1 };
    expect(memory.readVolatileFrom(0xff8, oneShort, 16)).toBe(7);
    expect(memory.writeVolatileTo(0xff8, { writeVolatile: (from) => from.length - 1 }, 16)).toBe(7);
  });

  it('V-1.5: a source or sink that lies about its count is refused', () => {
    const memory = two();
    for (const lie of [17, -1, 1.5, undefined as never])
      expect(() => memory.readVolatileFrom(0, { readVolatile: () => lie }, 16)).toThrow(
        expect.objectContaining({ code: 'callback-out-of-range' }),
      );
    expect(() => memory.writeVolatileTo(0, { writeVolatile: () => 99 }, 16)).toThrow(/answered 99/);
    const failing = {
      readVolatile: () => {
        throw new Error('gone');
      },
    };
    expect(() => memory.readVolatileFrom(0, failing, 16)).toThrow(expect.objectContaining({ code: 'io-error' }));
  });
});
