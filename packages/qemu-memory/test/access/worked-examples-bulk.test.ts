/** The worked examples of the access rules, bulk transfers: what was seen on a real QEMU, rebuilt region by region. */
import { MemTxResult, memTxAttrs } from '@guestmem/memtx';
import { bufferBacking } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { bytesOf, TestMachine } from '../support/machine.ts';

const { OK, ERROR, DECODE_ERROR, ACCESS_ERROR } = MemTxResult;
const EDU = {
  endianness: 'little',
  valid: { minAccessSize: 4, maxAccessSize: 8 },
  impl: { minAccessSize: 4, maxAccessSize: 8 },
} as const;
const HPET = { endianness: 'little', valid: { minAccessSize: 4, maxAccessSize: 4 } } as const;
const BYTES_LE = { endianness: 'little', impl: { minAccessSize: 1, maxAccessSize: 1 } } as const;
const E1000 = { endianness: 'little', impl: { minAccessSize: 4, maxAccessSize: 4 } } as const;

function le(): TestMachine {
  const m = new TestMachine();
  m.logRefusals();
  return m;
}
function be(): TestMachine {
  const m = new TestMachine({ targetOrder: 'big' });
  m.logRefusals();
  return m;
}

it('E-1: native stores of a little-endian target overlap in RAM at any alignment', () => {
  const m = le();
  m.ram(0, 0x4000);
  const v = m.space.with({});
  m.write(0x1000, '0000000000000000');
  v.stb(0x1000, 0x11);
  v.stw(0x1001, 0x2233);
  v.stl(0x1003, 0x44556677);
  expect(m.read(0x1000, 8)).toEqual({ hex: '1133227766554400', result: OK, done: 8 });
  expect(v.ldl(0x1001)).toBe(0x66772233);
});

it('E-2: a big-endian target stores 0x11223344 as 11 22 33 44', () => {
  const m = be();
  m.ram(0, 0x4000);
  const v = m.space.with({});
  v.stl(0x1000, 0x11223344);
  expect(m.read(0x1000, 4).hex).toBe('11223344');
  expect(v.lduw(0x1000)).toBe(0x1122);
});

it('E-3: a bulk read of 4 is one callback of 4', () => {
  const m = le();
  m.device(0xfe000000, 0x100000, EDU, 0x010000ed);
  expect(m.read(0xfe000000, 4)).toEqual({ hex: 'ed000001', result: OK, done: 4 });
  expect(m.took()).toEqual(['R4@0=0x10000ed']);
});

it('E-4: a bulk write of 8 is one callback of 8 where valid and impl allow it', () => {
  const m = le();
  m.device(0xfe000000, 0x100000, EDU, 0x1122334455667788n);
  expect(m.write(0xfe000080, '8877665544332211')).toBe(OK);
  expect(m.read(0xfe000080, 8).hex).toBe('8877665544332211');
  expect(m.took()).toEqual(['W8@80=0x1122334455667788', 'R8@80=0x1122334455667788']);
});

it('E-5: a bulk read of 8 is cut to valid.max 4, and bits above the access size are dropped', () => {
  const m = le();
  m.device(0xfed00000, 0x400, HPET, (offset) => (offset === 0 ? 0x009896808086a201n : 0x989680n));
  expect(m.read(0xfed00000, 8)).toEqual({ hex: '01a2868080969800', result: OK, done: 8 });
  expect(m.took()).toEqual(['R4@0=0x9896808086a201', 'R4@4=0x989680']);
});

it('E-6: a bulk read of 4 at 2 is two steps of 2 below valid.min, both refused', () => {
  const m = le();
  m.device(0xfe000000, 0x100000, EDU);
  expect(m.read(0xfe000002, 4)).toEqual({ hex: '00000000', result: DECODE_ERROR, done: 0 });
  expect(m.took()).toEqual(['-2@2 dev invalid size', '-2@4 dev invalid size']);
});

