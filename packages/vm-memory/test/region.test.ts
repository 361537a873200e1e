import { describe, expect, it } from 'vitest';
import {
  AtomicBitmap,
  bufferBacking,
  DISPOSE,
  FileOffset,
  type GuestAddress,
  GuestMemoryAtomic,
  GuestMemoryRegion,
  GuestRegionBuffer,
  GuestRegionCollection,
  type GuestRegionCollectionError,
  guestMemory,
  loadGuard,
  Permissions,
  permissionsAllow,
  permissionsAnd,
  permissionsHaveWrite,
  permissionsOr,
  sparseBacking,
  u8,
  u16,
  u32,
  u64,
  VolatileSlice,
} from '../src/index.ts';
import { fails } from './support/fails.ts';
import { MinimalRegion } from './support/subjects.ts';

const LAST = 2n ** 64n - 1n;

/** A region with no memory at all: it is only on the map. */
class MapRegion extends GuestMemoryRegion {
  readonly startAddr: GuestAddress;
  readonly length: GuestAddress;
  constructor(startAddr: GuestAddress, length: GuestAddress) {
    super();
    this.startAddr = startAddr;
    this.length = length;
  }
}

const regions = (...list: [GuestAddress, GuestAddress][]) =>
  list.map(([start, length]) => new MapRegion(start, length));
const collection = (...list: [GuestAddress, GuestAddress][]) => GuestRegionCollection.fromRegions(regions(...list));
const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as GuestRegionCollectionError).code;
  }
  return 'nothing thrown';
};

