/** Accesses that end where memory, a count or a window ends: nothing beyond is asked, marked or changed. */
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx, MemTxResult } from '@guestmem/memtx';
import {
  addressSpaceLookupSection,
  copyBlock,
  DirtyClient,
  MemoryCore,
  MemoryRegionCache,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
  memoryRegionSnapshotAndClearDirty,
  sectionLoad,
  sectionReadContinueStep,
  sectionStore,
  sectionWriteContinueStep,
} from '@guestmem/qemu-memory';
import { Permissions, segmentedBacking } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { bytesOf, TestMachine, toHex } from '../support/machine.ts';

const { OK, ERROR, DECODE_ERROR } = MemTxResult;
const ANY = MEMTXATTRS_UNSPECIFIED;
const VGA = DirtyClient.VGA;

it('A-119, A-120: a step of less than the buffer leaves the rest of it, and of memory, alone', () => {
  const m = new TestMachine();
  m.ram(0x1000, 0x100);
  const section = addressSpaceLookupSection(m.space, 0x1000);
  const tx = new MemTx();
  expect(sectionWriteContinueStep(section, ANY, bytesOf('0102030405060708'), 3, 0x10, tx)).toBe(3);
  expect(m.read(0x1010, 8).hex).toBe('0102030000000000');
  const buf = new Uint8Array(8).fill(0xcc);
  expect(sectionReadContinueStep(section, ANY, buf, 2, 0x10, tx)).toBe(2);
  expect([toHex(buf), tx.result, tx.done]).toEqual(['0102cccccccccccc', OK, 2]);
});

it('A-121, A-122: a section load or store over the end of RAM is refused as a whole', () => {
  const m = new TestMachine();
  m.ram(0x1000, 0x100);
  m.ram(0x1100, 0x100);
  const section = addressSpaceLookupSection(m.space, 0x1000);
  const tx = new MemTx();
  sectionStore(section, 0xfc, le32, 0x0403_0201, ANY, tx);
  expect(tx.result).toBe(OK);
  sectionStore(section, 0xfd, le32, 0xffff_ffff, ANY, tx);
  expect([tx.result, tx.done, m.read(0x10fc, 8).hex]).toEqual([DECODE_ERROR, 0, '0102030400000000']);
  expect(sectionLoad(section, 0xfc, le32, ANY, tx)).toBe(0x0403_0201);
  expect([sectionLoad(section, 0xfd, le32, ANY, tx), tx.result, tx.done]).toEqual([0, DECODE_ERROR, 0]);
});

it('A-94: an empty cache, for reading or given back, takes invalidate of nothing without effect', () => {
  const m = new TestMachine();
  m.ram(0x1000, 0x100);
  expect(() => new MemoryRegionCache().invalidate(0, 0)).not.toThrow();
  const cache = m.space.cache(0x1000, 4, 'read');
  expect(() => cache.invalidate(0, 4)).toThrow(expect.objectContaining({ code: 'read-only-cache' }));
  cache.dispose();
  expect(() => cache.invalidate(0, 0)).not.toThrow();
});

it('A-93: no bytes at the end of a cache are moved, and of an empty one too, but not beyond', () => {
  const m = new TestMachine();
  m.ram(0x1000, 0x100);
  m.device(0x2000, 0x10);
  for (const [cache, length] of [
    [m.space.cache(0x1000, 4, 'write'), 4],
    [m.space.cache(0x2000, 4, 'write'), 4],
    [new MemoryRegionCache(), 0],
  ] as const) {
    const tx = new MemTx();
    for (const move of [cache.read, cache.write]) {
      tx.result = DECODE_ERROR;
      move.call(cache, length, new Uint8Array(0), tx);
      expect([tx.result, tx.done]).toEqual([OK, 0]);
      expect(() => move.call(cache, length + 1, new Uint8Array(0))).toThrow(RangeError);
      expect(() => move.call(cache, length, new Uint8Array(1))).toThrow(RangeError);
    }
  }
  expect(m.took()).toEqual([]);
});

it('A-78: write_rom marks the pages that it writes, not as many more as it passed over before', () => {
  const m = new TestMachine();
  m.device(0x1000, 0x1000);
  const ram = m.ram(0x2000, 0x4000);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 0x4000, VGA);
  m.space.writeRom(0x1000, new Uint8Array(0x1800).fill(7));
  expect([0, 0x1000, 0x2000, 0x3000].map((at) => memoryRegionGetDirty(ram, at, 0x1000, VGA))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(m.read(0x27fe, 4).hex).toBe('07070000');
});

