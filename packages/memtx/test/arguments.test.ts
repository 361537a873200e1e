/** Arguments of views: of the wrong type a TypeError, out of range a RangeError, over any memory and with a MemTx or without (D10). */
import { attributed, le32, MemTx, memTxAttrsFromBits, memTxView } from '@guestmem/memtx';
import { guestMemory, LAST_ADDRESS, type ReadVolatile, type WriteVolatile } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { Bus } from './support/bus.ts';

const NO_NUMBERS: readonly unknown[] = [undefined, '8', '', null, true, {}, [4], () => 4];
const NO_COUNTS: readonly unknown[] = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53];
const NO_ADDRESSES: readonly unknown[] = [...NO_COUNTS, -1n, LAST_ADDRESS + 1n];

const source: ReadVolatile = { readVolatile: (into) => into.length };
const sink: WriteVolatile = { writeVolatile: (from) => from.length };

const plain = attributed(guestMemory([{ startAddr: 0, memory: 0x100 }]));
const bus = new Bus();
bus.ram(0, 0x100);

type Calls = Readonly<Record<string, (given: never) => unknown>>;

function check(calls: Calls, wrongTypes: readonly unknown[], outOfRange: readonly unknown[]): void {
  for (const [name, call] of Object.entries(calls)) {
    for (const given of wrongTypes) expect(() => call(given as never), `${name}, ${typeof given}`).toThrow(TypeError);
    for (const given of outOfRange) expect(() => call(given as never), `${name}, ${String(given)}`).toThrow(RangeError);
  }
}

describe.each([
  ['plain memory', memTxView(plain)],
  ['plain memory, with a MemTx', memTxView(plain, { tx: new MemTx() })],
  ['a bus', memTxView(bus)],
  ['a bus, with a MemTx', memTxView(bus, { onError: 'continue' })],
])('a view of %s', (_, view) => {
  it('D10: no count of a stream is a TypeError, one out of range a RangeError', () => {
    const calls: Calls = {
      readVolatileFrom: (count) => view.readVolatileFrom(0, source, count),
      readExactVolatileFrom: (count) => view.readExactVolatileFrom(0, source, count),
      writeVolatileTo: (count) => view.writeVolatileTo(0, sink, count),
      writeAllVolatileTo: (count) => view.writeAllVolatileTo(0, sink, count),
    };
    check(calls, [4n, ...NO_NUMBERS], NO_COUNTS);
  });

  it('D10: no address is a TypeError, one out of range a RangeError, also where no bytes move', () => {
    const calls: Calls = {
      load: (at) => view.load(at, le32),
      store: (at) => view.store(at, le32, 1),
      readObj: (at) => view.readObj(at, le32),
      writeObj: (at) => view.writeObj(at, le32, 1),
    };
    for (const size of [0, 4])
      Object.assign(calls, {
        [`read of ${size}`]: (at: number) => view.read(new Uint8Array(size), at),
        [`write of ${size}`]: (at: number) => view.write(new Uint8Array(size), at),
        [`readSlice of ${size}`]: (at: number) => view.readSlice(new Uint8Array(size), at),
        [`writeSlice of ${size}`]: (at: number) => view.writeSlice(new Uint8Array(size), at),
        [`readVolatileFrom of ${size}`]: (at: number) => view.readVolatileFrom(at, source, size),
        [`readExactVolatileFrom of ${size}`]: (at: number) => view.readExactVolatileFrom(at, source, size),
        [`writeVolatileTo of ${size}`]: (at: number) => view.writeVolatileTo(at, sink, size),
        [`writeAllVolatileTo of ${size}`]: (at: number) => view.writeAllVolatileTo(at, sink, size),
      });
    check(calls, NO_NUMBERS, NO_ADDRESSES);
  });
});

it('D10: what is no Uint8Array is refused by name, by views of plain memory too', () => {
  const message = /^a transfer moves the bytes of a Uint8Array, not /;
  const view = memTxView(plain);
  for (const none of [undefined, null, 'ab', 4, [1, 2], {}, new Uint16Array(2)] as never[])
    for (const call of [view.read, view.write, view.readSlice, view.writeSlice]) {
      expect(() => call.call(view, none, 0)).toThrow(TypeError);
      expect(() => call.call(view, none, 0)).toThrow(message);
    }
});

it('D10: bits of attributes are a number', () => {
  check({ memTxAttrsFromBits }, ['1', 1n, undefined, null], [-1, 0.5, Number.NaN, 2 ** 44]);
});

it('D10: a view of what is no TxMemory is refused, and says how plain memory becomes one', () => {
  for (const none of [guestMemory([{ startAddr: 0, memory: 8 }]), {}, null, undefined, 'memory'] as never[])
    expect(() => memTxView(none)).toThrow(/^a view looks at a TxMemory, .*by attributed\(memory\)$/);
});
