import { describe, expect, it } from 'vitest';
import {
  DeviceStateError,
  defineRegisters,
  EventCounts,
  RegisterFile,
  type RegisterSpec,
  registerTable,
} from '../src/index.ts';

const MAP = defineRegisters({
  ID: { offset: 0x00, width: 32, reset: 0x1234_5678, doc: 'who it is' },
  CTRL: {
    offset: 0x04,
    width: 32,
    write: 0xff,
    fields: { ENABLE: { shift: 0 }, MODE: { shift: 1, bits: 3, doc: 'which' } },
  },
  STATUS: { offset: 0x08, width: 8, reset: 0x81, clear: 0xf0 },
  SMALL: { offset: 0x0a, width: 16, write: 0xffff },
  ADDRESS: { offset: 0x10, width: 64, reset: 5n, write: 0xffff_ffff_ffff_fff0n },
  TIME: { offset: 0x18, width: 32, doc: 'computed' },
});

function file(log: string[] = [], events = new EventCounts()) {
  let time = 0;
  const regs = new RegisterFile(
    MAP,
    {
      CTRL: { onWrite: (value, old, written) => log.push(`CTRL ${old}->${value} (${written})`) },
      STATUS: { onRead: (value) => log.push(`STATUS read ${value}`) },
      ADDRESS: { onWrite: (value) => log.push(`ADDRESS ${value}`) },
      TIME: { get: () => time++ },
    },
    { name: 'test', events, maxAccessSize: 8, size: 0x20 },
  );
  return { regs, ops: regs.ops, log, events };
}

