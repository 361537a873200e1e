/**
 * The port, the device that most accesses to devices meet, must be invisible: what changes while it is open holds for the
 * next access. Each test first makes enough accesses to open it.
 */
import {
  be16,
  be16s,
  be32,
  be32s,
  i8,
  le16,
  le16s,
  le32,
  le32f,
  le32s,
  le64n,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  MemTxResult,
  memTxAttrs,
  u8,
} from '@guestmem/memtx';
import { bufferBacking, GuestMemoryError, type ScalarCodec } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import { DeviceError, MemoryCore, type MemoryRegionOps } from '../../src/index.ts';

const PAGE = 0x1000;
const HIGH = 0xfee0_0000;

/** A device at `base` that answers offset + 1, or what `answer` says. */
function machine(base: number, ops: Partial<MemoryRegionOps> = {}, owner: object | null = null) {
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const device = core.io(
    'device',
    PAGE,
    { endianness: 'little', read: (offset) => offset + 1, write() {}, ...ops },
    { owner },
  );
  system.addSubregion(base, device);
  const space = core.addressSpace(system, 'memory');
  return { core, system, device, space };
}

function open(m: ReturnType<typeof machine>, base: number): void {
  for (let i = 0; i < 2000; i++) m.space.load(base + 8, le32);
  expect(m.space.map.portBits === (base | 0) && m.space.map.port === m.device.dispatch).toBe(true);
}

