/** What callbacks that are not a device's do in the middle of an access: taps, notifiers, the ends of streams. */
import { le32, MEMTXATTRS_UNSPECIFIED, MemTx, type MemTxAttrs, MemTxResult, u8 } from '@guestmem/memtx';
import {
  DirtyClient,
  MemoryCore,
  type MemoryRegion,
  memoryRegionGetDirty,
  memoryRegionResetDirty,
} from '@guestmem/qemu-memory';
import { ByteSource, bufferBacking, Ordering, struct } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { TestMachine } from '../support/machine.ts';

const { DECODE_ERROR, ERROR } = MemTxResult;
const { MIGRATION, VGA } = DirtyClient;
const PAGE = 4096;

/** A device that is logged with its end; `take` takes it out of the map. */
function doomed(): {
  core: MemoryCore;
  space: ReturnType<MemoryCore['addressSpace']>;
  log: string[];
  take: () => void;
} {
  const core = new MemoryCore();
  const root = core.container('root', 0x1_0000);
  const log: string[] = [];
  const owner = {};
  const ops = {
    read: (offset: number) => {
      log.push(`read ${offset}`);
      return 0;
    },
    write: (offset: number) => void log.push(`write ${offset}`),
  };
  const device = core.io('device', 0x100, ops, { owner });
  root.addSubregion(PAGE, device);
  core.whenUnreferenced(owner, () => log.push('unreferenced'));
  return {
    core,
    space: core.addressSpace(root, 'space'),
    log,
    take: () => {
      if (device.container !== null) root.delSubregion(device);
    },
  };
}

it('T-97, D15: what a tap takes out of the map is kept until the access that it saw is over', async () => {
  const { space, log, take } = doomed();
  space.tap(PAGE, 4, take);
  space.store(PAGE, le32, 1);
  expect(log).toEqual(['write 0']);
  await Promise.resolve().then(() => undefined);
  await new Promise((resolve) => setTimeout(resolve));
  expect(log).toEqual(['write 0', 'unreferenced']);
});

it('T-97, V-1.5: what the other end of a stream takes out of the map is kept until the stream ends', async () => {
  const { space, log, take } = doomed();
  const dst = {
    writeVolatile: (bytes: Uint8Array): number => {
      take();
      return bytes.length;
    },
  };
  const moved = space.writeVolatileTo(PAGE, dst, 0x100);
  expect([moved, log.filter((line) => line === 'unreferenced')]).toEqual([0x100, []]);
  await new Promise((resolve) => setTimeout(resolve));
  expect(log.at(-1)).toBe('unreferenced');
});

it('T-97: what a guest has replaced again and again is reclaimed between its accesses, with no job in between', () => {
  const core = new MemoryCore();
  const root = core.container('root', 0x10000);
  const rom = core.ram('rom', bufferBacking(8 * PAGE));
  const bank = core.alias('bank', rom, 0, PAGE);
  root.addSubregion(0, bank);
  const log: string[] = [];
  const mapper = {};
  const write = (_: number, value: number): void => {
    const before = core.rcu.pending;
    bank.setAliasOffset(value * PAGE);
    space.load(0, le32); // Amid the access that edits nothing is reclaimed.
    if (core.rcu.pending <= before) log.push('reclaimed amid an access');
  };
  root.addSubregion(2 * PAGE, core.io('mapper', 4, { read: () => 0, write }, { owner: mapper }));
  const space = core.addressSpace(root, 'space');
  const doomed = {};
  const gone = core.io('gone', 4, { read: () => 0, write() {} }, { owner: doomed });
  root.addSubregion(3 * PAGE, gone);
  root.delSubregion(gone);
  core.whenUnreferenced(doomed, () => log.push('unreferenced'));
  let most = 0;
  for (let i = 1; i <= 5000; i++) {
    space.store(2 * PAGE, le32, i & 7);
    space.load(0, le32);
    most = Math.max(most, core.rcu.pending);
  }
  expect(most).toBeLessThan(300);
  expect(log).toEqual(['unreferenced']);
});

