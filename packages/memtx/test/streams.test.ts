import { MemTx, MemTxResult, memTxView } from '@guestmem/memtx';
import type { ReadVolatile, WriteVolatile } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { Bus, ByteDevice } from './support/bus.ts';
import { caught } from './support/caught.ts';

/** Gives 1, 2, 3, ... in portions of at most `most`, `total` in all. */
function source(total: number, most = total): ReadVolatile & { calls: number; given: number } {
  return {
    calls: 0,
    given: 0,
    readVolatile(into) {
      this.calls++;
      const n = Math.min(into.length, most, total - this.given);
      for (let i = 0; i < n; i++) into[i] = ++this.given & 0xff;
      return n;
    },
  };
}

/** Takes at most `most` at a time, `total` in all. */
function sink(total: number, most = total): WriteVolatile & { taken: number[] } {
  return {
    taken: [],
    writeVolatile(from) {
      const n = Math.min(from.length, most, total - this.taken.length);
      this.taken.push(...from.subarray(0, n));
      return n;
    },
  };
}

function machine() {
  const bus = new Bus();
  const ram = bus.ram(0x1000, 0x100);
  return { bus, ram, view: memTxView(bus) };
}

describe('streams into memory', () => {
  it('V-1.5: readVolatileFrom calls the source once and tells what came', () => {
    const { ram, view } = machine();
    const src = source(9, 3);
    expect(view.readVolatileFrom(0x1000, src, 8)).toBe(3);
    expect(src.calls).toBe(1);
    expect([...ram.subarray(0, 4)]).toEqual([1, 2, 3, 0]);
    expect(view.readVolatileFrom(0x9000, src, 0)).toBe(0);
    expect(src.calls).toBe(1);
    expect(view.readVolatileFrom(0x1000, source(0), 8)).toBe(0);
  });

  it('A-276: what the source gave and memory did not take is an error with the progress, never a silent short count', () => {
    const { ram, view } = machine();
    expect(caught(() => view.readVolatileFrom(0x10fe, source(8), 8))).toMatchObject({
      code: 'partial-buffer',
      completed: 2,
      expected: 8,
      addr: 0x1100,
    });
    expect([...ram.subarray(0xfe)]).toEqual([1, 2]);
    const tx = new MemTx();
    expect(view.readVolatileFrom(0x10fe, source(8), 8, tx)).toBe(2);
    expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 2 });
  });

  it('V-1.5: readExactVolatileFrom goes on until all has come', () => {
    const { ram, view } = machine();
    view.readExactVolatileFrom(0x1000, source(7, 2), 7);
    expect([...ram.subarray(0, 8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
  });

  it('V-1.5: a source that ends before is an io-error that tells how far it got', () => {
    const { ram, view } = machine();
    expect(caught(() => view.readExactVolatileFrom(0x1010, source(5, 2), 7))).toMatchObject({
      code: 'io-error',
      expected: 7,
      completed: 5,
      addr: 0x1015,
    });
    expect(ram[0x14]).toBe(5);
  });

  it('A-9, A-276: with a MemTx a stream of no bytes is OK, whatever was before it', () => {
    const { view } = machine();
    const tx = new MemTx();
    for (const run of [
      () => view.readVolatileFrom(0x9000, source(1), 0, tx),
      () => view.readExactVolatileFrom(0x9000, source(1), 0, tx),
      () => view.writeVolatileTo(0x9000, sink(1), 0, tx),
      () => view.writeAllVolatileTo(0x9000, sink(1), 0, tx),
    ]) {
      tx.result = MemTxResult.DECODE_ERROR;
      tx.done = 7;
      run();
      expect(tx).toEqual({ result: MemTxResult.OK, done: 0 });
    }
  });

  it('A-276: done counts what the sink took, not what was read for it', () => {
    const { view } = machine();
    const tx = new MemTx();
    expect([view.writeVolatileTo(0x1000, sink(9, 3), 8, tx), tx.done]).toEqual([3, 3]);
    expect([view.writeVolatileTo(0x10fe, sink(9, 1), 8, tx), tx]).toEqual([
      1,
      { result: MemTxResult.DECODE_ERROR, done: 1 },
    ]);
  });

  it('A-276: memory that ends in the middle counts over all portions', () => {
    const { bus, view } = machine();
    expect(caught(() => view.readExactVolatileFrom(0x10fa, source(16, 4), 16))).toMatchObject({
      name: 'MemTxError',
      code: 'partial-buffer',
      expected: 16,
      completed: 6,
      addr: 0x1100,
    });
    const after = bus.ram(0x1104, 8);
    const go = view.with({ onError: 'continue' });
    const src = source(16, 4);
    go.readExactVolatileFrom(0x10fa, src, 16);
    // 6 bytes before the failure; what came after it is in memory, and not counted.
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 6 });
    expect(src.given).toBe(16);
    expect([...after.subarray(0, 7)]).toEqual([11, 12, 13, 14, 15, 16, 0]);
  });

  it('V-1.5: a source or sink that throws is the cause of an io-error that tells how far it got', () => {
    const { view } = machine();
    const src = source(9, 2);
    const dst = sink(9, 2);
    const broken = {
      readVolatile: (into: Uint8Array): number => (src.given < 4 ? src.readVolatile(into) : fail()),
      writeVolatile: (from: Uint8Array): number => (dst.taken.length < 4 ? dst.writeVolatile(from) : fail()),
    };
    const fail = (): never => {
      throw new TypeError('unplugged');
    };
    const told = { code: 'io-error', expected: 8, completed: 4, addr: 0x1004, cause: new TypeError('unplugged') };
    expect(caught(() => view.readExactVolatileFrom(0x1000, broken, 8))).toMatchObject(told);
    expect(caught(() => view.writeAllVolatileTo(0x1000, broken, 8))).toMatchObject(told);
    const atOnce = { ...told, completed: 0, addr: 0x1000 };
    expect(caught(() => view.readVolatileFrom(0x1000, broken, 8))).toMatchObject(atOnce);
    expect(caught(() => view.writeVolatileTo(0x1000, broken, 8))).toMatchObject(atOnce);
  });

  it('A-276: with a MemTx, a stream that ends by an error leaves there how far it came', () => {
    const { bus, view } = machine();
    const stale = () => Object.assign(new MemTx(), { result: MemTxResult.DECODE_ERROR, done: 99 });
    const after = (run: (tx: MemTx) => unknown) => {
      const tx = stale();
      expect(() => run(tx)).toThrow(/ after 5 of 8 bytes|unplugged/);
      return [tx.result, tx.done];
    };
    const fail = (): never => {
      throw new Error('unplugged');
    };
    const broken = { readVolatile: fail, writeVolatile: fail };
    expect(after((tx) => view.readExactVolatileFrom(0x1000, source(5, 3), 8, tx))).toEqual([MemTxResult.OK, 5]);
    expect(after((tx) => view.readExactVolatileFrom(0x1000, broken, 8, tx))).toEqual([MemTxResult.OK, 0]);
    expect(after((tx) => view.readVolatileFrom(0x1000, broken, 8, tx))).toEqual([MemTxResult.OK, 0]);
    expect(after((tx) => view.writeAllVolatileTo(0x1000, sink(5, 3), 8, tx))).toEqual([MemTxResult.OK, 5]);
    expect(after((tx) => view.writeAllVolatileTo(0x1000, broken, 8, tx))).toEqual([MemTxResult.OK, 0]);
    expect(after((tx) => view.writeVolatileTo(0x1000, broken, 8, tx))).toEqual([MemTxResult.OK, 0]);

    const device = bus.device(0x1100, new ByteDevice(8, 'little'));
    device.onWrite = fail;
    device.read = fail;
    const { ERROR } = MemTxResult;
    expect(after((tx) => view.readExactVolatileFrom(0x10fe, source(8, 2), 8, tx))).toEqual([ERROR, 2]);
    expect(after((tx) => view.writeAllVolatileTo(0x1100, sink(8), 8, tx))).toEqual([ERROR, 0]);
  });

  it('A-276: what a sink left after a failure that was passed over is not counted twice', () => {
    const { bus, view } = machine();
    bus.device(0x1100, new ByteDevice(8, 'little')).faults.set(0, MemTxResult.ERROR);
    const tx = new MemTx();
    const kept = view.with({ onError: 'continue', tx });
    expect(caught(() => kept.writeAllVolatileTo(0x1100, sink(0), 8))).toMatchObject({ code: 'io-error', completed: 0 });
    expect([tx.result, tx.done]).toEqual([MemTxResult.ERROR, 0]);
  });

  it('V-1.5: more than one portion of 64 KiB', () => {
    const bus = new Bus();
    const ram = bus.ram(0, 0x2_0001);
    memTxView(bus).readExactVolatileFrom(0, source(0x2_0001), 0x2_0001);
    expect([ram[0], ram[0xffff], ram[0x1_0000], ram[0x2_0000]]).toEqual([1, 0, 1, 1]);
  });

  it('D10: a source that lies about what it gave is refused', () => {
    const { view } = machine();
    for (const lie of [9, -1, 1.5, Number.NaN, undefined])
      expect(caught(() => view.readVolatileFrom(0x1000, { readVolatile: () => lie as never }, 8))).toMatchObject({
        code: 'callback-out-of-range',
      });
    expect(() => view.readVolatileFrom(0x1000, source(1), -1)).toThrow(RangeError);
    expect(() => view.readExactVolatileFrom(0x1000, source(1), 1.5)).toThrow(RangeError);
  });
});