describe('collections of regions', () => {
  it('region::test_no_memory_region: a memory of no regions is refused', () => {
    expect(code(() => GuestRegionCollection.fromRegions([]))).toBe('no-memory-region');
    expect(code(() => guestMemory([]))).toBe('no-memory-region');
  });

  it('region::test_overlapping_memory_regions: even by one byte', () => {
    expect(code(() => collection([0, 100], [99, 100]))).toBe('memory-region-overlap');
    expect(code(() => collection([0, 100], [0, 100]))).toBe('memory-region-overlap');
    expect(() => collection([0, 100], [99, 100])).toThrow(/\[0x63, 0xc6\] overlaps \[0x0, 0x63\]/);
  });

  it('region::test_unsorted_memory_regions: are refused, whether they overlap or not', () => {
    expect(code(() => collection([100, 100], [0, 100]))).toBe('unsorted-memory-regions');
  });

  it('region::test_valid_memory_regions: touching is fine; an empty collection exists', () => {
    const memory = collection([0, 100], [100, 100]);
    expect([
      memory.numRegions,
      memory.lastAddr,
      memory.findRegion(0)?.lastAddr,
      memory.findRegion(100)?.startAddr,
    ]).toEqual([2, 199, 99, 100]);
    const none = new GuestRegionCollection();
    expect([none.numRegions, none.lastAddr, none.findRegion(0), none.checkRange(0, 1), none.checkRange(0, 0)]).toEqual([
      0,
      0,
      undefined,
      false,
      true,
    ]);
    expect(fails(() => none.load(0, u8)).code).toBe('invalid-guest-address');
  });

  it('region::test_mmap_insert_region: in any order the result is sorted; the original stays', () => {
    const [a, b, c, d] = regions([0, 0x1000], [0x10_0000, 0x1000], [0x8000, 0x1000], [0x20_0000, 0x1000]);
    const first = GuestRegionCollection.fromRegions([a!, b!]);
    const more = first.insertRegion(d!).insertRegion(c!);
    expect([...more].map((r) => r.startAddr)).toEqual([0, 0x8000, 0x10_0000, 0x20_0000]);
    expect([more.numRegions, first.numRegions]).toEqual([4, 2]);
    expect(code(() => first.insertRegion(new MapRegion(0xfff, 1)))).toBe('memory-region-overlap');
    expect(new GuestRegionCollection<MapRegion>().insertRegion(a!).findRegion(5)).toBe(a);
  });

  it('region::test_mmap_remove_region: base and length have to match', () => {
    const memory = collection([0, 0x1000], [0x10_0000, 0x1000]);
    expect(code(() => memory.removeRegion(0, 0x2000))).toBe('no-memory-region');
    expect(code(() => memory.removeRegion(1, 0x1000))).toBe('no-memory-region');
    expect(code(() => memory.removeRegion(0x5000, 0x1000))).toBe('no-memory-region');
    const [rest, removed] = memory.removeRegion(0x10_0000n, 0x1000);
    expect([rest.numRegions, memory.numRegions, removed.startAddr]).toEqual([1, 2, 0x10_0000]);
    expect(rest.removeRegion(0, 0x1000)[0].numRegions).toBe(0);
  });

  it('region::test_iter: ascending', () => {
    expect([...collection([0, 0x400], [0x1000, 0x400])].map((r) => [r.startAddr, r.length])).toEqual([
      [0, 0x400],
      [0x1000, 0x400],
    ]);
  });

  it('region::test_address_in_range: inside, in the hole, after', () => {
    const memory = collection([0, 0x400], [0x800, 0x400]);
    expect([0x200, 0x600, 0xa00, 0xc00].map((a) => memory.addressInRange(a))).toEqual([true, false, true, false]);
  });

  it('region::test_check_address: the address, or nothing', () => {
    const memory = collection([0, 0x400], [0x800, 0x400]);
    expect([0x200, 0x600, 0xa00, 0xc00].map((a) => memory.checkAddress(a))).toEqual([
      0x200,
      undefined,
      0xa00,
      undefined,
    ]);
  });

  it('region::test_checked_offset: only the end point counts', () => {
    const memory = collection([0, 0x400], [0x800, 0x400]);
    expect([
      memory.checkedOffset(0x200, 0x700),
      memory.checkedOffset(0x200, 0x300),
      memory.checkedOffset(0x200, LAST),
    ]).toEqual([0x900, undefined, undefined]);
    expect([memory.checkedOffset(0, 0x400), memory.checkedOffset(0, 0x3ff)]).toEqual([undefined, 0x3ff]);
  });

  it('V-1.7: an empty region and one past the end are refused; one that ends at 2^64 is not', () => {
    expect(() => collection([0, 0])).toThrow(/at least one byte/);
    expect(() => collection([LAST, 2])).toThrow(/passes 2\^64 - 1/);
    expect(collection([LAST, 1]).lastAddr).toBe(LAST);
    expect(collection([0, 2n ** 64n]).findRegion(LAST)?.startAddr).toBe(0);
    for (const [start, length] of [
      [0.5, 1],
      [-1, 1],
      [2n ** 64n, 1],
      [0, 0.5],
      [0, -1],
      [0, 2n ** 64n + 1n],
    ] as const)
      expect(() => collection([start, length])).toThrow(RangeError);
    expect(() => new GuestRegionBuffer(LAST, bufferBacking(2))).toThrow(RangeError);
  });

  it('V-1.7: a region without host memory says so', () => {
    const memory = collection([0, 0x100]);
    expect(fails(() => memory.read(new Uint8Array(1), 0)).code).toBe('host-address-not-available');
    expect(fails(() => memory.getHostAddress(0)).code).toBe('host-address-not-available');
    expect(fails(() => memory.load(0, u8)).code).toBe('host-address-not-available');
    expect([memory.checkRange(0, 1), memory.findRegion(0)?.fileOffset, memory.findRegion(0)?.backing]).toEqual([
      false,
      null,
      null,
    ]);
  });

  it('V-1.7: regions past 2^53 are found by bigint, small ones among them by number', () => {
    const memory = guestMemory([
      { startAddr: 0, memory: 0x100 },
      { startAddr: 2 ** 53 - 0x80, memory: 0x100 },
      { startAddr: 2n ** 60n, memory: 0x100 },
    ]);
    memory.writeObj(2 ** 53 - 4, u64, 0x1122_3344_5566_7788n);
    expect([memory.load(2 ** 53 - 4, u32), memory.load(2n ** 53n, u32)]).toEqual([0x5566_7788, 0x1122_3344]);
    memory.store(2n ** 60n + 4n, u32, 7);
    expect([memory.load(2n ** 60n + 4n, u32), memory.addressInRange(2n ** 60n - 1n)]).toEqual([7, false]);
  });
});