describe('a register file', () => {
  it('refuses hooks of registers that it does not have, and tells those it has', () => {
    const make = (hooks: object) => () => new RegisterFile(MAP, hooks);
    expect(make({ CTRLS: { onWrite() {} } })).toThrow(
      new RangeError('there are hooks for a register CTRLS; the map has ID, CTRL, STATUS, SMALL, ADDRESS, TIME'),
    );
    expect(make({ toString: {} })).toThrow(RangeError);
    expect(make({ CTRL: {} })).not.toThrow();
  });

  it('keeps only the bits of the write mask, clears those that are written as ones', () => {
    const { regs, ops } = file();
    ops.write!(0, 0, 4);
    ops.write!(4, 0xffff_ffff, 4);
    ops.write!(8, 0x90, 1);
    expect([regs.get('ID'), regs.get('CTRL'), regs.get('STATUS')]).toEqual([0x1234_5678, 0xff, 0x01]);
  });

  it('tells a hook the new, the old and the written value, once', () => {
    const { ops, log } = file();
    ops.write!(4, 0x1ff, 4);
    expect(log).toEqual(['CTRL 0->255 (511)']);
  });

  it('reads parts of a register, and several at once, little-endian', () => {
    const { ops } = file();
    expect([ops.read!(0, 1), ops.read!(1, 1), ops.read!(2, 2)]).toEqual([0x78, 0x56, 0x1234]);
    ops.write!(4, 0x11, 4);
    expect(ops.read64!(0)).toBe(0x0000_0011_1234_5678n);
  });

  it('writes a part without touching the other bytes', () => {
    const { regs, ops } = file();
    ops.write!(0x14, 0xaabb_ccdd, 4);
    ops.write!(0x12, 0x77, 1);
    expect(regs.get('ADDRESS')).toBe(0xaabb_ccdd_0077_0005n);
  });

  it('spans: one access reaches each register it covers, holes are counted once', () => {
    const { regs, ops, events } = file();
    ops.write!(8, 0xffff_0000, 4);
    expect(regs.get('SMALL')).toBe(0xffff);
    expect(ops.read!(8, 4)).toBe(0xffff_0081);
    expect(events.get('test: write to no register')).toBe(1);
    expect(events.get('test: read of no register')).toBe(1);
  });

  it('spans: an 8-byte write reaches two registers of 4 bytes, each with its half', () => {
    const { regs, ops, log } = file();
    ops.write64!(0, 0x0000_0022_ffff_ffffn);
    expect([regs.get('ID'), regs.get('CTRL'), log]).toEqual([0x1234_5678, 0x22, ['CTRL 0->34 (34)']]);
    ops.write64!(8, 0xffff_ffff_ffff_ffffn); // up to ADDRESS, and no byte of it
    expect([regs.get('SMALL'), log.length]).toEqual([0xffff, 1]);
  });

  it('D13: peek of a part, or of several registers, runs no hook either', () => {
    const { ops, log, events } = file();
    ops.peek!(8, 4); // STATUS, nothing, SMALL
    ops.peek!(8, 8);
    expect([log, [...events.entries()]]).toEqual([[], []]);
    ops.read!(8, 4);
    expect(log).toEqual(['STATUS read 129']);
  });

  it('64-bit registers hold bigints', () => {
    const { regs, ops, log } = file();
    ops.write64!(0x10, 0xffff_ffff_ffff_ffffn);
    expect(regs.get('ADDRESS')).toBe(0xffff_ffff_ffff_fff5n);
    expect(ops.read!(0x10, 4)).toBe(0xffff_fff5);
    expect(log).toEqual(['ADDRESS 18446744073709551605']);
  });

  it('D13: peek sees what a read would and runs no hook', () => {
    const { ops, log, events } = file();
    expect([ops.peek!(8, 1), ops.peek!(0x10, 8)]).toEqual([0x81, 5n]);
    expect(ops.peek!(0x1c, 4)).toBe(0);
    expect(log).toEqual([]);
    expect([...events.entries()]).toEqual([]);
    ops.read!(8, 1);
    expect(log).toEqual(['STATUS read 129']);
  });

  it('computed registers are asked, fields are read and set by name', () => {
    const { regs, ops } = file();
    expect([ops.read!(0x18, 4), ops.read!(0x18, 4)]).toEqual([0, 1]);
    regs.setField('CTRL', 'MODE', 5);
    regs.setField('CTRL', 'ENABLE', 1);
    expect([regs.get('CTRL'), regs.field('CTRL', 'MODE'), regs.field('CTRL', 'ENABLE')]).toEqual([0b1011, 5, 1]);
    regs.reset();
    expect(regs.get('CTRL')).toBe(0);
  });

  it('a field is set in a 64-bit register, too, and the bits around it stay', () => {
    const regs = new RegisterFile(
      defineRegisters({
        WIDE: { offset: 0, width: 64, reset: 0xf0f0_f0f0_f0f0_f0f0n, fields: { HIGH: { shift: 58, bits: 4 } } },
        WORD: { offset: 8, width: 32, reset: 0xffff_ffff, fields: { MIDDLE: { shift: 12, bits: 8 } } },
      }),
    );
    regs.setField('WIDE', 'HIGH', 5);
    regs.setField('WORD', 'MIDDLE', 0x12);
    expect([regs.get('WIDE'), regs.field('WIDE', 'HIGH')]).toEqual([0xd4f0_f0f0_f0f0_f0f0n, 5]);
    expect([regs.get('WORD'), regs.field('WORD', 'MIDDLE')]).toEqual([0xfff1_2fff, 0x12]);
  });

  it('saves and restores what it stores', () => {
    const { regs } = file();
    regs.set('ADDRESS', 7n);
    const state = JSON.parse(JSON.stringify(regs.state()));
    expect(state).toEqual({ ID: '0x12345678', CTRL: '0x0', STATUS: '0x81', SMALL: '0x0', ADDRESS: '0x7' });
    const other = file().regs;
    other.restore(state);
    expect(other.state()).toEqual(state);
    expect(() => other.restore({ ...state, SMALL: 1 })).toThrow(DeviceStateError);
  });

  it.each([
    ['CTRL', '0x1ffffffff', 32],
    ['STATUS', '0x100', 8],
    ['SMALL', '0x10000', 16],
    ['ADDRESS', '0x10000000000000000', 64],
  ])('refuses a state whose %s is %s, and changes nothing', (name, value, width) => {
    const { regs } = file();
    const before = regs.state();
    expect(() => regs.restore({ ...before, CTRL: '0x7', [name]: value })).toThrow(
      expect.objectContaining({
        name: 'DeviceStateError',
        code: 'bad-value',
        message: `test.${name} must be a number of ${width} bits, not "${value}"`,
      }),
    );
    expect(regs.state()).toEqual(before);
    const { SMALL: _, ...less } = before;
    expect(() => regs.restore(less)).toThrow(DeviceStateError);
  });

  it('D10: refuses values that do not fit a register or field, and keeps the old one', () => {
    const { regs } = file();
    for (const value of [2 ** 32, -1, 0.5, Number.NaN]) expect(() => regs.set('CTRL', value)).toThrow(RangeError);
    expect(() => regs.set('STATUS', 0x100)).toThrow('register STATUS must be an unsigned integer of 8 bits, not 0x100');
    expect(() => regs.set('ADDRESS', 1n << 64n)).toThrow(RangeError);
    expect(() => regs.set('ADDRESS', -1n)).toThrow('not -0x1');
    expect(() => regs.set('ADDRESS', 5 as never)).toThrow(TypeError);
    expect(() => regs.set('CTRL', 5n as never)).toThrow(TypeError);
    for (const value of [8, -1, 0.5]) expect(() => regs.setField('CTRL', 'MODE', value)).toThrow(RangeError);
    expect(() => regs.setField('CTRL', 'MODE', 8)).toThrow(
      'field CTRL.MODE must be an unsigned integer of 3 bits, not 0x8',
    );
    expect(() => regs.setField('CTRL', 'MODE', '1' as never)).toThrow(TypeError);
    regs.set('CTRL', 0xffff_ffff);
    regs.set('ADDRESS', (1n << 64n) - 1n);
    regs.setField('CTRL', 'MODE', 7);
    expect([regs.get('CTRL'), regs.get('ADDRESS'), regs.get('STATUS')]).toEqual([0xffff_ffff, (1n << 64n) - 1n, 0x81]);
  });

  it('D10: names the register or field that is not there', () => {
    const { regs } = file();
    const none = 'test has no register typo; it has ID, CTRL, STATUS, SMALL, ADDRESS, TIME';
    expect(() => regs.get('typo' as never)).toThrow(new RangeError(none));
    expect(() => regs.set('typo' as never, 1 as never)).toThrow(new RangeError(none));
    expect(() => regs.field('CTRL', 'typo' as never)).toThrow(
      new RangeError('register CTRL has no field typo; it has ENABLE, MODE'),
    );
    expect(() => regs.setField('ID', 'typo' as never, 1)).toThrow(
      new RangeError('register ID has no field typo; it has none'),
    );
  });

  it.each<[string, RegisterSpec, string]>([
    ['a width that is none', { offset: 0, width: 24 as 8 }, 'register A cannot have 24 bits'],
    ['a reset value that does not fit', { offset: 0, width: 8, reset: 256 }, 'reset of register A'],
    ['a negative mask', { offset: 0, width: 8, write: -1 }, 'write of register A'],
    ['a mask that does not fit', { offset: 0, width: 64, clear: 1n << 64n }, 'clear of register A'],
    ['a number for 64 bits', { offset: 0, width: 64, reset: 1 as never }, 'reset of register A must be a bigint'],
    ['a field past the end', { offset: 0, width: 8, fields: { F: { shift: 6, bits: 4 } } }, 'field A.F of 4 bits'],
    ['a field of no bits', { offset: 0, width: 8, fields: { F: { shift: 0, bits: 0 } } }, 'field A.F of 0 bits'],
    ['a field that is no number', { offset: 0, width: 64, fields: { F: { shift: 0, bits: 54 } } }, 'at most 53'],
    [
      'fields that overlap',
      { offset: 0, width: 8, fields: { F: { shift: 0, bits: 3 }, G: { shift: 2 } } },
      'fields A.F and A.G overlap at bit 2',
    ],
  ])('refuses a map with %s, and so does the file', (_what, spec, message) => {
    expect(() => defineRegisters({ A: spec })).toThrow(message);
    expect(() => new RegisterFile({ A: spec })).toThrow(message);
  });

  it('takes maps up to the borders', () => {
    const map = defineRegisters({
      A: { offset: 0, width: 8, reset: 255, write: 255, fields: { F: { shift: 6, bits: 2 }, G: { shift: 5 } } },
      B: { offset: 8, width: 64, reset: (1n << 64n) - 1n, fields: { F: { shift: 11, bits: 53 } } },
    });
    expect(new RegisterFile(map).field('B', 'F')).toBe(2 ** 53 - 1);
  });

  it('refuses maps whose registers overlap or stand askew', () => {
    expect(() => defineRegisters({ A: { offset: 0, width: 32 }, B: { offset: 2, width: 16 } })).toThrow(
      'registers A and B overlap at offset 0x2',
    );
    expect(() => defineRegisters({ A: { offset: 2, width: 32 } })).toThrow(RangeError);
  });

  it('documents itself', () => {
    expect(registerTable(MAP).split('\n').slice(0, 6)).toEqual([
      '| offset | name | bits | access | reset | meaning |',
      '| --- | --- | --- | --- | --- | --- |',
      '| 0x0 | ID | 32 | RO | 0x12345678 | who it is |',
      '| 0x4 | CTRL | 32 | RW 0xff | 0x0 |  |',
      '|  | 0 |  |  |  | ENABLE |',
      '|  | 3..1 |  |  |  | MODE: which |',
    ]);
  });
});
