import * as memtx from '@guestmem/memtx';
import { halvesCodec, nativeCodecs, U64Halves } from '@guestmem/memtx';
import { guestMemory, type ScalarCodec } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { fromFloat16Bits, toFloat16Bits } from '../src/float16.ts';

/** name, value, its bytes in ascending addresses: worked out by hand. */
const ROWS: readonly (readonly [name: string, value: number | bigint, bytes: string])[] = [
  ['u8', 0xf1, 'f1'],
  ['i8', -0x0f, 'f1'],
  ['le16', 0xf122, '22f1'],
  ['be16', 0xf122, 'f122'],
  ['le16s', -2, 'feff'],
  ['be16s', -2, 'fffe'],
  ['le32', 0xf1223344, '443322f1'],
  ['be32', 0xf1223344, 'f1223344'],
  ['le32s', -2, 'feffffff'],
  ['be32s', -0x8000_0000, '80000000'],
  ['le64', 0xf122334455667788n, '88776655443322f1'],
  ['be64', 0xf122334455667788n, 'f122334455667788'],
  ['le64s', -2n, 'feffffffffffffff'],
  ['be64s', -0x8000_0000_0000_0000n, '8000000000000000'],
  ['le64n', 0x1f_2233_4455_6677, '7766554433221f00'],
  ['be64n', 0x1f_2233_4455_6677, '001f223344556677'],
  ['le64sn', -2, 'feffffffffffffff'],
  ['le64a', 0x12_3456_789a_bcde, 'debc9a7856341200'],
  ['be64a', 0xffff_ffff_ffff_fff0n, 'fffffffffffffff0'],
  ['be64sn', -0x1f_ffff_ffff_ffff, 'ffe0000000000001'],
  ['le16f', -1.5, '00be'],
  ['be16f', -1.5, 'be00'],
  ['le32f', -1.5, '0000c0bf'],
  ['be32f', -1.5, 'bfc00000'],
  ['le64f', -1.5, '000000000000f8bf'],
  ['be64f', -1.5, 'bff8000000000000'],
];

const codecs = memtx as unknown as Readonly<Record<string, ScalarCodec<number | bigint>>>;

describe('codecs of a stated order', () => {
  it.each(ROWS)(
    'A-273: %s puts %s as the bytes %s and gets it back, by every method of a memory',
    (name, value, digits) => {
      const codec = codecs[name]!;
      expect(codec.name).toBe(name);
      expect(codec.size).toBe(digits.length / 2);
      const memory = guestMemory([{ startAddr: 0x1000, memory: 32 }]);
      const bytes = Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16));
      const seen = new Uint8Array(codec.size);
      const clear = () => memory.writeSlice(new Uint8Array(32), 0x1000);
      for (const addr of [0x1000, 0x1003]) {
        memory.store(addr, codec, value);
        memory.readSlice(seen, addr);
        expect(seen).toEqual(bytes);
        clear();
        memory.writeObj(addr, codec, value);
        memory.readSlice(seen, addr);
        expect(seen).toEqual(bytes);
        expect(memory.load(addr, codec)).toBe(value);
        expect(memory.readObj(addr, codec)).toBe(value);
        clear();
      }
    },
  );

  it('A-273: every scalar codec that the package exports is in the table', () => {
    const exported = Object.entries(memtx).filter(([, value]) => 'littleEndian' in Object(value));
    expect(exported.map(([name]) => name).sort()).toEqual(ROWS.map(([name]) => name).sort());
    for (const [name, codec] of exported)
      if (/^[lb]e/.test(name)) expect((codec as ScalarCodec<unknown>).littleEndian, name).toBe(name.startsWith('le'));
  });

  it('D2: a codec refuses what it cannot hold, and nothing is stored', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 8 }]);
    const bad: readonly [string, unknown][] = [
      ['le16', 0x1_0000],
      ['be16', -1],
      ['le16s', 0x8000],
      ['be32', 2 ** 32],
      ['le32', 0.5],
      ['le64', 2n ** 64n],
      ['be64', -1n],
      ['le64', 1],
      ['le32', 1n],
      ['le64n', 2 ** 53],
      ['be64sn', -(2 ** 53)],
      ['le16f', 1n],
      ['le32', undefined],
    ];
    for (const [name, value] of bad) {
      expect(() => memory.store(0, codecs[name]!, value as never), `${name} ${String(value)}`).toThrow(/takes|must/);
      expect(() => memory.writeObj(0, codecs[name]!, value as never), `${name} ${String(value)}`).toThrow(/takes|must/);
    }
    const seen = new Uint8Array(8);
    memory.readSlice(seen, 0);
    expect(seen).toEqual(new Uint8Array(8));
  });

  it('D2: a 64-bit number codec refuses to load what a number cannot hold exactly', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 8 }]);
    memory.store(0, memtx.le64, 2n ** 53n);
    expect(() => memory.load(0, memtx.le64n)).toThrow(RangeError);
    memory.store(0, memtx.le64, 2n ** 53n - 1n);
    expect(memory.load(0, memtx.le64n)).toBe(2 ** 53 - 1);
  });
});