/** Answers for any offset with the same few bytes; `extra` more than asked, or fewer. */
class OddRegion extends GuestMemoryRegion {
  readonly startAddr: number;
  readonly length: GuestAddress;
  readonly #extra: number;
  readonly #bytes = new Uint8Array(64);
  constructor(length: GuestAddress, extra = 0, startAddr = 0) {
    super();
    this.startAddr = startAddr;
    this.length = length;
    this.#extra = extra;
  }
  override getSlice(_offset: GuestAddress, count: GuestAddress): VolatileSlice {
    return new VolatileSlice(this.#bytes.subarray(0, Math.max(Number(count) + this.#extra, 0)));
  }
}

describe('regions of others', () => {
  it('V-1.7: a region that does not permit an access says so of every range', () => {
    class Closed extends MinimalRegion {
      override permits(access: Permissions): boolean {
        return access === Permissions.NO;
      }
    }
    const closed = new Closed(0, 8);
    expect([closed.checkRange(0, 8), closed.checkRange(0, 9), closed.checkRange(0, 1, Permissions.READ)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('V-1.7: a region tells the offset of an address in it, and none of one beside it', () => {
    const [region, high] = regions([0x1000, 0x100], [LAST - 0xfn, 0x10]);
    expect([0xfff, 0x1000, 0x10ffn, 0x1100].map((addr) => region!.toRegionAddr(addr))).toEqual([
      undefined,
      0,
      0xff,
      undefined,
    ]);
    expect([LAST - 0x10n, LAST - 0xfn, LAST].map((addr) => high!.toRegionAddr(addr))).toEqual([undefined, 0, 0xf]);
  });

  it('V-1.7: a region may be the whole space of 2^64 bytes', () => {
    const memory = GuestRegionCollection.fromRegions([new OddRegion(2n ** 64n)]);
    for (const addr of [0, 5, LAST - 3n]) {
      memory.store(addr, u32, 0x1122_3344);
      expect([memory.load(addr, u32), memory.read(new Uint8Array(4), addr)]).toEqual([0x1122_3344, 4]);
      expect([...memory.getSlices(addr, 4)].map((slice) => slice.length)).toEqual([4]);
    }
    expect([memory.load(LAST, u8), memory.read(new Uint8Array(4), LAST - 1n)]).toEqual([0x44, 2]);
    expect(fails(() => memory.load(LAST, u16)).code).toBe('invalid-backend-address');
    expect([memory.checkRange(0, LAST), memory.checkRange(1, 2n ** 64n)]).toEqual([false, false]); // No slice is so long.
  });

  it('D1: a region that gives its addresses as bigints, small ones too, is found where it lies', () => {
    class Big extends GuestMemoryRegion {
      readonly startAddr: GuestAddress;
      readonly length: GuestAddress = 0x10n;
      readonly #bytes = new Uint8Array(0x10);
      constructor(startAddr: bigint) {
        super();
        this.startAddr = startAddr;
      }
      override get lastAddr(): GuestAddress {
        return (this.startAddr as bigint) + 0xfn;
      }
      override getSlice(offset: GuestAddress, count: GuestAddress): VolatileSlice {
        return new VolatileSlice(this.#bytes.subarray(Number(offset), Number(offset) + Number(count)));
      }
    }
    const [first, second] = [new Big(0x1000n), new Big(0x1010n)];
    const memory = GuestRegionCollection.fromRegions<GuestMemoryRegion>([
      first,
      second,
      new OddRegion(0x10, 0, 0x3000),
    ]);
    for (const from of [0x100c, 0x100cn]) {
      memory.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), from);
      const read = new Uint8Array(8);
      expect([memory.read(read, from), [...read], memory.load(from, u8)]).toEqual([8, [1, 2, 3, 4, 5, 6, 7, 8], 1]);
      expect(memory.toRegionAddr(from)).toEqual({ region: first, offset: 0xc, remaining: 4 });
      expect([memory.checkRange(from, 0x14), memory.checkRange(from, 0x15n)]).toEqual([true, false]);
    }
    expect(
      [0xfff, 0x1000, 0x100f, 0x1010, 0x101f, 0x1020, 0x2fff, 0x3000].map((addr) => memory.addressInRange(addr)),
    ).toEqual([false, true, true, true, true, false, false, true]);
    expect(fails(() => memory.load(0x1020, u8)).code).toBe('invalid-guest-address');
    expect(memory.removeRegion(0x1000, 0x10)[1]).toBe(first);
  });

  it('V-1.7, V-1.8: a region that has no byte together with the next is refused, instead of asked for ever', () => {
    for (const answer of [0, -1, 0n, Number.NaN, undefined]) {
      class Shy extends OddRegion {
        override contiguous(): GuestAddress {
          return answer as GuestAddress;
        }
      }
      const region = new Shy(64);
      const memory = GuestRegionCollection.fromRegions([region]);
      for (const ask of [
        () => region.read(new Uint8Array(4), 0),
        () => region.write(new Uint8Array(4), 0),
        () => region.load(0, u8),
        () => memory.read(new Uint8Array(4), 0),
        () => memory.getSlices(0, 4).next(),
      ])
        expect(ask, `${answer}`).toThrow(RangeError);
    }
  });

  it('V-1.7, V-1.8: a region that says it moved what it was not offered is refused, and counts for nothing', () => {
    for (const answer of [Number.NaN, -1, 5, 1.5, '4', undefined]) {
      class Liar extends OddRegion {
        override read(): number {
          return answer as number;
        }
        override write(): number {
          return answer as number;
        }
      }
      const memory = GuestRegionCollection.fromRegions([new Liar(64)]);
      for (const form of ['read', 'write', 'readSlice', 'writeSlice'] as const)
        expect(fails(() => memory[form](new Uint8Array(4), 0)).code, `${form} ${answer}`).toBe('callback-out-of-range');
    }
  });

  it('V-1.4, V-1.8: a slice of another length than asked is refused, and nothing moves through it', () => {
    for (const extra of [-100, -1, 8]) {
      const memory = GuestRegionCollection.fromRegions([new OddRegion(64, extra)]);
      let asked = 0;
      const source = {
        readVolatile(into: Uint8Array) {
          asked++;
          return into.length;
        },
      };
      for (const run of [
        () => memory.read(new Uint8Array(16), 0),
        () => memory.writeSlice(new Uint8Array(16), 0),
        () => memory.load(0, u32),
        () => memory.store(0, u32, 1),
        () => memory.getSlice(0, 16),
        () => memory.getSlices(0, 16).next(),
        () => memory.readVolatileFrom(0, source, 16),
      ])
        expect(run).toThrow(/must be as long as asked/);
      expect(asked).toBe(0);
    }
  });
});

describe('regions of buffers', () => {
  it('mmap/mod::basic_map: a region has the size it was made with', () => {
    expect(new GuestRegionBuffer(0, bufferBacking(1024)).length).toBe(1024);
  });

  it('mmap/unix::test_mmap_region_new: no bytes are refused; permissions are those given', () => {
    expect(() => bufferBacking(0)).toThrow(RangeError);
    const region = new GuestRegionBuffer(0, bufferBacking(16), { permissions: Permissions.READ });
    expect([region.permissions, new GuestRegionBuffer(0, bufferBacking(16)).permissions]).toEqual([
      Permissions.READ,
      Permissions.READ_WRITE,
    ]);
  });

  it("mmap/unix::test_mmap_region_build_raw: memory of the caller is adopted and stays the caller's", () => {
    const mine = new Uint8Array(0x2000);
    const region = new GuestRegionBuffer(0, bufferBacking(mine.subarray(0x800, 0x1800)));
    region.store(0, u8, 9);
    expect([mine[0x800], region.length]).toEqual([9, 0x1000]);
    expect(() => bufferBacking({} as never)).toThrow(TypeError);
  });

  it('mmap/mod::test_retrieve_fd_backing_memory_region: anonymous memory has no file, other memory the one given', () => {
    const file = { path: 'ram.img' };
    const memory = guestMemory([
      { startAddr: 0, memory: 0x400 },
      { startAddr: 0x1000, memory: 0x400, fileOffset: new FileOffset(file, 0) },
    ]);
    expect([memory.findRegion(0)?.fileOffset, memory.findRegion(0x1000)?.fileOffset?.file]).toEqual([null, file]);
  });

  it('mmap/mod::test_retrieve_offset_from_fd_backing_memory_region: and its start', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 0x400, fileOffset: new FileOffset('f', 0x1000) }]);
    expect(memory.findRegion(0)?.fileOffset?.start).toBe(0x1000);
    expect(() => new FileOffset('f', -1)).toThrow(RangeError);
  });

  it('guest_memory::test_file_offset: keeps the file and its start', () => {
    const file = {};
    const offset = new FileOffset(file, 1000);
    expect([offset.file === file, offset.start]).toEqual([true, 1000]);
  });

  it('mmap/mod::test_change_region_addr: the same memory at another address, marks included', () => {
    const memory = guestMemory(
      [
        { startAddr: 0, memory: 0x1000 },
        { startAddr: 0x1_0000, memory: 0x1000 },
      ],
      { dirtyPageSize: 0x100 },
    );
    memory.store(0x1_0010, u16, 0xbeef);
    const [rest, region] = memory.removeRegion(0x1_0000, 0x1000);
    const moved = rest.insertRegion(region.at(0x2_0000));
    expect([
      moved.load(0x2_0010, u16),
      moved.addressInRange(0x1_0010),
      moved.findRegion(0x2_0000)?.bitmap?.dirtyAt(0x10),
    ]).toEqual([0xbeef, false, true]);
    memory.store(0x1_0010, u16, 1);
    expect(moved.load(0x2_0010, u16)).toBe(1);
  });

  it('mmap/mod::test_dirty_tracking: every kind of write marks exactly its pages, in region and slice', () => {
    const memory = guestMemory([{ startAddr: 0x1_0000, memory: 0x2_0000 }], { dirtyPageSize: 0x1000 });
    const region = memory.findRegion(0x1_0000)!;
    const bitmap = region.bitmap as AtomicBitmap;
    const slice = region.getSlice(0x1000, 0x1_0000);
    const dirty = () => {
      const pages = Array.from({ length: 0x20 }, (_, i) => i).filter((i) => bitmap.isBitSet(i));
      const seen = pages.filter((i) => i >= 1 && i < 0x11).every((i) => slice.bitmap?.dirtyAt((i - 1) * 0x1000));
      bitmap.reset();
      return [pages, seen];
    };
    memory.write(new Uint8Array(8), 0x1_1000);
    expect(dirty()).toEqual([[1], true]);
    memory.writeSlice(new Uint8Array(0x1002), 0x1_1fff);
    expect(dirty()).toEqual([[1, 2, 3], true]);
    memory.writeObj(0x1_4ffe, u32, 1);
    expect(dirty()).toEqual([[4, 5], true]);
    memory.store(0x1_6ff8, u64, 1n);
    expect(dirty()).toEqual([[6], true]);
    memory.store(0x1_6ff8, u64, 1n, 5);
    expect(dirty()).toEqual([[6], true]);
    region.write(new Uint8Array(1), 0x7000);
    region.store(0x8000, u8, 1);
    region.store(0x8100, u8, 1, 5);
    region.writeObj(0x8fff, u16, 1);
    expect(dirty()).toEqual([[7, 8, 9], true]);
    slice.write(new Uint8Array(1), 0);
    slice.store(0xffff, u8, 1);
    expect(dirty()).toEqual([[1, 0x10], true]);
    memory.read(new Uint8Array(0x100), 0x1_0000);
    memory.load(0x1_0000, u32);
    memory.readObj(0x1_0000, u32);
    expect(() => memory.store(0x1_0000, u32, -1)).toThrow(RangeError);
    expect(memory.write(new Uint8Array(0x20), 0x2_fff8)).toBe(8);
    expect(dirty()).toEqual([[0x1f], true]);
  });

  it('V-1.6: one global bitmap serves all regions by slices of it', () => {
    const global = new AtomicBitmap(0x3000, { pageSize: 0x100 });
    const memory = GuestRegionCollection.fromRegions([
      new GuestRegionBuffer(0, bufferBacking(0x1000), { bitmap: global.sliceAt(0) }),
      new GuestRegionBuffer(0x8000, sparseBacking(0x2000, { segmentSize: 0x200 }), { bitmap: global.sliceAt(0x1000) }),
    ]);
    memory.store(0x80, u8, 1);
    memory.store(0x8f00, u8, 1);
    memory.write(new Uint8Array(0x20), 0x91f8);
    memory.store(0x95fe, u32, 1);
    expect([...global.getAndReset()].map((w) => w.toString(16))).toEqual(['80000001', '66']);
  });

  it('V-1.7: read-only memory refuses writes and tells checkRange', () => {
    const memory = guestMemory([
      { startAddr: 0, memory: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), permissions: Permissions.READ },
      { startAddr: 8, memory: 8 },
    ]);
    expect(memory.load(0, u8)).toBe(1);
    for (const run of [
      () => memory.store(0, u8, 9),
      () => memory.store(0, u8, 9, 5),
      () => memory.write(Uint8Array.of(9), 0),
      () => memory.writeSlice(Uint8Array.of(9), 0),
      () => memory.writeObj(0, u8, 9),
      () => memory.getSlice(0, 1, Permissions.WRITE),
      () => memory.getSlices(0, 1, Permissions.WRITE).next(),
      () => memory.readVolatileFrom(0, { readVolatile: () => 1 }, 1),
    ])
      expect(fails(run).code).toBe('permission-denied');
    expect([
      memory.load(0, u8),
      memory.checkRange(0, 8, Permissions.READ),
      memory.checkRange(0, 8, Permissions.WRITE),
    ]).toEqual([1, true, false]);
    expect(memory.toRegionAddr(0, Permissions.WRITE)).toBeUndefined();
    const hidden = guestMemory([{ startAddr: 0, memory: 8, permissions: Permissions.WRITE }]);
    expect(fails(() => hidden.load(0, u8)).code).toBe('permission-denied');
    expect(fails(() => hidden.readObj(0, u8)).code).toBe('permission-denied');
    const [region] = [...hidden];
    expect(fails(() => region!.readObj(0, u8)).code).toBe('permission-denied');
    hidden.store(0, u8, 1);
  });

