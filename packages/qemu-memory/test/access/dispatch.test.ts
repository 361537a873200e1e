/** One dispatched access: the ops record, validation, cutting and widening, guard, ioeventfd.. */
import { inspect } from 'node:util';
import {
  be16,
  be32,
  le16,
  le32,
  le64,
  le64n,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  MemTxResult,
  memTxAttrs,
  u8,
} from '@guestmem/memtx';
import { DeviceError, MAX_NESTING, type MemoryRegionOps } from '@guestmem/qemu-memory';
import { bufferBacking } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { TestMachine } from '../support/machine.ts';

const { OK, ERROR, DECODE_ERROR, ACCESS_ERROR } = MemTxResult;
const ANY = MEMTXATTRS_UNSPECIFIED;

function machine(): TestMachine {
  const m = new TestMachine();
  m.logRefusals();
  return m;
}

function mapped(ops: MemoryRegionOps, owner: object | null = null): TestMachine {
  const m = machine();
  m.root.addSubregion(0, m.core.io('dev', 0x100, ops, { owner }));
  return m;
}

it('A-25, A-26: the plain callback is used where present, else the one with attributes, each direction for itself', () => {
  const attrs = memTxAttrs({ requesterId: 0x20 });
  const seen: unknown[] = [];
  const both = mapped({
    read: () => 1,
    readWithAttrs: () => 2,
    writeWithAttrs: (offset, value, size, given) => void seen.push(offset, value, size, given),
  });
  expect(both.space.load(0, u8)).toBe(1);
  both.space.txStore(4, le16, 0x1234, attrs, new MemTx());
  expect(seen).toEqual([4, 0x1234, 2, attrs]);
});

it('A-26: a direction without any callback is an error of the program when it is used, named and typed', () => {
  const m = mapped({ read: () => 1 });
  expect(m.space.load(0, u8)).toBe(1);
  const tx = new MemTx();
  expect(() => m.space.txStore(0, u8, 1, ANY, tx)).toThrow(DeviceError);
  expect(() => m.space.txStore(0, u8, 1, ANY, tx)).toThrow(
    /region "dev": write of 1 bytes at offset 0x0 threw: .*no write callback.*empty one.*valid\.accepts/,
  );
  expect(tx.result).toBe(ERROR);
});

it.each([
  ['an object without a prototype', Object.create(null)],
  [
    'an error whose text is an object without a prototype',
    Object.assign(new Error('no'), { message: Object.create(null) }),
  ],
  ['an error whose text is none', Object.assign(new Error('no'), { message: Symbol('no') })],
])('D10: what a callback throws may have no text: %s', (_, thrown) => {
  const m = mapped({
    read() {
      throw thrown;
    },
  });
  expect(() => m.space.load(0, u8)).toThrow(
    expect.objectContaining({
      name: 'DeviceError',
      message: 'region "dev": read of 1 bytes at offset 0x0 threw: a value without text',
      cause: thrown,
    }),
  );
});

it('D10: a DeviceError has its region, and printing it does not print the machine', () => {
  const m = mapped({
    read: () => {
      throw new Error('broken');
    },
  });
  let caught: unknown;
  try {
    m.space.load(0, u8);
  } catch (error) {
    caught = error;
  }
  expect((caught as DeviceError).region.name).toBe('dev');
  expect(Object.keys(caught as DeviceError).sort()).toEqual(['code', 'isWrite', 'name', 'offset', 'size']);
  expect(inspect(caught)).not.toContain('MemoryCore');
});

it('A-26: half of a direction is refused at creation: impl of 8 bytes needs a 64-bit callback', () => {
  const { core } = machine();
  expect(() => core.io('dev', 8, { impl: { maxAccessSize: 8 }, read: () => 0 })).toThrow(
    /readHalves, read64 or read64WithAttrs/,
  );
  expect(() => core.io('dev', 8, { write64: () => undefined })).toThrow(/no write or writeWithAttrs/);
  expect(() => core.io('dev', 8, { valid: { maxAccessSize: 3 }, read: () => 0 })).toThrow(
    /valid.maxAccessSize must be 1, 2, 4 or 8, not 3/,
  );
  expect(() => core.io('dev', 8, { valid: { maxAccessSize: 2, minAccessSize: 4 } })).toThrow(/above/);
});

