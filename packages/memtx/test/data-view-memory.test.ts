import { GuestDataView, MemTxError, MemTxResult, memTxAttrs, memTxView } from '@guestmem/memtx';
import { expect, it } from 'vitest';
import { Bus, ByteDevice } from './support/bus.ts';
import { caught } from './support/caught.ts';

/** RAM at [0x1000, 0x1010) and [0x1010, 0x1020); a hole of 8; RAM at [0x1028, 0x1030); a device at [0x1030, 0x1040). */
function machine(max = 4) {
  const bus = new Bus();
  bus.ram(0x1000, 16).set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  bus.ram(0x1010, 16).set([17, 18, 19, 20]);
  bus.ram(0x1028, 8);
  const device = bus.device(0x1030, new ByteDevice(16, 'little', max));
  const view = memTxView(bus, { requesterId: 0x20 });
  return { bus, device, view, data: new GuestDataView(view, 0x1000, 0x40) };
}

it('D5: a value may lie over the end of a region, as a DataView knows none', () => {
  const { data } = machine();
  expect(data.getUint32(0xe)).toBe(0x0f101112);
  expect(data.getBigUint64(0xc, true)).toBe(0x14131211100f0e0dn);
  data.setUint16(0xf, 0xa1b2);
  expect([data.getUint8(0xf), data.getUint8(0x10)]).toEqual([0xa1, 0xb2]);
  data.setFloat64(0xd, -0);
  expect(data.getFloat64(0xd)).toBe(-0);
});

it('D5: a hole is a MemTxError with the progress; an index past the window stays a RangeError', () => {
  const { bus, data } = machine();
  expect(() => data.getUint8(0x20)).toThrow(MemTxError);
  expect(bus.seen.map(({ what }) => what)).toEqual(['load']); // one byte cannot be moved in pieces
  for (const access of [() => data.getUint8(0x20), () => data.setUint8(0x20, 1), () => data.getInt32(0x20)])
    expect(access).toThrow(MemTxError);
  expect(caught(() => data.getUint32(0x1e))).toMatchObject({
    result: MemTxResult.DECODE_ERROR,
    addr: 0x1020,
    expected: 4,
    completed: 2,
  });
  expect(() => data.getUint8(0x40)).toThrow(RangeError);
});

it('D5: a store that runs into a hole has stored what fits, as a transfer does, and says how much', () => {
  const { data } = machine();
  expect(caught(() => data.setUint32(0x1e, 0xa1a2a3a4))).toMatchObject({ completed: 2, expected: 4, addr: 0x1020 });
  expect([data.getUint8(0x1e), data.getUint8(0x1f)]).toEqual([0xa1, 0xa2]);
});

it('D5: with a MemTx nothing is thrown for the guest: missing bytes are 0 and the result tells', () => {
  const { view } = machine();
  const go = view.with({ onError: 'continue' });
  const data = new GuestDataView(go, 0x1000, 0x40);
  data.setUint8(0x1e, 0xee);
  expect(go.tx).toEqual({ result: MemTxResult.OK, done: 1 });
  expect(data.getUint32(0x1e)).toBe(0xee00_0000);
  expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 2 });
  expect(data.getBigInt64(0x20)).toBe(0n);
  data.setFloat32(0x20, 1);
  expect(go.tx.result).toBe(MemTxResult.DECODE_ERROR);
  expect(() => data.getUint8(0x40)).toThrow(RangeError);
});

it('A-70: a device sees one access of the full size, with the attributes of the view', () => {
  const { data, device } = machine(8);
  data.setUint32(0x34, 0x11223344);
  data.getBigUint64(0x30, true);
  expect(device.calls).toEqual([
    { op: 'write', offset: 4, size: 4, value: 0x44332211n, attrs: memTxAttrs({ requesterId: 0x20 }) },
    { op: 'read', offset: 0, size: 8, value: 0x4433221100000000n, attrs: memTxAttrs({ requesterId: 0x20 }) },
  ]);
});

it('A-65: what a device does not take in one access it gets in pieces', () => {
  const { data, device } = machine(4);
  data.setBigUint64(0x30, 0x1122334455667788n);
  data.getUint32(0x32, true);
  expect(device.calls.map(({ op, offset, size, value }) => [op, offset, size, value])).toEqual([
    ['write', 0, 4, 0x44332211n],
    ['write', 4, 4, 0x88776655n],
    ['read', 2, 2, 0x4433n],
    ['read', 4, 2, 0x6655n],
  ]);
});

it('A-276: a device that reports an error is not asked again', () => {
  const { data, device } = machine(4);
  device.faults.set(0, MemTxResult.ERROR);
  expect(caught(() => data.getUint32(0x30))).toMatchObject({ result: MemTxResult.ERROR, completed: 0 });
  expect(caught(() => data.setUint32(0x30, 1))).toMatchObject({ result: MemTxResult.ERROR });
  expect(device.calls).toHaveLength(2);
});

it('D5: a parser written for DataView reads guest memory unchanged', () => {
  /** Tag-length-value records: u8 tag, u16 big length, bytes; from a file that knows nothing of guests. */
  function records(data: DataView): [tag: number, sum: number][] {
    const found: [number, number][] = [];
    for (let at = 0; at < data.byteLength; ) {
      const length = data.getUint16(at + 1);
      let sum = 0;
      for (let i = 0; i < length; i++) sum += data.getUint8(at + 3 + i);
      found.push([data.getUint8(at), sum]);
      at += 3 + length;
    }
    return found;
  }
  const { view } = machine();
  view.writeSlice(Uint8Array.of(7, 0, 2, 10, 20, 9, 0, 1, 5), 0x100a);
  expect(records(new GuestDataView(view, 0x100a, 9))).toEqual([
    [7, 30],
    [9, 5],
  ]);
});
