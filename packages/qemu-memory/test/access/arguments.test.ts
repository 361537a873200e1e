/** Arguments that are numbers: one of another type is a TypeError, one that is out of range a RangeError, wherever it is given (D10). */
import { runInNewContext } from 'node:vm';
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx } from '@guestmem/memtx';
import {
  type Bytes,
  type GuestAddress,
  LAST_ADDRESS,
  type ReadVolatile,
  type WriteVolatile,
} from '@guestmem/vm-memory';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  attach,
  DirtyClient,
  MemoryCore,
  memoryRegionGetDirty,
  memoryRegionSetDirty,
  memoryRegionSnapshotAndClearDirty,
  PageIommu,
  sectionReadContinueStep,
} from '../../src/index.ts';
import { machine } from '../worker/support/machine.ts';
import { share } from '../worker/support/opened.ts';

const NO_NUMBERS: readonly unknown[] = ['8', '', true, {}, [4], () => 4];
const NO_COUNTS: readonly unknown[] = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];
const NO_ADDRESSES: readonly unknown[] = [...NO_COUNTS, -1n, LAST_ADDRESS + 1n];
const NO_BYTES: readonly unknown[] = [undefined, null, 'ab', 4, [1, 2], {}, new Int8Array(2), new ArrayBuffer(2)];

const source: ReadVolatile = { readVolatile: (into) => into.length };
const sink: WriteVolatile = { writeVolatile: (from) => from.length };

type Calls = Readonly<Record<string, (given: never) => unknown>>;

function check(calls: Calls, wrongTypes: readonly unknown[], outOfRange: readonly unknown[]): void {
  for (const [name, call] of Object.entries(calls)) {
    for (const given of wrongTypes) expect(() => call(given as never), `${name}, ${typeof given}`).toThrow(TypeError);
    for (const given of outOfRange) expect(() => call(given as never), `${name}, ${String(given)}`).toThrow(RangeError);
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** The ways to the same memory; the worker is an agent of this thread, served while it waits. */
function ways() {
  const made = machine();
  const shared = share(made);
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    shared.poll();
    return 'ok';
  });
  const worker = attach(shared.handle(), { spins: 0 });
  const pinned = made.space.memory();
  return { made, shared, worker, pinned, section: pinned.findRegion(0)! };
}