it('A-27: without rules every aligned size is valid, in callbacks of 1 to 4 bytes', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little' }, 0x11);
  m.space.load(0, u8);
  m.space.load(0, le16);
  m.space.load(0, le32);
  m.space.load(8, le64);
  expect(m.took()).toEqual(['R1@0=0x11', 'R2@0=0x11', 'R4@0=0x11', 'R4@8=0x11', 'R4@c=0x11']);
});

it('A-28: valid refuses, impl adapts', () => {
  const m = machine();
  m.device(
    0,
    0x100,
    { endianness: 'little', valid: { minAccessSize: 2, maxAccessSize: 4 }, impl: { maxAccessSize: 2 } },
    0x11,
  );
  expect(m.space.load(0, le32)).toBe(0x110011);
  expect(() => m.space.load(0, u8)).toThrow(/DECODE_ERROR/);
  expect(m.took()).toEqual(['R2@0=0x11', 'R2@2=0x11', '-1@0 dev invalid size']);
});

it('A-29: a region without ops refuses everything', () => {
  const m = machine();
  m.root.addSubregion(0, m.core.reservation('hidden', 0x100));
  expect(m.read(0, 4)).toEqual({ hex: '00000000', result: DECODE_ERROR, done: 0 });
  expect(m.write(0, '00')).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@0 hidden rejected', '-1@0 hidden rejected']);
});

it('A-30, A-31: accepts is asked first, then alignment, then sizes, with the whole access', () => {
  const asked: unknown[] = [];
  const attrs = memTxAttrs({ user: true });
  const m = mapped({
    valid: {
      minAccessSize: 2,
      maxAccessSize: 2,
      accepts: (offset, size, isWrite, given) => {
        asked.push([offset, size, isWrite, given]);
        return offset !== 8;
      },
    },
    impl: { maxAccessSize: 1 },
    read: () => 0,
    write: () => undefined,
  });
  const tx = new MemTx();
  m.space.txLoad(8, le16, attrs, tx);
  m.space.txLoad(1, le16, attrs, tx);
  m.space.txStore(4, le32, 0, attrs, tx);
  m.space.txStore(2, le16, 0, attrs, tx);
  expect(asked).toEqual([
    [8, 2, false, attrs],
    [1, 2, false, attrs],
    [4, 4, true, attrs],
    [2, 2, true, attrs],
  ]);
  expect(m.took()).toEqual(['-2@8 dev rejected', '-2@1 dev unaligned', '-4@4 dev invalid size']);
});

it('A-32: alignment is that of the offset in the region, not of the bus address', () => {
  const m = machine();
  m.device(0x1001, 0x100, { endianness: 'little' }, 9);
  expect(m.space.load(0x1001, le32)).toBe(9);
  expect(() => m.space.load(0x1004, le32)).toThrow(/DECODE_ERROR/);
});

it('A-33: a refused load gives 0 and DECODE_ERROR, a refused store does nothing', () => {
  const m = machine();
  m.device(0, 0x100, { valid: { minAccessSize: 4, maxAccessSize: 4 } }, 0x55);
  const tx = new MemTx();
  expect(m.space.txLoad(0, u8, ANY, tx)).toBe(0);
  expect([tx.result, tx.done]).toEqual([DECODE_ERROR, 0]);
  m.space.txStore(0, u8, 1, ANY, tx);
  expect(tx.result).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-1@0 dev invalid size', '-1@0 dev invalid size']);
});

it('A-34, A-96: what is reached through an alias is the target, at its offset', () => {
  const m = machine();
  const dev = m.core.io('dev', 0x1000, m.logging({ endianness: 'little' }, 3));
  m.root.addSubregion(0x8000, m.core.alias('window', dev, 0x200, 0x100));
  m.space.load(0x8010, u8);
  expect(m.took()).toEqual(['R1@210=0x3']);
  expect(m.space.view.range(0).region).toBe(dev);
});