it('E-7: a bulk read of 4 at 1 is steps of 1, 2 and 1, all refused', () => {
  const m = le();
  m.device(0xfe000000, 0x100000, EDU);
  expect(m.read(0xfe000001, 4)).toEqual({ hex: '00000000', result: DECODE_ERROR, done: 0 });
  expect(m.took()).toEqual(['-1@1 dev invalid size', '-2@2 dev invalid size', '-1@4 dev invalid size']);
});

it('E-8: a bulk write over the end of RAM stores what fits, refuses the rest, and says DECODE_ERROR', () => {
  const m = le();
  m.ram(0, 0x4000);
  expect(m.write(0x3ffe, '51454d55')).toBe(DECODE_ERROR);
  expect(m.read(0x3ffe, 2).hex).toBe('5145');
  expect(m.took()).toEqual(['-2@4000 (null) rejected']);
});

it('E-9: a bulk read half in RAM reads that half, zeros after it, and ORs the refusals', () => {
  const m = le();
  m.ram(0, 0x4000);
  m.write(0x3ff8, '1122334455667788');
  expect(m.read(0x3ff8, 16)).toEqual({ hex: '11223344556677880000000000000000', result: DECODE_ERROR, done: 8 });
  expect(m.took()).toEqual(['-4@4000 (null) rejected', '-4@4004 (null) rejected']);
});

it('E-10: unassigned memory is cut 4 + 1 and reads as zeros with DECODE_ERROR', () => {
  const m = le();
  expect(m.read(0xfd000000, 5)).toEqual({ hex: '0000000000', result: DECODE_ERROR, done: 0 });
  expect(m.took()).toEqual(['-4@fd000000 (null) rejected', '-1@fd000004 (null) rejected']);
});

it('E-11: a bulk write to ROM leaves it unchanged and says DECODE_ERROR', () => {
  const m = le();
  m.rom(0xfffff000, bytesOf('aabbccdd'));
  expect(m.write(0xfffff000, '11223344')).toBe(DECODE_ERROR);
  expect(m.read(0xfffff000, 4).hex).toBe('aabbccdd');
});

it('E-12: a bulk write over the end of a device is refused on both sides of it', () => {
  const m = le();
  m.device(0xfed00000, 0x400, HPET);
  expect(m.write(0xfed003fe, '11223344')).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-2@3fe dev invalid size', '-2@fed00400 (null) rejected']);
});

it('E-13, A-53: RAM behind a read-only alias is written: the test is of the region itself', () => {
  const m = le();
  const ram = m.core.ram('pc.ram', bufferBacking(0x10000));
  const pam = m.core.alias('pam-rom', ram, 0xd000, 0x1000, { readonly: true });
  m.root.addSubregion(0xd0000, pam);
  m.space.with({}).stl(0xd0000, 0x33334444);
  expect(m.read(0xd0000, 4).hex).toBe('44443333');
  expect(m.space.view.range(0).readonly).toBe(true);
});

it('E-14: a bulk write to the same range says OK and stores; with enforceReadonlySections it is refused', () => {
  for (const enforceReadonlySections of [false, true]) {
    const m = new TestMachine({ enforceReadonlySections });
    const ram = m.core.ram('pc.ram', bufferBacking(0x10000));
    m.root.addSubregion(0xd0000, m.core.alias('pam-rom', ram, 0xd000, 0x1000, { readonly: true }));
    expect(m.write(0xd0000, '51454d55')).toBe(enforceReadonlySections ? DECODE_ERROR : OK);
    expect(m.read(0xd0000, 4).hex).toBe(enforceReadonlySections ? '00000000' : '51454d55');
  }
});

it('E-15, E-16: a little-endian device on a big-endian target gives its string in ascending order', () => {
  const m = be();
  m.device(0xff010000, 0x200, { endianness: 'little' }, 0x74726976);
  expect(m.read(0xff010000, 4)).toEqual({ hex: '76697274', result: OK, done: 4 });
  expect(m.space.with({}).ldl(0xff010000)).toBe(0x76697274);
  expect(m.read(0xff010000, 2).hex).toBe('7669');
  expect(m.took()).toEqual(['R4@0=0x74726976', 'R4@0=0x74726976', 'R2@0=0x74726976']);
});

