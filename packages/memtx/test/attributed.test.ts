import { attributed, le16, le32, le64, le64n, MemTx, MemTxError, MemTxResult, memTxView, u8 } from '@guestmem/memtx';
import {
  AtomicBitmap,
  bufferBacking,
  byteArray,
  type GuestAddress,
  type GuestMemory,
  GuestMemoryError,
  GuestMemoryRegion,
  GuestRegionBuffer,
  GuestRegionCollection,
  guestMemory,
  IommuMemory,
  Iotlb,
  Ordering,
  Permissions,
  tlbIommu,
} from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { caught } from './support/caught.ts';
import { orderGrid } from './support/order-grid.ts';

orderGrid('plain guest memory of vm-memory', () => ({
  memory: attributed(guestMemory([{ startAddr: 0x1000, memory: 64 }])),
  at: { ram: 0x1000 },
}));

/** [0x1000, 0x1010), a hole of 8, [0x1018, 0x1020), [0x1020, 0x1030). */
function machine() {
  const memory = guestMemory([
    { startAddr: 0x1000, memory: 0x10 },
    { startAddr: 0x1018, memory: 8 },
    { startAddr: 0x1020, memory: 0x10 },
  ]);
  return { memory, view: memTxView(attributed(memory), { requesterId: 1 }), tx: new MemTx() };
}