describe('native codecs', () => {
  it('A-75: they exist only for an order that somebody states', () => {
    expect(() => nativeCodecs(undefined as never)).toThrow(TypeError);
    expect(() => nativeCodecs('host' as never)).toThrow(TypeError);
  });

  it('A-273: they are the explicit codecs of that order', () => {
    const names = [
      ...(['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64'] as const),
      ...(['u64n', 'i64n', 'u64a', 'f16', 'f32', 'f64'] as const),
    ];
    const little = nativeCodecs('little');
    const big = nativeCodecs('big');
    expect(names.map((name) => little[name].name)).toEqual(
      'u8 i8 le16 le16s le32 le32s le64 le64s le64n le64sn le64a le16f le32f le64f'.split(' '),
    );
    expect(names.map((name) => big[name].name)).toEqual(
      'u8 i8 be16 be16s be32 be32s be64 be64s be64n be64sn be64a be16f be32f be64f'.split(' '),
    );
    expect([little.order, big.order]).toEqual(['little', 'big']);
    expect(nativeCodecs('little')).toBe(little);
  });
});

describe('two halves', () => {
  it('D2: 64 bits load into a pair of the caller and store from any pair', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 16 }]);
    const pair = new U64Halves();
    const codec = halvesCodec('little', pair);
    memory.store(0, memtx.le64, 0xf122334455667788n);
    expect(memory.load(0, codec)).toBe(pair);
    expect([pair.hi, pair.lo]).toEqual([0xf1223344, 0x55667788]);
    expect(pair.toBigInt()).toBe(0xf122334455667788n);
    memory.store(8, halvesCodec('big'), pair);
    expect(memory.load(8, memtx.be64)).toBe(0xf122334455667788n);
    expect(memory.load(8, halvesCodec('big')).toBigInt()).toBe(0xf122334455667788n);
  });

  it('D2: what is no pair of 32 bits each is refused and nothing is written; so is what is no order', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 16 }]);
    for (const order of ['little', 'big'] as const) {
      const codec = halvesCodec(order);
      memory.store(0, memtx.le64, 7n);
      for (const [lo, hi] of [
        [2 ** 32, 0],
        [0, -1],
        [0.5, 0],
        [0, Number.NaN],
      ] as const)
        expect(() => memory.store(0, codec, Object.assign(new U64Halves(), { lo, hi }))).toThrow(RangeError);
      for (const none of [{}, 5, null, { lo: 1 }])
        expect(() => memory.store(0, codec, none as never)).toThrow(TypeError);
      expect(memory.load(0, memtx.le64)).toBe(7n);
    }
    expect(() => halvesCodec('middle' as never)).toThrow(TypeError);
  });

  it('D2: a pair takes the low 64 bits of a bigint', () => {
    expect(new U64Halves().set(-1n).toBigInt()).toBe(2n ** 64n - 1n);
    expect(new U64Halves().set(2n ** 64n + 5n)).toEqual({ lo: 5, hi: 0 });
  });
});

describe('binary16', () => {
  it('D2: the corners are those of IEEE 754', () => {
    const corners: readonly [bits: number, value: number][] = [
      [0x0000, 0],
      [0x8000, -0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3c00, 1],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
      [0xc000, -2],
    ];
    for (const [bits, value] of corners) {
      expect(fromFloat16Bits(bits)).toBe(value);
      expect(toFloat16Bits(value)).toBe(bits);
    }
    expect(fromFloat16Bits(0x7e01)).toBeNaN();
    expect(toFloat16Bits(Number.NaN)).toBe(0x7e00);
  });

  it('D2: a number rounds to the nearest, ties to even', () => {
    expect(toFloat16Bits(65519.99)).toBe(0x7bff);
    expect(toFloat16Bits(65520)).toBe(0x7c00);
    expect(toFloat16Bits(2 ** -25)).toBe(0x0000); // half of the smallest: a tie, even is 0
    expect(toFloat16Bits(2 ** -25 * 1.0001)).toBe(0x0001);
    expect(toFloat16Bits(3 * 2 ** -25)).toBe(0x0002); // 1.5 of the smallest: a tie, even is 2
    expect(toFloat16Bits(1 + 2 ** -11)).toBe(0x3c00); // a tie between 0x3c00 and 0x3c01
    expect(toFloat16Bits(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(toFloat16Bits(2047.5)).toBe(0x6800); // 2047 and 2048 are neighbours: up to the power of two
    expect(toFloat16Bits(2 ** -14 * (1 - 2 ** -12))).toBe(0x0400); // subnormal rounds up to normal
  });

  it('D2: all 65536 patterns but NaN go round', () => {
    const lost: number[] = [];
    for (let bits = 0; bits <= 0xffff; bits++) {
      const value = fromFloat16Bits(bits);
      if (!Number.isNaN(value) && toFloat16Bits(value) !== bits) lost.push(bits);
    }
    expect(lost).toEqual([]);
  });
});