describe('the Bytes of spaces, views, sections and workers', () => {
  it('D10: refuse counts, addresses and buffers by type and by range', () => {
    const { made, worker, pinned, section } = ways();
    const each: Readonly<Record<string, Bytes<GuestAddress>>> = { space: made.space, worker, pinned, section };
    for (const [way, bytes] of Object.entries(each)) {
      const counts: Calls = {
        [`${way}.readVolatileFrom`]: (count) => bytes.readVolatileFrom(0, source, count),
        [`${way}.readExactVolatileFrom`]: (count) => bytes.readExactVolatileFrom(0, source, count),
        [`${way}.writeVolatileTo`]: (count) => bytes.writeVolatileTo(0, sink, count),
        [`${way}.writeAllVolatileTo`]: (count) => bytes.writeAllVolatileTo(0, sink, count),
      };
      check(counts, [undefined, null, 4n, ...NO_NUMBERS], NO_COUNTS);
      const addresses: Record<string, (at: never) => unknown> = {
        [`${way}.load`]: (at) => bytes.load(at, le32),
        [`${way}.store`]: (at) => bytes.store(at, le32, 1),
        [`${way}.readObj`]: (at) => bytes.readObj(at, le32),
        [`${way}.writeObj`]: (at) => bytes.writeObj(at, le32, 1),
      };
      for (const size of [0, 4])
        Object.assign(addresses, {
          [`${way}.read of ${size}`]: (at: number) => bytes.read(new Uint8Array(size), at),
          [`${way}.write of ${size}`]: (at: number) => bytes.write(new Uint8Array(size), at),
          [`${way}.readSlice of ${size}`]: (at: number) => bytes.readSlice(new Uint8Array(size), at),
          [`${way}.writeSlice of ${size}`]: (at: number) => bytes.writeSlice(new Uint8Array(size), at),
          [`${way}.readVolatileFrom of ${size}`]: (at: number) => bytes.readVolatileFrom(at, source, size),
          [`${way}.readExactVolatileFrom of ${size}`]: (at: number) => bytes.readExactVolatileFrom(at, source, size),
          [`${way}.writeVolatileTo of ${size}`]: (at: number) => bytes.writeVolatileTo(at, sink, size),
          [`${way}.writeAllVolatileTo of ${size}`]: (at: number) => bytes.writeAllVolatileTo(at, sink, size),
        });
      check(addresses, [undefined, null, ...NO_NUMBERS], NO_ADDRESSES);
      const buffers: Calls = {
        [`${way}.read`]: (buf) => bytes.read(buf, 0),
        [`${way}.write`]: (buf) => bytes.write(buf, 0),
        [`${way}.readSlice`]: (buf) => bytes.readSlice(buf, 0),
        [`${way}.writeSlice`]: (buf) => bytes.writeSlice(buf, 0),
      };
      check(buffers, NO_BYTES, []);
    }
  });

  it('D10: take a Uint8Array of another realm, as those of vm-memory do', () => {
    const { made, worker, pinned, section } = ways();
    const foreign = (): Uint8Array => runInNewContext('Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)');
    using cache = made.space.cache(0, 0x10, 'write');
    using device = made.space.cache(0x1_0000, 0x10, 'write');
    for (const bytes of [made.space, worker, pinned, section] as readonly Bytes<GuestAddress>[]) {
      bytes.writeSlice(new Uint8Array(0x20), 0);
      bytes.writeSlice(foreign(), 4);
      const got = foreign().fill(0);
      bytes.readSlice(got, 3);
      expect([...got]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
    cache.write(0, foreign());
    const got = foreign().fill(0);
    cache.read(0, got);
    expect([...got]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    device.write(0, foreign().subarray(0, 4));
    expect(made.writes.at(-1)).toMatchObject({ offset: 0, value: 0x0403_0201, size: 4 });
  });
});

it('D10: lengths, sizes and offsets of questions, mappings, caches and taps', () => {
  const { made, worker, pinned, section } = ways();
  const { space } = made;
  using cache = space.cache(0, 0x10, 'write');
  const mapping = () => space.mapRange(0, 0x10, 'read')!;
  const chunk = pinned.view.section(0);
  const lengths: Calls = {
    set: (len) => space.set(0, 0, len),
    'set of a worker': (len) => worker.set(0, 0, len),
    accessValid: (len) => space.accessValid(0, len, 'read'),
    'accessValid of a worker': (len) => worker.accessValid(0, len, 'read'),
    mapRange: (len) => space.mapRange(0, len, 'read'),
    mapRam: (len) => space.mapRam(0, len, 'read'),
    maxBounceBufferSize: (len) => {
      space.maxBounceBufferSize = len;
    },
    unmap: (len) => mapping().unmap(len),
    cache: (len) => space.cache(0, len, 'read'),
    'load of a cache': (at) => cache.load(at, le32),
    'store of a cache': (at) => cache.store(at, le32, 1),
    'read of a cache': (at) => cache.read(at, new Uint8Array(1)),
    'write of a cache': (at) => cache.write(at, new Uint8Array(1)),
    'invalidate, offset': (at) => cache.invalidate(at, 1),
    'invalidate, length': (len) => cache.invalidate(0, len),
    tap: (len) => space.tap(0, len, () => undefined),
    chunks: (len) => [...space.chunks(0, len, 'read')],
    step: (len) => sectionReadContinueStep(chunk, MEMTXATTRS_UNSPECIFIED, new Uint8Array(4), len, 0, new MemTx()),
    'section of a view': (index) => pinned.view.section(index),
  };
  check(lengths, [4n, ...NO_NUMBERS], NO_COUNTS);
  const wide: Calls = {
    checkRange: (len) => space.checkRange(0, len),
    'checkRange of a worker': (len) => worker.checkRange(0, len),
    'checkRange of a section': (len) => section.checkRange(0, len),
    getSlices: (len) => space.getSlices(0, len),
    'getSlices of a worker': (len) => worker.getSlices(0, len),
    'getSlice of a view': (len) => pinned.getSlice(0, len),
    'getSlice of a section': (len) => section.getSlice(0, len),
  };
  check(wide, [undefined, null, ...NO_NUMBERS], [...NO_COUNTS, -1n, LAST_ADDRESS + 2n]);
  const bytes: Calls = { set: (byte) => space.set(0, byte, 1), 'set of a worker': (byte) => worker.set(0, byte, 1) };
  check(bytes, [undefined, null, 4n, ...NO_NUMBERS], [-1, 0.5, Number.NaN, 256]);
  const buffers: Calls = {
    'read of a cache': (buf) => cache.read(0, buf),
    'write of a cache': (buf) => cache.write(0, buf),
    step: (buf) => sectionReadContinueStep(chunk, MEMTXATTRS_UNSPECIFIED, buf, 1, 0, new MemTx()),
  };
  check(buffers, NO_BYTES, []);
});

it('D10: numbers that regions, cores, listeners, IOMMUs, dirty pages and shared spaces are made with', () => {
  const { made, shared } = ways();
  const { core, space, ram, root } = made;
  const part = core.ram('part', 0x100);
  const device = core.io('device', 0x10, {});
  const walk = () => null;
  const iommu = new PageIommu(space, walk);
  const notifiers = core.iommu('iommu', 0x1000, iommu).iommu!;
  const notifier = { flags: 1, start: 0, end: 0xfff, notify: () => undefined };
  const snapshot = memoryRegionSnapshotAndClearDirty(ram, 0, 0x1000, DirtyClient.VGA);
  const calls: Calls = {
    'pageSize of a core': (pageSize) => new MemoryCore({ pageSize }),
    maxVisits: (maxVisits) => new MemoryCore({ maxVisits }),
    'impl.maxAccessSize': (maxAccessSize) => core.io('io', 8, { impl: { maxAccessSize } }),
    'size of an eventfd': (size) => device.addEventFd(0, size, false, 0, { notify: () => undefined }),
    'priority of a region': (priority) => root.addSubregion(0x5_0000, part, priority),
    'priority of a listener': (priority) => space.registerListener({ priority }),
    'pageSize of an IOMMU': (pageSize) => new PageIommu(space, walk, { pageSize }),
    numIndexes: (numIndexes) => new PageIommu(space, walk, { numIndexes }),
    'index of an IOMMU': (index) => iommu.invalidate(null, 0, 1, index),
    workers: (workers) => share(made, { workers }),
    ringPayload: (ringPayload) => share(made, { ringPayload }),
    stallMs: (stallMs) => share(made, { stallMs }),
    spins: (spins) => attach(shared.handle(), { spins }),
    timeoutMs: (timeoutMs) => attach(shared.handle(), { timeoutMs }),
  };
  check(calls, [4n, ...NO_NUMBERS], [Number.NaN]);
  for (const [name, call] of Object.entries(calls))
    if (!name.endsWith('Ms')) check({ [name]: call }, [], name === 'priority of a region' ? [0.5, 2 ** 31] : [-1, 0.5]);
  const ranges: Calls = {
    'flags of a notifier': (flags) => notifiers.register({ ...notifier, flags }),
    'index of a notifier': (iommuIndex) => notifiers.register({ ...notifier, iommuIndex }),
    'getDirty, offset': (at) => snapshot.getDirty(at, 0),
    'getDirty, length': (len) => snapshot.getDirty(0, len),
    'memoryRegionGetDirty, offset': (at) => memoryRegionGetDirty(ram, at, 0, DirtyClient.VGA),
    'memoryRegionGetDirty, length': (len) => memoryRegionGetDirty(ram, 0, len, DirtyClient.VGA),
    'memoryRegionSetDirty, offset': (at) => memoryRegionSetDirty(ram, at, 0),
    'memoryRegionSetDirty, length': (len) => memoryRegionSetDirty(ram, 0, len),
  };
  check(ranges, [4n, ...NO_NUMBERS], NO_COUNTS);
});
