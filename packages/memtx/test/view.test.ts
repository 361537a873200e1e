import {
  be16,
  be32,
  le16,
  le32,
  le64,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  MemTxError,
  MemTxResult,
  memTxAttrs,
  memTxView,
  u8,
} from '@guestmem/memtx';
import { Ordering } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { Bus, ByteDevice } from './support/bus.ts';
import { caught } from './support/caught.ts';

function machine() {
  const bus = new Bus();
  const ram = bus.ram(0x1000, 0x100);
  const device = bus.device(0x2000, new ByteDevice(0x40, 'little'));
  return { bus, ram, device, view: memTxView(bus) };
}

describe('binding attributes', () => {
  it('A-251: nobody gave any: UNSPECIFIED', () => {
    const { bus, view } = machine();
    view.load(0x1000, u8);
    expect(bus.seen).toEqual([{ what: 'load', attrs: MEMTXATTRS_UNSPECIFIED, ordering: undefined }]);
    expect(bus.seen[0]!.attrs).toBe(MEMTXATTRS_UNSPECIFIED);
  });

  it('A-255: bound attributes reach memory from every method', () => {
    const { bus, view } = machine();
    const dma = view.with({ requesterId: 0x20, order: 'little' });
    const buf = new Uint8Array(2);
    const source = { readVolatile: (into: Uint8Array) => into.length };
    const sink = { writeVolatile: (from: Uint8Array) => from.length };
    dma.load(0x1000, le32);
    dma.store(0x1000, le32, 1);
    dma.read(buf, 0x1000);
    dma.write(buf, 0x1000);
    dma.readSlice(buf, 0x1000);
    dma.writeSlice(buf, 0x1000);
    dma.readObj(0x1000, le32);
    dma.writeObj(0x1000, le32, 1);
    dma.readVolatileFrom(0x1000, source, 2);
    dma.readExactVolatileFrom(0x1000, source, 2);
    dma.writeVolatileTo(0x1000, sink, 2);
    dma.writeAllVolatileTo(0x1000, sink, 2);
    dma.ldub(0x1000);
    dma.lduw(0x1000);
    dma.ldl(0x1000);
    dma.ldq(0x1000);
    dma.stb(0x1000, 1);
    dma.stw(0x1000, 1);
    dma.stl(0x1000, 1);
    dma.stq(0x1000, 1n);
    expect(bus.seen.map(({ what }) => what).join(' ')).toBe(
      'load store read write read write read write write write read read load load load load store store store store',
    );
    expect(new Set(bus.seen.map(({ attrs }) => attrs))).toEqual(new Set([memTxAttrs({ requesterId: 0x20 })]));
  });

  it('A-255: a device sees them', () => {
    const { device, view } = machine();
    view.with({ secure: true }).store(0x2000, le32, 7);
    expect(device.calls).toEqual([{ op: 'write', offset: 0, size: 4, value: 7n, attrs: memTxAttrs({ secure: true }) }]);
  });

  it('A-252: views derive from views, field by field, and leave their parents alone', () => {
    const { bus, view } = machine();
    const dma = view.with({ requesterId: 0x20, user: true });
    const process = dma.with({ pid: 5, user: false });
    expect(process.attrs).toBe(memTxAttrs({ requesterId: 0x20, pid: 5 }));
    expect(dma.attrs).toBe(memTxAttrs({ requesterId: 0x20, user: true }));
    expect(view.attrs).toBe(MEMTXATTRS_UNSPECIFIED);
    expect(process.memory).toBe(bus);
  });

  it('A-251: attributes given as a whole replace those of the view, then single fields go on top', () => {
    const { view } = machine();
    const given = memTxAttrs({ secure: true, requesterId: 1 });
    expect(view.with({ requesterId: 0x20, user: true }).with({ attrs: given, pid: 3 }).attrs).toBe(
      memTxAttrs({ secure: true, requesterId: 1, pid: 3 }),
    );
    expect(view.with({ attrs: memTxAttrs({}) }).attrs).toBe(memTxAttrs({}));
  });

  it('A-251: attrs that are no MemTxAttrs are refused, instead of travelling without their fields', () => {
    const { bus, view } = machine();
    const attrs = { secure: true } as never;
    for (const run of [
      () => view.with({ attrs }),
      () => view.load(0x1000, u8, { attrs }),
      () => view.store(0x1000, u8, 1, { attrs }),
      () => view.read(new Uint8Array(1), 0x1000, { attrs }),
    ])
      expect(run).toThrow(TypeError);
    expect(bus.seen).toEqual([]);
  });

  it('A-273: an order that is none is refused for a byte, too, however it is given', () => {
    const { view } = machine();
    for (const order of ['middle', { order: 'middle' }] as never[]) {
      expect(() => view.ldub(0x1000, order)).toThrow(TypeError);
      expect(() => view.stb(0x1000, 1, order)).toThrow(TypeError);
      expect(() => view.ldl(0x1000, order)).toThrow(TypeError);
    }
    expect(view.ldub(0x1000, { order: 'big' })).toBe(0);
  });

  it('A-251: per call: fields override field by field, an interned value as a whole', () => {
    const { bus, view } = machine();
    const dma = view.with({ requesterId: 0x20, user: true });
    const other = memTxAttrs({ pid: 9 });
    dma.load(0x1000, le32, { pid: 5 });
    dma.store(0x1000, le32, 1, { user: false });
    dma.load(0x1000, le32, other);
    dma.store(0x1000, le32, 1, other);
    dma.read(new Uint8Array(1), 0x1000, { attrs: other, pid: 8 });
    dma.readObj(0x1000, be32, { unspecified: true });
    dma.load(0x1000, le32, {});
    dma.load(0x1000, le32);
    expect(bus.seen.map(({ attrs }) => attrs)).toEqual([
      memTxAttrs({ requesterId: 0x20, user: true, pid: 5 }),
      memTxAttrs({ requesterId: 0x20 }),
      other,
      other,
      memTxAttrs({ pid: 8 }),
      memTxAttrs({ requesterId: 0x20, user: true, unspecified: true }),
      dma.attrs,
      dma.attrs,
    ]);
  });

  it('A-251: giving a field per call clears unspecified for that call', () => {
    const { bus, view } = machine();
    view.load(0x1000, le32, { user: true });
    view.load(0x1000, le32);
    expect(bus.seen.map(({ attrs }) => attrs.unspecified)).toEqual([false, true]);
  });

  it('D10: what is no option is a TypeError, and memory is not touched', () => {
    const { bus, view } = machine();
    expect(() => view.load(0x1000, le32, 'x' as never)).toThrow(TypeError);
    expect(() => view.load(0x1000, le32, null as never)).toThrow(TypeError);
    expect(() => view.store(0x1000, le32, 1, { tx: {} as never })).toThrow(TypeError);
    expect(() => view.with({ order: 'host' as never })).toThrow(TypeError);
    expect(() => view.with({ onError: 'ignore' as never })).toThrow(TypeError);
    expect(() => view.with(null as never)).toThrow(TypeError);
    expect(() => view.with({ requesterId: 0x10000 })).toThrow(RangeError);
    expect(bus.seen).toEqual([]);
  });
});