  it('V-1.2: whoever overrides read alone, or readSlice alone, is asked for objects too', () => {
    class Nines extends GuestRegionBuffer {
      override read(buf: Uint8Array): number {
        buf.fill(9);
        return buf.length;
      }
    }
    class Eights extends GuestRegionBuffer {
      override readSlice(buf: Uint8Array): void {
        buf.fill(8);
      }
    }
    class Sevens extends VolatileSlice {
      override read(buf: Uint8Array): number {
        buf.fill(7);
        return buf.length;
      }
    }
    const nines = new Nines(0, bufferBacking(8));
    expect([nines.readObj(0, u16), nines.readObj(7, u8)]).toEqual([0x0909, 9]);
    expect(GuestRegionCollection.fromRegions([nines]).readObj(0, u16)).toBe(0x0909);
    expect(new Eights(0, bufferBacking(8)).readObj(0, u16)).toBe(0x0808);
    expect(new Sevens(new Uint8Array(8)).readObj(0, u16)).toBe(0x0707);
  });
  it('V-1.8: tryAccess offers region by region with its access mode, and checks the answers', () => {
    const memory = guestMemory([
      { startAddr: 0, memory: 8 },
      { startAddr: 8, memory: 8, permissions: Permissions.READ },
    ]);
    const seen: unknown[] = [];
    const done = memory.tryAccess(12, 4, Permissions.READ, (total, len, offset, region) => {
      seen.push([total, len, offset, region.startAddr]);
      return Math.min(len, 3);
    });
    expect([done, seen]).toEqual([
      12,
      [
        [0, 4, 4, 0],
        [3, 1, 7, 0],
        [4, 8, 0, 8],
        [7, 5, 3, 8],
        [10, 2, 6, 8],
      ],
    ]);
    expect(memory.tryAccess(12, 4, Permissions.WRITE, (_t, len) => len)).toBe(4);
    expect(memory.tryAccess(12, 4, Permissions.READ, () => 0)).toBe(0);
    expect(fails(() => memory.tryAccess(1, 16, Permissions.READ, () => 1)).code).toBe('invalid-guest-address');
    expect(fails(() => memory.tryAccess(1, 0, Permissions.READ, () => 2)).code).toBe('callback-out-of-range');
  });
});

