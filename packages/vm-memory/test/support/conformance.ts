/**
 * The facts of the vm-memory contract that hold for any guest memory, as a suite over the implementation: call it in a
 * test file of your package with a way to make a memory of given ranges. Titles that begin with `module::name` are
 * vm-memory's own tests (spec section 2); those with V- are rules of its behaviour that no test of its has.
 */
import { describe, expect, it } from 'vitest';
import {
  ByteSink,
  ByteSource,
  GrowingSink,
  type GuestAddress,
  type GuestMemory,
  type GuestMemoryBackend,
  GuestMemoryError,
  inOrder,
  Ordering,
  Permissions,
  type ScalarCodec,
  struct,
  u8,
  u16,
  u32,
  u64,
  u64Number,
} from '../../src/index.ts';
import { type Maker, regionFacts, sliceFacts } from './conformance-backend.ts';
import { iommuFacts } from './conformance-iommu.ts';
import { fails } from './fails.ts';

/** One range of zeros. */
export interface Range {
  readonly start: GuestAddress;
  readonly length: number;
}

/** An implementation under test. */
export interface Subject {
  readonly name: string;
  /** Makes a memory of these ranges, ascending, apart or touching. */
  make(ranges: readonly Range[]): GuestMemory;
  /** Does `getSlices` work (default true)? */
  readonly slices?: boolean;
  /** Is each range one slice (default true)? */
  readonly contiguous?: boolean;
  /** Is it a GuestMemoryBackend, with regions (default true)? */
  readonly regions?: boolean;
}

const LAST = 2n ** 64n - 1n;
const le32 = inOrder(u32, 'little');