describe.each([
  ['at 256 MiB', 0x1000_0000],
  ['at 0xfee00000', HIGH],
])('a port %s', (_, base) => {
  it('A-30: answers as before at every offset, size, order and edge', () => {
    const m = machine(base);
    open(m, base);
    for (const at of [0, 4, PAGE - 4]) {
      expect(m.space.load(base + at, le32)).toBe(at + 1);
      expect(m.space.load(base + at, be32)).toBe((((at + 1) << 24) + (((at + 1) >> 8) << 16)) >>> 0);
      expect(m.space.load(base + at, le16)).toBe(at + 1);
      expect(m.space.load(BigInt(base + at), le32)).toBe(at + 1);
    }
    for (const at of [1, 2, 3, PAGE - 3, PAGE - 1, PAGE, -1, -4])
      expect(() => m.space.load(base + at, le32), String(at)).toThrow(GuestMemoryError);
  });

  it('A-16: a value is 32 bits, unsigned, whatever the callback returns', () => {
    let value = 0;
    const m = machine(base, { read: () => value });
    open(m, base);
    value = -1;
    expect(m.space.load(base, le32)).toBe(0xffff_ffff);
    value = 2 ** 32 + 5;
    expect(m.space.load(base, le32)).toBe(5);
  });

  // The device's number is 0xfedcba98, cut to the size; the other order reverses its bytes.
  const ANSWERS: readonly (readonly [ScalarCodec<number>, number, number])[] = [
    [u8, 0x98, 0x98],
    [i8, -0x68, -0x68],
    [le16, 0xba98, 0x98ba],
    [be16, 0x98ba, 0xba98],
    [le16s, -0x4568, -0x6746],
    [be16s, -0x6746, -0x4568],
    [le32, 0xfedc_ba98, 0x98ba_dcfe],
    [be32, 0x98ba_dcfe, 0xfedc_ba98],
    [le32s, -0x123_4568, -0x6745_2302],
    [be32s, -0x6745_2302, -0x123_4568],
  ];

  it.each(['little', 'big'] as const)(
    'A-16, A-41: a %s-endian device answers every size and order, as numbers and with the outcome',
    (order) => {
      const m = machine(base, { endianness: order, read: () => 0xfedc_ba98 });
      for (const [codec, little, big] of ANSWERS) {
        const expected = order === 'little' ? little : big;
        const tx = new MemTx();
        for (let i = 0; i < 100; i++) {
          expect(m.space.load(base + 8, codec), codec.name).toBe(expected);
          tx.result = MemTxResult.ERROR;
          expect(m.space.txLoad(base + 16, codec, MEMTXATTRS_UNSPECIFIED, tx), codec.name).toBe(expected);
          expect([tx.result, tx.done], codec.name).toEqual([MemTxResult.OK, codec.size]);
        }
        expect(m.space.map.port).toBe(m.device.dispatch);
      }
    },
  );

  it.each(['little', 'big'] as const)('A-16: a %s-endian device is told every size and order, unsigned', (order) => {
    const seen: number[][] = [];
    const m = machine(base, { endianness: order, write: (...told) => void seen.push(told as number[]) });
    for (const [codec, little, big] of ANSWERS) {
      const tx = new MemTx();
      for (let i = 0; i < 100; i++) {
        m.space.store(base + 8, codec, order === 'little' ? little : big);
        m.space.txStore(base + 16, codec, order === 'little' ? little : big, MEMTXATTRS_UNSPECIFIED, tx);
        expect([tx.result, tx.done], codec.name).toEqual([MemTxResult.OK, codec.size]);
      }
      const number = codec.size === 1 ? 0x98 : codec.size === 2 ? 0xba98 : 0xfedc_ba98;
      const expected = Array.from({ length: 200 }, (_, i) => [8 + 8 * (i & 1), number, codec.size]);
      expect(seen, codec.name).toEqual(expected);
      seen.length = 0;
      for (const bad of [2 ** 32, -(2 ** 31) - 1, 0.5, Number.NaN])
        expect(() => m.space.store(base + 8, codec, bad), codec.name).toThrow(RangeError);
      if (codec.size < 4) expect(() => m.space.store(base + 8, codec, 0x1_0000), codec.name).toThrow(RangeError);
      expect(() => m.space.store(base + 8, codec, '1' as unknown as number), codec.name).toThrow(TypeError);
      expect(seen).toEqual([]);
    }
    expect(m.space.map.port).toBe(m.device.dispatch);
  });

  it('A-16, A-41: what is no integer of up to 32 bits is told as its bits, and answered from them', () => {
    const told: number[][] = [];
    const m = machine(base, { read: () => 0x3fc0_0000, write: (...all) => void told.push(all as number[]) });
    open(m, base);
    expect(m.space.load(base, le32f)).toBe(1.5);
    m.space.store(base + 4, le32f, 5);
    m.space.store(base, le64n, 2 ** 33 + 7);
    expect(told).toEqual([
      [4, 0x40a0_0000, 4],
      [0, 7, 4],
      [4, 2, 4],
    ]);
  });

  it('A-81: a debugger peeks, however hot', () => {
    const m = machine(base, { peek: (offset) => offset + 0x100 });
    open(m, base);
    const tx = new MemTx();
    expect(m.space.txLoad(base + 4, le32, memTxAttrs({ debug: true }), tx)).toBe(0x104);
    expect(m.space.txLoad(base + 4, le32, memTxAttrs({ requesterId: 7 }), tx)).toBe(5);
  });

  it('A-46: a guarded device that reads itself is refused, and free again afterwards', () => {
    let inner: unknown = null;
    let nest = false;
    const self = machine(
      base,
      {
        read: (offset) => {
          if (!nest) return offset + 1;
          nest = false;
          try {
            self.space.load(base, le32);
          } catch (error) {
            inner = error;
          }
          return 99;
        },
      },
      {},
    );
    open(self, base);
    nest = true;
    expect(self.space.load(base, le32)).toBe(99);
    expect(inner instanceof GuestMemoryError).toBe(true);
    expect(self.space.load(base + 4, le32)).toBe(5);
    expect(self.core.access.depth).toBe(0);
  });

  it('A-46: a guarded device that is written and then reads itself is refused, and free again afterwards', () => {
    let inner = false;
    const m = machine(
      base,
      {
        write() {
          try {
            m.space.load(base, u8);
          } catch (error) {
            inner = error instanceof GuestMemoryError;
          }
        },
      },
      {},
    );
    open(m, base);
    m.space.store(base, u8, 1);
    expect(inner).toBe(true);
    expect(m.space.load(base, u8)).toBe(1);
  });

  it('A-47: a region whose guard is taken off later may be entered again', () => {
    let nest = false;
    const m = machine(
      base,
      {
        read: (offset) => {
          if (!nest) return offset + 1;
          nest = false;
          return m.space.load(base + 8, le32) + 100;
        },
      },
      {},
    );
    open(m, base);
    m.device.dispatch.guardDisabled = true;
    nest = true;
    expect(m.space.load(base, le32)).toBe(109);
  });

  it('A-47: a callback that takes the guard off, or puts it on, leaves it free', () => {
    for (const write of [false, true]) {
      let change = false;
      const toggle = () => {
        if (change) m.device.dispatch.guardDisabled = !m.device.dispatch.guardDisabled;
      };
      const read = (offset: number) => {
        toggle();
        return offset + 1;
      };
      const m = machine(base, { read, write: toggle }, {});
      const access = () => (write ? m.space.store(base, le32, 1) : void m.space.load(base, le32));
      open(m, base);
      change = true;
      access(); // Off.
      access(); // On again.
      access(); // Off.
      change = false;
      m.device.dispatch.guardDisabled = false;
      // Of 8 bytes: not the quick way, which knows that nobody is busy.
      expect(m.space.load(base, le64n)).toBe(2 ** 32 * 5 + 1);
      access();
    }
  });

  it('A-33: a callback that throws surfaces as a DeviceError, and the device stays usable', () => {
    let fail = false;
    const m = machine(
      base,
      {
        read: (offset) => {
          if (fail) throw new TypeError('broken');
          return offset + 1;
        },
        write() {
          if (fail) throw new TypeError('broken');
        },
      },
      {},
    );
    open(m, base);
    fail = true;
    let caught: unknown = null;
    try {
      m.space.load(base + 12, le32);
    } catch (error) {
      caught = error;
    }
    expect(caught instanceof DeviceError && caught.offset === 12 && caught.cause instanceof TypeError).toBe(true);
    for (const codec of [u8, be16, le32] as ScalarCodec<number>[]) {
      const tx = new MemTx();
      tx.result = MemTxResult.OK;
      expect(() => m.space.txLoad(base + 12, codec, MEMTXATTRS_UNSPECIFIED, tx), codec.name).toThrow(DeviceError);
      expect([tx.result, tx.done], codec.name).toEqual([MemTxResult.ERROR, 0]);
      tx.result = MemTxResult.OK;
      expect(() => m.space.txStore(base + 12, codec, 1, MEMTXATTRS_UNSPECIFIED, tx), codec.name).toThrow(DeviceError);
      expect([tx.result, tx.done], codec.name).toEqual([MemTxResult.ERROR, 0]);
    }
    fail = false;
    expect(m.core.access.depth).toBe(0);
    expect(m.space.load(base + 12, le32)).toBe(13);
    m.space.store(base + 12, u8, 1);
  });

  it('A-33: a callback that answers with a bigint for 32 bits is an error of the device', () => {
    let wide = false;
    const m = machine(base, { read: (offset) => (wide ? (1n as unknown as number) : offset + 1) });
    open(m, base);
    wide = true;
    expect(() => m.space.load(base, le32)).toThrow(DeviceError);
    wide = false;
    expect(m.space.load(base, le32)).toBe(1);
  });

  it('A-99: coalesced writes are drained before a read once the region asks for it', () => {
    const m = machine(base);
    open(m, base);
    let drained = 0;
    m.core.access.flushCoalescedMmio = () => void drained++;
    m.space.load(base, le32);
    expect(drained).toBe(0);
    m.device.dispatch.flushCoalesced = true;
    m.space.load(base, le32);
    expect(drained).toBe(1);
    m.device.dispatch.flushCoalesced = false;
    m.space.load(base, le32);
    expect(drained).toBe(1);
  });

  it('D15: a tap or an observer sees the reads that follow', () => {
    const m = machine(base);
    open(m, base);
    const seen: string[] = [];
    const tap = m.space.tap(base, 4, () => seen.push('tap'));
    m.space.load(base, le32);
    tap[Symbol.dispose]();
    m.core.access.observer = { called: () => void seen.push('called') };
    m.space.load(base, le32);
    m.core.access.observer = null;
    m.space.load(base, le32);
    expect(seen).toEqual(['tap', 'called']);
  });

  it('T-92: what is laid over it, or takes its place, answers', () => {
    const m = machine(base);
    open(m, base);
    const over = m.core.ram('over', bufferBacking(PAGE));
    m.system.addSubregionOverlap(base, over, 1);
    expect(m.space.load(base, le32)).toBe(0);
    m.system.delSubregion(over);
    m.system.delSubregion(m.device);
    expect(() => m.space.load(base, le32)).toThrow(GuestMemoryError);
  });

  it('A-60: a callback that moves its own region has the next access go there', () => {
    let move = false;
    const m = machine(base, {
      read: (offset) => {
        if (move) m.device.setAddress(base + 2 * PAGE);
        move = false;
        return offset + 1;
      },
    });
    open(m, base);
    move = true;
    expect(m.space.load(base + 4, le32)).toBe(5);
    expect(() => m.space.load(base + 4, le32)).toThrow(GuestMemoryError);
    expect(m.space.load(base + 2 * PAGE + 4, le32)).toBe(5);
  });
});