describe('permissions', () => {
  const { NO, READ, WRITE, READ_WRITE } = Permissions;
  const all = [NO, READ, WRITE, READ_WRITE];

  it('guest_memory::test_perm_and: idempotent, commutative, NO absorbs, READ_WRITE is neutral', () => {
    for (const p of all) {
      expect([permissionsAnd(p, p), permissionsAnd(NO, p), permissionsAnd(READ_WRITE, p)]).toEqual([p, NO, p]);
      for (const q of all) expect(permissionsAnd(p, q)).toBe(permissionsAnd(q, p));
    }
    expect(permissionsAnd(READ, WRITE)).toBe(NO);
  });

  it('guest_memory::test_perm_or: idempotent, commutative, NO is neutral, READ_WRITE absorbs', () => {
    for (const p of all) {
      expect([permissionsOr(p, p), permissionsOr(NO, p), permissionsOr(READ_WRITE, p)]).toEqual([p, p, READ_WRITE]);
      for (const q of all) expect(permissionsOr(p, q)).toBe(permissionsOr(q, p));
    }
    expect(permissionsOr(READ, WRITE)).toBe(READ_WRITE);
  });

  it('guest_memory::test_perm_has_write: of WRITE and READ_WRITE', () => {
    expect(all.map(permissionsHaveWrite)).toEqual([false, false, true, true]);
    expect(all.map((p) => permissionsAllow(READ, p))).toEqual([true, true, false, false]);
  });
});