it('A-35, A-38: pieces ascend; the lowest address of a big-endian device is the most significant', () => {
  for (const endianness of ['little', 'big'] as const) {
    const m = machine();
    m.device(0, 0x100, { endianness, impl: { maxAccessSize: 2 } }, (offset) => (offset === 0 ? 0x0102 : 0x0304));
    const codec = endianness === 'little' ? le32 : be32;
    expect(m.space.load(0, codec)).toBe(endianness === 'little' ? 0x03040102 : 0x01020304);
    m.space.store(0, codec, 0x0a0b0c0d);
    expect(m.took().slice(2)).toEqual(
      endianness === 'little' ? ['W2@0=0xc0d', 'W2@2=0xa0b'] : ['W2@0=0xa0b', 'W2@2=0xc0d'],
    );
  }
});

it('A-36: bits above the access size are dropped, results of pieces are ORed', () => {
  const m = mapped({
    endianness: 'little',
    impl: { maxAccessSize: 1 },
    readWithAttrs: (offset, _size, _attrs, tx) => {
      tx.result = 1 << offset;
      return 0xffffff00 + offset;
    },
  });
  const tx = new MemTx();
  expect(m.space.txLoad(0, le32, ANY, tx)).toBe(0x03020100);
  expect([tx.result, tx.done]).toEqual([0b1111, 0]);
});

it('A-37, A-39: a narrow write widens with zeros and no read-modify-write', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little', impl: { minAccessSize: 4 } });
  m.device(0x200, 0x100, { endianness: 'big', impl: { minAccessSize: 4 } });
  m.space.store(2, le16, 0xabcd);
  m.space.store(0x202, be16, 0xabcd);
  expect(m.took()).toEqual(['W4@2=0xabcd', 'W4@2=0xabcd0000']);
});

it('A-40: a narrow read is widened at its own offset, which is not rounded down', () => {
  const m = machine();
  m.device(
    0,
    0x100,
    { endianness: 'little', impl: { minAccessSize: 4, unaligned: true }, valid: { unaligned: true } },
    7,
  );
  expect(m.space.load(2, le16)).toBe(7);
  expect(m.space.load(3, u8)).toBe(7);
  expect(m.took()).toEqual(['R4@2=0x7', 'R4@3=0x7']);
});

it('A-41: what a widened read leaves above the access is cut off', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little', impl: { minAccessSize: 8, maxAccessSize: 8 } }, 0x1122334455667788n);
  expect([m.space.load(0, u8), m.space.load(0, le16), m.space.load(0, le32)]).toEqual([0x88, 0x7788, 0x55667788]);
});

it('A-42, A-43: valid.unaligned passes an unaligned access as it is, cut by size only', () => {
  const m = machine();
  m.device(0, 0x100, { endianness: 'little', valid: { unaligned: true }, impl: { maxAccessSize: 2 } });
  m.space.load(3, le32);
  expect(m.took()).toEqual(['R2@3=0x0', 'R2@5=0x0']);
});

it('A-44: 64-bit values are exact as bigint, as halves and as safe numbers', () => {
  const halves: number[] = [];
  const sizes = { minAccessSize: 1, maxAccessSize: 8 };
  const m = mapped({
    endianness: 'little',
    valid: sizes,
    impl: sizes,
    read: () => 0,
    write: () => undefined,
    readHalves: (offset, out) => {
      out.lo = offset === 0 ? 0xfffffffe : 0x89abcdef;
      out.hi = offset === 0 ? 0x001fffff : 0xffffffff;
    },
    writeHalves: (offset, lo, hi) => void halves.push(offset, lo, hi),
  });
  expect(m.space.load(0, le64)).toBe(0x001ffffffffffffen);
  expect(m.space.load(0, le64n)).toBe(0x1ffffffffffffe);
  expect(m.space.load(8, le64)).toBe(0xffffffff89abcdefn);
  expect(() => m.space.load(8, le64n)).toThrow(RangeError);
  m.space.store(16, le64, 0xfedcba9876543210n);
  m.space.store(24, le64n, 0x123456789);
  expect(halves).toEqual([16, 0x76543210, 0xfedcba98, 24, 0x23456789, 1]);
});