it('T-97: an access goes on with its view, also where what is reclaimed before it takes the device out of the map', () => {
  const core = new MemoryCore();
  const root = core.container('root', 0x10000);
  const log: string[] = [];
  const owner = {};
  const device = core.io('device', 4, { read: () => log.push('read'), write() {} }, { owner });
  root.addSubregion(0, device);
  const space = core.addressSpace(root, 'space');
  const takeOut = (): void => {
    root.delSubregion(device);
    core.whenUnreferenced(owner, () => log.push('unreferenced'));
  };
  for (let i = 0; i < 400; i++) core.rcu.callRcu(i === 0 ? takeOut : () => {});
  space.map.restart();
  expect(space.load(0, le32)).toBe(1);
  expect(log).toEqual(['read']);
  core.rcu.drain();
  expect(log).toEqual(['read', 'unreferenced']);
});

it('T-97: RAM is not reclaimed before the store whose tap took it out of the map, however much waits', () => {
  const core = new MemoryCore();
  const root = core.container('root', 0x10000);
  const log: string[] = [];
  const owner = {};
  const bytes = new Uint8Array(PAGE);
  const backing = Object.assign(bufferBacking(bytes), { detachable: true }); // Looked up anew at each access.
  const ram = core.ram('ram', backing, { owner });
  root.addSubregion(0, ram);
  const other = core.ram('other', bufferBacking(PAGE));
  root.addSubregion(PAGE, other);
  const space = core.addressSpace(root, 'space');
  const tap = space.tap(0, 4, () => {
    core.whenUnreferenced(owner, () => log.push(`unreferenced, holds ${bytes[0]}`));
    root.delSubregion(ram);
    for (let i = 0; i < 600; i++) other.setEnabled(i % 2 !== 0);
  });
  space.store(0, le32, 5);
  tap.dispose();
  core.rcu.drain();
  expect(log).toEqual(['unreferenced, holds 5']);
});

it('T-97: RAM is not reclaimed before the object whose getter took it out of the map is written', () => {
  const core = new MemoryCore();
  const root = core.container('root', 0x10000);
  const log: string[] = [];
  const owner = {};
  const bytes = new Uint8Array(PAGE);
  const ram = core.ram('ram', bufferBacking(bytes), { owner });
  root.addSubregion(0, ram);
  const space = core.addressSpace(root, 'space');
  core.whenUnreferenced(owner, () => log.push(`unreferenced, holds ${bytes[0]}`));
  space.writeObj(0, struct({ only: le32 }), {
    get only() {
      root.delSubregion(ram);
      return 5;
    },
  });
  core.rcu.drain();
  expect(log).toEqual(['unreferenced, holds 5']);
  expect(core.access.idle).toBe(true);
});

it('T-97, T-108: nothing is reclaimed between the accesses of a transaction or of a listener', () => {
  const core = new MemoryCore();
  const root = core.container('root', 0x10000);
  root.addSubregion(0, core.ram('ram', bufferBacking(PAGE)));
  const space = core.addressSpace(root, 'space');
  let ran = 0;
  const look = (): void => {
    for (let i = 0; i < 400; i++) core.rcu.callRcu(() => ran++);
    space.map.restart();
    space.load(0, le32);
    expect(ran).toBe(0);
  };
  core.transaction(look);
  expect(ran).toBe(400);
  ran = 0;
  space.registerListener({ regionAdd: look });
  expect(ran).toBe(400);
});

it('D10, D15: a tap that accesses what it watches ends in an error of its own, and leaves the space usable', () => {
  const { core, space } = doomed();
  let calls = 0;
  const tap = space.tap(0x2000, 4, () => {
    calls++;
    const tx = new MemTx();
    space.txLoad(0x2000, le32, MEMTXATTRS_UNSPECIFIED, tx);
  });
  expect(() => space.load(0x2000, le32)).toThrow(
    new RangeError('a tap accesses what it watches itself, 64 calls deep'),
  );
  expect([calls, core.access.idle]).toEqual([64, true]);
  tap.dispose();
});