it('E-17: 8 bytes on a native big-endian device are cut by valid.max, the top half first', () => {
  const m = be();
  m.device(0xff006000, 0x24, { valid: { minAccessSize: 4, maxAccessSize: 4 } });
  expect(m.write(0xff006008, '1122334455667788')).toBe(OK);
  expect(m.took()).toEqual(['W4@8=0x11223344', 'W4@c=0x55667788']);
});

it('E-18: a bulk write to a little-endian device on a big-endian target is swapped to its number', () => {
  const m = be();
  m.device(0x81000000, 0x1000, { endianness: 'little' });
  m.write(0x81000008, '11223344');
  expect(m.took()).toEqual(['W4@8=0x44332211']);
});

it('E-19, E-20: pieces go in ascending address order for both byte orders', () => {
  const m = be();
  m.device(0x82200000, 0x1000, BYTES_LE);
  m.write(0x82200000, '11223344');
  expect(m.took()).toEqual(['W1@0=0x11', 'W1@1=0x22', 'W1@2=0x33', 'W1@3=0x44']);
  m.device(0x81013000, 0x40, { endianness: 'big', impl: { minAccessSize: 1, maxAccessSize: 1 } });
  m.write(0x81013020, '11223344');
  expect(m.took()).toEqual(['W1@20=0x11', 'W1@21=0x22', 'W1@22=0x33', 'W1@23=0x44']);
});

it('E-22: a big-endian device on a little-endian target sees outl 0x11223344 as 0x44332211', () => {
  const m = le();
  m.device(0x514, 8, { endianness: 'big', valid: { maxAccessSize: 8 } });
  m.space.with({}).stl(0x514, 0x11223344);
  expect(m.took()).toEqual(['W4@0=0x44332211']);
});

it('E-23: a big-endian device widens a narrow write into its high-order part', () => {
  const m = be();
  m.device(0xff008000, 0x24, { valid: { maxAccessSize: 4 }, impl: { minAccessSize: 4, maxAccessSize: 4 } });
  m.write(0xff008010, '1234');
  m.write(0xff008010, '12');
  expect(m.took()).toEqual(['W4@10=0x12340000', 'W4@10=0x12000000']);
});

it('E-24: a little-endian device of impl 4 is read at the exact narrow offset, and gives its low part', () => {
  const m = le();
  m.device(0, 0x20000, E1000, 0x80080783);
  expect(m.read(8, 2).hex).toBe('8307');
  expect(m.read(0xa, 2).hex).toBe('8307');
  expect(m.read(0xb, 1).hex).toBe('83');
  expect(m.took()).toEqual(['R4@8=0x80080783', 'R4@a=0x80080783', 'R4@b=0x80080783']);
});

it('E-25: a device that switches on the exact offset answers 0 to the upper half', () => {
  const m = le();
  m.device(0, 0x40, { ...E1000, valid: { minAccessSize: 1, maxAccessSize: 4 } }, (offset) =>
    offset === 0 ? 0x01000040 : 0,
  );
  expect(m.read(0, 4).hex).toBe('40000001');
  expect(m.read(2, 2).hex).toBe('0000');
  expect(m.took()).toEqual(['R4@0=0x1000040', 'R4@2=0x0']);
});

it('E-26: narrow writes to a device of impl 4 are zero-extended, nothing is merged', () => {
  const m = le();
  let register = 0;
  m.root.addSubregion(
    0,
    m.core.io('e1000', 0x20000, {
      ...E1000,
      read: () => register,
      write: (offset, value, size) => {
        m.log.push(`W${size}@${offset.toString(16)}=0x${value.toString(16)}`);
        register = value;
      },
    }),
  );
  m.write(0x5200, '3412');
  m.write(0x5202, 'cdab');
  expect(m.took()).toEqual(['W4@5200=0x1234', 'W4@5202=0xabcd']);
  expect(m.read(0x5200, 4).hex).toBe('cdab0000');
});