it('A-46, A-47: the guard is one flag per owner, for all its regions, and regions may opt out', () => {
  const m = machine();
  const owner = {};
  const results: number[] = [];
  const inner = (addr: number): void => {
    results.push(m.read(addr, 1).result);
  };
  m.root.addSubregion(
    0x100,
    m.core.io(
      'a',
      0x100,
      {
        read: () => {
          for (const at of [0x200, 0x300, 0x400]) inner(at);
          return 1;
        },
      },
      { owner },
    ),
  );
  m.root.addSubregion(0x200, m.core.io('b', 0x100, { read: () => 2 }, { owner }));
  const free = m.core.io('c', 0x100, { read: () => 3 }, { owner });
  free.dispatch.guardDisabled = true;
  m.root.addSubregion(0x300, free);
  m.root.addSubregion(0x400, m.core.romDevice('flash', bufferBacking(0x100), {}, { owner }));
  expect(m.read(0x100, 1).hex).toBe('01');
  expect(results).toEqual([ACCESS_ERROR, OK, OK]);
  expect(m.took()).toEqual(['-1@0 b blocked re-entrant']);
});

it('A-46: a region that is read-only has no guard, from when it is made so until it no longer is', () => {
  let depth = 0;
  const inner: number[] = [];
  const m = mapped(
    {
      read: () => 7,
      write: () => {
        if (depth++ === 0) {
          const tx = new MemTx();
          m.space.txLoad(8, le32, ANY, tx);
          inner.push(tx.result);
        }
        depth--;
      },
    },
    {},
  );
  const [dev] = m.root.children;
  for (const on of [false, true, false]) {
    dev!.setReadonly(on);
    for (let i = 0; i < 12; i++) m.space.store(0, le32, 1); // Hot, too.
    expect(new Set(inner.splice(0))).toEqual(new Set([on ? OK : ACCESS_ERROR]));
  }
  dev!.setReadonly(true);
  dev!.dispatch.guardDisabled = true;
  dev!.dispatch.guardDisabled = false;
  m.space.store(0, le32, 1);
  expect(inner).toEqual([OK]);
});

it('A-47: a refused access does not touch the flag', () => {
  const owner = {};
  const m = mapped({ valid: { minAccessSize: 4, maxAccessSize: 4 }, read: () => 1 }, owner);
  m.read(0, 1);
  expect(m.read(0, 4).result).toBe(OK);
});

it('A-46: after a callback that throws the flag is released and the space usable', () => {
  let fail = true;
  const m = mapped(
    {
      read: () => {
        if (fail) throw new Error('broken');
        return 4;
      },
    },
    {},
  );
  const tx = new MemTx();
  let thrown: unknown;
  try {
    m.space.txLoad(0x10, le32, ANY, tx);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DeviceError);
  const { region, offset, size, isWrite, cause, message } = thrown as DeviceError;
  expect([region.name, offset, size, isWrite]).toEqual(['dev', 0x10, 4, false]);
  expect((cause as Error).message).toBe('broken');
  expect(message).toBe('region "dev": read of 4 bytes at offset 0x10 threw: broken');
  expect(tx.result).toBe(ERROR);
  fail = false;
  expect(m.space.load(0x10, le32)).toBe(4);
});

it('A-48: callbacks without a guard may nest, to a bound; then ACCESS_ERROR, not a host stack overflow', () => {
  let deepest = 0;
  let refused = 0;
  const m = machine();
  m.root.addSubregion(
    0,
    m.core.io('loop', 0x10, {
      read: () => {
        deepest++;
        if (m.read(0, 1).result === ACCESS_ERROR) refused++;
        return 1;
      },
    }),
  );
  expect(m.read(0, 1).result).toBe(OK);
  expect([deepest, refused]).toEqual([MAX_NESTING, 1]);
});

it('A-49: the first match in order is signalled; size 0 matches any size and data', () => {
  const m = machine();
  const dev = m.device(0, 0x100, { endianness: 'little' });
  dev.addEventFd(8, 4, true, 7, { notify: () => m.log.push('data 7') });
  dev.addEventFd(8, 0, false, 0, { notify: () => m.log.push('any') });
  dev.addEventFd(0x10, 4, true, 7, { notify: () => m.log.push('only 7') });
  m.space.store(8, le32, 7);
  m.space.store(0x10, le32, 7);
  m.space.store(0x10, le32, 8);
  expect(m.took()).toEqual(['any', 'only 7', 'W4@10=0x8']);
});

