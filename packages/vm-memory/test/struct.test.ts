import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  array,
  byteArray,
  guestMemory,
  inOrder,
  Ordering,
  struct,
  toBytes,
  u8,
  u16,
  u32,
  u64,
  u64Number,
} from '../src/index.ts';

const Descriptor = struct({ addr: u64Number, len: u32, flags: u16, next: u16 }, { order: 'little' });

describe('struct layout', () => {
  it('V-1.2: C layout aligns fields and size as a C compiler does', () => {
    const inner = struct({ a: u8, b: u16 });
    const outer = struct({ x: u8, y: u32, z: u8, inner, list: array(u16, 3), w: u64, t: u8 });
    expect([inner.size, inner.align, inner.offsetOf('b')]).toEqual([4, 2, 2]);
    expect(['x', 'y', 'z', 'inner', 'list', 'w', 't'].map((n) => outer.offsetOf(n as 'x'))).toEqual([
      0, 4, 8, 10, 14, 24, 32,
    ]);
    expect([outer.size, outer.align]).toEqual([40, 8]);
  });

  it('V-1.2: a field keeps the order that inOrder states, whatever the host and the struct say', () => {
    for (const order of ['little', 'big'] as const) {
      const mixed = struct(
        { l: inOrder(u16, 'little'), b: inOrder(u16, 'big'), back: inOrder(inOrder(u16, 'big'), 'little') },
        { order },
      );
      expect([...toBytes(mixed, { l: 1, b: 1, back: 1 })]).toEqual([1, 0, 0, 1, 1, 0]);
      const inArray = struct({ list: array(inOrder(u16, 'little'), 2) }, { order });
      expect([...toBytes(inArray, { list: [1, 2] })]).toEqual([1, 0, 2, 0]);
    }
  });

  it('V-1.2: packed has no gaps', () => {
    const packed = struct({ x: u8, y: u32, z: u64, raw: byteArray(3) }, { layout: 'packed' });
    expect([packed.offsetOf('y'), packed.offsetOf('z'), packed.offsetOf('raw'), packed.size, packed.align]).toEqual([
      1, 5, 13, 16, 1,
    ]);
  });

  it('D3: order fills in where a field states none, nested too, and never overrides one', () => {
    const inner = struct({ a: u16 });
    const fixed = struct({ a: u16 }, { order: 'little' });
    const all = struct(
      { a: u32, b: inOrder(u16, 'big'), c: inner, d: array(u16, 1), e: fixed },
      { order: 'big', layout: 'packed' },
    );
    const bytes = new Uint8Array(all.size);
    all.set(new DataView(bytes.buffer), 0, {
      a: 0x0102_0304,
      b: 0x0506,
      c: { a: 0x0708 },
      d: [0x090a],
      e: { a: 0x0b0c },
    });
    expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x0c, 0x0b]);
  });

  it('D3: order passes over bytes and codecs of others, which have none to fill in', () => {
    const value = { a: 0x0102, b: Uint8Array.of(3, 4) };
    expect([...toBytes(struct({ a: u16, b: byteArray(2) }, { order: 'big' }), value)]).toEqual([1, 2, 3, 4]);
  });

  it('V-1.2: types are inferred', () => {
    const memory = guestMemory([{ startAddr: 0, memory: 64 }]);
    const value = memory.readObj(0, struct({ a: u64, b: array(u8, 2), c: struct({ d: u32 }) }));
    expectTypeOf(value).toEqualTypeOf<{ a: bigint; b: number[]; c: { d: number } }>();
    expect(value).toEqual({ a: 0n, b: [0, 0], c: { d: 0 } });
  });

  it('V-1.2: a value is read once, before a byte moves: it may be live in the memory that is written', () => {
    const inner = struct({ a: u16, b: u16 });
    const outer = struct({ x: u32, first: inner, second: inner }, { order: 'little' });
    const memory = guestMemory([{ startAddr: 0, memory: 64 }]);
    memory.writeObj(0, outer, { x: 1, first: { a: 2, b: 3 }, second: { a: 4, b: 5 } });
    memory.writeObj(4, outer, outer.accessor(memory, 0));
    expect(memory.readObj(4, outer)).toEqual({ x: 1, first: { a: 2, b: 3 }, second: { a: 4, b: 5 } });
    let reads = 0;
    const once = {
      get b() {
        if (reads++ > 0) throw new Error('read again');
        return 7;
      },
    };
    memory.writeObj(0, array(struct({ a: inner, b: u16 }), 1), [Object.assign(once, { a: { a: 1, b: 2 } })]);
    expect(reads).toBe(1);
  });

  it('V-1.2: bad declarations and bad values are refused before a byte moves', () => {
    expect(() => struct({ $a: u8 })).toThrow(/must not begin/);
    expect(() => struct({ 0: u8 })).toThrow(TypeError);
    expect(() => struct({ a: 5 as never })).toThrow(/needs a codec/);
    expect(() => Descriptor.offsetOf('nope' as 'len')).toThrow(/addr, len, flags, next/);
    const memory = guestMemory([{ startAddr: 0, memory: 64 }]);
    expect(() => memory.writeObj(0, Descriptor, { addr: 1, len: 2, flags: 0x1_0000, next: 4 })).toThrow(
      '.flags: u16.le takes integers from 0 to 0xffff, not 0x10000',
    );
    const nested = struct({ a: array(struct({ b: u8 }), 2) });
    expect(() => memory.writeObj(0, nested, { a: [{ b: 1 }, { b: 256 }] })).toThrow('.a[1].b: u8 takes');
    expect(() => memory.writeObj(0, nested, { a: [{ b: 1 }] })).toThrow(/exactly 2 elements/);
    expect(() => memory.writeObj(0, nested, { a: [{ b: 1 }] })).toThrow(RangeError);
    expect(() => memory.writeObj(0, array(u8, 2), Uint8Array.of(1, 2) as never)).toThrow(TypeError);
    const named = struct({ id: u8, name: byteArray(2) });
    expect(() => memory.writeObj(0, named, { id: 1, name: Uint8Array.of(1) })).toThrow(/exactly 2 bytes/);
    expect(() => memory.writeObj(0, Descriptor, {} as never)).toThrow(TypeError);
    expect(() => memory.writeObj(0, Descriptor, null as never)).toThrow(TypeError);
    expect(memory.readObj(0, byteArray(64)).every((b) => b === 0)).toBe(true);
  });
});