it('E-27: a big-endian device of impl 4 gives its high half to a narrow read', () => {
  const m = be();
  m.device(0, 0x24, { impl: { minAccessSize: 4, maxAccessSize: 4 } }, (offset) => (offset === 0x20 ? 1 : 0));
  expect(m.read(0x20, 4).hex).toBe('00000001');
  expect(m.read(0x20, 2).hex).toBe('0000');
  expect(m.read(0x22, 2).hex).toBe('0000');
  expect(m.took()).toEqual(['R4@20=0x1', 'R4@20=0x1', 'R4@22=0x0']);
});

it('E-28, A-45: MMIO is not clamped to its section: a wide access reaches offsets beyond the region', () => {
  const m = le();
  m.device(0x70, 1, BYTES_LE, (offset) => (offset % 2 === 0 ? 0xff : 0x03));
  m.device(0x71, 1, BYTES_LE, 0xee);
  expect(m.space.with({}).ldl(0x70)).toBe(0x03ff03ff);
  expect(m.took()).toEqual(['R1@0=0xff', 'R1@1=0x3', 'R1@2=0xff', 'R1@3=0x3']);
});

it('E-29: the owner of the first byte takes all of a wide access', () => {
  const m = le();
  m.device(0xcf8, 4, { endianness: 'little' }, 0x11111111);
  const reset = m.core.io('reset', 1, m.logging({ endianness: 'little' }, 0x2222, 'reset '));
  m.root.addSubregion(0xcf9, reset, 1);
  expect(m.space.with({}).ldl(0xcf8)).toBe(0x11111111);
  expect(m.space.with({}).lduw(0xcf9)).toBe(0x2222);
  expect(m.took()).toEqual(['R4@0=0x11111111', 'reset R2@0=0x2222']);
});

it('E-30: a region with children answers where they leave gaps: the I/O root gives all-ones', () => {
  const m = le();
  const io = m.core.io(
    'io',
    0x10000,
    m.logging({ endianness: 'little' }, (_offset, size) => 2 ** (8 * size) - 1),
  );
  m.root.addSubregion(0, io);
  expect(m.read(0x5555, 4)).toEqual({ hex: 'ffffffff', result: OK, done: 4 });
  expect(m.took()).toEqual(['R1@5555=0xff', 'R2@5556=0xffff', 'R1@5558=0xff']);
});

it('E-31: an ioeventfd matches the dispatched size before splitting; any data', () => {
  const m = le();
  const dev = m.device(0, 0x1000, BYTES_LE);
  dev.addEventFd(0x801, 1, false, 0, { notify: () => m.log.push('event') });
  m.write(0x801, 'ce');
  expect(m.took()).toEqual(['event']);
  m.write(0x801, 'cece');
  expect(m.took()).toEqual(['event', 'W1@802=0xce']);
  m.write(0x800, 'cececece');
  expect(m.took()).toEqual(['W1@800=0xce', 'W1@801=0xce', 'W1@802=0xce', 'W1@803=0xce']);
});

it('E-32: an ioeventfd with data matches only that data and only its size', () => {
  const m = le();
  const dev = m.device(0, 0x1000, BYTES_LE);
  dev.addEventFd(0x802, 1, true, 0xfa, { notify: () => m.log.push('event') });
  m.write(0x802, '55');
  m.write(0x802, 'fa');
  m.write(0x802, 'fafa');
  expect(m.took()).toEqual(['W1@802=0x55', 'event', 'W1@802=0xfa', 'W1@803=0xfa']);
});

it('E-33: a device told to store into itself is blocked with ACCESS_ERROR; its outer access succeeds', () => {
  const m = le();
  const owner = {};
  const inner = { result: -1 };
  m.root.addSubregion(
    0x1000,
    m.core.io(
      'edu',
      0x100,
      {
        endianness: 'little',
        write: (offset, value) => {
          m.log.push(`W@${offset.toString(16)}=${value}`);
          if (offset === 0x60) inner.result = m.write(0x1004, '01000000');
        },
      },
      { owner },
    ),
  );
  expect(m.write(0x1060, '01000000')).toBe(OK);
  expect(inner.result).toBe(ACCESS_ERROR);
  expect(m.took()).toEqual(['W@60=1', '-4@4 edu blocked re-entrant']);
});