describe('snapshot swap', () => {
  const two = () => collection([0, 0x400], [0x1000, 0x400]);

  it('atomic::test_atomic_memory: every way to the map shows the same regions', () => {
    const memory = two();
    const atomic = new GuestMemoryAtomic(memory);
    expect([atomic.memory(), atomic.memory().memory(), memory.memory()]).toEqual([memory, memory, memory]);
    expect([
      atomic.memory().numRegions,
      atomic.memory().findRegion(0x1000)?.startAddr,
      atomic.memory().findRegion(0x800),
    ]).toEqual([2, 0x1000, undefined]);
  });

  it('V-1.8, V-1.9: a guard gives back, once, a snapshot that is held, and leaves alone what is only a map', () => {
    const map = two();
    let held = 0;
    const space = {
      memory: () => {
        held++;
        return Object.assign(two(), { [DISPOSE]: () => held-- });
      },
    };
    const guard = loadGuard(space);
    expect([guard.memory.numRegions, held]).toEqual([2, 1]);
    guard.dispose();
    guard[DISPOSE]();
    expect(held).toBe(0);
    const ended = Object.assign(two(), { dispose: () => held++ }); // Ends the space itself, say: not what `using` calls.
    for (const plain of [new GuestMemoryAtomic(map), map, { memory: () => ended }]) {
      const each = loadGuard(plain);
      expect(each.memory).toBe(plain.memory());
      each.dispose();
    }
    expect(held).toBe(0);
  });

  it('atomic::test_clone_guard: a snapshot outlives others and the swap', () => {
    const atomic = new GuestMemoryAtomic(two());
    let first: GuestRegionCollection<MapRegion> | undefined = atomic.memory();
    const second = first;
    first = undefined;
    atomic.lock().replace(collection([0, 1]));
    expect([second.numRegions, first, atomic.memory().numRegions]).toEqual([2, undefined, 1]);
  });

  it('atomic::test_atomic_hotplug: lock, insert, replace; the old snapshot keeps two regions, the new has five', () => {
    const atomic = new GuestMemoryAtomic(two());
    const old = atomic.memory();
    const guard = atomic.lock();
    let next = atomic.memory();
    for (const region of regions([0x4000, 0x400], [0x8000, 0x400], [0xc000, 0x400])) next = next.insertRegion(region);
    expect(code(() => next.insertRegion(new MapRegion(0x8100, 0x400)))).toBe('memory-region-overlap');
    expect(atomic.memory().numRegions).toBe(2);
    guard.replace(next);
    expect([old.numRegions, atomic.memory().numRegions]).toEqual([2, 5]);
  });

  it('V-1.9: one writer at a time; a guard that is dropped changes nothing; the next waits its turn', async () => {
    const atomic = new GuestMemoryAtomic(two());
    const guard = atomic.lock();
    expect(() => atomic.lock()).toThrow(/lockAsync/);
    const order: string[] = [];
    const waiting = [atomic.lockAsync(), atomic.lockAsync()].map(async (lock, i) => {
      const mine = await lock;
      order.push(`got ${i}`);
      mine.dispose();
    });
    guard[Symbol.dispose]();
    await Promise.all(waiting);
    expect([order, atomic.memory().numRegions, atomic.isLocked]).toEqual([['got 0', 'got 1'], 2, false]);
    guard.dispose();
    expect(() => guard.replace(two())).toThrow(/used up/);
  });

  it('V-1.9: what the lock refuses has a code of its own, and a map that is none is not published', () => {
    const atomic = new GuestMemoryAtomic(two());
    const guard = atomic.lock();
    expect(code(() => atomic.lock())).toBe('locked');
    expect(() => guard.replace(undefined as never)).toThrow(
      new TypeError(
        'replace publishes a guest memory, for example guestMemory([{ startAddr: 0, memory: 0x1000 }]), not undefined',
      ),
    );
    expect([atomic.isLocked, atomic.memory().numRegions]).toEqual([true, 2]);
    guard.replace(collection([0, 1]));
    expect(code(() => guard.replace(two()))).toBe('guard-used');
    expect(() => new GuestMemoryAtomic([] as never)).toThrow(/begins with a guest memory/);
  });

  it('V-1.9: the lock goes to those who wait in the order they came, whoever asks when it is given back', async () => {
    const atomic = new GuestMemoryAtomic(two());
    const guard = atomic.lock();
    const order: string[] = [];
    const writer = async (name: string) => {
      const mine = await atomic.lockAsync();
      order.push(name);
      await Promise.resolve();
      mine.dispose();
    };
    const waiting = [writer('first'), writer('second')];
    guard.dispose();
    expect(() => atomic.lock()).toThrow(/another writer/);
    waiting.push(writer('third'));
    await Promise.all(waiting);
    expect([order, atomic.isLocked]).toEqual([['first', 'second', 'third'], false]);
  });
});
