import { MemTxError, MemTxResult, memTxResultName } from '@guestmem/memtx';
import { GuestMemoryError } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';

it('A-7: the bits are those of QEMU and combine by OR', () => {
  expect(MemTxResult).toEqual({ OK: 0, ERROR: 1, DECODE_ERROR: 2, ACCESS_ERROR: 4 });
  expect(memTxResultName(MemTxResult.ERROR | MemTxResult.ACCESS_ERROR)).toBe('ERROR|ACCESS_ERROR');
});

it('A-7: a device may return any bits, the top one included', () => {
  expect(memTxResultName(0)).toBe('OK');
  expect(memTxResultName(0x10)).toBe('0x10');
  expect(memTxResultName(0x8000_0001)).toBe('ERROR|0x80000000');
  expect(memTxResultName(-2147483647)).toBe('ERROR|0x80000000');
});

it('A-276: an error tells cause, first failed address, progress and bits together', () => {
  const error = new MemTxError('write', MemTxResult.DECODE_ERROR, { addr: 0x3ff_fffe, expected: 4, completed: 2 });
  expect(error).toBeInstanceOf(GuestMemoryError);
  expect(error).toMatchObject({
    name: 'MemTxError',
    code: 'partial-buffer',
    result: 2,
    addr: 0x400_0000,
    expected: 4,
    completed: 2,
    message: 'write of 4 bytes at 0x3fffffe failed at 0x4000000: DECODE_ERROR after 2 bytes',
  });
});

it('A-276: without progress the code tells a hole from a device that failed', () => {
  const code = (result: number) => new MemTxError('load', result, { addr: 0, expected: 4, completed: 0 }).code;
  expect([code(2), code(1), code(4), code(3)]).toEqual([
    'invalid-guest-address',
    'transaction-failed',
    'transaction-failed',
    'transaction-failed',
  ]);
});

it('A-61: the first failed address wraps past 2^64 - 1', () => {
  const error = new MemTxError('write', 2, { addr: (1n << 64n) - 2n, expected: 4, completed: 2 });
  expect(error.addr).toBe(0);
  expect(new MemTxError('write', 2, { addr: 2 ** 53 - 1, expected: 4, completed: 1 }).addr).toBe(1n << 53n);
});
