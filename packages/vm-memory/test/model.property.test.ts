import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AtomicBitmap,
  ByteSource,
  bufferBacking,
  GrowingSink,
  type GuestAddress,
  GuestMemoryError,
  type GuestMemoryRegion,
  GuestRegionBuffer,
  GuestRegionCollection,
  Iotlb,
  inOrder,
  Permissions,
  type ScalarCodec,
  segmentedBacking,
  sparseBacking,
  u8,
  u16,
  u32,
  u64,
  u64Number,
  wasmBacking,
} from '../src/index.ts';
import { MinimalRegion, OwnBytesRegion } from './support/subjects.ts';
import { wasmMemory } from './support/wasm.ts';

/** Guest memory as nobody would build it: a map from address to byte. */
class Model {
  readonly bytes = new Map<bigint, number>();
  /** First address of the region that each address is in. */
  readonly region = new Map<bigint, number>();
  readonly dirty = new Set<bigint>();

  read(addr: bigint, count: number): number[] {
    const found: number[] = [];
    for (let at = addr; found.length < count && this.bytes.has(at); at++) found.push(this.bytes.get(at)!);
    return found;
  }

  write(addr: bigint, data: ArrayLike<number>): number {
    let n = 0;
    for (; n < data.length && this.bytes.has(addr + BigInt(n)); n++) {
      this.bytes.set(addr + BigInt(n), data[n]!);
      this.dirty.add(addr + BigInt(n));
    }
    return n;
  }

  oneRegion(addr: bigint, count: number): boolean {
    const first = this.region.get(addr);
    return (
      first !== undefined &&
      Array.from({ length: count }, (_, i) => addr + BigInt(i)).every((a) => this.region.get(a) === first)
    );
  }
}

const BASES = [0n, 0x10n, 0x7fff_ff80n, 0xffff_ff80n, 2n ** 53n - 0x80n, 2n ** 64n - 0x200n];
/** Memory of every kind, marked byte by byte where `tracked`. */
const BACKINGS = [
  (n: number) => bufferBacking(n),
  (n: number) => bufferBacking(n, { shared: true }),
  (n: number) => sparseBacking(n, { segmentSize: 16 }),
  (n: number) => wasmBacking(wasmMemory(1), { offset: 8, length: n }),
  (n: number) => (n > 8 ? segmentedBacking([new ArrayBuffer(8), new ArrayBuffer(n - 8)]) : bufferBacking(n)),
];
const MAKERS = [
  ...BACKINGS.map((make) => (start: GuestAddress, n: number, tracked: boolean) => {
    const bitmap = tracked ? new AtomicBitmap(n, { pageSize: 1 }) : null;
    return new GuestRegionBuffer(start, make(n), { bitmap });
  }),
  (start: GuestAddress, n: number) => new MinimalRegion(start, n),
  (start: GuestAddress, n: number) => new OwnBytesRegion(start, n),
];
const CODECS = [u8, u16, u32, u64, u64Number].flatMap((codec) =>
  (['little', 'big'] as const).map((order) => inOrder(codec as ScalarCodec<number | bigint>, order)),
);

