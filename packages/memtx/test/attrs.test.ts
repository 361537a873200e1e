import { MEMTXATTRS_UNSPECIFIED, memTxAttrs, memTxAttrsFromBits, mergeMemTxAttrs } from '@guestmem/memtx';
import { describe, expect, it } from 'vitest';
import { INTERN_LIMIT, InternTable } from '../src/internal/intern.ts';

describe('MemTxAttrs', () => {
  it('A-2: every field is there and at 0 or false unless given', () => {
    const { unspecified, secure, space, user, memory, debug, requesterId, pid, addressType } = memTxAttrs({});
    expect([unspecified, secure, space, user, memory, debug, requesterId, pid, addressType]).toEqual([
      false,
      false,
      0,
      false,
      false,
      false,
      0,
      0,
      0,
    ]);
  });

  it('A-2: each field takes its whole width and disturbs no other', () => {
    const most = {
      unspecified: true,
      secure: true,
      space: 3,
      user: true,
      memory: true,
      debug: true,
      requesterId: 0xffff,
      pid: 0xf_ffff,
      addressType: 1,
    };
    for (const [name, value] of Object.entries(most)) {
      const attrs = memTxAttrs({ [name]: value });
      expect(attrs.toFields()).toEqual({ [name]: value });
      expect(mergeMemTxAttrs(memTxAttrs(most), { unspecified: true, [name]: value })).toBe(memTxAttrs(most));
    }
    expect(memTxAttrs(most).toFields()).toEqual(most);
    expect(memTxAttrs(most).bits).toBe(2 ** 44 - 1);
  });

  it('A-1: a value never changes', () => {
    const attrs = memTxAttrs({ secure: true });
    expect(() => {
      (attrs as { secure: boolean }).secure = false;
    }).toThrow(TypeError);
    expect(attrs.secure).toBe(true);
  });

  it('A-3: equal fields are one object, whatever their order and whether defaults are spelled out', () => {
    expect(memTxAttrs({ secure: true, pid: 5 })).toBe(memTxAttrs({ pid: 5, secure: true }));
    expect(memTxAttrs({ pid: 5, user: false, space: 0 })).toBe(memTxAttrs({ pid: 5 }));
    expect(memTxAttrs({ pid: 5 })).not.toBe(memTxAttrs({ pid: 6 }));
    expect(memTxAttrs({ pid: 5 }).equals(memTxAttrs({ pid: 6 }))).toBe(false);
    expect(memTxAttrs({ requesterId: 1 })).not.toBe(memTxAttrs({ pid: 1 }));
  });

  it('A-4: UNSPECIFIED has that one field set and is not the same as all clear', () => {
    expect(MEMTXATTRS_UNSPECIFIED.toFields()).toEqual({ unspecified: true });
    expect(memTxAttrs({ unspecified: true })).toBe(MEMTXATTRS_UNSPECIFIED);
    expect(memTxAttrs({})).not.toBe(MEMTXATTRS_UNSPECIFIED);
    expect(memTxAttrs({}).equals(MEMTXATTRS_UNSPECIFIED)).toBe(false);
  });

  it('A-2: bits carry all standard fields, and nothing else is taken for bits', () => {
    const attrs = memTxAttrs({ space: 2, debug: true, requesterId: 0x8042, pid: 0xabcde, addressType: 1 });
    expect(memTxAttrsFromBits(attrs.bits)).toBe(attrs);
    // space 2 at bit 6, debug at 4, addressType at 5, requesterId at 8, pid at 24.
    expect(attrs.bits).toBe(0xabcde * 2 ** 24 + 0x8042 * 2 ** 8 + 0x80 + 0x20 + 0x10);
    for (const bad of [-1, 0.5, 2 ** 44, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => memTxAttrsFromBits(bad)).toThrow(RangeError);
  });

  it('A-2: a value that a field cannot hold is refused by name', () => {
    expect(() => memTxAttrs({ requesterId: 0x1_0000 })).toThrow(
      new RangeError('attribute "requesterId" must be an integer in 0 to 0xffff, not 65536'),
    );
    for (const bad of [-1, 1.5, Number.NaN, 0x10_0000]) expect(() => memTxAttrs({ pid: bad })).toThrow(RangeError);
    expect(() => memTxAttrs({ space: 4 })).toThrow(RangeError);
    expect(() => memTxAttrs({ addressType: 2 })).toThrow(RangeError);
    expect(() => memTxAttrs({ secure: 1 as never })).toThrow(TypeError);
    expect(() => memTxAttrs({ pid: '1' as never })).toThrow(TypeError);
    expect(() => memTxAttrs(null as never)).toThrow(TypeError);
    expect(() => memTxAttrs(7 as never)).toThrow(TypeError);
  });

  it('A-3: messages and logs show the fields that are set', () => {
    expect(`${memTxAttrs({ secure: true, requesterId: 0x20 })}`).toBe('{secure, requesterId 0x20}');
    expect(`${MEMTXATTRS_UNSPECIFIED}`).toBe('{unspecified}');
    expect(`${memTxAttrs({})}`).toBe('{}');
  });
});

describe('attributes of your own', () => {
  const own = (fields: Record<string, unknown>) => memTxAttrs(fields as never);

  it('A-3: they are readable, compared by value, and equal whatever order they came in', () => {
    const attrs = own({ zone: 'guest', worldId: 3, secure: true });
    expect(attrs).toBe(own({ secure: true, worldId: 3, zone: 'guest' }));
    expect((attrs as unknown as { worldId: number }).worldId).toBe(3);
    expect(attrs.own).toEqual({ worldId: 3, zone: 'guest' });
    expect(attrs.toFields()).toEqual({ secure: true, worldId: 3, zone: 'guest' });
    expect(memTxAttrs(attrs.toFields())).toBe(attrs);
    expect(`${attrs}`).toBe('{secure, worldId 0x3, zone "guest"}');
  });

  it('A-3: values of different types are different', () => {
    const values = [1, 1n, '1', true, 'true'];
    const all = values.map((worldId) => own({ worldId }));
    expect(new Set(all).size).toBe(values.length);
    expect(own({ a: '1","b' })).not.toBe(own({ a: '1', b: '' }));
  });

  it('A-3: 0, 0n, false and the empty string are the same as leaving the field out', () => {
    for (const worldId of [0, 0n, false, '', undefined]) expect(own({ worldId })).toBe(memTxAttrs({}));
    expect(mergeMemTxAttrs(own({ worldId: 3, zone: 'a' }), { worldId: 0 } as never)).toBe(own({ zone: 'a' }));
  });

  it('A-3: names that mean something already, and values that cannot be compared, are refused', () => {
    for (const name of [
      'tx',
      'order',
      'onError',
      'attrs',
      'ordering',
      'bits',
      'own',
      'equals',
      'toString',
      '__proto__',
    ])
      expect(() => memTxAttrs(Object.fromEntries([[name, 1]]) as never), name).toThrow(TypeError);
    for (const value of [{}, [], null, () => 0, Symbol('s'), Number.NaN])
      expect(() => own({ worldId: value })).toThrow(TypeError);
  });
});

describe('merging', () => {
  const base = memTxAttrs({ secure: true, requesterId: 0x20 });

  it('A-251: fields that are given replace those of the base, all others stay', () => {
    expect(mergeMemTxAttrs(base, { requesterId: 0x28, pid: 1 }).toFields()).toEqual({
      secure: true,
      requesterId: 0x28,
      pid: 1,
    });
    expect(mergeMemTxAttrs(base, { secure: false })).toBe(memTxAttrs({ requesterId: 0x20 }));
    expect(mergeMemTxAttrs(base, {})).toBe(base);
    expect(mergeMemTxAttrs(base, { pid: undefined } as never)).toBe(base);
  });

  it('A-251: giving any field clears unspecified', () => {
    expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, { user: true }).toFields()).toEqual({ user: true });
    expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, { user: false })).toBe(memTxAttrs({}));
    expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, { worldId: 3 } as never).unspecified).toBe(false);
  });

  it('A-251: unless unspecified itself is given; debug may go with it (A-2)', () => {
    expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, { debug: true, unspecified: true }).toFields()).toEqual({
      unspecified: true,
      debug: true,
    });
    expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, { unspecified: false })).toBe(memTxAttrs({}));
    expect(mergeMemTxAttrs(MEMTXATTRS_UNSPECIFIED, {})).toBe(MEMTXATTRS_UNSPECIFIED);
  });

  it('A-251: a whole MemTxAttrs says every field, so it replaces the base', () => {
    expect(mergeMemTxAttrs(base, MEMTXATTRS_UNSPECIFIED)).toBe(MEMTXATTRS_UNSPECIFIED);
    expect(mergeMemTxAttrs(base, memTxAttrs({}))).toBe(memTxAttrs({}));
  });
});