it('E-34: a ROM device reads from memory in ROMD mode and from its callbacks out of it; writes are always callbacks', () => {
  const m = le();
  const flash = m.core.romDevice('flash', bufferBacking(bytesOf('a5'.repeat(64))), {
    endianness: 'little',
    read: (offset, size) => {
      m.log.push(`R${size}@${offset}`);
      return 0x80;
    },
    write: (offset, value, size) => {
      m.log.push(`W${size}@${offset}=0x${value.toString(16)}`);
      flash.romDeviceSetRomd(value === 0xffff);
    },
  });
  m.root.addSubregion(0, flash);
  expect(m.read(0, 2).hex).toBe('a5a5');
  expect(m.took()).toEqual([]);
  m.write(0, '70');
  expect(m.read(0, 8).hex).toBe('8000000080000000');
  m.read(1, 4);
  m.write(0, 'ffff');
  expect(m.took()).toEqual(['W1@0=0x70', 'R4@0', 'R4@4', 'R1@1', 'R2@2', 'R1@4', 'W2@0=0xffff']);
  expect(m.read(0, 2).hex).toBe('a5a5');
});

it('E-35: a bulk write wraps from 2^64 - 1 to 0', () => {
  const m = le();
  m.ram(0, 0x1000);
  expect(m.write(0xffff_ffff_ffff_fffen, '51454d55')).toBe(DECODE_ERROR);
  expect(m.read(0, 2).hex).toBe('4d55');
  expect(m.took()).toEqual(['-2@fffffffffffffffe (null) rejected']);
  expect(m.read(0xffff_ffff_ffff_fffen, 4)).toEqual({ hex: '00004d55', result: DECODE_ERROR, done: 0 });
});

it('E-48: set fills a device in bulk steps of its own size', () => {
  const m = le();
  m.device(0xfe000000, 0x1000, EDU);
  m.space.set(0xfe000080, 0xab, 8);
  expect(m.took()).toEqual(['W8@80=0xabababababababab']);
});

it('E-49: the part of a write past a 2-byte region meets what is behind it', () => {
  const m = be();
  m.device(0x100, 2, { valid: { minAccessSize: 2, maxAccessSize: 2 } });
  expect(m.write(0x100, '12345678')).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['W2@0=0x1234', '-2@102 (null) rejected']);
});

it('E-50: a bulk read of 2 at 1 of a byte device gives a big-endian number', () => {
  const m = be();
  m.device(0, 0x100, { impl: { minAccessSize: 1, maxAccessSize: 1 } }, (offset) => offset * 0x11);
  expect(m.read(1, 2).hex).toBe('1122');
  expect(m.took()).toEqual(['R1@1=0x11', 'R1@2=0x22']);
});

it('E-51: an 8-byte access of a device of valid 4 is refused by ld/st and split by the bulk path', () => {
  const m = le();
  m.device(0, 0x400, HPET, (offset) => offset + 1);
  expect(m.read(0, 8).hex).toBe('0100000005000000');
  expect(m.took()).toEqual(['R4@0=0x1', 'R4@4=0x5']);
});

it('E-52: a big-endian device of impl 1 to 2 takes 8 bytes as four pieces, ascending', () => {
  const m = le();
  m.device(0, 0x100, { endianness: 'big', valid: { maxAccessSize: 8 }, impl: { minAccessSize: 1, maxAccessSize: 2 } });
  expect(m.write(0, '0102030405060708')).toBe(OK);
  expect(m.took()).toEqual(['W2@0=0x102', 'W2@2=0x304', 'W2@4=0x506', 'W2@6=0x708']);
});