it('A-16: a big-endian device is read in its own order, however hot', () => {
  const m = machine(HIGH, { endianness: 'big', read: () => 0x0102_0304 });
  for (let i = 0; i < 2000; i++) expect(m.space.load(HIGH, le32)).toBe(0x0403_0201);
});

it('T-151: a device below 2^31 is asked first while it is hot, the RAM beside it while that is', () => {
  const base = 0x1000_0000;
  const m = machine(base);
  for (let i = 0; i < 8; i++)
    m.system.addSubregion(0x2000_0000 + i * PAGE, m.core.ram(`ram ${i}`, bufferBacking(PAGE)));
  for (let i = 0; i < 8; i++) m.space.store(0x2000_0000 + i * PAGE, le32, i + 100);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2000; i++) expect(m.space.load(base + 8, le32)).toBe(9);
    expect(m.space.map.tableFirst).toBe(0);
    for (let i = 0; i < 2000; i++) {
      const which = Math.imul(i, 0x9e37_79b1) >>> 29;
      expect(m.space.load(0x2000_0000 + which * PAGE, le32)).toBe(which + 100);
      if (i % 100 === 0) expect(m.space.load(base + 8, be32)).toBe(0x0900_0000);
    }
    expect(m.space.map.tableFirst).toBe(1);
    m.space.store(base, le32, round);
    expect(m.space.load(base + 4, le32)).toBe(5);
  }
});

