/** Arguments that are numbers: one of another type is a TypeError, one that is out of range a RangeError, wherever it is given (D10). */
import { describe, expect, it } from 'vitest';
import {
  AtomicBitmap,
  array,
  type BytesBase,
  bufferBacking,
  byteArray,
  checkedAdd,
  chunksOf,
  FileOffset,
  GuestMemoryRegion,
  GuestRegionBuffer,
  GuestRegionCollection,
  guestMemory,
  IommuMemory,
  Iotlb,
  LAST_ADDRESS,
  Permissions,
  type ReadVolatile,
  saveTo,
  sparseBacking,
  struct,
  tlbIommu,
  u8,
  u32,
  type VolatileSlice,
  type WriteVolatile,
  wasmBacking,
} from '../src/index.ts';
import { wasmMemory } from './support/wasm.ts';

/** What a program without types may give where a number is wanted. */
const NO_NUMBERS: readonly unknown[] = ['8', '', null, true, {}, [4], Symbol.iterator, () => 4];
const NO_COUNTS: readonly unknown[] = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];
const NO_ADDRESSES: readonly unknown[] = [...NO_COUNTS, -1n, LAST_ADDRESS + 1n];
const NO_LENGTHS: readonly unknown[] = [...NO_COUNTS, -1n, LAST_ADDRESS + 2n];
const NO_BYTES: readonly unknown[] = [
  undefined,
  null,
  'ab',
  4,
  [1, 2],
  {},
  new Uint16Array(2),
  new Int8Array(2),
  new ArrayBuffer(2),
];

const source: ReadVolatile = { readVolatile: (into) => into.length };
const sink: WriteVolatile = { writeVolatile: (from) => from.length };

const region = new GuestRegionBuffer(0, bufferBacking(0x1000));
const memory = GuestRegionCollection.fromRegions([region]);
const slice = memory.getSlice(0, 0x1000);
/** Three members and a slice: the rest is the base class. */
class Own extends GuestMemoryRegion {
  override readonly startAddr = 0;
  override readonly length = 0x1000;
  override getSlice(offset: number, count: number): VolatileSlice {
    return slice.subslice(offset, count);
  }
}
const own = new Own();
const translated = new IommuMemory(memory, tlbIommu(new Iotlb()));
const BYTES: Readonly<Record<string, BytesBase>> = { memory, region, own, slice, translated };

type Calls = Readonly<Record<string, (given: never) => unknown>>;

function check(calls: Calls, wrongTypes: readonly unknown[], outOfRange: readonly unknown[]): void {
  for (const [name, call] of Object.entries(calls)) {
    for (const given of wrongTypes) expect(() => call(given as never), `${name}, ${typeof given}`).toThrow(TypeError);
    for (const given of outOfRange) expect(() => call(given as never), `${name}, ${String(given)}`).toThrow(RangeError);
  }
}

describe.each(Object.entries(BYTES))('the Bytes of %s', (_, bytes) => {
  it('D10: no address is a TypeError, one out of range a RangeError, also where no bytes move', () => {
    const none = new Uint8Array(0);
    const four = new Uint8Array(4);
    const calls: Calls = {
      load: (at) => bytes.load(at, u32),
      store: (at) => bytes.store(at, u32, 1),
      read: (at) => bytes.read(four, at),
      'read of nothing': (at) => bytes.read(none, at),
      write: (at) => bytes.write(four, at),
      'write of nothing': (at) => bytes.write(none, at),
      readSlice: (at) => bytes.readSlice(four, at),
      'readSlice of nothing': (at) => bytes.readSlice(none, at),
      writeSlice: (at) => bytes.writeSlice(four, at),
      'writeSlice of nothing': (at) => bytes.writeSlice(none, at),
      readObj: (at) => bytes.readObj(at, u32),
      writeObj: (at) => bytes.writeObj(at, u32, 1),
      readVolatileFrom: (at) => bytes.readVolatileFrom(at, source, 4),
      'readVolatileFrom of nothing': (at) => bytes.readVolatileFrom(at, source, 0),
      readExactVolatileFrom: (at) => bytes.readExactVolatileFrom(at, source, 4),
      'readExactVolatileFrom of nothing': (at) => bytes.readExactVolatileFrom(at, source, 0),
      writeVolatileTo: (at) => bytes.writeVolatileTo(at, sink, 4),
      'writeVolatileTo of nothing': (at) => bytes.writeVolatileTo(at, sink, 0),
      writeAllVolatileTo: (at) => bytes.writeAllVolatileTo(at, sink, 4),
      'writeAllVolatileTo of nothing': (at) => bytes.writeAllVolatileTo(at, sink, 0),
    };
    check(calls, [undefined, ...NO_NUMBERS], NO_ADDRESSES);
  });

  it('D10: no count of a stream is a TypeError, one out of range a RangeError', () => {
    const calls: Calls = {
      readVolatileFrom: (count) => bytes.readVolatileFrom(0, source, count),
      readExactVolatileFrom: (count) => bytes.readExactVolatileFrom(0, source, count),
      writeVolatileTo: (count) => bytes.writeVolatileTo(0, sink, count),
      writeAllVolatileTo: (count) => bytes.writeAllVolatileTo(0, sink, count),
    };
    check(calls, [undefined, 4n, ...NO_NUMBERS], NO_COUNTS);
  });

  it('D10: what is no Uint8Array cannot be filled, nor written', () => {
    const calls: Calls = {
      read: (buf) => bytes.read(buf, 0),
      write: (buf) => bytes.write(buf, 0),
      readSlice: (buf) => bytes.readSlice(buf, 0),
      writeSlice: (buf) => bytes.writeSlice(buf, 0),
    };
    check(calls, NO_BYTES, []);
  });
});