describe('streams out of memory', () => {
  it('V-1.5: writeVolatileTo calls the sink once and tells what it took', () => {
    const { ram, view } = machine();
    ram.set([1, 2, 3, 4, 5]);
    const dst = sink(9, 3);
    expect(view.writeVolatileTo(0x1000, dst, 5)).toBe(3);
    expect(dst.taken).toEqual([1, 2, 3]);
    expect(view.writeVolatileTo(0x9000, dst, 0)).toBe(0);
  });

  it('V-1.5: the sink is shown only what could be read', () => {
    const { ram, view } = machine();
    ram.set([8, 9], 0xfe);
    const dst = sink(99);
    expect(view.writeVolatileTo(0x10fe, dst, 8)).toBe(2);
    expect(dst.taken).toEqual([8, 9]);
    expect(() => view.writeVolatileTo(0x9000, dst, 8)).toThrow('read of 8 bytes at 0x9000 failed: DECODE_ERROR');
    expect(dst.taken).toEqual([8, 9]);
  });

  it('V-1.5: writeAllVolatileTo goes on until all is taken, and says where a sink stopped', () => {
    const { ram, view } = machine();
    ram.set([1, 2, 3, 4, 5, 6, 7]);
    const dst = sink(99, 2);
    view.writeAllVolatileTo(0x1000, dst, 7);
    expect(dst.taken).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(caught(() => view.writeAllVolatileTo(0x1000, sink(3, 2), 7))).toMatchObject({
      code: 'io-error',
      expected: 7,
      completed: 3,
      addr: 0x1003,
    });
  });

  it('A-276: at a hole, stop hands out what came before; continue goes on with zeros', () => {
    const { bus, ram, view } = machine();
    ram.set([8, 9], 0xfe);
    bus.ram(0x1104, 2).set([5, 6]);
    const dst = sink(99);
    expect(caught(() => view.writeAllVolatileTo(0x10fe, dst, 8))).toMatchObject({ completed: 2, expected: 8 });
    expect(dst.taken).toEqual([8, 9]);
    const go = view.with({ onError: 'continue' });
    const all = sink(99);
    go.writeAllVolatileTo(0x10fe, all, 8);
    expect(all.taken).toEqual([8, 9, 0, 0, 0, 0, 5, 6]);
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 2 });
  });
});

