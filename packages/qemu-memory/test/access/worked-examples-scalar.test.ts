/** The worked examples of the access rules, single loads and stores, and those behind an IOMMU. */
import { be32, be64, le16, le32, MEMTXATTRS_UNSPECIFIED, MemTx, MemTxResult, memTxAttrs, u8 } from '@guestmem/memtx';
import { IommuAccess, PageIommu } from '@guestmem/qemu-memory';
import type { GuestAddress, ScalarCodec } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { bytesOf, TestMachine } from '../support/machine.ts';

const { OK, DECODE_ERROR } = MemTxResult;
const BYTES_LE = { endianness: 'little', impl: { minAccessSize: 1, maxAccessSize: 1 } } as const;

function machine(): TestMachine {
  const m = new TestMachine();
  m.logRefusals();
  return m;
}

function store(m: TestMachine, addr: GuestAddress, value: number, codec: ScalarCodec<number> = le32): number {
  const tx = new MemTx();
  m.space.txStore(addr, codec, value, MEMTXATTRS_UNSPECIFIED, tx);
  expect(tx.done).toBe(tx.result === OK ? codec.size : 0);
  return tx.result;
}

it('E-21, E-43: stl_le to a device of impl 1 is four pieces, ascending', () => {
  const m = machine();
  m.device(0, 0x1000, BYTES_LE);
  expect(store(m, 0, 0x44332211)).toBe(OK);
  expect(m.took()).toEqual(['W1@0=0x11', 'W1@1=0x22', 'W1@2=0x33', 'W1@3=0x44']);
});

it('E-36: stl_le to unaligned RAM stores in order', () => {
  const m = machine();
  m.ram(0, 0x4000);
  expect(store(m, 0x2009, 0x44332211)).toBe(OK);
  expect(m.read(0x2008, 6).hex).toBe('001122334400');
});

it('E-37, A-71: a store that crosses the end of RAM stores nothing at all', () => {
  const m = machine();
  m.ram(0, 0x4000);
  expect(store(m, 0x3ffe, 0x44332211)).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@3ffe ram rejected']);
  expect(m.read(0x3ffe, 2).hex).toBe('0000');
});

it('E-38: a store from RAM into a device reaches neither; a bulk write reaches both', () => {
  const m = machine();
  m.ram(0, 0xa0000);
  m.device(0xa0000, 0x20000, BYTES_LE);
  expect(store(m, 0x9fffe, 0x44332211)).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@9fffe ram rejected']);
  expect(m.write(0x9fffe, '11223344')).toBe(OK);
  expect(m.took()).toEqual(['W1@0=0x33', 'W1@1=0x44']);
  expect(m.read(0x9fffe, 2).hex).toBe('1122');
});

it('E-39, E-40: an unaligned store to a device without valid.unaligned is refused as a whole', () => {
  const m = machine();
  m.device(0, 0x1000, BYTES_LE);
  m.device(0x2000, 0x1000, {
    endianness: 'little',
    valid: { minAccessSize: 4, maxAccessSize: 8 },
    impl: { minAccessSize: 4, maxAccessSize: 8 },
  });
  expect(store(m, 1, 0x44332211)).toBe(DECODE_ERROR);
  expect(store(m, 0x2006, 1)).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@1 dev unaligned', '-4@6 dev unaligned']);
  m.write(1, '11223344');
  expect(m.took()).toEqual(['W1@1=0x11', 'W1@2=0x22', 'W1@3=0x33', 'W1@4=0x44']);
});

it('E-41: a store of the size of impl is one callback', () => {
  const m = machine();
  m.device(0, 0x20000, { endianness: 'little', impl: { minAccessSize: 4, maxAccessSize: 4 } });
  expect(store(m, 0x5200, 0x44332211)).toBe(OK);
  expect(m.took()).toEqual(['W4@5200=0x44332211']);
});

it('E-42: stores to ROM and to nothing are DECODE_ERROR', () => {
  const m = machine();
  m.rom(0, bytesOf('0102030405060708'));
  expect(store(m, 0, 1)).toBe(DECODE_ERROR);
  expect(store(m, 0x100, 1)).toBe(DECODE_ERROR);
  expect(m.read(0, 4).hex).toBe('01020304');
});

