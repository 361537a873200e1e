import { describe, expect, it } from 'vitest';
import {
  AtomicBitmap,
  type Bitmap,
  BitmapSlice,
  guestMemory,
  type Iommu,
  IommuError,
  IommuMemory,
  Iotlb,
  type IovaRange,
  Ordering,
  Permissions,
  tlbIommu,
  u8,
  u32,
  VolatileSlice,
} from '../src/index.ts';
import { fails } from './support/fails.ts';

const { NO, READ, WRITE, READ_WRITE } = Permissions;
const ok = (ranges: [number, number][]) => ({ ok: true, ranges: ranges.map(([base, length]) => ({ base, length })) });
const spans = (list: readonly IovaRange[]) => list.map(({ base, length }) => [base, length]);

/** Physical memory whose every byte is its address, one page of 0x100 at 0 and one at 0x1000. */
function ram(options = {}) {
  const memory = guestMemory(
    [
      { startAddr: 0, memory: 0x100 },
      { startAddr: 0x1000, memory: 0x100 },
    ],
    options,
  );
  for (const slice of memory.getSlices(0, 0x100)) for (let i = 0; i < 0x100; i++) slice.bytes[i] = i;
  for (const slice of memory.getSlices(0x1000, 0x100)) for (let i = 0; i < 0x100; i++) slice.bytes[i] = 0x80 ^ i;
  return memory;
}

function caught(act: () => unknown): IommuError {
  try {
    act();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('IOTLB', () => {
  it('V-1.12: a length that is no number is a TypeError that shows it', () => {
    const tlb = new Iotlb();
    const said = new TypeError('length must be a number or a bigint, not the string "0x10"');
    expect(() => tlb.lookup(0x100, '0x10' as never, READ)).toThrow(said);
    expect(() => tlb.lookup(0x100, 'ten' as never, READ)).toThrow(/the string "ten"/);
    expect(() => tlb.setMapping(0x100, 0, '0x10' as never, READ)).toThrow(said);
  });
  it('iommu::test_iotlb_merge: consecutive entries with consecutive targets are one range', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0x100, 0x1100, 0x10, READ);
    tlb.setMapping(0x110, 0x1110, 0x10, READ);
    expect(tlb.lookup(0x100, 0x20, READ)).toEqual(ok([[0x1100, 0x20]]));
    expect(tlb.lookup(0x10f, 2, READ)).toEqual(ok([[0x110f, 2]]));
    expect(tlb.size).toBe(1);
    tlb.setMapping(0xf0, 0x10f0, 0x10, READ);
    expect(tlb.size).toBe(1);
  });

  it('iommu::test_iotlb_nomerge_same_phys: two pages to one target stay two', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0x100, 0x1000, 0x10, READ);
    tlb.setMapping(0x110, 0x1000, 0x10, READ);
    expect(tlb.lookup(0x108, 0x10, READ)).toEqual(
      ok([
        [0x1008, 8],
        [0x1000, 8],
      ]),
    );
  });

  it('iommu::test_iotlb_perms: an access fails just where it is not permitted', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0x100, 0x1000, 0x10, READ);
    tlb.setMapping(0x110, 0x1010, 0x10, WRITE);
    const failing = (access: Permissions) => {
      const found = tlb.lookup(0x100, 0x20, access);
      return found.ok ? found.ranges.length : [spans(found.fails.misses), spans(found.fails.accessFails)];
    };
    expect(failing(READ_WRITE)).toEqual([
      [],
      [
        [0x100, 0x10],
        [0x110, 0x10],
      ],
    ]);
    expect(failing(READ)).toEqual([[], [[0x110, 0x10]]]);
    expect(failing(WRITE)).toEqual([[], [[0x100, 0x10]]]);
    expect(failing(NO)).toBe(2);
    expect([tlb.lookup(0x100, 0x10, READ).ok, tlb.lookup(0x110, 0x10, WRITE).ok]).toEqual([true, true]);
  });

  it('iommu::test_iotlb_invalidation: head and tail stay, the middle is missed, then everything', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0x100, 0x1000, 0x10, READ);
    tlb.invalidateMapping(0x105, 3);
    expect(tlb.lookup(0x100, 5, READ)).toEqual(ok([[0x1000, 5]]));
    expect(tlb.lookup(0x108, 8, READ)).toEqual(ok([[0x1008, 8]]));
    expect(tlb.lookup(0x100, 0x10, READ)).toEqual({
      ok: false,
      fails: { misses: [{ base: 0x105, length: 3 }], accessFails: [] },
    });
    tlb.invalidateAll();
    expect(tlb.lookup(0x100, 0x10, READ)).toEqual({
      ok: false,
      fails: { misses: [{ base: 0x100, length: 0x10 }], accessFails: [] },
    });
  });

  it('V-1.12: the later mapping wins; no length and ranges past the end are refused; the whole space can be mapped', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0, 0, 2n ** 64n, READ_WRITE);
    tlb.setMapping(0x10, 0x9000, 0x10, READ);
    expect(tlb.lookup(0, 0x30, READ)).toEqual(
      ok([
        [0, 0x10],
        [0x9000, 0x10],
        [0x20, 0x10],
      ]),
    );
    expect(tlb.lookup(2n ** 64n - 1n, 1, WRITE).ok).toBe(true);
    expect(tlb.lookup(0, 2n ** 64n, READ).ok).toBe(true);
    expect(() => tlb.setMapping(0, 0, 0, READ)).toThrow(RangeError);
    expect(() => tlb.invalidateMapping(0, 0)).toThrow(RangeError);
    expect(() => tlb.setMapping(1, 0, 2n ** 64n, READ)).toThrow(/pass 2\^64 - 1/);
    expect(() => tlb.setMapping(0, 2n ** 64n - 1n, 2, READ)).toThrow(RangeError);
    expect(tlb.lookup(0x18, 0, WRITE)).toEqual({ ok: true, ranges: [] });
  });

  it('V-1.12: mappings whose targets meet at 2^64 stay two, and both are reached', () => {
    const end = 2n ** 64n;
    const tlb = new Iotlb();
    tlb.setMapping(0x1000, end - 0x10n, 0x10, READ_WRITE);
    tlb.setMapping(0x1010, 0, 0x10, READ_WRITE);
    expect(tlb.lookup(0x1008, 0x10, READ)).toEqual({
      ok: true,
      ranges: [
        { base: end - 8n, length: 8 },
        { base: 0, length: 8 },
      ],
    });
    const backend = guestMemory([
      { startAddr: 0, memory: Uint8Array.of(3, 4) },
      { startAddr: end - 2n, memory: Uint8Array.of(1, 2) },
    ]);
    const seen = new Uint8Array(4);
    new IommuMemory(backend, tlbIommu(tlb)).readSlice(seen, 0x100e);
    expect([...seen]).toEqual([1, 2, 3, 4]);
  });
});