/** Runs all facts over `subject`. */
export function conformance(subject: Subject): void {
  const { slices = true, contiguous = true, regions = true } = subject;
  const make = (...ranges: (readonly [start: GuestAddress, length: number])[]) =>
    subject.make(ranges.map(([start, length]) => ({ start, length })));
  const backend: Maker = (...ranges) => make(...ranges) as GuestMemoryBackend;

  describe(`conformance: ${subject.name}`, () => {
    iommuFacts(() => make([0x1000, 0x100], [0x2000, 0x100]));

    it('guest_memory::checked_read_from: a stream of 0x20 bytes goes over the border of two adjacent regions', () => {
      const memory = make([0, 0x40], [0x40, 0x40]);
      expect(memory.readVolatileFrom(0x30, new ByteSource(new Uint8Array(0x40).fill(7)), 0x20)).toBe(0x20);
      const back = new Uint8Array(0x22);
      memory.readSlice(back, 0x2f);
      expect([...back]).toEqual([0, ...new Array(0x20).fill(7), 0]);
    });

    it('guest_memory::test_zero_length_accesses: every operation succeeds with nothing to do, at any address', () => {
      const memory = make([0, 0x1000]);
      const empty = new Uint8Array(0);
      const nothing = struct({});
      for (const addr of [0, 0x1000, 0x5000_0000, LAST]) {
        expect(memory.write(empty, addr)).toBe(0);
        expect(memory.read(empty, addr)).toBe(0);
        memory.writeSlice(empty, addr);
        memory.readSlice(empty, addr);
        memory.writeObj(addr, nothing, {});
        expect(memory.readObj(addr, nothing)).toEqual({});
        expect(memory.readVolatileFrom(addr, new ByteSource(empty), 0)).toBe(0);
        memory.readExactVolatileFrom(addr, new ByteSource(empty), 0);
        expect(memory.writeVolatileTo(addr, new GrowingSink(), 0)).toBe(0);
        memory.writeAllVolatileTo(addr, new GrowingSink(), 0);
        expect(memory.checkRange(addr, 0)).toBe(true);
      }
    });

    it('guest_memory::test_atomic_accesses: load is 0, store 100, load 100 at the start; both fail past the end', () => {
      const memory = make([0x1000, 0x1000]);
      for (const codec of [u8, u16, u32, u64Number]) {
        memory.writeSlice(new Uint8Array(8), 0x1000);
        expect(memory.load(0x1000, codec, Ordering.SEQ_CST)).toBe(0);
        memory.store(0x1000, codec, 100, Ordering.RELEASE);
        expect(memory.load(0x1000, codec, Ordering.ACQUIRE)).toBe(100);
        expect(() => memory.load(0x2000, codec, Ordering.SEQ_CST)).toThrow(GuestMemoryError);
        expect(() => memory.store(0x2000, codec, 1, Ordering.SEQ_CST)).toThrow(GuestMemoryError);
      }
    });

    it('mmap/mod::test_read_u64: objects in two regions, in a hole, and over an end with what was done', () => {
      const memory = make([0, 0x1000], [0x3000, 0x1000]);
      const bad = fails(() => memory.writeObj(0x2000, u64, 1n));
      expect([bad.code, bad.addr]).toEqual(['invalid-guest-address', 0x2000]);
      memory.writeObj(0x500, u64, 0xaa55_aa55_55aa_55aan);
      memory.writeObj(0x3500, u64, 0x55aa_55aa_aa55_aa55n);
      expect([memory.readObj(0x500, u64), memory.readObj(0x3500, u64)]).toEqual([
        0xaa55_aa55_55aa_55aan,
        0x55aa_55aa_aa55_aa55n,
      ]);
      const partial = fails(() => memory.writeObj(0xffc, u64, 0x0807_0605_0403_0201n));
      expect([partial.code, partial.expected, partial.completed]).toEqual(['partial-buffer', 8, 4]);
      expect(memory.load(0xffc, le32)).toBe(0x0403_0201);
      const read = fails(() => memory.readObj(0x3ffc, u64));
      expect([read.code, read.expected, read.completed]).toEqual(['partial-buffer', 8, 4]);
    });

    it('mmap/mod::write_and_read: five bytes; at the last byte one of them', () => {
      const memory = make([0x1000, 0x400]);
      const data = Uint8Array.of(1, 2, 3, 4, 5);
      expect(memory.write(data, 0x1200)).toBe(5);
      const back = new Uint8Array(5);
      expect(memory.read(back, 0x1200)).toBe(5);
      expect(back).toEqual(data);
      expect([memory.write(data, 0x13ff), memory.read(back.fill(0), 0x13ff)]).toEqual([1, 1]);
      expect([...back]).toEqual([1, 0, 0, 0, 0]);
    });

    it('mmap/mod::read_to_and_write_from_mem: exact streams move everything, both ways', () => {
      const memory = make([0x1000, 0x400]);
      memory.writeObj(0x1010, u32, 0xdead_beef);
      memory.readExactVolatileFrom(0x1010, { readVolatile: (into) => into.fill(0).length }, 4);
      expect(memory.readObj(0x1010, u32)).toBe(0);
      memory.writeSlice(Uint8Array.of(9, 8, 7, 6), 0x1010);
      const sink = new ByteSink(new Uint8Array(4));
      memory.writeAllVolatileTo(0x1010, sink, 4);
      expect([...sink.bytes]).toEqual([9, 8, 7, 6]);
    });

    it('mmap/mod::mapped_file_read: a source of five bytes fills five of sixteen', () => {
      const memory = make([0, 0x400]);
      expect(memory.readVolatileFrom(0, new ByteSource(Uint8Array.of(1, 2, 3, 4, 5)), 16)).toBe(5);
      const back = new Uint8Array(16);
      memory.readSlice(back, 0);
      expect([...back]).toEqual([1, 2, 3, 4, 5, ...new Array(11).fill(0)]);
    });

    it('mmap/mod::test_access_cross_boundary: five bytes over two adjacent regions', () => {
      const memory = make([0, 0x1000], [0x1000, 0x1000]);
      const data = Uint8Array.of(1, 2, 3, 4, 5);
      expect(memory.write(data, 0xffc)).toBe(5);
      const back = new Uint8Array(5);
      expect(memory.read(back, 0xffc)).toBe(5);
      expect(back).toEqual(data);
      memory.writeObj(0xffd, u64, 0x1122_3344_5566_7788n);
      expect(memory.readObj(0xffd, u64)).toBe(0x1122_3344_5566_7788n);
    });

    it('mmap/mod::test_check_range: every byte has to be there', () => {
      const apart = make([0, 0x400], [0x800, 0x400]);
      const touching = make([0, 0x800], [0x800, 0x400]);
      const asked: [number, number][] = [
        [0, 0],
        [0, 0x200],
        [0, 0x400],
        [0, 0xa00],
        [0xa00, 0x200],
        [0xa00, 0x201],
      ];
      expect(asked.map(([a, n]) => apart.checkRange(a, n, Permissions.READ))).toEqual([
        true,
        true,
        true,
        false,
        true,
        false,
      ]);
      const lens = [0x7ff, 0x800, 0x801, 0xc00, 0xc01];
      expect(lens.map((n) => touching.checkRange(0, n))).toEqual([true, true, true, true, false]);
      expect([0x400, 0x800, 0x801, 0xc00].map((n) => touching.checkRange(0x400, n))).toEqual([
        true,
        true,
        false,
        false,
      ]);
      expect([touching.checkRange(0, LAST), touching.checkRange(0, 2n ** 64n), touching.checkRange(1, LAST)]).toEqual([
        false,
        false,
        false,
      ]);
    });

    it('V-1.3: a plain load or store is one access at any alignment, never split between regions', () => {
      const memory = make([0x1000, 0x100], [0x1100, 0x100]);
      memory.store(0x1003, le32, 0x8899_aabb);
      expect([memory.load(0x1003, le32), memory.load(0x1004, u8)]).toEqual([0x8899_aabb, 0xaa]);
      const before = new Uint8Array(0x200);
      memory.readSlice(before, 0x1000);
      expect(fails(() => memory.load(0x10fe, u32)).code).toBe('invalid-backend-address');
      expect(fails(() => memory.store(0x10fe, u32, 1)).code).toBe('invalid-backend-address');
      expect(fails(() => memory.load(0x11fe, u32)).code).toBe('invalid-backend-address');
      expect(fails(() => memory.load(0x1200, u32)).code).toBe('invalid-guest-address');
      const after = new Uint8Array(0x200);
      memory.readSlice(after, 0x1000);
      expect(after).toEqual(before);
    });

    it('V-1.3: an atomic access has to be aligned in host memory', () => {
      const memory = make([0x1000, 0x100]);
      for (const [offset, codec] of [
        [1, u16],
        [2, u32],
        [4, u64],
      ] as [number, ScalarCodec<number>][]) {
        expect(fails(() => memory.load(0x1000 + offset, codec, Ordering.RELAXED)).code).toBe('misaligned');
        expect(
          fails(() =>
            memory.store(0x1000 + offset, codec, codec === (u64 as never) ? (1n as never) : 1, Ordering.RELAXED),
          ).code,
        ).toBe('misaligned');
      }
      expect(memory.readObj(0x1000, u64)).toBe(0n);
    });

    it('V-1.3: a load takes no RELEASE, a store no ACQUIRE, and neither takes ACQ_REL', () => {
      const memory = make([0, 0x100]);
      for (const ordering of [Ordering.RELEASE, Ordering.ACQ_REL, 9 as never])
        expect(() => memory.load(0, u32, ordering)).toThrow(TypeError);
      for (const ordering of [Ordering.ACQUIRE, Ordering.ACQ_REL, 9 as never])
        expect(() => memory.store(0, u32, 1, ordering)).toThrow(TypeError);
      expect(memory.load(0, u32, Ordering.RELAXED)).toBe(0);
    });

    it('V-1.8: a transfer that begins in a hole is an error, one that runs into a hole is short or tells its progress', () => {
      const memory = make([0, 0x100], [0x200, 0x100]);
      const buf = new Uint8Array(0x180).fill(1);
      expect(fails(() => memory.read(buf, 0x100)).code).toBe('invalid-guest-address');
      expect(fails(() => memory.write(buf, 0x1ff)).code).toBe('invalid-guest-address');
      expect(memory.write(buf, 0xf0)).toBe(0x10);
      const partial = fails(() => memory.writeSlice(buf, 0xf0));
      expect([partial.code, partial.expected, partial.completed]).toEqual(['partial-buffer', 0x180, 0x10]);
      expect(partial.message).toMatch(/0xf0|0x100/);
      expect(memory.load(0x200, u8)).toBe(0);
    });

    it('V-1.5: streams end at a hole; exact ones tell how far they came', () => {
      const memory = make([0, 0x100]);
      const source = new ByteSource(new Uint8Array(0x200).fill(3));
      expect(memory.readVolatileFrom(0xf0, source, 0x40)).toBe(0x10);
      expect(source.position).toBe(0x10);
      const read = fails(() => memory.readExactVolatileFrom(0xf0, source, 0x40));
      expect([read.code, read.completed]).toEqual(['partial-buffer', 0x10]);
      const sink = new GrowingSink();
      expect(memory.writeVolatileTo(0xf8, sink, 0x40)).toBe(8);
      expect([...sink.toBytes()]).toEqual(new Array(8).fill(3));
      expect(fails(() => memory.readVolatileFrom(0x100, source, 1)).code).toBe('invalid-guest-address');
    });

    it('V-1.5: an exact stream is filled by as many calls as it takes; its end is an io-error with progress', () => {
      const memory = make([0, 0x80], [0x80, 0x80]);
      let calls = 0;
      const drip = {
        readVolatile(into: Uint8Array) {
          into[0] = ++calls;
          return 1;
        },
      };
      memory.readExactVolatileFrom(0x7c, drip, 8);
      expect([calls, memory.readObj(0x7c, inOrder(u64, 'big'))]).toEqual([8, 0x0102_0304_0506_0708n]);
      const error = fails(() => memory.readExactVolatileFrom(0, new ByteSource(new Uint8Array(5)), 9));
      expect([error.code, error.expected, error.completed]).toEqual(['io-error', 9, 5]);
      const full = fails(() => memory.writeAllVolatileTo(0, new ByteSink(new Uint8Array(5)), 9));
      expect([full.code, full.completed]).toEqual(['io-error', 5]);
    });

    it('V-1.5: an end that says it moved what it was not offered is an error that tells where', () => {
      const memory = make([0, 0x80]);
      for (const moved of [5, -1, 0.5, Number.NaN, '4' as never]) {
        const read = fails(() => memory.readVolatileFrom(0x10, { readVolatile: () => moved }, 4));
        expect([read.code, read.message]).toEqual([
          'callback-out-of-range',
          expect.stringMatching(/^the source .* 4 /),
        ]);
        const write = fails(() => memory.writeVolatileTo(0x10, { writeVolatile: () => moved }, 4));
        expect([write.code, write.message]).toEqual([
          'callback-out-of-range',
          expect.stringMatching(/^the sink .* 4 /),
        ]);
      }
    });

    it('D1: a bigint address means what the number means', () => {
      const memory = make([0x1000, 0x100]);
      memory.store(0x1010n, u32, 0x1234_5678);
      memory.writeObj(0x1020n, u16, 0xabcd);
      memory.write(Uint8Array.of(1, 2), 0x1030n);
      const back = new Uint8Array(2);
      memory.readSlice(back, 0x1030n);
      expect([memory.load(0x1010, u32), memory.readObj(0x1020, u16), ...back]).toEqual([0x1234_5678, 0xabcd, 1, 2]);
      expect(memory.load(0x1010n, u32)).toBe(0x1234_5678);
      expect(memory.checkRange(0x1000n, 0x100n)).toBe(true);
    });

    it('D1: the last byte of the 64-bit space is memory like any other, and nothing wraps to 0', () => {
      const memory = make([0, 0x100], [LAST - 0xffn, 0x100]);
      memory.store(LAST, u8, 0x5a);
      expect(memory.load(LAST, u8)).toBe(0x5a);
      memory.writeObj(LAST - 7n, u64, 0x0102_0304_0506_0708n);
      expect(memory.readObj(LAST - 7n, u64)).toBe(0x0102_0304_0506_0708n);
      expect(memory.read(new Uint8Array(16), LAST - 3n)).toBe(4);
      expect(fails(() => memory.readSlice(new Uint8Array(16), LAST - 3n)).completed).toBe(4);
      expect([memory.checkRange(LAST - 0xffn, 0x100), memory.checkRange(LAST - 0xffn, 0x101)]).toEqual([true, false]);
    });

    it('D1: what is no address is a RangeError or TypeError that shows it', () => {
      const memory = make([0, 0x100], [0x1000, 0x200]);
      for (const addr of [-1, 0.5, 4096.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n, Number.POSITIVE_INFINITY]) {
        expect(() => memory.load(addr, u32)).toThrow(RangeError);
        expect(() => memory.store(addr, u32, 1)).toThrow(RangeError);
        expect(() => memory.read(new Uint8Array(1), addr)).toThrow(RangeError);
        expect(() => memory.write(new Uint8Array(1), addr)).toThrow(RangeError);
        expect(() => memory.readObj(addr, u32)).toThrow(RangeError);
        expect(() => memory.writeObj(addr, u32, 1)).toThrow(RangeError);
      }
      for (const addr of ['0', null, undefined, {}] as never[]) {
        expect(() => memory.load(addr, u32)).toThrow(TypeError);
        expect(() => memory.read(new Uint8Array(1), addr)).toThrow(TypeError);
      }
      expect(() => memory.load(2n ** 64n, u32)).toThrow(/0x10000000000000000/);
      expect(() => memory.read([1] as never, 0)).toThrow(/Uint8Array/);
      expect(() => memory.write(new Uint16Array(2) as never, 0)).toThrow(TypeError);
      expect(() => memory.readVolatileFrom(0, new ByteSource(new Uint8Array(1)), -1)).toThrow(RangeError);
    });

    it('D2: a value that a codec does not have is refused and changes nothing, wherever memory lies', () => {
      const memory = make([0, 0x200], [0x1000, 0x100], [LAST - 0xffn, 0x100]);
      for (const addr of [0, 0x1000, 0x1000n, LAST - 0xffn]) {
        memory.store(addr, u32, 0x1111_1111);
        for (const value of [-1, 2 ** 32, 0.5, Number.NaN]) {
          expect(() => memory.store(addr, u32, value)).toThrow(RangeError);
          expect(() => memory.writeObj(addr, u32, value)).toThrow(RangeError);
          expect(() => memory.store(addr, u32, value, Ordering.SEQ_CST)).toThrow(RangeError);
        }
        expect(() => memory.store(addr, u32, '1' as never)).toThrow(TypeError);
        expect(memory.load(addr, u32)).toBe(0x1111_1111);
      }
    });

    if (slices) sliceFacts(backend, contiguous, regions);
    if (regions) regionFacts(backend);
  });
}