it('A-50: an unaligned bulk write is cut first and each cut is matched by itself', () => {
  const m = machine();
  const dev = m.device(0, 0x100, { endianness: 'little' });
  dev.addEventFd(2, 2, false, 0, { notify: () => m.log.push('event') });
  m.write(1, '010203');
  expect(m.took()).toEqual(['W1@1=0x1', 'event']);
});

it('A-51: the data of an ioeventfd is given in target order and compared in device order', () => {
  const m = machine();
  const dev = m.device(0, 0x100, { endianness: 'big' });
  dev.addEventFd(0, 4, true, 0x11223344, { notify: () => m.log.push('event') });
  m.space.store(0, le32, 0x11223344);
  m.space.store(0, be32, 0x11223344);
  expect(m.took()).toEqual(['event', 'W4@0=0x11223344']);
});

it('A-46, A-31: exceptions of accepts and of ioeventfd notifiers are typed too', () => {
  const m = mapped({
    valid: {
      accepts: () => {
        throw new Error('no idea');
      },
    },
    read: () => 0,
  });
  expect(() => m.space.load(0, u8)).toThrow(/region "dev": read of 1 bytes at offset 0x0 threw: no idea/);
  const events = machine();
  const dev = events.device(0, 0x100);
  dev.addEventFd(0, 0, false, 0, {
    notify: () => {
      throw new Error('full');
    },
  });
  expect(() => events.space.store(0, u8, 1)).toThrow(DeviceError);
});

it('A-26, A-7, A-36: 64-bit callbacks of each form get offset, value and attributes, and an observer sees what they got and gave', () => {
  const value = 0xf122_3344_8566_7788n;
  const sizes = { minAccessSize: 8, maxAccessSize: 8 };
  const attrs = memTxAttrs({ requesterId: 7 });
  const calls: unknown[] = [];
  const forms: Record<string, MemoryRegionOps> = {
    halves: {
      readHalves: (offset, out) => {
        calls.push(['R', offset]);
        out.lo = 0x8566_7788 | 0; // Halves may be signed: taken as `>>> 0` takes them.
        out.hi = 0xf122_3344 | 0;
      },
      writeHalves: (offset, lo, hi) => void calls.push(['W', offset, (BigInt(hi) << 32n) | BigInt(lo)]),
    },
    plain: {
      read64: (offset) => {
        calls.push(['R', offset]);
        return value;
      },
      write64: (offset, given) => void calls.push(['W', offset, given]),
    },
    attrs: {
      read64WithAttrs: (offset, by, tx) => {
        calls.push(['R', offset, by.requesterId]);
        tx.result |= MemTxResult.ACCESS_ERROR;
        return value;
      },
      write64WithAttrs: (offset, given, by, tx) => {
        calls.push(['W', offset, given, by.requesterId]);
        tx.result |= MemTxResult.ERROR;
      },
    },
  };
  for (const [name, ops] of Object.entries(forms)) {
    const m = new TestMachine();
    const region = m.core.io(name, 0x100, { endianness: 'little', valid: sizes, impl: sizes, ...ops });
    m.root.addSubregion(0x1000, region);
    const extra = name === 'attrs' ? [7] : [];
    for (const watched of [false, true]) {
      const seen: unknown[] = [];
      m.core.access.observer = watched
        ? { called: (at, offset, size, isWrite, got) => void seen.push([at.name, offset, size, isWrite, got]) }
        : null;
      const tx = new MemTx();
      expect([m.space.txLoad(0x1018, le64, attrs, tx), tx.result]).toEqual([value, name === 'attrs' ? 4 : 0]);
      m.space.txStore(0x1020, le64, value, attrs, tx);
      expect([tx.result, calls.splice(0)]).toEqual([
        name === 'attrs' ? 1 : 0,
        [
          ['R', 0x18, ...extra],
          ['W', 0x20, value, ...extra],
        ],
      ]);
      expect(seen).toEqual(
        watched
          ? [
              [name, 0x18, 8, false, value],
              [name, 0x20, 8, true, value],
            ]
          : [],
      );
    }
  }
});