it('A-84, D1: an access that no callback could be told of, its offset being no safe integer, is not valid', () => {
  const m = new TestMachine();
  m.device(0, 1n << 64n);
  expect(m.space.accessValid(2 ** 53 - 8, 8, 'read')).toBe(true);
  expect(m.space.accessValid(1n << 53n, 8, 'read')).toBe(false);
});

it('A-89: the bitmap of a slice answers inside the slice only', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 0x4000);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 0x4000, VGA);
  m.space.store(0x2000, le32, 1);
  const [slice] = [...m.space.getSlices(0x1000, 0x1000, Permissions.WRITE)];
  expect([slice!.bitmap!.dirtyAt(0), slice!.bitmap!.dirtyAt(0xfff), slice!.bitmap!.dirtyAt(0x1000)]).toEqual([
    false,
    false,
    false,
  ]);
  slice!.bitmap!.markDirty(0xfff, 0x100);
  expect(slice!.bitmap!.dirtyAt(0xfff)).toBe(true);
  expect(memoryRegionGetDirty(ram, 0x3000, 0x1000, VGA)).toBe(false);
});

it('V-1.5: a stream is asked for, and given, no more than the count where that ends in a device', () => {
  const m = new TestMachine();
  m.ram(0, 0x100);
  m.device(0x100, 0x100, { endianness: 'little' }, 0x5a5a_5a5a);
  const offers: number[] = [];
  const moves = (bytes: Uint8Array): number => {
    offers.push(bytes.length);
    return bytes.length;
  };
  m.space.readExactVolatileFrom(0xf8, { readVolatile: moves }, 12);
  m.space.writeAllVolatileTo(0xf8, { writeVolatile: moves }, 12);
  expect(offers).toEqual([8, 4, 8, 4]);
  expect(m.took()).toEqual(['W4@0=0x0', 'R4@0=0x5a5a5a5a']);
});

it('A-191: the first and the last page of a snapshot are in it', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 0x8000);
  ram.setLog(true, VGA);
  memoryRegionResetDirty(ram, 0, 0x8000, VGA);
  for (const addr of [0x1fff, 0x2000, 0x4fff, 0x5000]) m.space.writeSlice(Uint8Array.of(1), addr);
  const snapshot = memoryRegionSnapshotAndClearDirty(ram, 0x2000, 0x3000, VGA);
  expect([0x2000, 0x3000, 0x4000].map((at) => snapshot.getDirty(at, 0x1000))).toEqual([true, false, true]);
});

it('A-65: what a device throws in the middle of a transfer leaves the first failure as the progress', () => {
  const m = new TestMachine();
  const read = (offset: number): number => {
    if (offset === 8) throw new Error('out of order');
    return 0;
  };
  m.root.addSubregion(0x1000, m.core.io('dev', 16, { read, write() {}, valid: { accepts: (offset) => offset !== 0 } }));
  const tx = new MemTx();
  expect(() => m.space.txRead(0x1000, new Uint8Array(16), ANY, 'continue', tx)).toThrow('out of order');
  expect([tx.result, tx.done]).toEqual([DECODE_ERROR | ERROR, 0]);
  expect(() => m.space.txRead(0x1004, new Uint8Array(8), ANY, 'continue', tx)).toThrow('out of order');
  expect([tx.result, tx.done]).toEqual([ERROR, 4]);
});

it('A-63: a read of a ROM device that goes on in its block goes on in the next host buffer too', () => {
  const m = new TestMachine();
  const parts = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), Uint8Array.of(9, 10, 11, 12, 13, 14, 15, 16)];
  const device = m.core.romDevice('flash', segmentedBacking(parts.map(({ buffer }) => buffer)), {
    read: () => 0,
    write() {},
  });
  m.root.addSubregion(0x1000, m.core.alias('window', device, 2, 2));
  expect(m.read(0x1000, 10).hex).toBe('030405060708090a0b0c');
});

it('A-184: a copy of part of a block begins and ends within host buffers', () => {
  const parts = [1, 2, 3].map((value) => new Uint8Array(8).fill(value).buffer);
  const block = new TestMachine().ram(0, 24, 'ram', segmentedBacking(parts)).ram!;
  expect([...copyBlock(block, 6, 12)]).toEqual([1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3]);
});

