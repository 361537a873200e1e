/**
 * The look-alike against what the language says of DataView (ECMA-262, 25.3 DataView Objects; the titles name the abstract
 * operation). Every expectation is run on the built-in too, so that it is the language's and not ours.
 */
import { attributed, GuestDataView, memTxView, pinnedView } from '@guestmem/memtx';
import { guestMemory } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';

const INTEGERS = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32'] as const;
const BIGS = ['BigInt64', 'BigUint64'] as const;
const FLOATS = ['Float16', 'Float32', 'Float64'] as const;
type Kind = (typeof INTEGERS)[number] | (typeof BIGS)[number] | (typeof FLOATS)[number];
const KINDS: readonly Kind[] = [...INTEGERS, ...BIGS, ...FLOATS];
const sizeOf = (kind: Kind): number => Number(/\d+/.exec(kind)![0]) / 8;

type Getter = (index?: unknown, littleEndian?: unknown) => number | bigint;
type Setter = (index?: unknown, value?: unknown, littleEndian?: unknown) => void;
const get =
  (data: DataView, kind: Kind): Getter =>
  (...args) =>
    (data as never as Record<string, Getter>)[`get${kind}`]!(...args);
const set =
  (data: DataView, kind: Kind): Setter =>
  (...args) =>
    (data as never as Record<string, Setter>)[`set${kind}`]!(...args);

const BYTES = Uint8Array.of(127, 255, 255, 255, 128, 0, 0, 0, 100, 0, 0, 0, 0x7b, 0xff, 0xc0, 0x01);

/** The window begins in the middle of nothing special; each subject starts from the same 16 bytes. */
function guest(bytes: Uint8Array = BYTES): DataView {
  const memory = guestMemory([{ startAddr: 0x1000, memory: 64 }]);
  memory.writeSlice(bytes, 0x1003);
  return new GuestDataView(memTxView(attributed(memory)), 0x1003, bytes.length);
}

function builtIn(bytes: Uint8Array = BYTES): DataView {
  const buffer = new ArrayBuffer(64);
  new Uint8Array(buffer).set(bytes, 3);
  return new DataView(buffer, 3, bytes.length);
}

/** Methods that this engine's own DataView has: Float16 came in 2025. */
const native = (kind: Kind): boolean => `get${kind}` in DataView.prototype;
const subjects = (kind: Kind): readonly (readonly [string, (bytes?: Uint8Array) => DataView])[] =>
  native(kind)
    ? [
        ['look-alike', guest],
        ['built-in', builtIn],
      ]
    : [['look-alike', guest]];