describe('memory behind an IOMMU', () => {
  it('iommu::test_iommu_memory_pre_mapped: what is mapped is there, for its permissions, through two physical pieces', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0x8000, 0x20, 0x10, READ);
    tlb.setMapping(0x8010, 0x1040, 0x10, READ);
    const memory = new IommuMemory(ram(), tlbIommu(tlb));
    expect([NO, READ, WRITE, READ_WRITE].map((access) => memory.checkRange(0x8000, 0x20, access))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([memory.checkRange(0x7fff, 0x20, READ), memory.checkRange(0x8001, 0x20, READ)]).toEqual([false, false]);
    const buf = new Uint8Array(4);
    expect(memory.read(buf, 0x800e)).toBe(4);
    expect([...buf]).toEqual([0x2e, 0x2f, 0x80 ^ 0x40, 0x80 ^ 0x41]);
    expect([...memory.getSlices(0x8000, 0x20, READ)].map((s) => s.length)).toEqual([0x10, 0x10]);
    const error = fails(() => memory.read(new Uint8Array(0x20), 0x8010));
    expect(error.code).toBe('iommu-error');
    expect(error.cause).toBeInstanceOf(IommuError);
    expect((error.cause as IommuError).code).toBe('cannot-resolve');
    expect((error.cause as IommuError).iovaRange).toEqual({ base: 0x8020, length: 0x10 });
    expect(fails(() => memory.store(0x8000, u8, 1)).code).toBe('iommu-error');
    expect(fails(() => memory.load(0x800e, u32)).code).toBe('invalid-backend-address');
    expect([memory.physicalMemory(), memory.read(new Uint8Array(0), 0x9999_9999)]).toEqual([undefined, 0]);
  });

  it('iommu::test_iommu_memory_live_mapped: a translator that maps on demand is asked for just what is missing', () => {
    const asked: unknown[] = [];
    let willing = false;
    const iommu = tlbIommu(new Iotlb(), (range, access, tlb, why) => {
      asked.push([range.base, range.length, access, why]);
      if (!willing) return false;
      tlb.setMapping(range.base, Number(range.base) & 0xff, range.length, access);
      return true;
    });
    const memory = new IommuMemory(ram(), iommu);
    expect(fails(() => memory.readObj(0x8000, u32)).code).toBe('iommu-error');
    expect(memory.checkRange(0x8000, 4, READ)).toBe(false);
    willing = true;
    asked.length = 0;
    expect(memory.readObj(0x8004, u32)).toBe(ram().readObj(4, u32));
    expect(memory.read(new Uint8Array(8), 0x8004)).toBe(8);
    expect(asked).toEqual([
      [0x8004, 4, READ, 'miss'],
      [0x8008, 4, READ, 'miss'],
    ]);
    asked.length = 0;
    memory.store(0x8004, u32, 1);
    expect(asked).toEqual([[0x8004, 4, WRITE, 'access']]);
  });

  it('V-1.12: a handler that maps one hole after another is asked for each, however many there are', () => {
    const tlb = new Iotlb();
    for (let i = 0; i < 200; i += 2) tlb.setMapping(0x8000 + i, i, 1, READ);
    let asked = 0;
    const iommu = tlbIommu(tlb, ({ base, length }) => {
      asked++;
      tlb.setMapping(base, Number(base) - 0x8000, length, READ);
      return true;
    });
    expect(iommu.translate(0x8000, 200, READ)).toEqual([{ base: 0, length: 200 }]);
    expect(asked).toBe(100);
  });

  it('V-1.12: a handler may evict, but one that never holds the whole range is given up', () => {
    /** Maps the pages that are missing and keeps the last `room` pages that it mapped. */
    const caching = (room: number) => {
      const kept: number[] = [];
      let asked = 0;
      const tlb = new Iotlb();
      const iommu = tlbIommu(tlb, ({ base, length }) => {
        asked++;
        for (let page = Number(base) & ~0xfff; page < Number(base) + Number(length); page += 0x1000) {
          tlb.setMapping(page, page, 0x1000, READ);
          kept.push(page);
          if (kept.length > room) tlb.invalidateMapping(kept.shift()!, 0x1000);
        }
        return true;
      });
      return { iommu, asked: () => asked };
    };
    const enough = caching(4);
    for (const page of [0, 5, 6, 7]) enough.iommu.translate(page * 0x1000, 1, READ);
    // Mapping page 1 evicts page 0, which then takes the place of page 5.
    expect(enough.iommu.translate(0xf00, 0x200, READ)).toEqual([{ base: 0xf00, length: 0x200 }]);
    expect(enough.asked()).toBe(6);
    const tooFew = caching(1);
    tooFew.iommu.translate(0xf00, 1, READ);
    const error = caught(() => tooFew.iommu.translate(0xf00, 0x200, READ));
    expect([error.code, error.iovaRange, tooFew.asked()]).toEqual(['evicted', { base: 0xf00, length: 0x200 }, 65]);
    expect(error.message).toMatch(/iova range \[0xf00, 0x10ff\] is never mapped as a whole/);
  });

  it('iommu::test_mem_replace: another backend, the same translations; the old one stays as it was', () => {
    const tlb = new Iotlb();
    const old = new IommuMemory(ram(), tlbIommu(tlb));
    tlb.setMapping(0x8000, 0, 0x10, READ_WRITE);
    const fresh = guestMemory([{ startAddr: 0, memory: new Uint8Array(0x100).fill(0xee) }]);
    const replaced = old.withReplacedBackend(fresh);
    expect([old.load(0x8001, u8), replaced.load(0x8001, u8), replaced.iommu === old.iommu]).toEqual([1, 0xee, true]);
    tlb.invalidateAll();
    expect([old.checkRange(0x8000, 1), replaced.checkRange(0x8000, 1)]).toEqual([false, false]);
    replaced.enabled = false;
    expect([replaced.physicalMemory(), replaced.backend, replaced.load(1, u8), old.enabled]).toEqual([
      fresh,
      fresh,
      0xee,
      true,
    ]);
  });

  it('iommu::test_dirty_bitmap: writes mark the page of the IOVA, physical pages stay clean', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0x8000, 0, 0x100, READ_WRITE);
    const bitmap = new AtomicBitmap(0x1_0000, { pageSize: 0x100 });
    const physical = ram({ dirtyPageSize: 0x100 });
    const memory = new IommuMemory(physical, tlbIommu(tlb), { bitmap });
    const clean = () => [...physical].every((r) => r.bitmap?.dirtyAt(0) === false);
    memory.read(new Uint8Array(8), 0x8000);
    const [slice] = memory.getSlices(0x8000, 8, WRITE);
    expect([bitmap.dirtyAt(0x8000), clean()]).toEqual([false, true]);
    memory.store(0x8010, u32, 5, Ordering.SEQ_CST);
    expect([bitmap.dirtyAt(0x8010), bitmap.dirtyAt(0x8100), clean()]).toEqual([true, false, true]);
    bitmap.reset();
    expect(slice).toBeInstanceOf(VolatileSlice);
    slice?.write(Uint8Array.of(1), 0);
    expect(bitmap.dirtyAt(0x8000)).toBe(true);
    memory.enabled = false;
    bitmap.reset();
    memory.store(0x10, u8, 1);
    expect([bitmap.dirtyAt(0x10), clean()]).toEqual([false, false]);
  });

  it.each([
    2n ** 53n - 1n,
    2n ** 53n + 1n,
    2n ** 56n + 0xfffn, // Rounds up to the next page as a number.
    2n ** 56n + 0x1000n,
    2n ** 64n - 3n,
  ])(
    'V-1.6, V-1.12: a bitmap of a program without an end has the pages of what was written at %d, and no others',
    (iova) => {
      const pages = new Set<number>();
      const pageOf = (offset: number): number => offset / 0x1000 - ((offset / 0x1000) % 1);
      class Endless implements Bitmap {
        markDirty(offset: number, len: number): void {
          for (let page = pageOf(offset); page * 0x1000 < offset + len; page++) pages.add(page);
        }
        dirtyAt(offset: number): boolean {
          return pages.has(pageOf(offset));
        }
        sliceAt(offset: number): Bitmap {
          return new BitmapSlice(this, offset);
        }
      }
      const tlb = new Iotlb();
      const page = (iova >> 12n) << 12n;
      tlb.setMapping(page, 0, 0x1000, READ_WRITE);
      if (page < 2n ** 64n - 0x1000n) tlb.setMapping(page + 0x1000n, 0x1000, 0x1000, READ_WRITE);
      const memory = guestMemory([{ startAddr: 0, memory: 0x2000 }]);
      const behind = new IommuMemory(memory, tlbIommu(tlb), { bitmap: new Endless() });
      const found = () => [...pages].map((each) => BigInt(each));
      behind.store(iova, u8, 1);
      expect(found()).toEqual([iova >> 12n]);
      const [slice] = behind.getSlices(iova, 1);
      expect(slice!.bitmap!.dirtyAt(0)).toBe(true);
      behind.write(Uint8Array.of(1, 2, 3), iova);
      expect(found()).toEqual([...new Set([iova >> 12n, (iova + 2n) >> 12n])]);
    },
  );
  it('V-1.12: a physical hole behind a translation makes the access short, after which it tells its progress', () => {
    const tlb = new Iotlb();
    tlb.setMapping(0, 0xf0, 0x40, READ);
    const memory = new IommuMemory(ram(), tlbIommu(tlb));
    expect(memory.read(new Uint8Array(0x20), 0)).toBe(0x10);
    expect(fails(() => memory.readSlice(new Uint8Array(0x20), 0)).completed).toBe(0x10);
    expect(memory.checkRange(0, 0x20, READ)).toBe(false);
  });

  it('V-1.12: a translator of another make, one that throws included', () => {
    const offset: Iommu = { translate: (iova, length) => [{ base: Number(iova) - 0x100, length }] };
    expect(new IommuMemory(ram(), offset).load(0x105, u8)).toBe(5);
    const broken: Iommu = {
      translate() {
        throw new IommuError('iommu-misconfigured', 'no root table');
      },
    };
    expect(fails(() => new IommuMemory(ram(), broken).load(0, u8)).message).toContain('no root table');
    // A resolver that claims to have mapped but has not does not loop for ever.
    expect(
      fails(() =>
        new IommuMemory(
          ram(),
          tlbIommu(new Iotlb(), () => true),
        ).load(0, u8),
      ).code,
    ).toBe('iommu-error');
  });

  it('V-1.12: a translator that answers more or fewer bytes than asked is an iommu-error, and nothing moves', () => {
    for (const extra of [-1, 1]) {
      const odd: Iommu = { translate: (iova, length) => [{ base: iova, length: Number(length) + extra }] };
      const memory = new IommuMemory(ram(), odd);
      let asked = 0;
      const source = { readVolatile: (into: Uint8Array) => into.length + asked++ };
      for (const run of [
        () => memory.read(new Uint8Array(4), 0),
        () => memory.load(0, u32),
        () => memory.readVolatileFrom(0, source, 4),
      ])
        expect((fails(run).cause as IommuError).code).toBe('iommu-misconfigured');
      expect([asked, memory.checkRange(0, 4)]).toEqual([0, false]);
    }
  });

  it('V-1.12: a length that is none is the same error with translation and without', () => {
    const memory = new IommuMemory(ram(), tlbIommu(new Iotlb()));
    for (const enabled of [true, false]) {
      memory.enabled = enabled;
      for (const length of [-1, 1.5, 2n ** 64n + 1n]) {
        expect(() => memory.getSlices(0, length)).toThrow(RangeError);
        expect(() => memory.checkRange(0, length)).toThrow(RangeError);
      }
    }
  });
});