describe('the intern table', () => {
  it('remembers an object for a key while there is room', () => {
    const table = new InternTable<object>(4);
    const one = table.add(1, {});
    expect(table.get(1)).toBe(one);
    expect(table.get('1')).toBeUndefined();
  });

  it('never holds more than its limit, and what was there before the flood stays one object', () => {
    const table = new InternTable<{ key: number }>(8);
    const early = Array.from({ length: 8 }, (_, key) => table.add(key, { key }));
    for (let key = 8; key < 1000; key++) {
      const value = { key };
      expect(table.add(key, value)).toBe(value);
    }
    expect(table.size).toBe(8);
    expect(early.every((value) => table.get(value.key) === value)).toBe(true);
  });

  it('A-3: a guest that makes up requester and process ids in one job fills no more than the table; equals still holds', () => {
    const kept = memTxAttrs({ requesterId: 0x1234 });
    for (let pid = 0; pid < INTERN_LIMIT + 5000; pid++) memTxAttrs({ requesterId: 0xffff, pid });
    const [a, b] = [
      memTxAttrs({ requesterId: 0x4321, pid: 0xfffff }),
      memTxAttrs({ requesterId: 0x4321, pid: 0xfffff }),
    ];
    expect(a.equals(b)).toBe(true);
    expect(memTxAttrs({ requesterId: 0x1234 })).toBe(kept);
  });
});