describe('plain memory with attributes', () => {
  it('A-9: RAM answers OK and the size', () => {
    const { view, tx } = machine();
    view.store(0x1001, le32, 0x11223344, tx);
    expect(tx).toEqual({ result: MemTxResult.OK, done: 4 });
    tx.result = 9;
    expect(view.load(0x1001, le16, tx)).toBe(0x3344);
    expect(tx).toEqual({ result: MemTxResult.OK, done: 2 });
  });

  it.each([undefined, Number.NaN, 9, -1, 1.5])(
    'A-9, A-276: a memory of a program that says it moved %s of 8 bytes has failed, and moved nothing',
    (answer) => {
      const own = (transfer: () => unknown): GuestMemory =>
        Object.assign(guestMemory([{ startAddr: 0, memory: 8 }]), { read: transfer, write: transfer } as object);
      const thrown = () => {
        throw new GuestMemoryError('io-error', 'broken', { completed: answer as number });
      };
      for (const memory of [own(() => answer), own(thrown)])
        for (const form of ['read', 'write'] as const) {
          for (const onError of ['stop', 'continue'] as const) {
            const tx = new MemTx();
            expect(memTxView(attributed(memory), { tx, onError })[form](new Uint8Array(8), 0)).toBe(0);
            expect(tx).toEqual({ result: MemTxResult.ERROR, done: 0 });
          }
          const error = caught(() => memTxView(attributed(memory))[`${form}Slice`](new Uint8Array(8), 0));
          expect(error).toMatchObject({ result: MemTxResult.ERROR, expected: 8, completed: 0, addr: 0 });
        }
    },
  );

  it('A-9: a hole is a DECODE_ERROR and reads 0, of the codec’s kind', () => {
    const { view, tx } = machine();
    for (const [codec, zero] of [
      [u8, 0],
      [le32, 0],
      [le64n, 0],
      [le64, 0n],
    ] as const) {
      tx.result = 0;
      expect(view.load<number | bigint>(0x1010, codec as never, tx)).toBe(zero);
      expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 0 });
    }
    view.store(0x1010, le32, 1, tx);
    expect(tx.result).toBe(MemTxResult.DECODE_ERROR);
  });

  it('D1: what is no address is refused by transfers and streams as by loads; nothing wraps to 0 or is rounded', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 0x10 }]);
    let asked = 0;
    const end = { readVolatile: (into: Uint8Array) => into.length + 0 * asked++, writeVolatile: () => ++asked };
    for (const view of [memTxView(attributed(memory)), memTxView(attributed(memory), { tx: new MemTx() })])
      for (const [addr, kind] of [
        [-1n, RangeError],
        [2n ** 64n, RangeError],
        [2n ** 64n + 2n, RangeError],
        [2 ** 53, RangeError],
        [-1, RangeError],
        [0.5, RangeError],
        [Number.NaN, RangeError],
        ['0', TypeError],
        [null, TypeError],
      ] as readonly [GuestAddress, ErrorConstructor][])
        for (const run of [
          () => view.load(addr, u8),
          () => view.read(new Uint8Array(4), addr),
          () => view.write(new Uint8Array(4), addr),
          () => view.readSlice(new Uint8Array(4), addr),
          () => view.writeSlice(new Uint8Array(4), addr),
          () => view.readVolatileFrom(addr, end, 4),
          () => view.readVolatileFrom(addr, end, 0),
          () => view.readExactVolatileFrom(addr, end, 4),
          () => view.writeVolatileTo(addr, end, 4),
          () => view.writeVolatileTo(addr, end, 0),
          () => view.writeAllVolatileTo(addr, end, 4),
        ])
          expect(run).toThrow(kind);
    expect(asked).toBe(0);
  });

  it('A-274: a load or store over the end of a region is refused as a whole, with the cause told', () => {
    const { view, tx, memory } = machine();
    for (const addr of [0x100e, 0x101e]) {
      view.store(addr, le32, 0xffff_ffff, tx);
      expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 0 });
      expect(memory.load(addr, le16)).toBe(0);
      const error = caught(() => view.load(addr, le32)) as MemTxError;
      expect(error).toBeInstanceOf(MemTxError);
      expect(error).toMatchObject({
        code: 'invalid-backend-address',
        result: MemTxResult.DECODE_ERROR,
        addr,
        completed: 0,
      });
      expect(error.cause).toMatchObject({ name: 'GuestMemoryError' });
    }
  });

  it('A-61: a transfer goes over adjacent regions and, with continue, over holes', () => {
    const { view } = machine();
    const bytes = Uint8Array.from({ length: 0x28 }, (_, i) => i + 1);
    const go = view.with({ onError: 'continue' });
    go.writeSlice(bytes, 0x1008);
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 8 });
    const back = new Uint8Array(0x28).fill(0xee);
    go.readSlice(back, 0x1008);
    expect([...back]).toEqual([...bytes].map((byte, i) => (i >= 8 && i < 16 ? 0 : byte)));
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 8 });
  });

  it('A-61, V-1.12: with continue, what is mapped before and after a gap of an IOMMU is moved, though it is all or nothing', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 0x10 }]);
    memory.writeSlice(new Uint8Array(0x10).fill(7), 0);
    const tlb = new Iotlb();
    tlb.setMapping(0x1000, 0, 4, Permissions.READ_WRITE);
    tlb.setMapping(0x1008, 8, 4, Permissions.READ_WRITE);
    const behind = attributed(new IommuMemory(memory, tlbIommu(tlb)));
    const go = memTxView(behind, { onError: 'continue' });
    const buf = new Uint8Array(14).fill(1);
    expect([go.read(buf, 0x1000), buf.join(''), go.tx.result]).toEqual([4, '77770000777700', MemTxResult.DECODE_ERROR]);
    expect([go.write(new Uint8Array(14).fill(9), 0x1000), go.tx.result]).toEqual([4, MemTxResult.DECODE_ERROR]);
    expect(memory.readObj(0, byteArray(14)).join('')).toBe('99997777999977');
    expect([go.read(buf.subarray(0, 4), 0x1000), go.tx.result]).toEqual([4, MemTxResult.OK]);
    expect([memTxView(behind, { tx: new MemTx() }).read(buf, 0x1000)]).toEqual([0]); // stop: all or nothing.
  });

  it.each([
    ['which the region refuses, then the IOMMU', 0xffc],
    ['which the IOMMU refuses, then the region', 0x1ffc],
  ])('A-8, V-1.12: bytes %s, side by side, are told as both', (_, start) => {
    const memory = guestMemory([{ startAddr: 0, memory: 0x1000, permissions: Permissions.READ }]);
    const tlb = new Iotlb();
    tlb.setMapping(0, 0, 0x1000, Permissions.READ_WRITE);
    tlb.setMapping(0x1000, 0, 0x1000, Permissions.READ);
    tlb.setMapping(0x2000, 0, 0x1000, Permissions.READ_WRITE);
    const go = memTxView(attributed(new IommuMemory(memory, tlbIommu(tlb))), { onError: 'continue' });
    expect([go.write(new Uint8Array(8), start), go.tx.result]).toEqual([
      0,
      MemTxResult.ACCESS_ERROR | MemTxResult.DECODE_ERROR,
    ]);
  });

  it('A-61: with continue, a transfer that begins in a hole reaches what comes after it', () => {
    const { view, memory } = machine();
    const go = view.with({ onError: 'continue' });
    expect(go.write(Uint8Array.of(1, 2, 3, 4), 0x1016)).toBe(0);
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 0 });
    expect(memory.load(0x1018, le16)).toBe(0x0403);
    go.write(Uint8Array.of(1, 2), 0x9000);
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 0 });
  });

  it('A-276: with stop the rest of the buffer is left alone', () => {
    const { view, tx } = machine();
    const back = new Uint8Array(0x20).fill(0xee);
    expect(view.read(back, 0x1008, tx)).toBe(8);
    expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 8 });
    expect([...back.subarray(8)]).toEqual(new Array(0x18).fill(0xee));
    expect(caught(() => view.readSlice(back, 0x1008))).toMatchObject({
      code: 'partial-buffer',
      addr: 0x1010,
      expected: 0x20,
      completed: 8,
    });
  });

  it('V-1.2: empty transfers succeed anywhere', () => {
    const { view, tx } = machine();
    tx.result = 9;
    expect(view.read(new Uint8Array(0), 0x9000, tx)).toBe(0);
    expect(tx.result).toBe(MemTxResult.OK);
  });

  it('V-1.2: objects over adjacent regions go through, at holes they tell the progress', () => {
    const { view, tx } = machine();
    const eight = {
      size: 8,
      get: (v: DataView, o: number) => v.getBigUint64(o),
      set: (v: DataView, o: number, x: bigint) => v.setBigUint64(o, x),
    };
    view.writeObj(0x101c, eight, 0x1122334455667788n, tx);
    expect(tx).toEqual({ result: 0, done: 8 });
    expect(view.readObj(0x101c, eight)).toBe(0x1122334455667788n);
    view.writeObj(0x100c, eight, 0x1122334455667788n, tx);
    expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 4 });
    expect(view.readObj(0x100c, eight, tx)).toBe(0x1122334400000000n);
    expect(caught(() => view.readObj(0x100c, eight))).toMatchObject({ completed: 4, addr: 0x1010, expected: 8 });
    expect(() => view.readObj(-1, eight)).toThrow(RangeError);
    expect(() => view.writeObj(-1, eight, 1n, tx)).toThrow(RangeError);
  });

  it('A-9: what a region does not permit is an ACCESS_ERROR', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 16, permissions: Permissions.READ }]);
    const go = memTxView(attributed(memory), { onError: 'continue' });
    go.store(0, le32, 1);
    expect(go.tx.result).toBe(MemTxResult.ACCESS_ERROR);
    go.write(Uint8Array.of(1, 2), 0);
    expect(go.tx).toEqual({ result: MemTxResult.ACCESS_ERROR, done: 0 });
    expect(go.load(0, le32)).toBe(0);
    expect(go.tx.result).toBe(MemTxResult.OK);
  });

  it('A-276: a transfer that meets what is not permitted tells the bytes before it', () => {
    const memory = guestMemory([
      { startAddr: 0, memory: 4 },
      { startAddr: 4, memory: 4, permissions: Permissions.READ },
      { startAddr: 8, memory: 4 },
    ]);
    const view = memTxView(attributed(memory));
    const tx = new MemTx();
    expect(view.write(Uint8Array.of(1, 2, 3, 4, 5, 6), 2, tx)).toBe(2);
    expect(tx).toEqual({ result: MemTxResult.ACCESS_ERROR, done: 2 });
    expect(memory.load(2, le16)).toBe(0x0201);
    const go = view.with({ onError: 'continue' });
    go.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 2);
    expect(go.tx).toEqual({ result: MemTxResult.ACCESS_ERROR, done: 2 });
    expect([memory.load(4, le32), memory.load(8, le16)]).toEqual([0, 0x0807]);
  });

  it('A-61, A-276: behind a hole, what is refused for another reason adds its bits, and a region with its own Bytes is reached', () => {
    /** Without host memory, so that `checkRange` knows nothing of it. */
    class Sevens extends GuestMemoryRegion {
      readonly startAddr = 12;
      readonly length = 4;
      override read(buf: Uint8Array): number {
        buf.fill(7);
        return buf.length;
      }
    }
    const memory = GuestRegionCollection.fromRegions<GuestMemoryRegion>([
      new GuestRegionBuffer(0, bufferBacking(4)),
      new GuestRegionBuffer(8, bufferBacking(4), { permissions: Permissions.WRITE }),
      new Sevens(),
    ]);
    const go = memTxView(attributed(memory), { onError: 'continue' });
    const buf = new Uint8Array(16).fill(1);
    go.read(buf, 0);
    expect([buf.join(''), go.tx]).toEqual([
      '0000000000007777',
      { result: MemTxResult.DECODE_ERROR | MemTxResult.ACCESS_ERROR, done: 4 },
    ]);
  });

  it('A-276: a memory that throws with its progress is taken at its word', () => {
    class Fails extends GuestRegionCollection<GuestRegionBuffer> {
      override read(buf: Uint8Array, addr: GuestAddress): number {
        buf[0] = 7;
        throw new GuestMemoryError('io-error', 'the disk behind it failed', {
          addr,
          expected: buf.length,
          completed: 1,
        });
      }
    }
    const view = memTxView(attributed(new Fails()));
    const error = caught(() => view.readSlice(new Uint8Array(4), 0x10)) as MemTxError;
    expect(error).toMatchObject({ result: MemTxResult.ERROR, addr: 0x11, expected: 4, completed: 1 });
    expect(error.cause).toMatchObject({ code: 'io-error' });
  });

  it('V-1.2: a memory that says 0 bytes where some were asked for has failed', () => {
    class Mute extends GuestRegionCollection<GuestRegionBuffer> {
      override read(): number {
        return 0;
      }
    }
    const tx = new MemTx();
    expect(memTxView(attributed(new Mute())).read(new Uint8Array(4), 0x10, tx)).toBe(0);
    expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 0 });
  });

  it('V-1.3: an ordering makes an access atomic, and a misaligned one is refused', () => {
    const { view, tx } = machine();
    view.store(0x1004, le32, 7, Ordering.RELEASE);
    expect(view.load(0x1004, le32, Ordering.ACQUIRE)).toBe(7);
    expect(caught(() => view.load(0x1005, le32, Ordering.ACQUIRE))).toMatchObject({ name: 'MemTxError' });
    expect(view.load(0x1005, le32, { ordering: Ordering.ACQUIRE, tx })).toBe(0);
    expect(tx.result).toBe(MemTxResult.DECODE_ERROR);
  });

  it('V-1.6: writes through a view are tracked', () => {
    const bitmap = new AtomicBitmap(0x100, { pageSize: 0x10 });
    const memory = GuestRegionCollection.fromRegions([new GuestRegionBuffer(0, bufferBacking(0x100), { bitmap })]);
    const view = memTxView(attributed(memory));
    view.store(0x20, le32, 1);
    view.writeObj(0x40, le32, 1);
    view.write(Uint8Array.of(1), 0x60);
    expect([0x20, 0x40, 0x60, 0x80].map((at) => bitmap.dirtyAt(at))).toEqual([true, true, true, false]);
  });

  it('D10: the program’s mistakes are thrown on, MemTx or not, and are not results', () => {
    const { view, tx } = machine();
    expect(() => view.store(0x1000, le32, 2 ** 32, tx)).toThrow(RangeError);
    expect(() => view.load(-1, le32, tx)).toThrow(RangeError);
    expect(() => view.load('1' as never, le32, tx)).toThrow(TypeError);
    expect(() => view.read([1] as never, 0x1000, tx)).toThrow(TypeError);
  });

  it('D10: a region that breaks is not taken for a guest’s mistake', () => {
    class Broken extends GuestMemoryRegion {
      readonly startAddr = 0;
      readonly length = 16;
      override load(): never {
        throw new Error('bug');
      }
    }
    const view = memTxView(attributed(GuestRegionCollection.fromRegions([new Broken()])), { onError: 'continue' });
    expect(() => view.load(0, le32)).toThrow('bug');
  });

  it('A-61: E-35: a transfer that reaches 2^64 goes on at 0', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 8 }]);
    const go = memTxView(attributed(memory), { onError: 'continue' });
    go.write(Uint8Array.of(0x51, 0x45, 0x4d, 0x55), (1n << 64n) - 2n);
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 0 });
    expect(memory.load(0, le32)).toBe(0x554d);
    const back = new Uint8Array(4).fill(0xee);
    go.read(back, (1n << 64n) - 2n);
    expect([...back]).toEqual([0, 0, 0x4d, 0x55]);
  });

  it('A-61: the last bytes of the 64-bit space', () => {
    const last = (1n << 64n) - 1n;
    const memory = guestMemory([{ startAddr: last - 7n, memory: 8 }]);
    const view = memTxView(attributed(memory));
    view.store(last - 3n, le32, 0xa1b2c3d4);
    expect(view.load(last, u8)).toBe(0xa1);
    expect(caught(() => view.readSlice(new Uint8Array(4), last - 1n))).toMatchObject({ completed: 2, addr: 0 });
  });
});