it('A-48, A-49: a notifier that stores to its own doorbell is refused at the bound of nesting', () => {
  const m = new TestMachine();
  const device = m.device(0, 0x10);
  let calls = 0;
  const results: number[] = [];
  device.addEventFd(0, 4, false, 0, {
    notify: () => {
      calls++;
      const tx = new MemTx();
      m.space.txStore(0, le32, 1, MEMTXATTRS_UNSPECIFIED, tx);
      results.push(tx.result);
    },
  });
  m.space.store(0, le32, 1);
  expect([calls, results[0], results.at(-1), m.core.access.depth]).toEqual([
    64,
    MemTxResult.ACCESS_ERROR,
    MemTxResult.OK,
    0,
  ]);
});

it('A-70, V-1.3: an atomic access that is not aligned is an outcome where there is a place for one, and moves nothing', () => {
  const m = new TestMachine();
  m.ram(0, 0x100);
  m.space.store(0, le32, 0x0403_0201);
  const tx = new MemTx();
  expect(m.space.txLoad(1, le32, MEMTXATTRS_UNSPECIFIED, tx, Ordering.SEQ_CST)).toBe(0);
  expect([tx.result, tx.done]).toEqual([MemTxResult.DECODE_ERROR, 0]);
  m.space.txStore(1, le32, 0xffff_ffff, MEMTXATTRS_UNSPECIFIED, tx, Ordering.RELEASE);
  expect([tx.result, tx.done, m.space.load(0, le32)]).toEqual([MemTxResult.DECODE_ERROR, 0, 0x0403_0201]);
  expect(() => m.space.load(1, le32, Ordering.SEQ_CST)).toThrow(expect.objectContaining({ code: 'misaligned' }));
});

/** RAM of two pages, clean, while all memory is logged. */
function logged(): { m: TestMachine; ram: MemoryRegion } {
  const m = new TestMachine();
  const ram = m.ram(0, 2 * PAGE, 'ram', bufferBacking(2 * PAGE));
  m.core.globalDirtyLogStart(1);
  memoryRegionResetDirty(ram, 0, 2 * PAGE, MIGRATION);
  return { m, ram };
}

it('A-186, V-1.5: what a source that throws may have written is dirty', () => {
  const { m, ram } = logged();
  const src = {
    readVolatile: (bytes: Uint8Array): number => {
      bytes[0] = 7;
      throw new TypeError('broken');
    },
  };
  expect(() => m.space.readVolatileFrom(0, src, 8)).toThrow('broken');
  expect([m.space.load(0, u8), memoryRegionGetDirty(ram, 0, 8, MIGRATION)]).toEqual([7, true]);
  expect(memoryRegionGetDirty(ram, PAGE, PAGE, MIGRATION)).toBe(false);
});

it('D15, V-1.5: a tap sees what streams move, and an observer of loads what they read', () => {
  const m = new TestMachine();
  m.ram(0, PAGE);
  const seen: string[] = [];
  const tap = m.space.tap(0x10, 4, ({ addr, size, isWrite, bytes }) =>
    seen.push(`${addr}+${size} ${isWrite ? 'write' : 'read'} ${bytes!.join()}`),
  );
  m.space.readVolatileFrom(0x10, { readVolatile: (bytes) => bytes.fill(5).length }, 2);
  m.space.writeVolatileTo(0x11, { writeVolatile: (bytes) => bytes.length }, 2);
  expect(seen).toEqual(['16+2 write 5,5', '17+2 read 5,0']);
  tap.dispose();
  const loads: string[] = [];
  m.core.access.observer = { dmaRead: (addr, len) => void loads.push(`${addr}+${len}`) };
  m.space.writeVolatileTo(0x20, { writeVolatile: (bytes) => bytes.length }, 8);
  expect(loads).toEqual(['32+8']);
});