it('D15: a tap sees accesses that share a byte with it, at either end, of its direction', () => {
  const m = new TestMachine();
  m.ram(0, 0x100);
  const seen: string[] = [];
  for (const on of ['both', 'read', 'write'] as const)
    m.space.tap(0x10, 4, ({ addr, size, isWrite }) => seen.push(`${on}: ${isWrite ? 'W' : 'R'}${size}@${addr}`), {
      on,
    });
  const took = (): string[] => seen.splice(0);
  m.space.load(0xc, le32);
  m.space.load(0x14, le32);
  m.space.writeSlice(new Uint8Array(4), 0xc);
  m.space.writeSlice(new Uint8Array(4), 0x14);
  expect(took()).toEqual([]);
  m.space.load(0xd, le32);
  expect(took()).toEqual(['both: R4@13', 'read: R4@13']);
  m.space.store(0x13, le32, 0);
  expect(took()).toEqual(['both: W4@19', 'write: W4@19']);
  m.space.writeSlice(new Uint8Array(4), 0xd);
  m.space.readSlice(new Uint8Array(1), 0x13);
  expect(took()).toEqual(['both: W4@13', 'write: W4@13', 'both: R1@19', 'read: R1@19']);
});

it('A-55: a RAM device access over two host buffers is put together, and one over the end of the block is cut', () => {
  const m = new TestMachine();
  const [low, high] = [new Uint8Array(8), new Uint8Array(8)];
  const device = m.core.ramDevice('vfio', segmentedBacking([low.buffer, high.buffer]), { size: 0x20 });
  m.root.addSubregion(0, device);
  m.space.store(6, le32, 0x0403_0201);
  expect([toHex(low), toHex(high)]).toEqual(['0000000000000102', '0304000000000000']);
  expect(m.space.load(6, le32)).toBe(0x0403_0201);
  m.space.store(14, le32, 0x0807_0605);
  expect(toHex(high)).toBe('0304000000000506');
  expect(m.space.load(14, le32)).toBe(0x0605);
});

it('A-84, A-85, A-92: an access is for reading or for writing, nothing else', () => {
  const m = new TestMachine();
  m.ram(0, 0x100);
  for (const mode of ['rw', 'Write', '', undefined, 1] as never[])
    for (const ask of [
      () => m.space.mapRange(0, 4, mode),
      () => m.space.mapRam(0, 4, mode),
      () => m.space.accessValid(0, 4, mode),
      () => [...m.space.chunks(0, 4, mode)],
      () => m.space.cache(0, 4, mode),
      () => m.space.getIotlbEntry(0, mode),
    ])
      expect(ask).toThrow(new TypeError(`an access is 'read' or 'write', not ${String(mode)}`));
});

it('A-180, A-161, D9: a core takes options that are values, and an IOMMU a model', () => {
  for (const options of [
    { pageSize: 1000 },
    { pageSize: 128 },
    { pageSize: 2 ** 31 },
    { pageSize: Number.NaN },
    { maxVisits: Number.NaN },
    { maxVisits: 0 },
    { targetOrder: 'Big' as never },
  ])
    expect(() => new MemoryCore(options), JSON.stringify(options)).toThrow(/must be/);
  const core = new MemoryCore({ pageSize: 256, maxVisits: 1, targetOrder: 'big' });
  for (const model of [null, undefined, {}])
    expect(() => core.iommu('iommu', 0x1000, model as never)).toThrow(
      expect.objectContaining({ code: 'missing-callback', message: expect.stringMatching(/"iommu"/) }),
    );
});

it('A-180: a page has 256 bytes to 1 GiB', () => {
  for (const pageSize of [256, 2 ** 30]) {
    const m = new TestMachine({ pageSize });
    expect(m.ram(0, 0x1000).ram!.dirty.count).toBe(Math.ceil(0x1000 / pageSize));
  }
  for (const pageSize of [128, 2 ** 31, 4097])
    expect(() => new TestMachine({ pageSize }).ram(0, 0x1000)).toThrow(RangeError);
});

it('A-26: whether 64-bit callbacks are missing depends on both sizes: valid and impl', () => {
  const m = new TestMachine();
  const ops = (valid: number, impl: number) => ({
    read: () => 0,
    write() {},
    valid: { maxAccessSize: valid },
    impl: { maxAccessSize: impl },
  });
  for (const [valid, impl] of [
    [4, 8],
    [8, 4],
    [0, 4],
  ] as const)
    expect(() => m.core.io('d', 8, ops(valid, impl))).not.toThrow();
  for (const [valid, impl] of [
    [8, 8],
    [0, 8],
  ] as const)
    expect(() => m.core.io('d', 8, ops(valid, impl))).toThrow(expect.objectContaining({ code: 'missing-callback' }));
});

