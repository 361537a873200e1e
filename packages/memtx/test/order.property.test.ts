/** A-16 against a model that knows only strings of hex digits, for random values, sizes and orders. */
import { fromDevice, halvesCodec, nativeCodecs, reorder, toDevice, U64Halves } from '@guestmem/memtx';
import type { ByteOrder, ScalarCodec } from '@guestmem/vm-memory';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const order = fc.constantFrom<ByteOrder>('little', 'big');
const size = fc.constantFrom(1, 2, 4, 8);
const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** The digits of `value` as a party of `order` writes them into memory, and back. */
function write(value: bigint, size: number, order: ByteOrder): string {
  const digits = value
    .toString(16)
    .padStart(16, '0')
    .slice(-2 * size);
  return order === 'big' ? digits : digits.match(/../g)!.reverse().join('');
}
function read(digits: string, order: ByteOrder): bigint {
  return BigInt(`0x${order === 'big' ? digits : digits.match(/../g)!.reverse().join('')}`);
}

it('A-16: reorder gives what the other party reads in the same bytes, and is its own inverse', () => {
  fc.assert(
    fc.property(bits, size, order, order, (value, n, from, to) => {
      const expected = read(write(value, n, from), to);
      expect(reorder(value, n as 8, from, to)).toBe(expected);
      expect(reorder(expected, n as 8, to, from)).toBe(BigInt.asUintN(8 * n, value));
      if (n < 8) expect(reorder(Number(BigInt.asUintN(32, value)), n as 4, from, to)).toBe(Number(expected));
    }),
  );
});

it('A-16: what a device is given, and what comes back from it, are the same bytes, for every codec', () => {
  fc.assert(
    fc.property(bits, size, order, order, fc.boolean(), (value, n, caller, device, signed) => {
      const codecs = nativeCodecs(caller) as unknown as Record<string, ScalarCodec<number | bigint>>;
      const codec = codecs[`${signed ? 'i' : 'u'}${8 * n}`]!;
      const cut = signed ? BigInt.asIntN(8 * n, value) : BigInt.asUintN(8 * n, value);
      const shown = n === 8 ? cut : Number(cut);
      const seen = read(write(value, n, caller), device);
      expect(BigInt(toDevice(codec, shown, device))).toBe(seen);
      expect(fromDevice(codec, n === 8 ? seen : Number(seen), device)).toBe(shown);
      expect(fromDevice(codec, seen, device)).toBe(shown);
    }),
  );
});

it('A-16: so are halves', () => {
  fc.assert(
    fc.property(bits, order, order, (value, caller, device) => {
      const seen = read(write(value, 8, caller), device);
      expect(toDevice(halvesCodec(caller), new U64Halves().set(value), device)).toBe(seen);
      expect(fromDevice(halvesCodec(caller), seen, device).toBigInt()).toBe(value);
    }),
  );
});