const map = fc.record({
  base: fc.constantFrom(...BASES),
  parts: fc.array(
    fc.record({
      gap: fc.constantFrom(0, 0, 1, 7, 32),
      length: fc.integer({ min: 1, max: 48 }),
      maker: fc.nat(MAKERS.length - 1),
      tracked: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6, size: 'max' },
  ),
});
const operation = fc.record({
  kind: fc.constantFrom(
    'load',
    'store',
    'readObj',
    'writeObj',
    'read',
    'write',
    'readSlice',
    'writeSlice',
    'source',
    'sink',
    'checkRange',
    'slices',
  ),
  /** About the end of one of the parts: those are the places that matter. */
  part: fc.nat(6),
  by: fc.integer({ min: -24, max: 10 }),
  count: fc.oneof(fc.nat(9), fc.nat(40)),
  codec: fc.nat(CODECS.length - 1),
  seed: fc.integer({ min: 0, max: 255 }),
  big: fc.boolean(),
});

/** What a call gave, as something to compare: its value, or the error's code and progress. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof GuestMemoryError)) throw error;
    return { code: error.code, completed: error.completed };
  }
}

describe('guest memory against a map of bytes', () => {
  it('V-1.2 to V-1.8: every operation does, marks and answers what the map does, for both kinds of address', () => {
    fc.assert(
      fc.property(
        map,
        fc.array(operation, { minLength: 1, maxLength: 100, size: 'max' }),
        ({ base, parts }, operations) => {
          const model = new Model();
          const regions: (GuestMemoryRegion & { readonly length: number })[] = [];
          let at = base;
          const ends = [base];
          for (const { gap, length, maker, tracked } of parts) {
            const start = at + BigInt(gap);
            if (start + BigInt(length) > 2n ** 64n) break;
            const region = MAKERS[maker]!(start <= Number.MAX_SAFE_INTEGER ? Number(start) : start, length, tracked);
            regions.push(region);
            region.writeSlice(
              Uint8Array.from({ length }, (_, i) => 0x80 ^ (i * 37)),
              0,
            );
            if (region.bitmap instanceof AtomicBitmap) region.bitmap.reset();
            for (let i = 0n; i < length; i++) {
              model.bytes.set(start + i, (0x80 ^ (Number(i) * 37)) & 0xff);
              model.region.set(start + i, regions.length);
            }
            at = start + BigInt(length);
            ends.push(at);
          }
          const memory = GuestRegionCollection.fromRegions(regions);
          for (const { kind, part, by, count, codec: index, seed, big } of operations) {
            const exact = ends[part % ends.length]! + BigInt(by);
            if (exact < 0n || exact >= 2n ** 64n) continue;
            const addr: GuestAddress = big || exact > Number.MAX_SAFE_INTEGER ? exact : Number(exact);
            const codec = CODECS[index]!;
            const data = Uint8Array.from({ length: count }, (_, i) => (seed + i * 37) & 0xff);
            const raw = Uint8Array.from({ length: 8 }, (_, i) =>
              codec.name.startsWith('u64Number') ? (i === 3 ? seed : 0) : (seed + i * 11) & 0xff,
            );
            const value = codec.get(new DataView(raw.buffer), 0);
            const there = model.read(exact, 8).length;
            const hole = { code: 'invalid-guest-address', completed: undefined };
            const partial = (n: number) => ({ code: 'partial-buffer', completed: n });
            if (kind === 'load' || kind === 'store') {
              const fits = model.oneRegion(exact, codec.size);
              const refused = there === 0 ? hole : { code: 'invalid-backend-address', completed: undefined };
              if (kind === 'store') {
                expect(outcome(() => memory.store(addr, codec, value))).toEqual(fits ? undefined : refused);
                if (fits) model.write(exact, raw.subarray(0, codec.size));
              } else if (!fits) expect(outcome(() => memory.load(addr, codec))).toEqual(refused);
              else {
                const bytes = Uint8Array.from(model.read(exact, codec.size));
                let expected: unknown;
                try {
                  expected = codec.get(new DataView(bytes.buffer), 0);
                } catch {
                  continue; // an unsafe integer: refused by the codec, tested elsewhere
                }
                expect(memory.load(addr, codec)).toBe(expected);
              }
            } else if (kind === 'writeObj') {
              const n = Math.min(there, codec.size);
              expect(outcome(() => memory.writeObj(addr, codec, value))).toEqual(
                n === codec.size ? undefined : n === 0 ? hole : partial(n),
              );
              model.write(exact, raw.subarray(0, codec.size));
            } else if (kind === 'readObj') {
              const n = Math.min(there, codec.size);
              if (n < codec.size)
                expect(outcome(() => memory.readObj(addr, codec))).toEqual(n === 0 ? hole : partial(n));
              else {
                const bytes = Uint8Array.from(model.read(exact, codec.size));
                let expected: unknown;
                try {
                  expected = codec.get(new DataView(bytes.buffer), 0);
                } catch {
                  continue;
                }
                expect(memory.readObj(addr, codec)).toBe(expected);
              }
            } else if (kind === 'read' || kind === 'readSlice' || kind === 'sink') {
              const expected = model.read(exact, count);
              const buf = new Uint8Array(count);
              const sink = new GrowingSink();
              const call = {
                read: () => memory.read(buf, addr),
                readSlice: () => memory.readSlice(buf, addr),
                sink: () => memory.writeVolatileTo(addr, sink, count),
              }[kind];
              const full = expected.length === count;
              const exactOutcome = full ? undefined : expected.length === 0 ? hole : partial(expected.length);
              const shortOutcome = count > 0 && expected.length === 0 ? hole : expected.length;
              expect(outcome(call)).toEqual(kind === 'readSlice' ? exactOutcome : shortOutcome);
              if (kind === 'sink') expect([...sink.toBytes()]).toEqual(expected);
              else expect([...buf.subarray(0, expected.length)]).toEqual(expected);
            } else if (kind === 'write' || kind === 'writeSlice' || kind === 'source') {
              const n = model.write(exact, data);
              const call = {
                write: () => memory.write(data, addr),
                writeSlice: () => memory.writeSlice(data, addr),
                source: () => memory.readVolatileFrom(addr, new ByteSource(data), count),
              }[kind];
              const exactOutcome = n === count ? undefined : n === 0 ? hole : partial(n);
              expect(outcome(call)).toEqual(kind === 'writeSlice' ? exactOutcome : count > 0 && n === 0 ? hole : n);
            } else if (kind === 'checkRange')
              expect(memory.checkRange(addr, count, Permissions.READ)).toBe(model.read(exact, count).length === count);
            else if (!regions.some((region) => region instanceof OwnBytesRegion)) {
              const seen: number[] = [];
              const error = outcome(() => {
                for (const slice of memory.getSlices(addr, count)) seen.push(...slice.bytes);
              });
              const expected = model.read(exact, count);
              expect(seen).toEqual(expected);
              expect(error === undefined).toBe(expected.length === count);
            }
          }
          for (const region of regions) {
            const bytes = new Uint8Array(region.length);
            region.readSlice(bytes, 0);
            const start = BigInt(region.startAddr);
            expect([...bytes]).toEqual(model.read(start, region.length));
            if (region.bitmap === null) continue;
            const marked = Array.from({ length: region.length }, (_, i) => region.bitmap!.dirtyAt(i));
            expect(marked).toEqual(marked.map((_, i) => model.dirty.has(start + BigInt(i))));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('V-1.12: the IOTLB answers what a map of single addresses answers, in as few ranges as there are', () => {
    const permissions = fc.constantFrom(...Object.values(Permissions), Permissions.READ_WRITE, Permissions.READ_WRITE);
    const place = fc.oneof(fc.nat(60), fc.constantFrom(10, 20, 30, 40));
    const length = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(10, 30));
    const asked = fc.record({ at: place, length, access: permissions });
    // Targets go on at 0 from `at` 30 on, or lie at 2^53; no mapping goes over 2^64 itself.
    const delta = fc.constantFrom(2n ** 64n - 30n, 2n ** 53n - 30n, 7n);
    const change = fc.record({ map: fc.boolean(), at: place, length, delta, permissions });
    const origin = fc.constantFrom(0n, 2n ** 53n - 40n, 2n ** 64n - 90n);
    const flat = (ranges: readonly { base: GuestAddress; length: GuestAddress }[]) =>
      ranges.flatMap((r) => Array.from({ length: Number(r.length) }, (_, i) => BigInt(r.base) + BigInt(i)));
    fc.assert(
      fc.property(origin, fc.array(change, { maxLength: 12 }), asked, (from, changes, { at, length, access }) => {
        const tlb = new Iotlb();
        const model = new Map<bigint, { target: bigint; permissions: number }>();
        for (const c of changes) {
          const iova = from + BigInt(c.at);
          const target = BigInt.asUintN(64, BigInt(c.at) + c.delta);
          const n = target + BigInt(c.length) > 2n ** 64n ? 2n ** 64n - target : BigInt(c.length);
          if (c.map) tlb.setMapping(iova, target, n, c.permissions);
          else tlb.invalidateMapping(iova, n);
          for (let i = 0n; i < n; i++) {
            if (c.map) model.set(iova + i, { target: target + i, permissions: c.permissions });
            else model.delete(iova + i);
          }
        }
        const iovas = Array.from({ length }, (_, i) => from + BigInt(at + i));
        const there = iovas.map((a) => model.get(a));
        const misses = iovas.filter((a) => !model.has(a));
        const accessFails = iovas.filter((_, i) => there[i] && (there[i].permissions & access) !== access);
        const found = tlb.lookup(from + BigInt(at), length, access);
        expect(found.ok).toBe(misses.length === 0 && accessFails.length === 0);
        if (!found.ok) expect([flat(found.fails.misses), flat(found.fails.accessFails)]).toEqual([misses, accessFails]);
        else {
          expect(flat(found.ranges)).toEqual(there.map((t) => t!.target));
          const starts = there.filter((t, i) => {
            const before = there[i - 1];
            return before?.target !== t!.target - 1n || before.permissions !== t!.permissions;
          });
          expect(found.ranges.map(({ base }) => BigInt(base))).toEqual(starts.map((t) => t!.target));
        }
      }),
      { numRuns: 500 },
    );
  });
});