it('T-50: a device that is seen in part only answers there, however hot', () => {
  const m = machine(HIGH);
  m.system.addSubregionOverlap(HIGH + PAGE / 2, m.core.ram('over', bufferBacking(PAGE / 2)), 1);
  for (let i = 0; i < 2000; i++) expect(m.space.load(HIGH + 8, le32)).toBe(9);
  expect(m.space.load(HIGH + PAGE / 2, le32)).toBe(0);
  expect(m.space.load(HIGH + PAGE / 2 - 4, le32)).toBe(PAGE / 2 - 3);
});

it('T-46: a device that becomes smaller ends where it ends', () => {
  const m = machine(HIGH);
  open(m, HIGH);
  m.device.setSize(PAGE / 2);
  for (let i = 0; i < 2000; i++) m.space.load(HIGH + 8, le32);
  expect(() => m.space.load(HIGH + PAGE / 2, le32)).toThrow(GuestMemoryError);
  m.device.setSize(2 * PAGE);
  for (let i = 0; i < 2000; i++) m.space.load(HIGH + 8, le32);
  expect(m.space.load(HIGH + PAGE, le32)).toBe(PAGE + 1);
});

it.each([0x1_0000, HIGH])('T-46: a port at %i does not grow before the map that shows it does', (base) => {
  const m = machine(base);
  m.system.addSubregion(base + PAGE, m.core.ram('next', bufferBacking(PAGE)));
  m.space.store(base + PAGE + 4, le32, 0x1234);
  open(m, base);
  m.core.transaction(() => {
    m.device.setSize(2 * PAGE);
    m.device.dispatch.guardDisabled = true;
    expect(m.space.load(base + PAGE + 4, le32)).toBe(0x1234);
    expect(m.space.txLoad(base + PAGE + 4, be32, MEMTXATTRS_UNSPECIFIED, new MemTx())).toBe(0x3412_0000);
  });
});

it('A-30: two devices that are hot in turn each answer for themselves', () => {
  const m = machine(HIGH);
  const other = m.core.io('other', PAGE, { endianness: 'little', read: (offset) => offset + 1000, write() {} });
  m.system.addSubregion(HIGH + PAGE, other);
  for (let round = 0; round < 4; round++)
    for (let i = 0; i < 1500; i++) {
      const isOther = round % 2 === 1 || i % 700 === 0;
      expect(m.space.load(HIGH + (isOther ? PAGE : 0), le32)).toBe(isOther ? 1000 : 1);
    }
});