describe('orderings', () => {
  it('V-1.3: an ordering reaches memory, by itself or among other options, and is not there otherwise', () => {
    const { bus, view } = machine();
    const dma = view.with({ user: true });
    dma.load(0x1000, le32, Ordering.ACQUIRE);
    dma.store(0x1000, le32, 1, Ordering.RELEASE);
    dma.load(0x1000, le32, { ordering: Ordering.SEQ_CST, pid: 1 });
    dma.load(0x1000, le32, dma.attrs);
    expect(bus.seen.map(({ ordering }) => ordering)).toEqual([2, 3, 5, undefined]);
    expect(bus.seen[0]!.attrs).toBe(dma.attrs);
    expect(bus.seen[2]!.attrs).toBe(memTxAttrs({ user: true, pid: 1 }));
  });
});

describe('byte order of the short names', () => {
  it('D3: A-75: without an order they are refused, but bytes have none', () => {
    const { bus, view } = machine();
    for (const short of [
      () => view.lduw(0x1000),
      () => view.ldl(0x1000),
      () => view.ldq(0x1000),
      () => view.stw(0x1000, 1),
      () => view.stl(0x1000, 1),
      () => view.stq(0x1000, 1n),
      () => view.ldl(0x1000, { pid: 1 }),
    ])
      expect(short).toThrow(/no byte order/);
    expect(bus.seen).toEqual([]);
    view.stb(0x1000, 0xfe);
    expect(view.ldub(0x1000)).toBe(0xfe);
    expect(view.order).toBeUndefined();
  });

  it('D3: the type goes before the call, the call before the view', () => {
    const { ram, view } = machine();
    ram.set([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    const big = view.with({ order: 'big' });
    expect(big.load(0x1000, le16)).toBe(0x2211);
    expect(big.ldl(0x1000)).toBe(0x11223344);
    expect(big.ldl(0x1000, { order: 'little' })).toBe(0x44332211);
    expect(big.lduw(0x1000, { order: 'little', pid: 1 })).toBe(0x2211);
    expect(big.ldq(0x1000)).toBe(0x1122334455667788n);
    expect(big.with({ order: 'little' }).ldq(0x1000)).toBe(0x8877665544332211n);
    expect(big.with({ user: true }).order).toBe('big');
    expect(view.ldl(0x1000, { order: 'big' })).toBe(0x11223344);
    big.stl(0x1000, 0xa1a2a3a4);
    big.stw(0x1004, 0xb1b2, { order: 'little' });
    expect([...ram.subarray(0, 6)]).toEqual([0xa1, 0xa2, 0xa3, 0xa4, 0xb2, 0xb1]);
  });

  it('D3: the order of one call may be the last argument by itself; all else stays as bound', () => {
    const { bus, ram, view } = machine();
    ram.set([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    const dma = view.with({ requesterId: 0x20, onError: 'continue' });
    expect(dma.ldub(0x1000, 'big')).toBe(0x11);
    expect(dma.lduw(0x1000, 'big')).toBe(0x1122);
    expect(dma.ldl(0x1000, 'little')).toBe(0x44332211);
    expect(dma.ldq(0x1000, 'big')).toBe(0x1122334455667788n);
    expect(dma.tx.done).toBe(8);
    dma.stb(0x1000, 0xa0, 'little');
    dma.stw(0x1001, 0xa1a2, 'big');
    dma.stl(0x1003, 0xb1b2b3b4, 'little');
    dma.stq(0x1007, 0xc1c2c3c4c5c6c7c8n, 'big');
    expect([...ram.subarray(0, 15)].map((byte) => byte.toString(16)).join(' ')).toBe(
      'a0 a1 a2 b4 b3 b2 b1 c1 c2 c3 c4 c5 c6 c7 c8',
    );
    expect(new Set(bus.seen.map(({ attrs }) => attrs))).toEqual(new Set([dma.attrs]));
    dma.ldl(0x9000, 'big');
    expect(dma.tx.result).toBe(MemTxResult.DECODE_ERROR);
    expect(() => dma.ldl(0x1000, 'host' as never)).toThrow(TypeError);
    expect(() => dma.ldub(0x1000, 'host' as never)).toThrow(TypeError);
    expect(() => dma.stb(0x1000, 1, 'host' as never)).toThrow(TypeError);
    expect(() => dma.load(0x1000, le32, 'big' as never)).toThrow(TypeError);
    expect(() => dma.store(0x1000, le32, 1, 'big' as never)).toThrow(TypeError);
    expect(ram[0]).toBe(0xa0);
  });
});

describe('what happens after a failure', () => {
  it('A-276: by default it is thrown, with bits, address and progress', () => {
    const { view } = machine();
    const error = caught(() => view.load(0x9000, be16));
    expect(error).toBeInstanceOf(MemTxError);
    expect(error).toMatchObject({ result: MemTxResult.DECODE_ERROR, addr: 0x9000, expected: 2, completed: 0 });
    expect(() => view.store(0x9000, le32, 1)).toThrow(MemTxError);
  });

  it('A-11: with a MemTx nothing is thrown, and the outcome is there on success and failure', () => {
    const { view } = machine();
    const tx = new MemTx();
    expect(view.load(0x9000, be16, tx)).toBe(0);
    expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 0 });
    view.store(0x1000, be16, 0x1234, tx);
    expect(tx).toEqual({ result: MemTxResult.OK, done: 2 });
    expect(view.load(0x1000, be16, { tx, pid: 1 })).toBe(0x1234);
    expect(() => view.load(0x9000, be16)).toThrow(MemTxError);
  });

  it('A-9: a device’s value is returned even when it reports an error (E-56)', () => {
    const { device, view } = machine();
    device.bytes[2] = 0x7f;
    device.faults.set(2, MemTxResult.ERROR);
    const go = view.with({ onError: 'continue' });
    expect(go.load(0x2002, u8)).toBe(0x7f);
    expect(go.tx).toEqual({ result: MemTxResult.ERROR, done: 0 });
    expect(caught(() => view.load(0x2002, u8))).toMatchObject({
      result: MemTxResult.ERROR,
      code: 'transaction-failed',
    });
  });

  it('A-276: a view made with continue brings a MemTx; derived views report there too until given another', () => {
    const { view } = machine();
    const go = view.with({ onError: 'continue' });
    const derived = go.with({ pid: 1 });
    derived.load(0x9000, u8);
    expect(go.tx).toBe(derived.tx);
    expect(go.tx.result).toBe(MemTxResult.DECODE_ERROR);
    const own = new MemTx();
    const other = go.with({ tx: own });
    other.load(0x1000, u8);
    expect(own).toEqual({ result: 0, done: 1 });
    expect(go.tx.result).toBe(MemTxResult.DECODE_ERROR);
    expect(view.with({ onError: 'continue' }).tx).not.toBe(go.tx);
  });

  it('A-251: attributes, orderings and fields given per call leave the place for results alone', () => {
    const { view } = machine();
    const go = view.with({ onError: 'continue' });
    for (const access of [memTxAttrs({ pid: 1 }), Ordering.SEQ_CST, { pid: 1 }]) {
      go.tx.result = 0;
      expect(go.load(0x9000, u8, access)).toBe(0);
      expect(go.tx.result).toBe(MemTxResult.DECODE_ERROR);
      go.tx.result = 0;
      go.store(0x9000, u8, 1, access);
      expect(go.tx.result).toBe(MemTxResult.DECODE_ERROR);
    }
  });

  it('A-276: back to throwing: per call, or by a view', () => {
    const { view } = machine();
    const go = view.with({ onError: 'continue' });
    expect(() => go.load(0x9000, u8, { tx: null })).toThrow(MemTxError);
    expect(() => go.readSlice(new Uint8Array(1), 0x9000, { tx: null })).toThrow(MemTxError);
    const bytes = new Uint8Array(8).fill(0xee);
    expect(go.read(bytes, 0x10fe, { tx: null })).toBe(2);
    expect([...bytes]).toEqual([0, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee]); // it stopped
    expect(() => go.with({ onError: 'stop', tx: null }).load(0x9000, u8)).toThrow(MemTxError);
    expect(() => go.with({ tx: null })).toThrow(TypeError);
    expect(() => view.read(new Uint8Array(1), 0x1000, { onError: 'continue' })).toThrow(TypeError);
  });

  it('A-276: E-8: continue goes on and ORs; stop ends; both tell how far it got, and nothing is lost', () => {
    const { bus, ram, view } = machine();
    bus.ram(0x1104, 4);
    const bytes = Uint8Array.from({ length: 8 }, (_, i) => i + 1);
    const go = view.with({ onError: 'continue' });
    // RAM ends at 0x1100; 4 unassigned bytes; RAM again at 0x1104.
    expect(go.write(bytes, 0x10fe)).toBe(2);
    expect(go.tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 2 });
    expect([...ram.subarray(0xfe)]).toEqual([1, 2]);
    const back = new Uint8Array(8).fill(0xee);
    go.readSlice(back, 0x10fe);
    expect([...back]).toEqual([1, 2, 0, 0, 0, 0, 7, 8]);

    const tx = new MemTx();
    const stopped = new Uint8Array(8).fill(0xee);
    expect(view.read(stopped, 0x10fe, tx)).toBe(2);
    expect(tx).toEqual({ result: MemTxResult.DECODE_ERROR, done: 2 });
    expect([...stopped]).toEqual([1, 2, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee]);
    expect(caught(() => view.readSlice(stopped, 0x10fe))).toMatchObject({
      code: 'partial-buffer',
      result: MemTxResult.DECODE_ERROR,
      addr: 0x1100,
      expected: 8,
      completed: 2,
    });
  });

  it('A-276: E-12: bits of different failures are all in the result', () => {
    const { device, view } = machine();
    device.faults.set(0x38, MemTxResult.ERROR);
    const go = view.with({ onError: 'continue' });
    go.read(new Uint8Array(16), 0x2038);
    expect(go.tx).toEqual({ result: MemTxResult.ERROR | MemTxResult.DECODE_ERROR, done: 0 });
  });

  it('V-1.2: read and write are short where memory ends, and fail where nothing is', () => {
    const { view } = machine();
    expect(view.read(new Uint8Array(8), 0x10fe)).toBe(2);
    expect(view.write(new Uint8Array(8), 0x10ff)).toBe(1);
    expect(view.read(new Uint8Array(8), 0x1000)).toBe(8);
    expect(caught(() => view.read(new Uint8Array(8), 0x9000))).toMatchObject({
      code: 'invalid-guest-address',
      expected: 8,
      completed: 0,
    });
  });

  it('A-276: a device that fails in the middle is an error of read, not a short count', () => {
    const { device, view } = machine();
    device.faults.set(8, MemTxResult.ERROR);
    expect(caught(() => view.read(new Uint8Array(16), 0x2000))).toMatchObject({
      result: MemTxResult.ERROR,
      code: 'partial-buffer',
      addr: 0x2008,
      completed: 8,
    });
  });

  it('V-1.2: empty transfers succeed anywhere', () => {
    const { view } = machine();
    expect(view.read(new Uint8Array(0), 0x9000)).toBe(0);
    expect(view.write(new Uint8Array(0), 0x9000)).toBe(0);
    view.readSlice(new Uint8Array(0), 0x9000);
    const go = view.with({ onError: 'continue' });
    expect(go.read(new Uint8Array(0), 0x9000)).toBe(0);
    expect(go.tx.result).toBe(MemTxResult.OK);
  });

  it('D1: a bad address is the program’s mistake: it throws, MemTx or not', () => {
    const { view } = machine();
    const tx = new MemTx();
    for (const addr of [-1, 0.5, Number.NaN, 2 ** 53, 1n << 64n, -1n]) {
      expect(() => view.load(addr, u8, tx)).toThrow(RangeError);
      expect(() => view.read(new Uint8Array(1), addr, tx)).toThrow(RangeError);
    }
    expect(() => view.load('0' as never, u8, tx)).toThrow(TypeError);
  });

  it('style 6: an access made by a device in the middle of another, through the same view, disturbs neither', () => {
    const { device, ram, view } = machine();
    const go = view.with({ onError: 'continue' });
    const inner: number[] = [];
    go.writeObj(0x1000, le64, 0n); // so that the view has a buffer to lend
    device.onWrite = () => {
      go.load(0x9000, u8);
      inner.push(go.tx.result);
      go.writeObj(0x1000, le64, 0x0102030405060708n);
    };
    // At 0x2004 the device gets the 8 bytes in two pieces: it interrupts after the first.
    go.writeObj(0x2004, le64, 0xa1a2a3a4a5a6a7a8n);
    expect(go.tx).toEqual({ result: MemTxResult.OK, done: 8 });
    expect(inner).toEqual([MemTxResult.DECODE_ERROR, MemTxResult.DECODE_ERROR]);
    expect([...device.bytes.subarray(4, 12)]).toEqual([0xa8, 0xa7, 0xa6, 0xa5, 0xa4, 0xa3, 0xa2, 0xa1]);
    expect([...ram.subarray(0, 8)]).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  });
});