describe('struct accessor', () => {
  const ring = () => guestMemory([{ startAddr: 0x1000, memory: 0x100 }]);

  it('V-1.2: reads and writes fields in place, and moves', () => {
    const memory = ring();
    memory.writeObj(0x1010, Descriptor, { addr: 0x1_2345_6789, len: 0x200, flags: 3, next: 7 });
    const entry = Descriptor.accessor(memory, 0x1000);
    expect([entry.addr, entry.$move(0x1010).addr, entry.len, entry.flags, entry.next]).toEqual([
      0, 0x1_2345_6789, 0x200, 3, 7,
    ]);
    entry.len = 0xabcd;
    expect(memory.load(0x1018, inOrder(u32, 'little'))).toBe(0xabcd);
    expect(entry.$addr).toBe(0x1010);
    memory.store(0x1018, inOrder(u32, 'little'), 5);
    expect(entry.len).toBe(5);
    expect(() => {
      entry.flags = -1;
    }).toThrow(RangeError);
  });

  it('V-1.2: as JSON an accessor is the plain value of its fields, nested ones too; bigints stay bigints', () => {
    const Ring = struct({ idx: u16, pair: struct({ a: u8, b: u8 }), ring: array(u16, 3), raw: byteArray(2) });
    const memory = guestMemory([{ startAddr: 0x1000, memory: 0x100 }]);
    const value = { idx: 7, pair: { a: 1, b: 2 }, ring: [3, 4, 5], raw: Uint8Array.of(6, 7) };
    memory.writeObj(0x1010, Ring, value);
    const live = Ring.accessor(memory, 0x1010);
    expect(live.toJSON()).toEqual(value);
    expectTypeOf(live.toJSON().pair.a).toEqualTypeOf<number>();
    expect(JSON.stringify({ live })).toBe(JSON.stringify({ live: value }));
    expect([JSON.stringify(live.pair), JSON.stringify(live.ring)]).toEqual(['{"a":1,"b":2}', '[3,4,5]']);
    live.$move(0x1080);
    expect(live.toJSON().idx).toBe(0);
    expect(struct({ at: u64 }).accessor(memory, 0x1010).toJSON()).toEqual({ at: memory.load(0x1010, u64) });
  });

  it('V-1.2: a field that is named toJSON is the field', () => {
    const memory = guestMemory([{ startAddr: 0x1000, memory: 0x100 }]);
    const odd = struct({ toJSON: u8 }).accessor(memory, 0x1000);
    odd.toJSON = 5;
    expectTypeOf(odd.toJSON).toEqualTypeOf<number>();
    expect([odd.toJSON, memory.load(0x1000, u8)]).toEqual([5, 5]);
  });

  it('V-1.2: nested structs and arrays are accessors that move along', () => {
    const memory = ring();
    const Ring = struct({ idx: u16, entries: array(u32, 4), tail: struct({ event: u16 }) }, { order: 'little' });
    const live = Ring.accessor(memory, 0x1000);
    live.entries.set(2, 77);
    live.tail.event = 9;
    expect(memory.readObj(0x1000, Ring)).toEqual({ idx: 0, entries: [0, 0, 77, 0], tail: { event: 9 } });
    const tail = live.tail;
    live.$move(0x1040);
    expect([live.entries.get(2), live.tail.event, live.tail]).toEqual([0, 0, tail]);
    expect(() => live.entries.get(4)).toThrow(/0 to 3/);
    live.$store('tail', { event: 4 });
    live.$store('entries', [1, 2, 3, 4]);
    expect(live.$load('tail')).toEqual({ event: 4 });
    expect(() => live.$load('tail', Ordering.SEQ_CST)).toThrow(/no scalar field/);
    expect(memory.readObj(0x1040, Ring)).toEqual({ idx: 0, entries: [1, 2, 3, 4], tail: { event: 4 } });
  });

  it('V-1.3: $load and $store take an ordering', () => {
    const memory = ring();
    const live = Descriptor.accessor(memory, 0x1000);
    live.$store('flags', 0x8001, Ordering.RELEASE);
    expect(live.$load('flags', Ordering.ACQUIRE)).toBe(0x8001);
    expect(memory.load(0x100c, u8)).toBe(1);
    expect(() => live.$load('nope' as 'len')).toThrow(/there are addr, len/);
  });

  it('V-1.2: any name of a field works, also those that the accessor might use itself', () => {
    const names = [
      'size',
      'near',
      'big',
      'fields',
      'nested',
      'field',
      'place',
      'child',
      'constructor',
      'length',
      'get',
      'memory',
    ];
    const S = struct(Object.fromEntries(names.map((name) => [name, u8])));
    const memory = ring();
    const live = S.accessor(memory, 0x1000) as unknown as Record<string, number>;
    names.forEach((name, i) => {
      live[name] = i + 1;
    });
    expect(memory.readObj(0x1000, byteArray(names.length))).toEqual(Uint8Array.from(names, (_, i) => i + 1));
    expect(names.map((name) => live[name])).toEqual(names.map((_, i) => i + 1));
    expect(() => struct({ ['__proto__']: u8 })).toThrow(TypeError);
  });

  it('D1: what is no address is refused, and the accessor stays where it is', () => {
    const live = Descriptor.accessor(ring(), 0x1000);
    for (const addr of [-1, 0.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n - 1n]) {
      expect(() => Descriptor.accessor(ring(), addr)).toThrow(RangeError);
      expect(() => live.$move(addr)).toThrow(RangeError);
      expect(live.$addr).toBe(0x1000);
    }
    expect([live.$move(2n ** 60n).$addr, live.$move(0).$addr]).toEqual([2n ** 60n, 0]);
  });

  it('D1: works at the end of the 64-bit space', () => {
    const start = 2n ** 64n - 32n;
    const memory = guestMemory([{ startAddr: start, memory: 32 }]);
    const live = Descriptor.accessor(memory, start + 16n);
    live.next = 0x1234;
    expect(memory.load(2n ** 64n - 2n, inOrder(u16, 'little'))).toBe(0x1234);
    expect(() => live.$move(start + 17n)).toThrow(/leaves the address space/);
    expect(live.next).toBe(0x1234);
  });
});
