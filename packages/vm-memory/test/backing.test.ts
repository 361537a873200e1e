import { describe, expect, it } from 'vitest';
import { bufferBacking, segmentedBacking, sparseBacking, wasmBacking } from '../src/index.ts';
import { wasmMemory } from './support/wasm.ts';

describe('bufferBacking', () => {
  it('D7: a length gives one segment of zeros', () => {
    const backing = bufferBacking(0x1000);
    expect([backing.length, backing.shared]).toEqual([0x1000, false]);
    const segment = backing.segmentAt(0xfff);
    expect([segment.start, segment.bytes.length, segment.bytes.every((b) => b === 0)]).toEqual([0, 0x1000, true]);
  });

  it('D7: shared memory is allocated shared, and adopted as what it is', () => {
    expect(bufferBacking(8, { shared: true }).segmentAt(0).bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(bufferBacking(new SharedArrayBuffer(8)).shared).toBe(true);
    expect(bufferBacking(new ArrayBuffer(8)).shared).toBe(false);
  });

  it('D7: a buffer or a window of one is adopted, not copied', () => {
    const bytes = new Uint8Array(64);
    const backing = bufferBacking(bytes.subarray(16, 32));
    expect(backing.length).toBe(16);
    backing.segmentAt(3).view.setUint8(3, 0x5a);
    expect(bytes[19]).toBe(0x5a);
  });

  it('D7: what cannot be a backing is refused with a way out', () => {
    expect(() => bufferBacking(0)).toThrow(/1 to 2\^53 - 1 bytes, not 0x0/);
    expect(() => bufferBacking(1.5)).toThrow(RangeError);
    expect(() => bufferBacking('8' as never)).toThrow(/wasmBacking/);
    expect(() => bufferBacking(2 ** 52)).toThrow(/sparseBacking/);
    const resizable = new (ArrayBuffer as never as new (n: number, o: object) => ArrayBuffer)(8, { maxByteLength: 16 });
    expect(() => bufferBacking(resizable)).toThrow(/fixed-length/);
    const growable = new (SharedArrayBuffer as never as new (n: number, o: object) => SharedArrayBuffer)(8, {
      maxByteLength: 16,
    });
    expect(() => bufferBacking(growable)).toThrow(/fixed-length/);
    expect(() => bufferBacking(8).segmentAt(8)).toThrow(/offset 0x8 is outside the backing; it has 0x8 bytes/);
    expect(() => bufferBacking(8).segmentAt(0.5)).toThrow(RangeError);
  });
});

describe('segmentedBacking', () => {
  it('D7: finds the part of every offset, forwards and backwards', () => {
    const parts = [16, 8, 24, 5].map((n) => new SharedArrayBuffer(n));
    const backing = segmentedBacking(parts);
    expect([backing.length, backing.shared]).toEqual([53, true]);
    const at = (offset: number) => {
      const found = backing.segmentAt(offset);
      return [found.start, parts.indexOf(found.bytes.buffer as SharedArrayBuffer)];
    };
    expect([0, 15, 16, 23, 24, 47, 48, 52].map(at)).toEqual([
      [0, 0],
      [0, 0],
      [16, 1],
      [16, 1],
      [24, 2],
      [24, 2],
      [48, 3],
      [48, 3],
    ]);
    expect([52, 24, 16, 0].map((o) => at(o)[0])).toEqual([48, 24, 16, 0]);
  });

  it('D7: a part that would split aligned scalars is refused', () => {
    expect(() => segmentedBacking([])).toThrow(RangeError);
    expect(() => segmentedBacking([new ArrayBuffer(12), new ArrayBuffer(8)])).toThrow(/multiple of 8/);
    expect(segmentedBacking([new ArrayBuffer(8), new ArrayBuffer(3)]).length).toBe(11);
  });
});

describe('sparseBacking', () => {
  it('D7: a segment exists from its first access on', () => {
    const backing = sparseBacking(5 * 2 ** 30 + 100, { segmentSize: 0x1000 });
    expect(backing.allocated).toBe(0);
    const segment = backing.segmentAt(5 * 2 ** 30 + 99);
    expect([segment.start, segment.bytes.length, backing.allocated]).toEqual([5 * 2 ** 30, 100, 100]);
    expect(backing.segmentAt(5 * 2 ** 30)).toBe(segment);
    expect([backing.isAllocated(5 * 2 ** 30), backing.isAllocated(0)]).toEqual([true, false]);
    backing.segmentAt(1);
    expect([backing.allocated, backing.isAllocated(0xfff), backing.isAllocated(0x1000)]).toEqual([0x1064, true, false]);
    expect(sparseBacking(20, { segmentSize: 8 }).segmentAt(17)).toMatchObject({ start: 16, bytes: new Uint8Array(4) });
    expect(() => backing.segmentAt(5 * 2 ** 30 + 100)).toThrow(RangeError);
  });

  it('D7: bad segment sizes are refused', () => {
    for (const segmentSize of [0, 4, 12, 2 ** 32, 8.5])
      expect(() => sparseBacking(64, { segmentSize })).toThrow(/multiple of 8/);
  });
});

describe('wasmBacking', () => {
  it('D7: is attached again after the memory has grown', () => {
    const memory = wasmMemory(1, { maximum: 3 });
    const backing = wasmBacking(memory);
    backing.segmentAt(0).view.setUint32(16, 0x1234_5678, true);
    memory.grow(1);
    const after = backing.segmentAt(0);
    expect([after.bytes.length, after.view.getUint32(16, true), backing.length]).toEqual([
      0x1_0000, 0x1234_5678, 0x1_0000,
    ]);
    expect(after.bytes.buffer).toBe(memory.buffer);
    expect(backing.detachable).toBe(true);
  });

  it('D7: a shared memory needs no second attachment', () => {
    const memory = wasmMemory(1, { maximum: 3, shared: true });
    const backing = wasmBacking(memory, { offset: 0x100, length: 0x80 });
    expect([backing.shared, backing.detachable, backing.length]).toEqual([true, false, 0x80]);
    const before = backing.segmentAt(0);
    memory.grow(1);
    backing.segmentAt(0).bytes[1] = 7;
    expect([new Uint8Array(memory.buffer)[0x101], before.bytes[1]]).toEqual([7, 7]);
  });

  it('D7: a part outside the memory is refused', () => {
    const memory = wasmMemory(1);
    expect(() => wasmBacking(memory, { offset: 0xffff, length: 2 })).toThrow(/grow it first/);
    expect(wasmBacking(memory, { offset: 0xfffe, length: 2 }).length).toBe(2);
    for (const offset of [0.5, -1, Number.NaN])
      expect(() => wasmBacking(memory, { offset, length: 2 })).toThrow(RangeError);
    expect(() => wasmBacking({} as never)).toThrow(TypeError);
  });
});
