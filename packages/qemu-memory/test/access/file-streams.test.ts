/** Streams between an address space and real files: descriptors, Node streams and Web streams, over RAM, devices and holes. */
import { closeSync, createReadStream, createWriteStream, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { le32, MemTxError, MemTxResult } from '@guestmem/memtx';
import {
  type AddressSpace,
  DirtyClient,
  MemoryCore,
  type MemoryRegion,
  memoryRegionSnapshotAndClearDirty,
} from '@guestmem/qemu-memory';
import {
  bufferBacking,
  chunksOf,
  loadFrom,
  type ReadVolatile,
  saveTo,
  type WebReadableLike,
  type WriteVolatile,
} from '@guestmem/vm-memory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { caught } from '../../../memtx/test/support/caught.ts';

let folder = '';
const descriptors: number[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guestmem-streams-'));
});
afterEach(async () => {
  for (const fd of descriptors.splice(0)) closeSync(fd);
  await rm(folder, { recursive: true });
});

/** A source over a file, as io.ts tells to write it. */
function source(path: string): ReadVolatile & { position(): number } {
  const fd = openSync(path, 'r');
  descriptors.push(fd);
  let position = 0;
  return {
    readVolatile: (into) => {
      const moved = readSync(fd, into);
      position += moved;
      return moved;
    },
    position: () => position,
  };
}

/** A sink over a file. */
function sink(path: string): WriteVolatile {
  const fd = openSync(path, 'w');
  descriptors.push(fd);
  return { writeVolatile: (from) => writeSync(fd, from) };
}

/** `length` bytes of which no 256 in a row are like another 256 of the file. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i ^ (i >>> 8) ^ (i >>> 16));
}

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

interface Machine {
  readonly space: AddressSpace;
  readonly low: Uint8Array;
  readonly lowRegion: MemoryRegion;
  readonly device: Uint8Array;
  readonly calls: string[];
  readonly high: Uint8Array;
}

/** RAM [0, 0x3000); a device of 16 bytes; RAM in shared memory [0x3010, 0x4010); then nothing up to RAM of 64 KiB at 2^63. */
function machine(): Machine {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  const low = new Uint8Array(0x3000);
  const device = new Uint8Array(16);
  const high = new Uint8Array(new SharedArrayBuffer(0x1000));
  const calls: string[] = [];
  const lowRegion = core.ram('low', bufferBacking(low));
  root.addSubregion(0, lowRegion);
  root.addSubregion(
    0x3000,
    core.io('device', 16, {
      endianness: 'little',
      valid: { minAccessSize: 1, maxAccessSize: 4 },
      impl: { minAccessSize: 1, maxAccessSize: 4 },
      read: (offset, size) => {
        calls.push(`R${size}@${offset}`);
        let value = 0;
        for (let i = size - 1; i >= 0; i--) value = value * 256 + (device[offset + i] ?? 0);
        return value;
      },
      write: (offset, value, size) => {
        calls.push(`W${size}@${offset}`);
        for (let i = 0; i < size; i++) device[offset + i] = value / 256 ** i;
      },
    }),
  );
  root.addSubregion(0x3010, core.ram('high', bufferBacking(high)));
  root.addSubregion(1n << 63n, core.ram('far', bufferBacking(0x1_0000)));
  return { space: core.addressSpace(root, 'memory'), low, lowRegion, device, calls, high };
}

const FOURS = ['@0', '@4', '@8', '@12'];

describe('file descriptors', () => {
  it('V-1.5: a file is read straight into RAM, through device callbacks in between, and into RAM again', async () => {
    const { space, low, device, calls, high } = machine();
    const bytes = pattern(0x4010);
    const src = source(await file('image', bytes));
    space.readExactVolatileFrom(0, src, 0x4010);
    expect(Buffer.compare(low, bytes.subarray(0, 0x3000))).toBe(0);
    expect([...device]).toEqual([...bytes.subarray(0x3000, 0x3010)]);
    expect(calls).toEqual(FOURS.map((at) => `W4${at}`));
    expect(Buffer.compare(high, bytes.subarray(0x3010))).toBe(0);
    expect(src.position()).toBe(0x4010);
  });

  it('V-1.5: memory is written to a file, a device as what its callbacks answer', () => {
    const { space, low, device, calls, high } = machine();
    const bytes = pattern(0x4010);
    low.set(bytes.subarray(0, 0x3000));
    device.set(bytes.subarray(0x3000, 0x3010));
    high.set(bytes.subarray(0x3010));
    const path = join(folder, 'dump');
    space.writeAllVolatileTo(0, sink(path), 0x4010);
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    expect(calls).toEqual(FOURS.map((at) => `R4${at}`));
  });

  it('V-1.5: a file that ends before is a short count, or an io-error that tells how far it came; what came is there', async () => {
    const { space, low } = machine();
    const path = await file('short', Uint8Array.of(1, 2, 3, 4, 5));
    expect(space.readVolatileFrom(0x100, source(path), 64)).toBe(5);
    expect([...low.subarray(0xff, 0x107)]).toEqual([0, 1, 2, 3, 4, 5, 0, 0]);
    expect(() => space.readExactVolatileFrom(0x200, source(path), 64)).toThrow(
      expect.objectContaining({ code: 'io-error', addr: 0x205, expected: 64, completed: 5 }),
    );
    expect([...low.subarray(0x200, 0x206)]).toEqual([1, 2, 3, 4, 5, 0]);
  });

  it('A-60: at a hole the transfer ends, and the file stays where memory ended', async () => {
    const { space, high } = machine();
    const bytes = pattern(64);
    const src = source(await file('image', bytes));
    expect(space.readVolatileFrom(0x4000, src, 64)).toBe(16);
    expect([...high.subarray(0xff0)]).toEqual([...bytes.subarray(0, 16)]);
    expect(src.position()).toBe(16);
    const failed = caught(() => space.readExactVolatileFrom(0x4008, src, 48));
    expect(failed).toBeInstanceOf(MemTxError);
    expect(failed).toMatchObject({ result: MemTxResult.DECODE_ERROR, expected: 48, completed: 8 });
    expect(src.position()).toBe(24); // the rest can still be read
    expect(() => space.readVolatileFrom(0x5000, src, 1)).toThrow(MemTxError);
    expect(src.position()).toBe(24);
    expect(() => space.writeVolatileTo(0x5000, sink(join(folder, 'nothing')), 1)).toThrow(MemTxError);
    expect(readFileSync(join(folder, 'nothing'))).toHaveLength(0);
  });

  it('A-180: what a file brought is dirty, page by page, and nothing else', async () => {
    const { space, lowRegion } = machine();
    lowRegion.setLog(true, DirtyClient.VGA);
    memoryRegionSnapshotAndClearDirty(lowRegion, 0, 0x3000, DirtyClient.VGA);
    space.readExactVolatileFrom(0x1ffe, source(await file('two', Uint8Array.of(1, 2))), 2);
    const after = memoryRegionSnapshotAndClearDirty(lowRegion, 0, 0x3000, DirtyClient.VGA);
    expect([0, 0x1000, 0x2000].map((at) => after.getDirty(at, 0x1000))).toEqual([false, true, false]);
  });
});