describe('a bound view of plain memory', () => {
  const make = () => guestMemory([{ startAddr: 0x1000, memory: 0x10, permissions: Permissions.READ_WRITE }]);

  it('A-276: V-1.8: loads and stores as the memory does, and tells failures with and without a MemTx', () => {
    const view = memTxView(attributed(make()), { requesterId: 0x20, order: 'big' });
    const derived = view.with({ pid: 3 });
    for (const each of [view, derived]) {
      each.store(0x1004, le32, 0x1122_3344);
      expect([each.load(0x1004, le32), each.ldl(0x1004), each.ldl(0x1004, 'little')]).toEqual([
        0x1122_3344, 0x4433_2211, 0x1122_3344,
      ]);
      for (const refused of [() => each.load(0x100e, le32), () => each.store(0x100e, le32, 1), () => each.ldl(0x2000)])
        expect(refused).toThrow(MemTxError);
      expect(() => each.load(-1, le32)).toThrow(RangeError);
      expect(() => each.store(0x1000, le32, -1)).toThrow(RangeError);
      expect(() => each.store(0x1000, le32, '1' as never)).toThrow(TypeError);

      const quiet = each.with({ onError: 'continue' });
      expect([quiet.load(0x2000, le32), quiet.tx.result, quiet.tx.done]).toEqual([0, MemTxResult.DECODE_ERROR, 0]);
      expect([quiet.load(0x1004, le32), quiet.tx.result, quiet.tx.done]).toEqual([0x1122_3344, MemTxResult.OK, 4]);
      quiet.store(0x100e, le32, 0xffff_ffff);
      expect([quiet.tx.result, quiet.tx.done]).toEqual([MemTxResult.DECODE_ERROR, 0]);
      quiet.stl(0x1008, 1);
      expect([quiet.tx.result, quiet.tx.done, each.load(0x1008, le32)]).toEqual([MemTxResult.OK, 4, 0x0100_0000]);
      expect(() => quiet.load(0.5, le32)).toThrow(RangeError);
      const tx = new MemTx();
      expect([each.load(0x2000, le32, tx), tx.result]).toEqual([0, MemTxResult.DECODE_ERROR]);
      expect(() => quiet.load(0x2000, le32, { tx: null })).toThrow(MemTxError);
    }
  });

  it('A-252: sees the map of the memory it was made with, and the bytes that others write', () => {
    const ram = make();
    const view = memTxView(attributed(ram));
    ram.store(0x1000, le32, 7);
    expect(view.load(0x1000, le32)).toBe(7);
    view.store(0x1000, le32, 8);
    expect(ram.load(0x1000, le32)).toBe(8);
  });
});