it('E-45, E-46, E-47: an IOMMU passes stores to RAM and devices, and refuses at the IOVA what is not mapped for them', () => {
  const m = machine();
  m.ram(0, 0x10000);
  m.device(0xfe200000, 0x1000, BYTES_LE);
  const pages = new Map<number, [number, number]>([
    [0x40002000, [0x5000, IommuAccess.RW]],
    [0x40003000, [0x6000, IommuAccess.RO]],
    [0x40005000, [0xfe200000, IommuAccess.RW]],
  ]);
  const bus = m.core.iommu(
    'vtd',
    1n << 48n,
    new PageIommu(m.space, (offset) => {
      const found = pages.get(Number(offset) - (Number(offset) % 4096));
      return found === undefined ? null : { translatedAddr: found[0], perm: found[1] };
    }),
  );
  const dma = m.core.addressSpace(bus, 'dma');
  const tx = new MemTx();
  const put = (iova: number, value: number): number => {
    dma.txStore(iova, le32, value, MEMTXATTRS_UNSPECIFIED, tx);
    return tx.result;
  };
  expect(put(0x40002004, 0x44332211)).toBe(OK);
  expect(m.read(0x5004, 4).hex).toBe('11223344');
  expect(put(0x40003004, 1)).toBe(DECODE_ERROR);
  expect(put(0x40004004, 1)).toBe(DECODE_ERROR);
  expect(put(0x5004, 1)).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@40003004 (null) rejected', '-4@40004004 (null) rejected', '-4@5004 (null) rejected']);
  expect(put(0x40005000, 0x00004321)).toBe(OK);
  expect(m.took()).toEqual(['W1@0=0x21', 'W1@1=0x43', 'W1@2=0x0', 'W1@3=0x0']);
  expect(m.read(0x6004, 4).hex).toBe('00000000');
});

it('E-55: with valid.unaligned a load passes an unaligned access on as it is', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little', valid: { unaligned: true } }, 7);
  expect(m.space.load(1, le32)).toBe(7);
  expect(m.took()).toEqual(['R4@1=0x7']);
});

it('E-58: a load does not test attrs.memory', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little' }, 0x1234);
  const tx = new MemTx();
  expect(m.space.txLoad(0, le32, memTxAttrs({ memory: true }), tx)).toBe(0x1234);
  expect(tx.result).toBe(OK);
});

it('E-59: ldq_be of a little-endian device gives the reversed number', () => {
  const m = machine();
  const sizes = { minAccessSize: 1, maxAccessSize: 8 };
  m.device(0, 0x100, { endianness: 'little', valid: sizes, impl: sizes }, 0x0102030405060708n);
  expect(m.space.load(0, be64)).toBe(0x0807060504030201n);
  expect(m.took()).toEqual(['R8@0=0x102030405060708']);
});

it('E-60: valid.min without valid.max has no effect', () => {
  const m = machine();
  m.device(0, 0x100, { valid: { minAccessSize: 4 } }, 0x99);
  expect(m.space.load(0, u8)).toBe(0x99);
  expect(m.took()).toEqual(['R1@0=0x99']);
});

it('E-61: impl.min 8 on a little-endian device gives a 4-byte load the low part', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little', impl: { minAccessSize: 8, maxAccessSize: 8 } }, 0x1122334455667788n);
  expect(m.space.load(0, le32)).toBe(0x55667788);
  expect(m.took()).toEqual(['R8@0=0x1122334455667788']);
});

it('E-62: impl.min 8 on a big-endian device gives a 4-byte load the high part', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'big', impl: { minAccessSize: 8, maxAccessSize: 8 } }, 0x1122334455667788n);
  expect(m.space.load(0, be32)).toBe(0x11223344);
  m.space.store(4, le16, 0x1234);
  expect(m.took()).toEqual(['R8@0=0x1122334455667788', 'W8@4=0x3412000000000000']);
});

it('A-48: an access from outside a callback is not blocked, nor one to another owner', () => {
  const m = machine();
  m.device(0x2000, 0x100, { endianness: 'little' }, 5, {});
  const seen: number[] = [];
  m.root.addSubregion(
    0x1000,
    m.core.io('edu', 0x100, { read: () => seen.push(m.space.load(0x2000, le32)) }, { owner: {} }),
  );
  expect(m.space.load(0x1000, le32)).toBe(1);
  expect(m.space.load(0x1000, le32)).toBe(2);
  expect(seen).toEqual([5, 5]);
});