it('E-53: impl.unaligned lets the bulk path pass an unaligned 8-byte access whole', () => {
  const m = le();
  const sizes = { minAccessSize: 1, maxAccessSize: 8, unaligned: true };
  m.device(0, 0x100, { endianness: 'little', valid: sizes, impl: sizes }, 0x0807060504030201n);
  expect(m.read(3, 8).hex).toBe('0102030405060708');
  expect(m.took()).toEqual(['R8@3=0x807060504030201']);
});

it('E-54: with valid.unaligned alone the bulk path still splits by alignment', () => {
  const m = le();
  m.device(0, 0x100, { endianness: 'little', valid: { unaligned: true } });
  m.read(1, 4);
  expect(m.took()).toEqual(['R1@1=0x0', 'R2@2=0x0', 'R1@4=0x0']);
});

it('E-56: a device with attributes may fail one piece and still give its value', () => {
  const m = le();
  m.root.addSubregion(
    0,
    m.core.io('dev', 16, {
      endianness: 'little',
      impl: { maxAccessSize: 1 },
      readWithAttrs: (offset, size, _attrs, tx) => {
        m.log.push(`R${size}@${offset}`);
        if (offset === 2) tx.result = ERROR;
        return offset === 2 ? 0x7f : 0x10 + offset;
      },
    }),
  );
  expect(m.read(0, 4)).toEqual({ hex: '10117f13', result: ERROR, done: 0 });
  expect(m.took()).toEqual(['R1@0', 'R1@1', 'R1@2', 'R1@3']);
});

it('E-57: attrs.memory stops a bulk read at the first thing that is not RAM, the rest untouched', () => {
  const m = le();
  m.ram(0, 0x1000);
  m.device(0x1000, 0x100, E1000, 0x55);
  m.write(0xffc, '01020304');
  expect(m.read(0xffc, 8, memTxAttrs({ memory: true }))).toEqual({
    hex: '01020304cccccccc',
    result: ACCESS_ERROR,
    done: 4,
  });
  expect(m.took()).toEqual(['-4@0 dev not memory']);
});

it('E-63: write_rom writes ROM, passes over devices, and has no result', () => {
  const m = le();
  m.rom(0x1000, bytesOf('aabbccdd'));
  m.device(0x1004, 0x100, EDU);
  m.space.writeRom(0x1002, bytesOf('11223344'));
  expect(m.read(0x1000, 4).hex).toBe('aabb1122');
  expect(m.took()).toEqual([]);
});

it('E-64: bounce buffers are bounded by a budget per space: several live while there is any', () => {
  const m = le();
  m.device(0x1000, 0x10000, BYTES_LE, 0x41);
  const first = m.space.mapRange(0x1000, 100, 'read');
  const second = m.space.mapRange(0x1000, 100, 'read');
  expect(m.took()).toHaveLength(200);
  expect([first?.length, second?.length]).toEqual([100, 100]);
  const third = m.space.mapRange(0x1000, 5000, 'read');
  expect(third?.length).toBe(4096 - 200);
  expect(m.space.mapRange(0x1000, 1, 'read')).toBeNull();
  for (const each of [first, second, third]) each?.unmap();
  m.space.maxBounceBufferSize = 100;
  expect(m.space.mapRange(0x1000, 200, 'read')?.length).toBe(100);
  expect(m.space.mapRange(0x1000, 1, 'read')).toBeNull();
});

it('E-44: 10 KiB to a device are mapped in three bounce buffers, RAM before it directly', () => {
  const m = le();
  m.ram(0, 0xa0000);
  m.device(0xa0000, 0x20000, BYTES_LE);
  const lengths: number[] = [];
  for (let at = 0; at < 10240; ) {
    const mapping = m.space.mapRange(0xa0000 + at, 10240 - at, 'write')!;
    lengths.push(mapping.length);
    at += mapping.length;
    mapping.unmap();
  }
  expect(lengths).toEqual([4096, 4096, 2048]);
  expect(m.took()).toHaveLength(10240);
  const ram = m.space.mapRange(0x9f000, 8192, 'write')!;
  expect([ram.length, ram.direct]).toEqual([4096, true]);
  ram.unmap();
});
