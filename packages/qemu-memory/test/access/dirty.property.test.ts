/** Page states against a naive model: for each client a plain set of page numbers.. */
import { MEMTXATTRS_UNSPECIFIED, MemTx, u8 } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  DirtyClient,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
  memoryRegionSetDirty,
  memoryRegionSnapshotAndClearDirty,
  RamBlock,
  setDirtyLebitmap,
  trackDirty,
} from '../../src/index.ts';
import { TestMachine } from '../support/machine.ts';
import { Random } from '../support/random.ts';

const PAGE = 256;
const { VGA, CODE, MIGRATION } = DirtyClient;
const CLIENTS = [VGA, CODE, MIGRATION];

/** Random operations on a block of up to 140 pages, the last one not whole perhaps. */
function run(seed: number): void {
  const random = new Random(seed);
  const count = 1 + random.below(140);
  const length = count * PAGE - random.below(PAGE);
  const shared = random.once(2);
  const translatesCode = random.once(3);
  const m = new TestMachine({ translatesCode });
  const block = new RamBlock('ram', bufferBacking(length, { shared }), { pageSize: PAGE });
  const ram = m.ram(0, length, 'ram', block);
  const invalidated: string[] = [];
  m.core.access.invalidateCode = (_, offset, len) => void invalidated.push(`${offset}+${len}`);
  const cleared: string[] = [];
  m.space.registerListener({
    logClear: ({ offsetWithinRegion, size }) => void cleared.push(`${offsetWithinRegion}+${size}`),
  });
  const dirty = CLIENTS.map(() => new Set(Array.from({ length: count }, (_, page) => page)));
  let pending = new Set<number>();
  let mask = translatesCode ? 1 << CODE : 0;
  const tracker = random.once(3) ? trackDirty(m.core) : null;
  if (tracker !== null) mask |= 1 << MIGRATION;
  cleared.length = 0; // By what the tracker took as its beginning.

  const pagesOf = (offset: number, len: number): number[] => {
    const out: number[] = [];
    for (let page = 0; page < count; page++)
      if (Math.max(offset, page * PAGE) < Math.min(offset + len, page * PAGE + PAGE)) out.push(page);
    return out;
  };
  const wrote = (offset: number, len: number): void => {
    const pages = pagesOf(offset, len);
    if ((mask & (1 << CODE)) !== 0 && pages.some((page) => !dirty[CODE]!.has(page)))
      expect(invalidated.splice(0)).toEqual([`${offset}+${len}`]);
    for (const client of [VGA, MIGRATION])
      if ((mask & (1 << client)) !== 0) for (const page of pages) dirty[client]!.add(page);
    if (tracker !== null) for (const page of pages) pending.add(page);
  };
  const wasCleared = (offset: number, len: number): void => {
    expect(cleared.splice(0)).toEqual(mask !== 0 && len > 0 ? [`${offset}+${len}`] : []);
  };

  for (let step = 0; step < 40; step++) {
    const client = random.pick(CLIENTS);
    const offset = random.once(4) ? random.below(count) * PAGE : random.below(length + 1);
    const room = length - offset;
    const len = Math.min(room, random.pick([0, 1, PAGE, 4 * PAGE, random.below(room + 1), room]));
    const set = dirty[client]!;
    const pages = pagesOf(offset, len);
    switch (random.below(8)) {
      case 0:
        memoryRegionSetDirty(ram, offset, len);
        wrote(offset, len);
        break;
      case 1:
        m.space.txWrite(offset, new Uint8Array(len), MEMTXATTRS_UNSPECIFIED, 'stop', new MemTx());
        wrote(offset, len);
        break;
      case 2:
        if (len === 0) break;
        m.space.store(offset, u8, 1);
        wrote(offset, 1);
        break;
      case 3:
        expect(memoryRegionResetDirty(ram, offset, len, client)).toBe(pages.filter((page) => set.delete(page)).length);
        wasCleared(offset, len);
        break;
      case 4: {
        const snapshot = memoryRegionSnapshotAndClearDirty(ram, offset, len, client);
        wasCleared(offset, len);
        for (let i = 0; i < 6; i++) {
          const from = random.below(len + 1);
          const some = random.pick([0, 1, len - from, random.below(len - from + 1)]);
          if (from + some > len) expect(() => snapshot.getDirty(offset + from, some)).toThrow(RangeError);
          else
            expect(snapshot.getDirty(offset + from, some)).toBe(
              pagesOf(offset + from, some).some((page) => set.has(page)),
            );
        }
        expect(() => snapshot.getDirty(offset - 1, 1)).toThrow(RangeError);
        if (len > 0) {
          const words = [pages[0]!, pages.at(-1)!].map((page) => Math.floor(page / 64));
          for (const page of [...set]) if (page >> 6 >= words[0]! && page >> 6 <= words[1]!) set.delete(page);
        }
        break;
      }
      case 5: {
        const bitmap = Uint8Array.from({ length: random.below(20) }, () => random.below(256) & random.below(256));
        const global = random.once(2);
        const first = Math.floor(offset / PAGE);
        const seen: number[] = [];
        for (let bit = 0; bit < bitmap.length * 8; bit++)
          if ((bitmap[bit >> 3]! >> (bit & 7)) % 2 === 1 && first + bit < count) seen.push(first + bit);
        expect(setDirtyLebitmap(ram, offset, bitmap, global)).toBe(seen.length);
        for (const page of seen) {
          dirty[VGA]!.add(page);
          if (global) dirty[MIGRATION]!.add(page);
          if (translatesCode) dirty[CODE]!.add(page);
          if (tracker !== null) pending.add(page);
        }
        break;
      }
      case 6: {
        const logs = random.once(2);
        if (logs !== ((mask & (1 << VGA)) !== 0)) ram.setLog(logs, VGA);
        mask = logs ? mask | (1 << VGA) : mask & ~(1 << VGA);
        break;
      }
      default:
        if (tracker === null) break;
        for (const { offset: from, length: size, bytes } of tracker.since()) {
          expect(bytes.length).toBe(size);
          expect(cleared.shift()).toBe(`${from}+${size}`);
          for (const page of pagesOf(from, size)) expect(pending.delete(page)).toBe(true);
        }
        expect([[...pending], cleared]).toEqual([[], []]);
        pending = new Set();
    }
    invalidated.length = 0;
    expect(memoryRegionGetDirty(ram, offset, len, client)).toBe(pages.some((page) => set.has(page)));
    expect(block.dirty.all(offset, len, client)).toBe(pages.every((page) => set.has(page)));
    const clean = CLIENTS.filter((each) => !pages.every((page) => dirty[each]!.has(page)));
    expect(block.dirty.includesClean(offset, len, 0b111)).toBe(
      clean.reduce<number>((bits, each) => bits | (1 << each), 0),
    );
    for (const each of CLIENTS)
      for (let page = 0; page < count; page++)
        if (block.dirty.get(page * PAGE, 1, each) !== dirty[each]!.has(page))
          expect(`page ${page} of client ${each}`).toBe(dirty[each]!.has(page) ? 'dirty' : 'clean');
  }
}

it('A-180 to A-192: pages are dirty for the clients that the rules say, whatever was written, cleared and asked', () => {
  fc.assert(fc.property(fc.integer(), run), { numRuns: 50 });
});