it.each(['the short way', 'the long way'])(
  'A-61: a transfer between parts of RAM that overlap moves what was there before it, by %s',
  (way) => {
    const m = new TestMachine();
    m.ram(0x1000, 0x100);
    // A bigint address is looked up anew each time.
    const at = (addr: number): number | bigint => (way === 'the short way' ? addr : BigInt(addr));
    for (let length = 1; length <= 40; length++)
      for (const by of [-9, -3, -1, 1, 2, 8]) {
        const bytes = m.space.mapRam(0x1000, 0x100, 'read')[0]!.bytes;
        const fresh = Uint8Array.from(bytes, (_, i) => i);
        for (const verb of ['writeSlice', 'readSlice'] as const) {
          bytes.set(fresh);
          const wanted = Uint8Array.from(fresh);
          if (verb === 'writeSlice') wanted.copyWithin(0x20 + by, 0x20, 0x20 + length);
          else wanted.copyWithin(0x20, 0x20 + by, 0x20 + by + length);
          m.space[verb](bytes.subarray(0x20, 0x20 + length), at(0x1020 + by));
          expect([...bytes], `${verb} of ${length} by ${by}`).toEqual([...wanted]);
        }
      }
  },
);

it('A-121, A-122: a section load or store over two host buffers of the section is whole', () => {
  const m = new TestMachine();
  const ram = m.ram(0x1000, 0x20, 'ram', segmentedBacking([new Uint8Array(0x10), new Uint8Array(0x10)]));
  m.core.globalDirtyLogStart(1);
  memoryRegionResetDirty(ram, 0, 0x20, DirtyClient.MIGRATION);
  const section = addressSpaceLookupSection(m.space, 0x1000);
  const tx = new MemTx();
  sectionStore(section, 0xe, le32, 0x0403_0201, ANY, tx);
  expect([tx.result, tx.done, m.space.load(0x100e, le32)]).toEqual([OK, 4, 0x0403_0201]);
  expect(memoryRegionGetDirty(ram, 0, 0x20, DirtyClient.MIGRATION)).toBe(true);
  expect([sectionLoad(section, 0xe, le32, ANY, tx), tx.result, tx.done]).toEqual([0x0403_0201, OK, 4]);
  sectionStore(section, 0x1e, le32, 0, ANY, tx);
  expect(tx.result).toBe(DECODE_ERROR);
});

it('A-93: invalidate takes a count of bytes, nothing else', () => {
  const m = new TestMachine();
  m.ram(0, 0x100);
  const cache = m.space.cache(0, 0x10, 'write');
  for (const bad of [-1, 0.5, Number.NaN, 0x11]) expect(() => cache.invalidate(0, bad)).toThrow(RangeError);
  cache.invalidate(0x10, 0);
});

it('A-131, A-45: a transfer that ends above 2^64 stops there, also where a device’s access reaches over it', () => {
  const m = new TestMachine();
  m.ram(0, 0x1000);
  const any = { minAccessSize: 1, maxAccessSize: 8, unaligned: true };
  m.device((1n << 64n) - 0x1000n, 0x1000, { valid: any, impl: any, endianness: 'little' });
  const from = (1n << 64n) - 4n;
  const bytes = new Uint8Array(24).fill(0xaa);
  const tx = new MemTx();
  expect(() => m.space.writeSlice(bytes, from)).toThrow(expect.objectContaining({ expected: 24, completed: 8 }));
  expect([m.took(), m.read(0, 24).hex]).toEqual([['W8@ffc=0xaaaaaaaaaaaaaaaa'], '00'.repeat(24)]);
  expect(() => m.space.readSlice(bytes, from)).toThrow(expect.objectContaining({ expected: 24, completed: 8 }));
  // A stream goes through chunks of 256 bytes: here the first ends with the access that reaches over 2^64.
  const source = { readVolatile: (to: Uint8Array) => to.fill(0xbb).length };
  expect(m.space.readVolatileFrom((1n << 64n) - 252n, source, 300)).toBe(256);
  expect(m.read(0, 24).hex).toBe('00'.repeat(24));
  // QEMU's vocabulary goes on: 4 of the 8 bytes that the device took were the addresses 0 to 3.
  m.space.txWrite(from, new Uint8Array(12).fill(0xcc), ANY, 'continue', tx);
  expect([tx.result, m.read(0, 12).hex]).toEqual([OK, '00000000cccccccc00000000']);
});