it('D15, V-1.5: a tap elsewhere leaves a stream of RAM in one piece', () => {
  const m = new TestMachine();
  m.ram(0, 0x10000);
  m.space.tap(0x8000, 4, () => undefined);
  const asked: number[] = [];
  m.space.readVolatileFrom(0x100, { readVolatile: (bytes) => asked.push(bytes.length) && bytes.length }, 1500);
  expect(asked).toEqual([1500]);
});

it('A-186, T-105: logging that starts inside a transaction marks from then on', () => {
  const m = new TestMachine();
  const ram = m.ram(0, 2 * PAGE);
  for (let i = 0; i < 100; i++) m.space.store(PAGE, le32, i);
  memoryRegionResetDirty(ram, 0, 2 * PAGE, VGA);
  memoryRegionResetDirty(ram, 0, 2 * PAGE, MIGRATION);
  m.core.transaction(() => {
    m.core.globalDirtyLogStart(1);
    ram.setLog(true, VGA);
    m.space.store(PAGE, le32, 1);
  });
  for (const client of [VGA, MIGRATION])
    expect([0, PAGE].map((at) => memoryRegionGetDirty(ram, at, PAGE, client))).toEqual([false, true]);
});

it('V-1.5, A-65: a stream writes to a device that takes no single bytes as a transfer does', () => {
  const m = new TestMachine();
  m.device(0x1002, 0x10, { valid: { minAccessSize: 4, maxAccessSize: 4 } });
  const source = { readVolatile: (bytes: Uint8Array): number => bytes.fill(1).length };
  expect(m.space.readVolatileFrom(0x1002, source, 8)).toBe(8);
  m.space.readExactVolatileFrom(0x100a, source, 8);
  expect(m.log).toEqual([0, 4, 8, 0xc].map((offset) => `W4@${offset.toString(16)}=0x1010101`));
  const never = {
    readVolatile: (): number => {
      throw new Error('asked');
    },
  };
  expect(() => m.space.readVolatileFrom(0x1004, never, 8)).toThrow(/DECODE_ERROR/); // 2 bytes at offset 2.
  expect(() => m.space.readVolatileFrom(0x1002, never, 3)).toThrow(/DECODE_ERROR/);
  expect(() => m.space.readVolatileFrom(0x2000, never, 8)).toThrow(/DECODE_ERROR/);
});

it.each([
  ['ends', DECODE_ERROR, 12],
  ['fails', ERROR, 8],
] as const)(
  'V-1.5, A-276: where a device %s, what a source gave in vain is an error, not a short count',
  (how, result, completed) => {
    const m = new TestMachine();
    const writeWithAttrs = (offset: number, _value: number, _size: number, _attrs: MemTxAttrs, tx: MemTx): void => {
      if (how === 'fails' && offset === 8) tx.result |= ERROR;
    };
    m.root.addSubregion(0x1000, m.core.io('fifo', 12, { read: () => 0, writeWithAttrs }));
    for (const space of [m.space, m.space.with({})]) {
      const source = new ByteSource(new Uint8Array(64));
      const failed = expect.objectContaining({
        name: 'MemTxError',
        result,
        expected: 64,
        completed,
        addr: 0x1000 + completed,
      });
      expect(() => space.readVolatileFrom(0x1000, source, 64)).toThrow(failed);
      expect(source.position).toBe(64);
      // Nothing is lost where the source gives no more than is taken.
      expect(space.readVolatileFrom(0x1000, new ByteSource(new Uint8Array(completed)), 64)).toBe(completed);
    }
  },
);