describe('values', () => {
  it.each([
    // index 0: 7f ff ff ff 80 00 00 00; worked out by hand from the bytes.
    ['Int8', 0, 127, 127],
    ['Int8', 1, -1, -1],
    ['Uint8', 1, 255, 255],
    ['Uint8', 4, 128, 128],
    ['Int16', 0, 32767, -129],
    ['Int16', 4, -32768, 128],
    ['Uint16', 0, 32767, 0xff7f],
    ['Uint16', 3, 0xff80, 0x80ff],
    ['Int32', 0, 2147483647, -129],
    ['Int32', 4, -2147483648, 128],
    ['Uint32', 0, 0x7fff_ffff, 0xffff_ff7f],
    ['Uint32', 4, 0x8000_0000, 128],
    ['BigInt64', 0, 0x7fff_ffff_8000_0000n, 0x0000_0080_ffff_ff7fn],
    ['BigInt64', 1, -0x7f_ffff_ff9cn, 0x6400_0000_80ff_ffffn],
    ['BigUint64', 4, 0x8000_0000_6400_0000n, 0x0000_0064_0000_0080n],
    ['Float16', 12, 65504, Number.NaN],
    ['Float32', 4, -0, 2 ** -142],
    ['Float64', 4, -(2 ** -1074 * 0x6400_0000), 2 ** -1074 * 0x64_0000_0080],
  ] as const)('GetViewValue: get%s(%i) is %s big, %s little', (kind, index, big, little) => {
    for (const [name, make] of subjects(kind)) {
      const data = make();
      expect(get(data, kind)(index), `${name} default`).toBe(big);
      expect(get(data, kind)(index, false), `${name} big`).toBe(big);
      expect(get(data, kind)(index, true), `${name} little`).toBe(little);
    }
  });

  it('ToBoolean(littleEndian): undefined, null, 0, NaN and the empty string are big', () => {
    for (const [, make] of subjects('Uint16'))
      for (const [flag, value] of [
        [undefined, 0x7fff],
        [null, 0x7fff],
        [0, 0x7fff],
        [Number.NaN, 0x7fff],
        ['', 0x7fff],
        [1, 0xff7f],
        ['false', 0xff7f],
        [{}, 0xff7f],
      ])
        expect(get(make(), 'Uint16')(0, flag)).toBe(value);
  });

  it('SetViewValue: what is set is what the built-in would have put there, both orders, every method', () => {
    const values: Record<string, readonly unknown[]> = {
      integer: [
        0,
        1,
        -1,
        127.9,
        -128.5,
        0x1_0000_0001,
        2 ** 53,
        -0,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        '0x10',
        null,
        true,
        undefined,
        [7],
        {},
      ],
      big: [0n, -1n, 2n ** 63n, 2n ** 64n + 5n, -(2n ** 63n), true, '12', [3n]],
      float: [0, -0, 1.5, -1e300, 1e-40, 65504, 5.96e-8, Number.NaN, Number.NEGATIVE_INFINITY, '1e3', null, undefined],
    };
    for (const kind of KINDS) {
      if (!native(kind)) continue;
      const family = kind.startsWith('Big') ? 'big' : kind.startsWith('Float') ? 'float' : 'integer';
      for (const value of values[family]!)
        for (const littleEndian of [false, true, undefined]) {
          const ours = guest();
          const theirs = builtIn();
          expect(set(ours, kind)(5, value, littleEndian)).toBeUndefined();
          set(theirs, kind)(5, value, littleEndian);
          const seen = (data: DataView) => Array.from({ length: 16 }, (_, i) => data.getUint8(i));
          if (Number.isNaN(Number(family === 'float' ? value : 0))) {
            expect(get(ours, kind)(5, littleEndian)).toBeNaN();
            expect([...seen(ours).slice(0, 5), ...seen(ours).slice(5 + sizeOf(kind))]).toEqual([
              ...seen(theirs).slice(0, 5),
              ...seen(theirs).slice(5 + sizeOf(kind)),
            ]);
          } else expect(seen(ours), `set${kind}(5, ${String(value)}, ${littleEndian})`).toEqual(seen(theirs));
        }
    }
  });

  it('SetViewValue: setFloat16 rounds, keeps -0 and NaN, in both orders', () => {
    for (const [, make] of subjects('Float16')) {
      const data = make();
      for (const [value, back] of [
        [1.5, 1.5],
        [-0, -0],
        [65519, 65504],
        [65520, Number.POSITIVE_INFINITY],
        [1 + 2 ** -11, 1],
        [Number.NaN, Number.NaN],
      ] as const)
        for (const littleEndian of [false, true]) {
          set(data, 'Float16')(2, value, littleEndian);
          expect(get(data, 'Float16')(2, littleEndian)).toBe(back);
        }
      set(data, 'Float16')(2, 1);
      expect([data.getUint8(2), data.getUint8(3)]).toEqual([0x3c, 0]);
    }
  });

  it('negative zero and NaN go through memory', () => {
    for (const kind of ['Float32', 'Float64'] as const)
      for (const [, make] of subjects(kind)) {
        const data = make();
        set(data, kind)(0, -0);
        expect(get(data, kind)(0)).toBe(-0);
        expect(data.getUint8(0)).toBe(0x80);
        set(data, kind)(0, Number.NaN);
        expect(get(data, kind)(0)).toBeNaN();
      }
  });
});