describe('objects', () => {
  it('V-1.2: an object may lie over the end of a region, a load may not (A-71)', () => {
    const { bus, view } = machine();
    bus.ram(0x1100, 4);
    const pair = {
      size: 4,
      get: (v: DataView, at: number) => [v.getUint16(at), v.getUint16(at + 2)],
      set: (v: DataView, at: number, [a, b]: number[]) => {
        v.setUint16(at, a!);
        v.setUint16(at + 2, b!);
      },
    };
    view.writeObj(0x10fe, pair, [0x1122, 0x3344]);
    expect(view.readObj(0x10fe, pair)).toEqual([0x1122, 0x3344]);
    const tx = new MemTx();
    expect(view.readObj(0x1102, pair, tx)).toEqual([0, 0]);
    expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 2 });
  });

  it('A-9: with a MemTx, bytes that could not be read are 0, not what an earlier object left behind', () => {
    const { ram, view } = machine();
    ram.fill(0xff);
    const codec = { size: 4, get: (v: DataView, at: number) => v.getUint32(at), set: () => undefined };
    expect(view.readObj(0x1000, codec)).toBe(0xffff_ffff);
    expect(view.readObj(0x10fe, codec, new MemTx())).toBe(0xffff_0000);
    expect(view.readObj(0x9000, codec, new MemTx())).toBe(0);
  });

  it('A-65: an object at a device is a transfer, cut as the device needs it', () => {
    const bus = new Bus();
    const device = bus.device(0, new ByteDevice(16, 'big', 4));
    memTxView(bus).writeObj(
      0,
      { size: 8, get: () => 0n, set: (v: DataView, at: number, value: bigint) => v.setBigUint64(at, value) },
      0x1122334455667788n,
    );
    expect(device.calls.map(({ offset, size, value }) => [offset, size, value])).toEqual([
      [0, 4, 0x11223344n],
      [4, 4, 0x55667788n],
    ]);
  });
});
