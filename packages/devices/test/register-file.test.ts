import { describe, expect, it } from 'vitest';
import { DeviceStateError, defineRegisters, EventCounts, RegisterFile, registerTable } from '../src/index.ts';

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

  it('64-bit registers hold bigints', () => {
    const { regs, ops, log } = file();
    ops.write64!(0x10, 0xffff_ffff_ffff_ffffn);
    expect(regs.get('ADDRESS')).toBe(0xffff_ffff_ffff_fff5n);
    expect(ops.read!(0x10, 4)).toBe(0xffff_fff5);
    expect(log).toEqual(['ADDRESS 18446744073709551605']);
  });

  it('D13: peek sees what a read would and runs no hook', () => {
    const { ops, log, events } = file();
    expect(ops.peek!(8, 1)).toBe(0x81);
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
