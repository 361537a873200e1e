/** The facts of `conformance` about scalar accesses through an IOMMU that is switched on, over the memory under test. */
import { expect, it } from 'vitest';
import {
  AtomicBitmap,
  f64,
  type GuestMemory,
  type GuestMemoryBackend,
  GuestMemoryError,
  IommuError,
  IommuMemory,
  Iotlb,
  i16,
  i32,
  inOrder,
  Ordering,
  Permissions,
  type ScalarCodec,
  tlbIommu,
  u8,
  u16,
  u32,
  u64,
  u64Number,
} from '../../src/index.ts';

/** Codec, value, and the bytes that it has in memory. */
const VALUES: readonly (readonly [ScalarCodec<never>, number | bigint, readonly number[]])[] = [
  [u8, 0xfe, [0xfe]],
  [inOrder(u16, 'big'), 0xfedc, [0xfe, 0xdc]],
  [inOrder(i16, 'little'), -2, [0xfe, 0xff]],
  [inOrder(u32, 'little'), 0xfedc_ba98, [0x98, 0xba, 0xdc, 0xfe]],
  [inOrder(u32, 'big'), 0x8000_0001, [0x80, 0, 0, 1]],
  [inOrder(i32, 'big'), -2, [0xff, 0xff, 0xff, 0xfe]],
  [inOrder(f64, 'big'), -2, [0xc0, 0, 0, 0, 0, 0, 0, 0]],
  [inOrder(u64, 'little'), 0xfedc_ba98_7654_3210n, [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]],
  [inOrder(u64Number, 'big'), 0x12_3456_789a_bcde, [0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde]],
] as never;

/** @param make memory of 0x100 bytes at 0x1000 and at 0x2000. */
export function iommuFacts(make: () => GuestMemory): void {
  /** IOVA 0x8000 is physical 0x2000, 0x8100 is 0x1000 for reading only, 0x9000 is a hole. */
  const setUp = () => {
    const memory = make();
    const tlb = new Iotlb();
    tlb.setMapping(0x8000, 0x2000, 0x100, Permissions.READ_WRITE);
    tlb.setMapping(0x8100, 0x1000, 0x100, Permissions.READ);
    tlb.setMapping(0x9000, 0x5000, 0x100, Permissions.READ_WRITE);
    const bitmap = new AtomicBitmap(0x1_0000, { pageSize: 8 });
    const iommu = new IommuMemory(memory as GuestMemoryBackend, tlbIommu(tlb), { bitmap });
    return { memory, iommu, bitmap, hosted: hasSlices(memory) };
  };

  it('V-1.12: loads and stores through an IOMMU reach the translated address, plain and atomic, and mark the IOVA', () => {
    const { memory, iommu, bitmap, hosted } = setUp();
    for (const ordering of [undefined, Ordering.SEQ_CST] as const)
      for (const [index, [codec, value, bytes]] of VALUES.entries()) {
        const at = 0x10 * index;
        if (!hosted) {
          expect(refusal(() => iommu.load(0x8000 + at, codec, ordering)).code).toBe('host-address-not-available');
          expect(refusal(() => iommu.store(0x8000 + at, codec, value as never, ordering)).code).toBe(
            'host-address-not-available',
          );
          continue;
        }
        iommu.store(0x8000 + at, codec, value as never, ordering);
        const seen = new Uint8Array(codec.size);
        memory.readSlice(seen, 0x2000 + at);
        expect([...seen]).toEqual(bytes);
        expect(iommu.load(BigInt(0x8000 + at), codec, ordering)).toBe(value);
        memory.writeSlice(Uint8Array.from(bytes), 0x1000 + at);
        expect(iommu.load(0x8100 + at, codec, ordering)).toBe(value);
        expect([bitmap.dirtyAt(0x8000 + at), bitmap.dirtyAt(0x8008 + at)]).toEqual([true, false]);
        expect([bitmap.dirtyAt(0x2000 + at), bitmap.dirtyAt(0x8100 + at)]).toEqual([false, false]);
        memory.writeSlice(new Uint8Array(codec.size), 0x2000 + at);
        bitmap.reset();
      }
  });

  it('V-1.12: what an IOMMU does not map, or not for writing, is refused before memory is asked', () => {
    const { memory, iommu, bitmap } = setUp();
    for (const ordering of [undefined, Ordering.SEQ_CST] as const) {
      for (const access of [
        () => iommu.load(0x7000, u32, ordering),
        () => iommu.store(0x7000, u32, 1, ordering),
        () => iommu.store(0x8100, u32, 1, ordering),
        () => iommu.load(0x81fe, u32, ordering),
      ]) {
        const error = refusal(access);
        expect(error.code).toBe('iommu-error');
        expect(error.cause).toBeInstanceOf(IommuError);
        expect((error.cause as IommuError).code).toBe('cannot-resolve');
      }
    }
    expect(memory.load(0x1000, u32)).toBe(0);
    expect(bitmap.dirtyAt(0x8100)).toBe(false);
  });

  it('V-1.12: V-1.3: a mapping to a hole, a scalar over two mappings and a misaligned atomic are errors as without one', () => {
    const { memory, iommu, hosted } = setUp();
    const hole = hosted ? ['invalid-guest-address'] : ['invalid-guest-address', 'host-address-not-available'];
    expect(hole).toContain(refusal(() => iommu.load(0x9000, u32)).code);
    expect(hole).toContain(refusal(() => iommu.store(0x9000, u32, 1, Ordering.RELEASE)).code);
    if (!hosted) return;
    memory.writeSlice(Uint8Array.of(1, 2), 0x20fe);
    memory.writeSlice(Uint8Array.of(3, 4), 0x1000);
    expect(refusal(() => iommu.load(0x80fe, u32)).code).toBe('invalid-backend-address');
    expect(iommu.readObj(0x80fe, inOrder(u32, 'little'))).toBe(0x0403_0201);
    expect(refusal(() => iommu.load(0x8002, u32, Ordering.ACQUIRE)).code).toBe('misaligned');
    expect(refusal(() => iommu.store(0x8002, u32, 1, Ordering.RELEASE)).code).toBe('misaligned');
    expect(memory.load(0x2000, u64)).toBe(0n);
  });

  it('V-1.12: switched off, loads and stores are those of the memory itself', () => {
    const { memory, iommu, bitmap } = setUp();
    iommu.enabled = false;
    expect(iommu.physicalMemory()).toBe(memory);
    if (!hasSlices(memory)) return;
    iommu.store(0x1000, u32, 0x8765_4321, Ordering.SEQ_CST);
    expect(memory.load(0x1000, u32)).toBe(0x8765_4321);
    expect(iommu.load(0x1000, u32)).toBe(0x8765_4321);
    expect(bitmap.dirtyAt(0x1000)).toBe(false);
  });
}

/** Does the memory hand out host memory at all? */
function hasSlices(memory: GuestMemory): boolean {
  try {
    return memory.getSlices(0x1000, 8).next().done !== true;
  } catch {
    return false;
  }
}

function refusal(run: () => unknown): GuestMemoryError {
  try {
    run();
  } catch (error) {
    if (error instanceof GuestMemoryError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