describe('indices', () => {
  const BAD: readonly (readonly [unknown, new (message?: string) => Error])[] = [
    [-1, RangeError],
    [-1.5, RangeError],
    [Number.NEGATIVE_INFINITY, RangeError],
    [Number.POSITIVE_INFINITY, RangeError],
    [2 ** 53, RangeError],
    [16, RangeError],
    [100, RangeError],
    [2 ** 32, RangeError],
    [2 ** 32 + 0.5, RangeError],
    [1n, TypeError],
    [Symbol('1'), TypeError],
  ];
  const GOOD: readonly (readonly [unknown, number])[] = [
    [undefined, 0],
    [null, 0],
    [false, 0],
    [true, 1],
    ['', 0],
    ['1', 1],
    ['0x1', 1],
    ['x', 0],
    [Number.NaN, 0],
    [-0, 0],
    [-0.9999, 0],
    [1.9, 1],
    [[1], 1],
    [{ valueOf: () => 1 }, 1],
    [{ toString: () => '1' }, 1],
  ];

  it.each(KINDS)('ToIndex: get%s and set%s take and refuse the indices that the language does', (kind) => {
    const value = kind.startsWith('Big') ? 0n : 0;
    for (const [name, make] of subjects(kind)) {
      for (const [index, error] of BAD) {
        expect(() => get(make(), kind)(index), `${name} get ${String(index)}`).toThrow(error);
        expect(() => set(make(), kind)(index, value), `${name} set ${String(index)}`).toThrow(error);
      }
      for (const [index, meant] of GOOD) {
        const data = make();
        expect(get(data, kind)(index), `${name} get ${String(index)}`).toBe(get(data, kind)(meant));
        set(data, kind)(index, value);
        expect(get(data, kind)(meant)).toBe(value);
      }
      expect(get(make(), kind)()).toBe(get(make(), kind)(0));
    }
  });

  it.each(KINDS)('GetViewValue 11: get%s ends where the window ends, and set%s changes nothing past it', (kind) => {
    const last = BYTES.length - sizeOf(kind);
    const value = kind.startsWith('Big') ? -1n : -1;
    for (const [, make] of subjects(kind)) {
      const data = make();
      expect(() => get(data, kind)(last)).not.toThrow();
      for (let index = last + 1; index <= BYTES.length + 1; index++) {
        expect(() => get(data, kind)(index)).toThrow(RangeError);
        expect(() => set(data, kind)(index, value)).toThrow(RangeError);
      }
      expect(Array.from({ length: 16 }, (_, i) => data.getUint8(i))).toEqual([...BYTES]);
    }
  });

  it('SetViewValue: first the index, then the value, then the bounds', () => {
    for (const kind of KINDS)
      for (const [, make] of subjects(kind)) {
        const order: string[] = [];
        const noting = (what: string, value: unknown) => ({
          valueOf() {
            order.push(what);
            return value;
          },
        });
        const index = noting('index', 100);
        const value = noting('value', kind.startsWith('Big') ? 0n : 0);
        expect(() => set(make(), kind)(index, value)).toThrow(RangeError);
        expect(order).toEqual(['index', 'value']);
        expect(() => get(make(), kind)(index)).toThrow(RangeError);
        expect(order).toEqual(['index', 'value', 'index']);
        const boom = {
          valueOf() {
            throw new SyntaxError('value');
          },
        };
        expect(() => set(make(), kind)(-1, boom)).toThrow(RangeError);
        expect(() => set(make(), kind)(100, boom)).toThrow(SyntaxError);
      }
  });

  it('ToNumber and ToBigInt: the wrong kind of value is a TypeError, a string that is none a SyntaxError', () => {
    for (const [, make] of subjects('Int8'))
      for (const kind of KINDS) {
        if (!native(kind) && make === builtIn) continue;
        const wrong = kind.startsWith('Big') ? [1, undefined, null, Symbol('x')] : [1n, Symbol('x')];
        for (const value of wrong)
          expect(() => set(make(), kind)(0, value), `${kind} ${String(value)}`).toThrow(TypeError);
        if (kind.startsWith('Big')) expect(() => set(make(), kind)(0, '1.5')).toThrow(SyntaxError);
        expect(make().getUint8(0)).toBe(127);
      }
  });
});

