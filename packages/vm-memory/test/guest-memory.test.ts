import { describe, expect, it } from 'vitest';
import { guestMemory, Ordering, sparseBacking, u16, u32, u64 } from '../src/index.ts';

describe('guest memory over buffers', () => {
  it('V-1.8: objects and buffers go on in the next region, load and store do not', () => {
    const memory = guestMemory([
      { startAddr: 0, memory: 0x1000 },
      { startAddr: 0x1000, memory: 0x1000 },
    ]);
    memory.write(Uint8Array.of(1, 2, 3, 4, 5), 0xffe);
    const back = new Uint8Array(5);
    expect(memory.read(back, 0xffe)).toBe(5);
    expect([...back]).toEqual([1, 2, 3, 4, 5]);
    expect(memory.readObj(0xffe, u32)).toBe(0x0403_0201);
    expect(() => memory.load(0xffe, u32)).toThrow(/cross the end of their region at 0xfff/);
    expect(memory.load(0xffe, u16)).toBe(0x0201);
  });

  it('D1: the last bytes of the 64-bit space work, and nothing wraps', () => {
    const last = 2n ** 64n - 1n;
    const memory = guestMemory([
      { startAddr: 0, memory: 16 },
      { startAddr: last - 15n, memory: 16 },
    ]);
    memory.store(last - 7n, u64, 0x1122_3344_5566_7788n, Ordering.SEQ_CST);
    expect(memory.load(last - 3n, u32)).toBe(0x1122_3344);
    expect(memory.write(new Uint8Array(4).fill(9), last - 1n)).toBe(2);
    expect(memory.load(0, u32)).toBe(0);
    expect(() => memory.writeSlice(new Uint8Array(4), last - 1n)).toThrow(/ended after 2: .*nothing wraps to 0/);
  });

  it('D7: a region may exceed 4 GiB', () => {
    const length = 5 * 2 ** 30;
    const memory = guestMemory([{ startAddr: 0x1_0000_0000, memory: sparseBacking(length) }]);
    for (const at of [0, 0x7fff_fffe, 0xffff_fffe, 0x1_0000_0000, length - 4]) {
      memory.store(0x1_0000_0000 + at, u32, 0xdead_0000 + (at % 0xffff));
      expect(memory.load(BigInt(0x1_0000_0000 + at), u32)).toBe(0xdead_0000 + (at % 0xffff));
    }
    expect(() => memory.load(0x1_0000_0000 + length, u32)).toThrow(/no region of guest memory holds 0x240000000/);
    expect(memory.checkRange(0x1_0000_0000, length)).toBe(true);
  });
});
