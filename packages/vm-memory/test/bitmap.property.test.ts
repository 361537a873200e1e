import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AtomicBitmap } from '../src/index.ts';

const PAGE_SIZES = [1, 3, 8, 100, 0x1000, 0x400_0000, 2 ** 33];
const operation = fc.record({
  kind: fc.constantFrom('mark', 'slice', 'set', 'reset', 'setBit', 'resetBit', 'enlarge', 'clone', 'attach', 'take'),
  page: fc.oneof(fc.constantFrom(0, 31, 32, 63, 64), fc.integer({ min: -3, max: 140 })),
  /** Bytes before or after the page's first. */
  by: fc.integer({ min: -2, max: 2 }),
  pages: fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 70 })),
  over: fc.integer({ min: -2, max: 2 }),
});

it('V-1.6: a bitmap holds the pages that a set of them holds, whatever was done, at any page size', () => {
  const made = fc.record({
    pageSize: fc.constantFrom(...PAGE_SIZES),
    pages: fc.integer({ min: 0, max: 100 }),
    shared: fc.boolean(),
  });
  fc.assert(
    fc.property(
      made,
      fc.array(operation, { maxLength: 30, size: 'max' }),
      ({ pageSize, pages, shared }, operations) => {
        let byteSize = Math.max(0, pages * pageSize - 1); // The last page is partial.
        let bitmap = new AtomicBitmap(byteSize, { pageSize, shared });
        const model = new Set<number>();
        const length = () => Math.ceil(byteSize / pageSize);
        const touched = (start: number, len: number) => {
          const found: number[] = [];
          for (let page = 0; page < length(); page++)
            if (len > 0 && start < (page + 1) * pageSize && start + len > page * pageSize) found.push(page);
          return found;
        };
        for (const { kind, page, by, pages: many, over } of operations) {
          const start = page * pageSize + by;
          const len = Math.max(0, many * pageSize + over);
          if (kind === 'mark') bitmap.markDirty(start, len);
          else if (kind === 'slice') bitmap.sliceAt(start).sliceAt(1).markDirty(-1, len);
          else if (kind === 'set') bitmap.setAddrRange(start, len);
          else if (kind === 'reset') bitmap.resetAddrRange(start, len);
          else if (kind === 'setBit') bitmap.setBit(page);
          else if (kind === 'resetBit') bitmap.resetBit(page);
          else if (kind === 'enlarge') bitmap.enlarge(many);
          else if (kind === 'clone') bitmap = bitmap.clone();
          else if (kind === 'attach') bitmap = AtomicBitmap.attach(bitmap.handle);
          if (kind === 'enlarge') byteSize += many;
          if (kind === 'mark' || kind === 'slice' || kind === 'set') for (const p of touched(start, len)) model.add(p);
          if (kind === 'reset') for (const p of touched(start, len)) model.delete(p);
          if (kind === 'setBit' && page >= 0 && page < length()) model.add(page);
          if (kind === 'resetBit') model.delete(page);
          const expected = Array.from({ length: length() + 40 }, (_, p) => model.has(p));
          expect(expected.map((_, p) => bitmap.isBitSet(p))).toEqual(expected);
          expect([bitmap.length, bitmap.byteSize]).toEqual([length(), byteSize]);
          if (kind !== 'take') continue;
          const words = bitmap.getAndReset();
          const taken = expected.map((_, p) => (((words[Math.floor(p / 32)] ?? 0) >>> (p % 32)) & 1) === 1);
          expect(taken).toEqual(expected);
          model.clear();
        }
      },
    ),
    { numRuns: 150 },
  );
});