describe('stream objects', () => {
  const LENGTH = 0x3000;

  it('D7: createReadStream loads, createWriteStream saves; a second machine has the same bytes', async () => {
    const from = machine();
    const to = machine();
    const bytes = pattern(LENGTH);
    const image = await file('image', bytes);
    expect(await loadFrom(from.space, 0, createReadStream(image, { highWaterMark: 1000 }))).toBe(LENGTH);
    from.space.store(0x800, le32, 0x4433_2211);
    const saved = join(folder, 'saved');
    await saveTo(from.space, 0, LENGTH, createWriteStream(saved), { chunkSize: 777 });
    const expected = Uint8Array.from(bytes);
    expected.set([0x11, 0x22, 0x33, 0x44], 0x800);
    expect(Buffer.compare(readFileSync(saved), expected)).toBe(0);
    await loadFrom(to.space, 0, createReadStream(saved), { count: LENGTH });
    expect(Buffer.compare(to.low, expected)).toBe(0);
  });

  it('D7: Web streams of a file handle, at an address that is no safe integer', async () => {
    const { space } = machine();
    const at = 1n << 63n;
    const bytes = pattern(0x1_0000);
    const handle = await open(await file('image', bytes));
    // Without the type Node 20 gives ArrayBuffers; its own types say `any`.
    const stream = handle.readableWebStream({ type: 'bytes' }) as WebReadableLike;
    expect(await loadFrom(space, at, stream)).toBe(0x1_0000);
    await handle.close();
    const saved = join(folder, 'saved');
    const out = createWriteStream(saved);
    for (const chunk of chunksOf(space, at, 0x1_0000)) out.write(chunk);
    await new Promise((resolve) => out.end(resolve));
    expect(Buffer.compare(readFileSync(saved), bytes)).toBe(0);
  });

  it('V-1.5: a file longer than memory is a partial-buffer error with what was loaded, and the file is closed', async () => {
    const { space, high } = machine();
    const bytes = pattern(100);
    const stream = createReadStream(await file('image', bytes), { highWaterMark: 10 });
    await expect(loadFrom(space, 0x4010 - 25, stream)).rejects.toMatchObject({
      code: 'partial-buffer',
      completed: 25,
      cause: expect.any(MemTxError),
    });
    expect([...high.subarray(0x1000 - 25)]).toEqual([...bytes.subarray(0, 25)]);
    expect(stream.destroyed).toBe(true);
  });

  it('V-1.5: a sink that fails passes its error on, and leaves the space as it was', async () => {
    const { space, low } = machine();
    low[0] = 9;
    const nowhere = createWriteStream(join(folder, 'no', 'such', 'folder'));
    await expect(saveTo(space, 0, 0x1000, nowhere)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(space.load(0, le32)).toBe(9);
    const path = join(folder, 'partly');
    await expect(saveTo(space, 0x4000, 0x100, createWriteStream(path), { chunkSize: 16 })).rejects.toMatchObject({
      code: 'partial-buffer',
      completed: 16,
    });
    expect((await readdir(folder)).filter((name) => name !== 'partly')).toEqual([]);
  });

  it('D7: Readable.from over chunks of a space is a Node stream that reads memory only as it is read', async () => {
    const { space, calls } = machine();
    const stream = Readable.from(chunksOf(space, 0x3000, 16, { chunkSize: 4 }), { highWaterMark: 1 });
    const first = stream[Symbol.asyncIterator]();
    await first.next();
    expect(calls.length).toBeLessThan(4);
    await first.return?.();
  });
});
