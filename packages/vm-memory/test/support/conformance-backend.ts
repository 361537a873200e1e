/** The facts of `conformance` about memory that has slices, and memory that has regions. */
import { expect, it } from 'vitest';
import {
  ByteSource,
  GrowingSink,
  type GuestAddress,
  type GuestMemoryBackend,
  GuestMemoryError,
  Ordering,
  Permissions,
  u8,
  u16,
  u32,
  u64,
  VolatileSlice,
} from '../../src/index.ts';
import { fails } from './fails.ts';

const LAST = 2n ** 64n - 1n;
/** Makes a memory of these ranges of zeros. */
export type Maker = (...ranges: (readonly [start: GuestAddress, length: number])[]) => GuestMemoryBackend;

/** Facts of slices of the host's bytes. @param contiguous is each range one slice? */
export function sliceFacts(make: Maker, contiguous: boolean, regions: boolean): void {
  it('mmap/mod::test_guest_memory_get_slices: slices ascend, sum to the length, and end with one error', () => {
    const memory = make([0, 0x400], [0x800, 0x400]);
    const lengths = (addr: number, len: number) => [...memory.getSlices(addr, len)].map((s) => s.length);
    const sum = (addr: number, len: number) => lengths(addr, len).reduce((a, b) => a + b, 0);
    expect([sum(0, 0x200), sum(0x200, 0x200), sum(0, 0)]).toEqual([0x200, 0x200, 0]);
    expect(sum(0x2000, 0)).toBe(0);
    const iterator = memory.getSlices(0, 0x500);
    let seen = 0;
    while (seen < 0x400) seen += iterator.next().value?.length ?? Number.NaN;
    expect(seen).toBe(0x400);
    const error = fails(() => iterator.next());
    expect([error.code, error.addr]).toEqual(['invalid-guest-address', 0x400]);
    expect(iterator.next()).toEqual({ done: true, value: undefined });
    expect(() => memory.getSlices(0x400, 1).next()).toThrow(GuestMemoryError);
    const touching = make([0, 0x400], [0x800, 0x400], [0xc00, 0x400]);
    if (contiguous) expect([...touching.getSlices(0xa00, 0x400)].map((s) => s.length)).toEqual([0x200, 0x200]);
    expect([...memory.getSlices(0x300, 0x600).stopOnError()].reduce((n, s) => n + s.length, 0)).toBe(0x100);
    expect(() => memory.getSlices(0x400, 1).stopOnError()).toThrow(GuestMemoryError);
    expect([...memory.getSlices(0x400, 0).stopOnError()]).toEqual([]);
  });

  it('V-1.4: a slice of guest memory is that memory, not a copy', () => {
    const memory = make([0x1000, 0x100]);
    for (const slice of memory.getSlices(0x1010, 4, Permissions.WRITE)) slice.bytes.fill(0x77);
    expect(memory.load(0x1010, u32)).toBe(0x7777_7777);
    memory.store(0x1010, u8, 1);
    expect(memory.getSlices(0x1010, 1).next().value?.load(0, u8)).toBe(1);
  });

  if (!regions || !contiguous) return;
  it('mmap/mod::test_get_host_address: none in a hole; 0x200 bytes apart where addresses are', () => {
    const memory = make([0, 0x400], [0x800, 0x400]);
    expect(fails(() => memory.getHostAddress(0x600)).code).toBe('invalid-guest-address');
    const first = memory.getHostAddress(0x800);
    const second = memory.getHostAddress(0xa00);
    expect([first.buffer === second.buffer, second.byteOffset - first.byteOffset]).toEqual([true, 0x200]);
  });

  it('mmap/mod::test_guest_memory_get_slice: in one region; over its end and in a hole two different errors', () => {
    const memory = make([0, 0x400], [0x800, 0x400]);
    expect([memory.getSlice(0x200, 0x200).length, memory.getSlice(0x200, 0).length]).toEqual([0x200, 0]);
    expect(fails(() => memory.getSlice(0, 0x500)).code).toBe('invalid-backend-address');
    expect(fails(() => memory.getSlice(0x600, 0x100)).code).toBe('invalid-guest-address');
    expect(fails(() => memory.getSlice(0xc00, 0x100)).code).toBe('invalid-guest-address');
    expect(memory.getSlice(0x100, 4)).toBeInstanceOf(VolatileSlice);
  });

  it('mmap/mod::slice_addr: a slice begins at the byte it was asked for', () => {
    const memory = make([0, 0x400]);
    const base = memory.getHostAddress(0).byteOffset;
    expect(memory.getSlice(2, 3).bytes.byteOffset).toBe(base + 2);
  });

  it('mmap/mod::test_guest_memory_mmap_get_slice: of a region: normal, empty, beyond', () => {
    const region = [...make([0, 0x400])][0]!;
    expect([region.getSlice(0x200, 0x200).length, region.getSlice(0x200, 0).length]).toEqual([0x200, 0]);
    expect(fails(() => region.getSlice(0x200, 0x201)).code).toBe('invalid-backend-address');
    expect(fails(() => region.getSlice(0x401, 0)).code).toBe('invalid-backend-address');
  });

  it('mmap/mod::test_guest_memory_mmap_as_volatile_slice: the whole region, and a ref in it', () => {
    const region = [...make([0, 0x400])][0]!;
    const slice = region.asVolatileSlice();
    expect(slice.length).toBe(0x400);
    const ref = slice.getRef(0, u16);
    ref.store(500);
    expect(ref.load()).toBe(500);
  });

  it('mmap/mod::test_deref: a slice of the region sees what was written at guest addresses', () => {
    const memory = make([0x8000, 0x400]);
    memory.write(new Uint8Array(16).fill(0x5a), 0x8100);
    const slice = [...memory][0]!.asVolatileSlice();
    const back = new Uint8Array(16);
    slice.readSlice(back, 0x100);
    expect(back).toEqual(new Uint8Array(16).fill(0x5a));
  });
}

