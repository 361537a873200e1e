/** Random rules, random accesses: bulk transfers and scalars against a model that works on BigInts and byte lists only. */
import { be16, be32, be64, le16, le32, le64, MEMTXATTRS_UNSPECIFIED, MemTx, u8 } from '@guestmem/memtx';
import type { MemoryRegionOps } from '@guestmem/qemu-memory';
import type { ScalarCodec } from '@guestmem/vm-memory';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TestMachine } from '../support/machine.ts';

interface Rules {
  readonly big: boolean;
  readonly validMin: number;
  readonly validMax: number;
  readonly validUnaligned: boolean;
  readonly implMin: number;
  readonly implMax: number;
  readonly implUnaligned: boolean;
}

const sizeOrNone = fc.constantFrom(0, 1, 2, 4, 8);
const rules: fc.Arbitrary<Rules> = fc
  .record({
    big: fc.boolean(),
    validMin: sizeOrNone,
    validMax: sizeOrNone,
    validUnaligned: fc.boolean(),
    implMin: sizeOrNone,
    implMax: sizeOrNone,
    implUnaligned: fc.boolean(),
  })
  .filter(({ validMin, validMax }) => validMax === 0 || validMin <= validMax);

/** What the device answers: bits above any size, different at every offset. */
const answer = (offset: number): bigint =>
  ((0x9e37_79b9_7f4a_7c15n * BigInt(offset + 1)) ^ 0xffff_0000_ffffn) & ((1n << 64n) - 1n);

interface Expected {
  readonly calls: string[];
  readonly bytes: number[];
  result: number;
}

/** for one access, byte string in and out. */
function dispatch(rule: Rules, offset: number, n: number, write: readonly number[] | null, out: Expected): void {
  const valid =
    (rule.validUnaligned || offset % n === 0) && (rule.validMax === 0 || (n <= rule.validMax && n >= rule.validMin));
  if (!valid) {
    out.result |= 2;
    if (write === null) for (let i = 0; i < n; i++) out.bytes.push(0);
    return;
  }
  const lo = rule.implMin || 1;
  const hi = rule.implMax || 4;
  const s = Math.max(Math.min(n, hi), lo);
  const number = write === null ? 0n : toNumber(rule.big ? write : [...write].reverse());
  let value = 0n;
  for (let i = 0; i < n; i += s) {
    const shift = BigInt(rule.big ? 8 * (n - s - i) : 8 * i);
    const mask = (1n << BigInt(8 * s)) - 1n;
    if (write === null) {
      out.calls.push(`R${s}@${(offset + i).toString(16)}=0x${answer(offset + i).toString(16)}`);
      const got = answer(offset + i) & mask;
      value |= shift >= 0n ? got << shift : got >> -shift;
    } else {
      const part = (shift >= 0n ? number >> shift : number << -shift) & mask;
      out.calls.push(`W${s}@${(offset + i).toString(16)}=0x${part.toString(16)}`);
    }
  }
  if (write !== null) return;
  const string = Array.from({ length: n }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  out.bytes.push(...(rule.big ? string.reverse() : string));
}

function toNumber(bigEndian: readonly number[]): bigint {
  return bigEndian.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** */
function bulk(rule: Rules, offset: number, len: number, write: readonly number[] | null): Expected {
  const out: Expected = { calls: [], bytes: [], result: 0 };
  let at = offset;
  let left = len;
  while (left > 0) {
    let m = rule.validMax || 4;
    if (!rule.implUnaligned && at !== 0) m = Math.min(m, at & -at);
    let size = 1;
    while (size * 2 <= Math.min(left, m)) size *= 2;
    dispatch(rule, at, size, write?.slice(at - offset, at - offset + size) ?? null, out);
    at += size;
    left -= size;
  }
  return out;
}

function machine(rule: Rules): TestMachine {
  const m = new TestMachine();
  const sizes = (minAccessSize: number, maxAccessSize: number, unaligned: boolean) => ({
    minAccessSize,
    maxAccessSize,
    unaligned,
  });
  const ops: Pick<MemoryRegionOps, 'valid' | 'impl' | 'endianness'> = {
    endianness: rule.big ? 'big' : 'little',
    valid: sizes(rule.validMin, rule.validMax, rule.validUnaligned),
    impl: sizes(rule.implMin, rule.implMax, rule.implUnaligned),
  };
  const logging = m.logging(ops);
  const note = (offset: number, size: number): bigint => {
    m.log.push(`R${size}@${offset.toString(16)}=0x${answer(offset).toString(16)}`);
    return answer(offset);
  };
  m.root.addSubregion(
    0x10000,
    m.core.io('dev', 0x1000, {
      ...logging,
      read: (offset, size) => Number(note(offset, size) & 0xffff_ffffn),
      read64: (offset) => note(offset, 8),
    }),
  );
  return m;
}

it('A-31 to A-45, A-60 to A-66: bulk transfers call a device of any rules as the model says', () => {
  fc.assert(
    fc.property(rules, fc.nat(64), fc.integer({ min: 1, max: 20 }), fc.boolean(), (rule, offset, len, isWrite) => {
      const m = machine(rule);
      const data = Array.from({ length: len }, (_, i) => (17 * i + 0x81) & 0xff);
      const wanted = bulk(rule, offset, len, isWrite ? data : null);
      const tx = new MemTx();
      const buf = Uint8Array.from(isWrite ? data : new Array(len).fill(0xcc));
      if (isWrite) m.space.txWrite(0x10000 + offset, buf, MEMTXATTRS_UNSPECIFIED, 'continue', tx);
      else m.space.txRead(0x10000 + offset, buf, MEMTXATTRS_UNSPECIFIED, 'continue', tx);
      expect(m.took()).toEqual(wanted.calls);
      expect(tx.result).toBe(wanted.result);
      if (!isWrite) expect([...buf]).toEqual(wanted.bytes);
    }),
    { numRuns: 1500 },
  );
});

it('A-31 to A-45, A-70: loads and stores of either order dispatch the full size once', () => {
  const codecs: readonly ScalarCodec<number | bigint>[] = [u8, le16, be16, le32, be32, le64, be64] as never;
  fc.assert(
    fc.property(
      rules,
      fc.nat(64),
      fc.constantFrom(...codecs),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.boolean(),
      (rule, offset, codec, bits, isWrite) => {
        const m = machine(rule);
        const n = codec.size;
        const value = BigInt.asUintN(8 * n, bits);
        const tx = new MemTx();
        const string = Array.from({ length: n }, (_, i) =>
          Number((value >> BigInt(8 * (codec.littleEndian ? i : n - 1 - i))) & 0xffn),
        );
        const wanted: Expected = { calls: [], bytes: [], result: 0 };
        dispatch(rule, offset, n, isWrite ? string : null, wanted);
        let got: number | bigint = 0;
        if (isWrite)
          m.space.txStore(0x10000 + offset, codec, n === 8 ? value : Number(value), MEMTXATTRS_UNSPECIFIED, tx);
        else got = m.space.txLoad(0x10000 + offset, codec, MEMTXATTRS_UNSPECIFIED, tx);
        expect(m.took()).toEqual(wanted.calls);
        expect([tx.result, tx.done]).toEqual([wanted.result, wanted.result === 0 ? n : 0]);
        if (!isWrite) expect(BigInt(got)).toBe(toNumber(codec.littleEndian ? wanted.bytes.reverse() : wanted.bytes));
      },
    ),
    { numRuns: 1500 },
  );
});