describe('the object', () => {
  it('has the methods of DataView.prototype with their lengths, and no more of their kind', () => {
    for (const kind of KINDS)
      for (const verb of ['get', 'set']) {
        const name = `${verb}${kind}`;
        const ours = (GuestDataView.prototype as never as Record<string, { length: number; name: string }>)[name]!;
        const theirs = (DataView.prototype as never as Record<string, { length: number } | undefined>)[name];
        expect(ours.name).toBe(name);
        expect(ours.length, name).toBe(theirs?.length ?? (verb === 'get' ? 1 : 2));
      }
    const named = Object.getOwnPropertyNames(DataView.prototype).filter((name) => /^[gs]et/.test(name));
    expect(named.filter((name) => !(name in GuestDataView.prototype))).toEqual([]);
  });

  it('is called without new, or with a receiver that is none: TypeError', () => {
    expect(() => (GuestDataView as never as () => void)()).toThrow(TypeError);
    expect(() => GuestDataView.prototype.getUint8.call({} as never, 0)).toThrow(TypeError);
    expect(() => DataView.prototype.getUint8.call({} as never, 0)).toThrow(TypeError);
  });

  it('tells offset and length, tags itself DataView, and has no buffer to give', () => {
    const data = guest();
    expect([data.byteOffset, data.byteLength]).toEqual([0x1003, 16]);
    expect(Object.prototype.toString.call(data)).toBe('[object DataView]');
    expect(() => data.buffer).toThrow(TypeError);
  });

  it('the window: bad addresses and lengths are refused; 2^64 - 1 is its last possible byte', () => {
    const view = memTxView(attributed(guestMemory([{ startAddr: 0, memory: 16 }])));
    for (const length of [-1, 2 ** 53, Number.POSITIVE_INFINITY])
      expect(() => new GuestDataView(view, 0, length)).toThrow(RangeError);
    for (const addr of [-1, 0.5, 2 ** 53, 1n << 64n])
      expect(() => new GuestDataView(view, addr, 1)).toThrow(RangeError);
    expect(() => new GuestDataView(view, 0, 1n as never)).toThrow(TypeError);
    expect(() => new GuestDataView(view, '0' as never, 1)).toThrow(TypeError);
    const last = (1n << 64n) - 1n;
    expect(() => new GuestDataView(view, last, 2)).toThrow(RangeError);
    const high = new GuestDataView(view, last, 1);
    expect(high.address).toBe(last);
    expect(high.byteLength).toBe(1);
    expect(() => high.byteOffset).toThrow(RangeError);
    expect(new GuestDataView(view, 0, 0).byteLength).toBe(0);
    expect(() => new GuestDataView(view, 0, 0).getUint8(0)).toThrow(RangeError);
  });

  it('works past 2^53 and past 2^32', () => {
    const last = (1n << 64n) - 1n;
    const memory = guestMemory([
      { startAddr: 0x1_0000_0000, memory: 16 },
      { startAddr: 2n ** 53n - 8n, memory: 16 },
      { startAddr: last - 15n, memory: 16 },
    ]);
    const view = memTxView(attributed(memory));
    for (const [address, index] of [
      [0, 0x1_0000_0004],
      [2n ** 53n - 8n, 6],
      [last - 15n, 12],
    ] as const) {
      const data = new GuestDataView(view, address, index + 4);
      data.setUint32(index, 0xa1b2c3d4, true);
      expect(data.getUint32(index, true)).toBe(0xa1b2c3d4);
      expect(view.ldub(BigInt(address) + BigInt(index))).toBe(0xd4);
      expect(() => data.getUint32(index + 1)).toThrow(RangeError);
    }
  });
});

describe('a snapshot that was given back is as a detached buffer', () => {
  function detached(): DataView {
    const memory = guestMemory([{ startAddr: 0x1000, memory: 64 }]);
    const pinned = pinnedView({ memory: () => memory });
    const data = new GuestDataView(pinned, 0x1000, 16);
    pinned.dispose();
    return data;
  }
  function transferred(): DataView {
    const buffer = new ArrayBuffer(64);
    const data = new DataView(buffer, 0, 16);
    structuredClone(buffer, { transfer: [buffer] });
    return data;
  }

  it('IsViewOutOfBounds: TypeError from every method, before the bounds are looked at and after the conversions', () => {
    for (const make of [detached, transferred])
      for (const kind of KINDS) {
        if (make === transferred && !native(kind)) continue;
        const value = kind.startsWith('Big') ? 0n : 0;
        expect(() => get(make(), kind)(0)).toThrow(TypeError);
        expect(() => get(make(), kind)(100)).toThrow(TypeError);
        expect(() => get(make(), kind)(-1)).toThrow(RangeError);
        expect(() => set(make(), kind)(0, value)).toThrow(TypeError);
        expect(() => set(make(), kind)(100, value)).toThrow(TypeError);
        expect(() => set(make(), kind)(-1, value)).toThrow(RangeError);
      }
  });

  it('byteLength and byteOffset: TypeError', () => {
    for (const make of [detached, transferred]) {
      expect(() => make().byteLength).toThrow(TypeError);
      expect(() => make().byteOffset).toThrow(TypeError);
    }
  });
});