it('A-60, T-97: a stream into a device goes on with the map of its beginning', () => {
  const { space, log, take } = doomed();
  const source = {
    readVolatile: (bytes: Uint8Array): number => {
      take();
      return bytes.length;
    },
  };
  expect(space.readVolatileFrom(PAGE, source, 0x100 - 4)).toBe(0xfc);
  const m = new TestMachine();
  const region = m.device(0x1000, 0x1000);
  const asked: number[] = [];
  const cut = {
    readVolatile: (bytes: Uint8Array): number => {
      if (asked.push(bytes.length) === 1) m.root.delSubregion(region);
      return bytes.length;
    },
  };
  expect([m.space.readVolatileFrom(0x1000, cut, 600), asked, m.log.length]).toEqual([600, [256, 256, 88], 150]);
  expect(log.filter((each) => each.startsWith('write')).length).toBe(63);
});

it('D15: a tap does not see a store that is refused for its value or its ordering', () => {
  const m = new TestMachine();
  m.ram(0, PAGE);
  const seen: unknown[] = [];
  m.space.tap(0, 8, ({ value }) => seen.push(value));
  expect(() => m.space.store(0, le32, -1)).toThrow(RangeError);
  expect(() => m.space.store(0, le32, 1, Ordering.ACQUIRE)).toThrow(TypeError);
  m.space.store(0, le32, 2, Ordering.RELEASE);
  expect(seen).toEqual([2]);
  expect(() => m.space.tap(0, 8, () => undefined, { on: 'sideways' as never })).toThrow(TypeError);
});

it('D15, A-61: a tap at 0 sees a transfer that goes on there after 2^64 - 1, and no other', () => {
  const m = new TestMachine();
  m.ram(0, 16);
  m.ram(2n ** 64n - 16n, 16);
  const seen: unknown[] = [];
  m.space.tap(0, 4, ({ addr, size, isWrite }) => seen.push([addr, size, isWrite]));
  m.space.tap(6, 1, () => seen.push('too far'));
  const start = 2n ** 64n - 4n;
  const tx = new MemTx();
  for (const onError of ['continue', 'stop'] as const) {
    m.space.txWrite(start, new Uint8Array(8), MEMTXATTRS_UNSPECIFIED, onError, tx);
    m.space.txRead(start, new Uint8Array(8), MEMTXATTRS_UNSPECIFIED, onError, tx);
  }
  expect(seen).toEqual([
    [start, 8, true],
    [start, 8, false],
  ]);
});

it('V-1.5: a source or sink that throws is the cause of an io-error that tells how far it got, in RAM and in a device', () => {
  const m = new TestMachine();
  m.ram(0, 0x1000);
  m.device(0x1000, 0x1000);
  for (const start of [0xffc, 0x1000, 0x100]) {
    let calls = 0;
    const once = (bytes: Uint8Array): number => {
      if (calls++ % 2 === 1) throw new TypeError('unplugged');
      return Math.min(bytes.length, 4);
    };
    const told = { code: 'io-error', expected: 8, completed: 4, addr: start + 4, cause: new TypeError('unplugged') };
    const error = expect.objectContaining(told);
    expect(() => m.space.readExactVolatileFrom(start, { readVolatile: once }, 8)).toThrow(error);
    expect(() => m.space.writeAllVolatileTo(start, { writeVolatile: once }, 8)).toThrow(error);
  }
  expect(m.core.access.idle).toBe(true);
});

it('A-216, T-97: a callback that polls or drains ends no view of the access that it is part of', () => {
  const m = new TestMachine();
  const owner = {};
  const log: unknown[] = [];
  const device = m.core.io(
    'device',
    0x1000,
    {
      read() {
        m.root.delSubregion(device);
        log.push(m.core.rcu.poll());
        expect(() => m.core.rcu.drain()).toThrow(expect.objectContaining({ code: 'in-read-section' }));
        log.push('read');
        return 1;
      },
      write() {},
    },
    { owner },
  );
  m.root.addSubregion(0, device);
  m.core.whenUnreferenced(owner, () => void log.push('gone'));
  expect(m.space.load(0, u8)).toBe(1);
  m.core.rcu.poll();
  expect(log).toEqual([0, 'read', 'gone']);
});
