import { describe, expect, it } from 'vitest';
import {
  type Codec,
  type GuestAddress,
  guestMemory,
  inOrder,
  Ordering,
  Permissions,
  segmentedBacking,
  sparseBacking,
  u8,
  u16,
  u32,
  u64,
} from '../src/index.ts';
import { fails } from './support/fails.ts';

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

  it('V-1.8: a region that begins at a small address is reached at its own offsets, by every form', () => {
    const bytes = Uint8Array.from({ length: 0x40 }, (_, i) => i);
    const memory = guestMemory([{ startAddr: 8, memory: bytes }]);
    const be32 = inOrder(u32, 'big');
    const buf = new Uint8Array(16);
    memory.readSlice(buf, 12);
    expect([memory.readObj(12, be32), memory.load(12, be32), memory.load(12, be32, Ordering.SEQ_CST), buf[15]]).toEqual(
      [0x0405_0607, 0x0405_0607, 0x0405_0607, 19],
    );
    memory.writeObj(12, be32, 1);
    memory.store(16, be32, 2);
    memory.store(20, be32, 3, Ordering.SEQ_CST);
    memory.writeSlice(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9, 9), 24);
    expect([...bytes.subarray(0, 26)]).toEqual([
      0, 1, 2, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 9, 9, 9, 9, 9, 25,
    ]);
  });

  it('V-1.3: an atomic access of the largest region moves all 32 bits, in either order, where the buffer has them, and marks', () => {
    const buffer = new ArrayBuffer(0x100);
    const all = new DataView(buffer);
    const tracked = guestMemory([{ startAddr: 0x1002, memory: new Uint8Array(buffer, 6, 0x80) }], { dirtyPageSize: 4 });
    const bitmap = tracked.findRegion(0x1002)!.bitmap!;
    for (const order of ['little', 'big'] as const) {
      const codec = inOrder(u32, order);
      for (const [store, load] of [
        [Ordering.SEQ_CST, Ordering.SEQ_CST],
        [Ordering.RELEASE, Ordering.ACQUIRE],
        [Ordering.RELAXED, Ordering.RELAXED],
      ] as const) {
        tracked.store(0x1004, codec, 0xfedc_ba98, store);
        expect(all.getUint32(8, order === 'little')).toBe(0xfedc_ba98);
        expect(tracked.load(0x1004, codec, load)).toBe(0xfedc_ba98);
        tracked.store(0x1004, codec, 0, store);
        expect(all.getUint32(8)).toBe(0);
      }
      expect([0, 3, 4, 7, 8].map((offset) => bitmap.dirtyAt(offset))).toEqual([true, true, true, true, false]);
      // 0x1002 + 2 is byte 8 of the buffer, 0x1002 byte 6: only the buffer counts.
      expect(() => tracked.load(0x1002, codec, Ordering.SEQ_CST)).toThrow(/is at byte 0x6 of its host buffer/);
      for (const value of [-1, 2 ** 32, 1.5, Number.NaN])
        expect(() => tracked.store(0x1004, codec, value, Ordering.SEQ_CST)).toThrow(RangeError);
      expect(() => tracked.store(0x1004, codec, 1n as never, Ordering.SEQ_CST)).toThrow(TypeError);
      expect(() => tracked.load(0x1080, codec, Ordering.SEQ_CST)).toThrow(/cross the end/);
      expect(() => tracked.load(0x1004 + 0.5, codec, Ordering.SEQ_CST)).toThrow(RangeError);
      expect(() => tracked.load(0x1000, codec, Ordering.SEQ_CST)).toThrow(/no region/);
    }
    expect(new Uint8Array(buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('V-1.3: an atomic access reaches nothing of the buffer before the region or behind it', () => {
    const buffer = new Uint8Array(0x40).fill(0x11);
    const memory = guestMemory([{ startAddr: 0x1000, memory: buffer.subarray(0x10, 0x1f) }]);
    for (const addr of [0xff0, 0xffc, 0x1010, 0x102c])
      for (const ordering of [Ordering.SEQ_CST, Ordering.RELAXED] as const) {
        expect(() => memory.store(addr, u32, 0, ordering)).toThrow(/no region/);
        expect(() => memory.load(addr, u32, ordering)).toThrow(/no region/);
      }
    expect(() => memory.store(0x100c, u32, 0, Ordering.SEQ_CST)).toThrow(/cross the end/);
    expect(() => memory.load(0x100c, u32, Ordering.SEQ_CST)).toThrow(/cross the end/);
    // Aligned in the buffer, but only its first half is in the part.
    const parts = segmentedBacking([new Uint8Array(buffer.buffer, 4, 8), new Uint8Array(8)]);
    const pieces = guestMemory([{ startAddr: 0, memory: parts }]);
    expect(() => pieces.store(4, u64, 0n, Ordering.SEQ_CST)).toThrow(/two host buffers/);
    expect(() => pieces.load(4, u64, Ordering.SEQ_CST)).toThrow(/two host buffers/);
    expect(pieces.load(4, u64)).toBe(0x1111_1111n);
    expect(buffer.every((byte) => byte === 0x11)).toBe(true);
  });

  it('V-1.2: an object of a region reads up to the last byte, tells its progress past it, and is refused beyond', () => {
    for (const memory of [16, sparseBacking(16, { segmentSize: 8 })]) {
      const [region] = [...guestMemory([{ startAddr: 0x1000, memory }])];
      region!.writeSlice(Uint8Array.of(1, 2, 3, 4), 12);
      expect([region!.readObj(15, u8), region!.readObj(12, inOrder(u32, 'big'))]).toEqual([4, 0x0102_0304]);
      expect(fails(() => region!.readObj(13, u32))).toMatchObject({
        code: 'partial-buffer',
        expected: 4,
        completed: 3,
      });
      for (const addr of [16, 17, 2n ** 64n - 1n])
        expect(fails(() => region!.readObj(addr, u8)).code).toBe('invalid-backend-address');
    }
  });

  it('V-1.2, V-1.6: a value that its codec refuses halfway changes nothing, in the largest region, in others, and by their own forms', () => {
    const half: Codec<number> = {
      size: 8,
      get: (view, offset) => view.getUint32(offset),
      set(view, offset, value) {
        view.setUint32(offset, value);
        throw new RangeError('halfway');
      },
    };
    const memory = guestMemory(
      [
        { startAddr: 0, memory: 0x2000 },
        { startAddr: 0x4000, memory: 0x1000 },
      ],
      { dirtyPageSize: 0x1000 },
    );
    for (const start of [0, 0x4000]) {
      const region = memory.findRegion(start)!;
      expect(() => memory.writeObj(start + 8, half, 1)).toThrow('halfway');
      expect(() => region.writeObj(8, half, 1)).toThrow('halfway');
      expect(() => memory.getSlice(start, 16).writeObj(8, half, 1)).toThrow('halfway');
      expect([memory.load(start + 8, u64), region.bitmap?.dirtyAt(8)]).toEqual([0n, false]);
    }
  });
  it('D1: every question to a map refuses what is no address', () => {
    const memory = guestMemory([
      { startAddr: 0, memory: 8 },
      { startAddr: 0x1000, memory: 16 },
    ]);
    const asks: ((addr: GuestAddress) => unknown)[] = [
      (addr) => memory.findRegion(addr),
      (addr) => memory.toRegionAddr(addr),
      (addr) => memory.addressInRange(addr),
      (addr) => memory.checkAddress(addr),
      (addr) => memory.checkedOffset(addr, 0),
      (addr) => memory.checkedOffset(0, addr),
      (addr) => memory.checkRange(addr, 1),
      (addr) => memory.getHostAddress(addr),
      (addr) => memory.getSlice(addr, 1),
      (addr) => memory.getSlices(addr, 1),
      (addr) => memory.tryAccess(1, addr, Permissions.READ, () => 1),
      (addr) => memory.removeRegion(addr, 8),
    ];
    for (const ask of asks) {
      for (const addr of [-1, 0.5, 4096.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n])
        expect(() => ask(addr)).toThrow(RangeError);
      for (const addr of ['0', null, undefined] as never[]) expect(() => ask(addr)).toThrow(TypeError);
    }
  });

  it('V-1.3: -0 is 0, as a value and as an address, with an ordering and without', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 8 }]);
    memory.store(0, u32, 7);
    for (const ordering of [undefined, Ordering.SEQ_CST] as const) {
      memory.store(-0, u32, 7, ordering);
      expect(memory.load(-0, u32, ordering)).toBe(7);
      memory.store(-0, u32, -0, ordering);
      expect(Object.is(memory.load(0, u32, ordering), 0)).toBe(true);
    }
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

it('V-1.4: a transfer between parts of one region that overlap moves what was there before it, however short', () => {
  const bytes = new Uint8Array(0x100);
  const memory = guestMemory([{ startAddr: 0x1000, memory: bytes }]);
  const region = memory.findRegion(0x1000)!;
  const slice = memory.getSlice(0x1000, 0x100);
  const fresh = Uint8Array.from(bytes, (_, i) => i);
  for (let length = 1; length <= 40; length++)
    for (const by of [-9, -3, -1, 1, 2, 8])
      for (const verb of ['write', 'read'] as const)
        for (const [through, base] of [
          [memory, 0x1000],
          [region, 0],
          [slice, 0],
        ] as const) {
          bytes.set(fresh);
          const wanted = Uint8Array.from(fresh);
          if (verb === 'write') wanted.copyWithin(0x20 + by, 0x20, 0x20 + length);
          else wanted.copyWithin(0x20, 0x20 + by, 0x20 + by + length);
          through[verb](bytes.subarray(0x20, 0x20 + length), base + 0x20 + by);
          expect([...bytes], `${verb} of ${length} by ${by}`).toEqual([...wanted]);
        }
});

it('V-1.4, V-1.8: a buffer that lies in the memory and is moved over a border of regions moves region by region, ascending', () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  const memory = guestMemory([
    { startAddr: 0, memory: bytes.subarray(0, 8) },
    { startAddr: 8, memory: bytes.subarray(8) },
  ]);
  expect(memory.write(bytes.subarray(2, 10), 4)).toBe(8);
  // 2 to 5 to 4; then what lies at 6 by now to 8.
  expect([...bytes]).toEqual([0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 8, 9, 12, 13, 14, 15]);
});