it('D10: addresses, offsets and lengths of memories, regions and slices are refused by type and by range', () => {
  const places: Calls = {
    'memory.getSlice': (at) => memory.getSlice(at, 4),
    'memory.getSlices': (at) => memory.getSlices(at, 4),
    'memory.checkRange': (at) => memory.checkRange(at, 4),
    'memory.getHostAddress': (at) => memory.getHostAddress(at),
    'memory.findRegion': (at) => memory.findRegion(at),
    'memory.checkedOffset': (at) => memory.checkedOffset(0, at),
    'memory.tryAccess': (at) => memory.tryAccess(1, at, Permissions.NO, () => 1),
    'translated.getSlices': (at) => translated.getSlices(at, 4),
    'translated.checkRange': (at) => translated.checkRange(at, 4),
    'region.getSlice': (at) => region.getSlice(at, 4),
    'region.checkRange': (at) => region.checkRange(at, 4),
    'region.getHostAddress': (at) => region.getHostAddress(at),
    'region.addressInRange': (at) => region.addressInRange(at),
    'own.checkRange': (at) => own.checkRange(at, 4),
    'slice.subslice': (at) => slice.subslice(at, 0),
    'slice.offset': (at) => slice.offset(at),
    'slice.splitAt': (at) => slice.splitAt(at),
    checkedAdd: (at) => checkedAdd(0, at),
    guestMemory: (startAddr) => guestMemory([{ startAddr, memory: 8 }]),
  };
  check(places, [undefined, ...NO_NUMBERS], NO_ADDRESSES);
  const lengths: Calls = {
    'memory.getSlice': (len) => memory.getSlice(0, len),
    'memory.getSlices': (len) => memory.getSlices(0, len),
    'memory.checkRange': (len) => memory.checkRange(0, len),
    'translated.getSlices': (len) => translated.getSlices(0, len),
    'translated.checkRange': (len) => translated.checkRange(0, len),
    'region.getSlice': (len) => region.getSlice(0, len),
    'region.checkRange': (len) => region.checkRange(0, len),
    'own.checkRange': (len) => own.checkRange(0, len),
    'Iotlb.setMapping': (len) => new Iotlb().setMapping(0, 0, len, Permissions.READ),
  };
  check(lengths, [undefined, ...NO_NUMBERS], NO_LENGTHS);
});

it('V-1.7: all of the 64-bit space is a length like any other: not there, and no mistake', () => {
  for (const bytes of [memory, translated, region, own]) expect(bytes.checkRange(0, LAST_ADDRESS + 1n)).toBe(false);
  for (const bytes of [memory, region])
    expect(() => bytes.getSlice(0, LAST_ADDRESS + 1n)).toThrow(
      expect.objectContaining({ code: 'invalid-backend-address' }),
    );
});

it('D10: sizes, counts and indexes of what is made are refused by type and by range', async () => {
  const fields = struct({ list: array(u8, 4) }).accessor(memory, 0);
  const wasm = wasmMemory(1);
  const list = slice.getArrayRef(0, 4, u8);
  const calls: Calls = {
    sparseBacking: (length) => sparseBacking(length),
    'sparseBacking, segmentSize': (segmentSize) => sparseBacking(8, { segmentSize }),
    'wasmBacking, offset': (offset) => wasmBacking(wasm, { offset, length: 1 }),
    'wasmBacking, length': (length) => wasmBacking(wasm, { offset: 0, length }),
    segmentAt: (offset) => bufferBacking(8).segmentAt(offset),
    FileOffset: (start) => new FileOffset('file', start),
    AtomicBitmap: (size) => new AtomicBitmap(size),
    'AtomicBitmap, pageSize': (pageSize) => new AtomicBitmap(8, { pageSize }),
    enlarge: (size) => new AtomicBitmap(8).enlarge(size),
    array: (length) => array(u8, length),
    byteArray: (length) => byteArray(length),
    chunksOf: (count) => chunksOf(memory, 0, count),
    tryAccess: (count) => memory.tryAccess(count, 0, Permissions.NO, () => 1),
    alignedAs: (n) => slice.alignedAs(Uint8Array, 0, n),
    'element of a slice': (index) => list.load(index),
    'element of a struct': (index) => fields.list.get(index),
  };
  check(calls, [4n, ...NO_NUMBERS.filter((given) => given !== null)], NO_COUNTS);
  for (const given of ['8', 4n] as never[])
    await expect(saveTo(memory, 0, given, new WritableStream())).rejects.toThrow(TypeError);
  check({ chunkSize: (chunkSize) => chunksOf(memory, 0, 8, { chunkSize }) }, [4n, '8', {}], [0, -1, 0.5, Number.NaN]);
  expect(() => bufferBacking(0.5)).toThrow(RangeError);
  expect(() => bufferBacking('8' as never)).toThrow(TypeError);
});

it('D10: the message says what was wanted and what came', () => {
  const text = 'count must be an integer in 0 to 2^53 - 1, not ';
  const said = (count: unknown, what: string) =>
    expect(() => memory.readVolatileFrom(0, source, count as number)).toThrow(text + what);
  said(-1, '-1');
  said(4n, 'the bigint 4');
  said('4', 'the string "4"');
  said(undefined, 'undefined');
});

it('D10: memory that is none is refused with what it may be', () => {
  for (const memory of [undefined, null, 'ab', {}, [4096]] as never[])
    expect(() => guestMemory([{ startAddr: 0, memory }]), String(memory)).toThrow(
      /^a backing takes a length, an ArrayBuffer/,
    );
});