/** Facts of a memory that has regions. */
export function regionFacts(make: Maker): void {
  it('mmap/mod::test_to_region_addr: region, offset and rest; nothing in a hole', () => {
    const memory = make([0, 0x400], [0x800, 0x400]);
    expect(memory.toRegionAddr(0x600)).toBeUndefined();
    const at = memory.toRegionAddr(0x800)!;
    const further = memory.toRegionAddr(0xa00)!;
    expect([at.offset, at.remaining, at.region.startAddr, at.region.length]).toEqual([0, 0x400, 0x800, 0x400]);
    expect([further.offset, further.remaining, further.region === at.region]).toEqual([0x200, 0x200, true]);
  });

  it('mmap/mod::test_atomic_accesses: of a region, at region offsets', () => {
    const region = [...make([0x8000, 0x1000])][0]!;
    for (const codec of [u8, u16, u32]) {
      region.writeSlice(new Uint8Array(8), 0);
      expect(region.load(0, codec, Ordering.SEQ_CST)).toBe(0);
      region.store(0, codec, 100, Ordering.SEQ_CST);
      expect(region.load(0, codec, Ordering.SEQ_CST)).toBe(100);
      expect(fails(() => region.load(0x1000, codec, Ordering.SEQ_CST)).code).toBe('invalid-backend-address');
      expect(fails(() => region.store(0x1000, codec, 1, Ordering.SEQ_CST)).code).toBe('invalid-backend-address');
    }
  });

  it('V-1.8: look-ups over the map agree', () => {
    const memory = make([0, 0x400], [0x800, 0x400]);
    expect([memory.numRegions, memory.lastAddr]).toEqual([2, 0xbff]);
    expect([0x3ff, 0x400, 0x7ff, 0x800, 0xc00].map((a) => memory.addressInRange(a))).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    expect([memory.checkAddress(0x800), memory.checkAddress(0x400)]).toEqual([0x800, undefined]);
    expect([
      memory.checkedOffset(0x100, 0x800),
      memory.checkedOffset(0x100, 0x400),
      memory.checkedOffset(1, LAST),
    ]).toEqual([0x900, undefined, undefined]);
    expect([...memory].map((r) => r.lastAddr)).toEqual([0x3ff, 0xbff]);
    expect(memory.physicalMemory()).toBe(memory);
  });

  it('V-1.7: a region is Bytes of its own, with offsets', () => {
    const region = [...make([0x8000, 0x100])][0]!;
    expect(region.write(Uint8Array.of(1, 2, 3, 4), 0xfe)).toBe(2);
    expect(region.read(new Uint8Array(4), 0xfc)).toBe(4);
    expect(fails(() => region.readSlice(new Uint8Array(4), 0xfe)).completed).toBe(2);
    expect(fails(() => region.read(new Uint8Array(1), 0x100)).code).toBe('invalid-backend-address');
    expect([region.checkedOffset(0xf0, 0xf), region.checkedOffset(0xf0, 0x10), region.toRegionAddr(0x8010)]).toEqual([
      0xff,
      undefined,
      0x10,
    ]);
    region.writeObj(0x10, u64, 5n);
    expect([region.readObj(0x10, u64), region.load(0x10, u32)]).toEqual([5n, 5]);
    region.readExactVolatileFrom(0, new ByteSource(new Uint8Array(8).fill(1)), 8);
    const sink = new GrowingSink();
    region.writeAllVolatileTo(4, sink, 8);
    expect([...sink.toBytes()]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  });
}
