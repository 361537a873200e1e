/** A space whose worker is an agent of this very thread: what happens between two steps of the one or the other is then exact. */
import { le32, MEMTXATTRS_UNSPECIFIED, u8 } from '@guestmem/memtx';
import { bufferBacking, Permissions } from '@guestmem/vm-memory';
import { afterEach, expect, it, vi } from 'vitest';
import { CTR, slotWord } from '../../src/rcu/shared-layout.ts';
import { SharedRcu } from '../../src/rcu/shared-rcu.ts';
import { scalarFlags } from '../../src/worker/attached-scalars.ts';
import { attach } from '../../src/worker/attached-space.ts';
import type { SharedSpaceNews } from '../../src/worker/handle.ts';
import { OwnerQuestions } from '../../src/worker/owner-questions.ts';
import {
  ADDR_LO,
  ANSWERED,
  BEGIN,
  Extent,
  FLAGS,
  FOR_WRITE,
  LEN_LO,
  OP,
  Op,
  READY,
  Ring,
  STATE,
} from '../../src/worker/ring-layout.ts';
import { CURRENT, TableArena } from '../../src/worker/table-layout.ts';
import { type Machine, machine } from './support/machine.ts';
import { share } from './support/opened.ts';

/** RAM at 0x10_0000 whose owner tells when nothing holds it any more. */
function owned({ core, root }: Machine, name: string, log: string[]) {
  const owner = {};
  const ram = core.ram(name, bufferBacking(0x1000, { shared: true }), { owner });
  root.addSubregion(0x10_0000, ram);
  return {
    ram,
    remove() {
      root.delSubregion(ram);
      core.whenUnreferenced(owner, () => void log.push(name));
    },
  };
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** What is rejected and handled by nobody while `run` runs, which sees it come, and for a moment after it. */
async function unhandled(run: (seen: readonly unknown[]) => unknown): Promise<unknown[]> {
  const seen: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (error) => seen.push(error));
  try {
    await run(seen);
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  }
  return seen;
}

afterEach(() => {
  vi.restoreAllMocks();
});

it('D8: RAM that came and went while no table was free is not known for ever', () => {
  const made = machine();
  const shared = share(made, { tables: 1 });
  const worker = attach(shared.handle());
  worker.rcu.readLock(); // Holds the only table.
  for (let i = 0; i < 5; i++) {
    const ram = made.core.ram(`ram ${i}`, bufferBacking(0x1000, { shared: true }));
    made.root.addSubregion(0x10_0000, ram);
    made.root.delSubregion(ram);
  }
  worker.rcu.readUnlock();
  for (let i = 0; i < 4; i++) shared.poll();
  expect(shared.handle().blocks.map(({ name }) => name)).toEqual(['ram', 'rom']);
  worker.detach();
});

it('A-212: a table is complete when it is published, and does not change while a section that took it is open', () => {
  const made = machine();
  const shared = share(made, { tables: 2 });
  const handle = shared.handle();
  const arena = new TableArena(handle.tables);
  const rows = (table: number) =>
    Array.from({ length: arena.count(table) }, (_, row) => [arena.first(table, row), arena.last(table, row)]);
  const current = () => Atomics.load(arena.words, CURRENT);
  const worker = attach(handle);
  worker.rcu.readLock();
  const taken = current();
  const shown = [
    [0, 0xffff],
    [0x2_0000, 0x2_0fff],
  ];
  expect(rows(taken)).toEqual(shown);
  made.root.addSubregion(0x10_0000, made.core.alias('again', made.ram, 0, 0x1000));
  expect(rows(current())).toEqual([...shown, [0x10_0000, 0x10_0fff]]);
  made.root.addSubregion(0x20_0000, made.core.alias('more', made.ram, 0, 0x1000));
  for (let i = 0; i < 4; i++) shared.poll();
  expect([current(), rows(taken)]).toEqual([0, shown]); // The empty one: none was free.
  worker.rcu.readUnlock();
  for (let i = 0; i < 4; i++) shared.poll();
  expect(rows(current())).toHaveLength(4);
  worker.detach();
});

it('A-220: a view that a commit replaced lets go of its regions when the sections of workers have ended, not before', () => {
  const made = machine();
  const log: string[] = [];
  const shared = share(made);
  const shown = owned(made, 'shown', log);
  const worker = attach(shared.handle());
  worker.rcu.readLock();
  shown.remove();
  for (let i = 0; i < 4; i++) shared.poll();
  expect(log).toEqual([]);
  worker.rcu.readUnlock();
  for (let i = 0; i < 4; i++) shared.poll();
  expect(log).toEqual(['shown']);
  worker.detach();
});

it.each([false, true])(
  'A-226, A-242: the published table is read after ctr is written; table before section %s',
  (fault) => {
    const made = machine();
    const handle = share(made).handle();
    const worker = attach(handle, fault ? { faults: { tableBeforeSection: true } } : {});
    const order: string[] = [];
    const { load, store } = Atomics;
    vi.spyOn(Atomics, 'load').mockImplementation(((words: Int32Array, index: number) => {
      if (words.buffer === handle.tables && index === CURRENT) order.push('table');
      return load(words, index);
    }) as typeof Atomics.load);
    vi.spyOn(Atomics, 'store').mockImplementation(((words: Int32Array, index: number, value: number) => {
      if (words.buffer === handle.rcu && index === slotWord(worker.rcu.slot) + CTR)
        order.push(value === 0 ? 'leave' : 'enter');
      return store(words, index, value);
    }) as typeof Atomics.store);
    worker.load(0, le32);
    vi.restoreAllMocks();
    expect(order).toEqual(fault ? ['table', 'enter', 'leave'] : ['enter', 'table', 'leave']);
    worker.detach();
  },
);

it('D8: options that are none of their values are refused when sharing and attaching, and take no slot', () => {
  const made = machine();
  for (const options of [{ stallMs: -1 }, { stallMs: Number.NaN }, { workers: 0 }, { tables: 0.5 }])
    expect(() => made.space.share(options), JSON.stringify(options)).toThrow(RangeError);
  const shared = share(made, { workers: 1 });
  for (const options of [{ timeoutMs: Number.NaN }, { timeoutMs: -1 }, { spins: -1 }])
    expect(() => attach(shared.handle(), options), JSON.stringify(options)).toThrow(RangeError);
  expect(() => made.space.share({ workers: '2' as never })).toThrow(TypeError);
  for (const options of [{ timeoutMs: '5' }, { spins: 4n }, { flavour: 'foo' }] as never[])
    expect(() => attach(shared.handle(), options)).toThrow(TypeError);
  attach(shared.handle(), { timeoutMs: Number.POSITIVE_INFINITY, spins: 0 }).detach();
  for (const timeoutMs of [Number.NaN, -1])
    expect(() => shared.serve({ timeoutMs, until: () => true })).toThrow(RangeError);
  expect(() => shared.serve({ timeoutMs: '5' as never, until: () => true })).toThrow(TypeError);
  shared.serve({ timeoutMs: 0 });
});

it('A-276: the smallest ring carries the largest failure of an access whole', () => {
  const made = machine();
  const shared = share(made, { ringPayload: 512 });
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    shared.poll();
    return 'ok';
  });
  const worker = attach(shared.handle(), { spins: 0 });
  const addr = 0xffff_ffff_ffff_0000n;
  expect(() => worker.readSlice(new Uint8Array(0x1000), addr)).toThrow(
    expect.objectContaining({
      name: 'MemTxError',
      code: 'invalid-guest-address',
      result: 2,
      addr,
      expected: 0x1000,
      completed: 0,
      message: 'read of 4096 bytes at 0xffffffffffff0000 failed: DECODE_ERROR after 0 bytes',
    }),
  );
});

it('T-100, A-220: a space that is disposed of while it is shared lets go of its view with the quantum that saw it', () => {
  const made = machine();
  const log: string[] = [];
  const owner = {};
  const ram = made.core.ram('alone', bufferBacking(0x1000, { shared: true }), { owner });
  const space = made.core.addressSpace(ram, 'alone');
  const shared = share({ ...made, space });
  const worker = attach(shared.handle(), { flavour: 'quiescent', timeoutMs: 1 });
  worker.store(0, le32, 0x44);
  space.dispose();
  made.core.whenUnreferenced(owner, () => void log.push('alone'));
  for (let i = 0; i < 4; i++) shared.poll();
  worker.store(0, le32, 0x55);
  expect([log, ram.ram!.backing.segmentAt(0).view.getUint32(0, true)]).toEqual([[], 0x55]);
  for (let i = 0; i < 12; i++) {
    worker.quiescent();
    shared.poll();
  }
  expect(log).toEqual(['alone']);
  // Nothing is there any more: the owner is asked, and does not answer here.
  expect(() => worker.store(0, le32, 0x66)).toThrow(expect.objectContaining({ name: 'WorkerError' }));
  expect(ram.ram!.backing.segmentAt(0).view.getUint32(0, true)).toBe(0x55);
  worker.detach();
  shared.close();
});

it('D15: a port connected twice gets news twice, and once when one connection is disposed of', () => {
  const made = machine();
  const shared = share(made);
  const seen: string[] = [];
  const port = {
    postMessage: (news: unknown) => {
      if ((news as SharedSpaceNews).guestmem === 'ram') seen.push('ram');
    },
  };
  const first = shared.connect(port);
  shared.connect(port);
  first.dispose();
  made.root.addSubregion(0x10_0000, made.core.ram('added', bufferBacking(0x1000, { shared: true })));
  expect(seen).toEqual(['ram']);
});

it('V-1.5, A-196: a source that fails after it has written leaves all it was offered marked', () => {
  const made = machine();
  made.ram.setLog(true, 0);
  const { dirty } = made.ram.ram!;
  dirty.testAndClear(0, 0x1_0000, 0);
  const worker = attach(share(made).handle());
  const readVolatile = (bytes: Uint8Array): number => {
    bytes[0] = 9;
    throw new Error('the source is broken');
  };
  const failed = expect.objectContaining({ code: 'io-error', completed: 0, cause: new Error('the source is broken') });
  expect(() => worker.readVolatileFrom(0x1fff, { readVolatile }, 0x10)).toThrow(failed);
  expect(made.space.load(0x1fff, u8)).toBe(9);
  expect([0, 1, 2, 3].map((page) => dirty.get(page * 0x1000, 1, 0))).toEqual([false, true, true, false]);
  worker.detach();
});

it('A-84, V-1.8: a worker takes 2^64 bytes for a length, and no string', () => {
  const made = machine();
  const space = attach(share(made).handle());
  expect([space.checkRange(5, 1n << 64n), space.checkRange(0x9000, 0n)]).toEqual([false, true]);
  expect(space.getSlices(0x1ffe, 1n << 64n).next().value?.length).toBeGreaterThan(1);
  expect(() => space.checkRange(0, '16' as never)).toThrow(/length must be a number or a bigint, not the string "16"/);
  space.detach();
});

it.each([
  ['nothing said', undefined],
  ['for reading', Permissions.READ],
  ['for writing', Permissions.WRITE],
])('A-142, A-196: a slice of a worker marks what is written through it: %s', (_, access) => {
  const made = machine();
  const { dirty } = made.ram.ram!;
  made.ram.setLog(true, 0);
  const space = attach(share(made).handle());
  dirty.testAndClear(0, 0x1_0000, 0);
  for (const slice of space.getSlices(0x1ffe, 4, access)) slice.write(Uint8Array.of(1, 2, 3, 4), 0);
  expect([0, 1, 2, 3].map((page) => dirty.get(page * 0x1000, 1, 0))).toEqual([false, true, true, false]);
  space.detach();
});

it('A-78, D10: a worker refuses write_rom of what is no Uint8Array, and asks nobody', () => {
  const space = attach(share(machine()).handle());
  for (const wrong of [new ArrayBuffer(4), [1, 2, 3, 4], Uint16Array.of(0x1234), null])
    expect(() => space.writeRom(0, wrong as never)).toThrow(expect.objectContaining({ name: 'TypeError' }));
  expect(space.forwarded).toBe(0);
  space.detach();
});

it('T-97, A-60: polling the shared space in the middle of an access reclaims nothing', () => {
  const made = machine();
  const shared = share(made);
  const owner = {};
  const events: string[] = [];
  const device = made.core.io(
    'leaving',
    8,
    {
      endianness: 'little',
      impl: { maxAccessSize: 1 },
      read(offset) {
        events.push(`read ${offset}`);
        if (offset === 0) made.root.delSubregion(device);
        shared.poll();
        shared.release({ claim: shared.handle().claim });
        return offset;
      },
    },
    { owner },
  );
  made.root.addSubregion(0x7_0000, device);
  made.core.whenUnreferenced(owner, () => void events.push('reclaimed'));
  expect(made.space.load(0x7_0000, le32)).toBe(0x0302_0100);
  shared.poll();
  expect(events).toEqual(['read 0', 'read 1', 'read 2', 'read 3', 'reclaimed']);
});

it('A-217: what a worker could reach when it was let go is held until its release; what came later is not', () => {
  const made = machine();
  const log: string[] = [];
  const shared = share(made, { stallMs: 20, onEvict: () => void log.push('evicted') });
  const before = owned(made, 'before', log);
  const handle = shared.handle();
  const worker = attach(handle, { flavour: 'quiescent' });
  worker.store(0x10_0000, le32, 1);
  before.remove();
  for (let i = 0; i < 8; i++) {
    shared.poll();
    pause(5);
  }
  expect(log).toEqual(['evicted']);
  const after = owned(made, 'after', log);
  after.remove();
  for (let i = 0; i < 4; i++) shared.poll();
  expect(log).toEqual(['evicted', 'after']);
  worker.store(0x10_0000, le32, 0xbad); // Within its quantum nothing stops it.
  expect(before.ram.ram!.backing.segmentAt(0).view.getUint32(0, true)).toBe(0xbad);
  expect(() => worker.quiescent()).toThrow(expect.objectContaining({ code: 'evicted' }));
  expect(shared.release(handle)).toBe(true);
  for (let i = 0; i < 4; i++) shared.poll();
  expect(log).toEqual(['evicted', 'after', 'before']);
  expect(shared.stats).toMatchObject({ lostTables: 0, freeTables: 15 });
});

it('A-217: what a worker could reach is held until its release also when the program itself let it go', () => {
  const made = machine();
  const log: string[] = [];
  const shared = share(made);
  const shown = owned(made, 'shown', log);
  const handle = shared.handle();
  const worker = attach(handle, { flavour: 'quiescent' });
  worker.store(0x10_0000, le32, 1);
  for (let i = 0; i < 2; i++) shared.domain.evict(worker.rcu.slot, 'unresponsive');
  shown.remove();
  for (let i = 0; i < 4; i++) shared.poll();
  expect([log, shared.stats.lostTables]).toEqual([[], 1]);
  worker.store(0x10_0000, le32, 0xbad); // Within its quantum nothing stops it.
  expect(shown.ram.ram!.backing.segmentAt(0).view.getUint32(0, true)).toBe(0xbad);
  shared.release(handle);
  for (let i = 0; i < 4; i++) shared.poll();
  expect([log, shared.stats.lostTables]).toEqual([['shown'], 0]);
});

it('A-217: of two workers that were let go each keeps what it could reach, until its own release', () => {
  const made = machine();
  const log: string[] = [];
  const shared = share(made, { stallMs: 10 });
  const handles = ['first', 'second'].map((name) => {
    const shown = owned(made, name, log);
    const handle = shared.handle();
    attach(handle, { flavour: 'quiescent' });
    shown.remove();
    for (let i = 0; i < 6; i++) {
      shared.poll();
      pause(5);
    }
    return handle;
  });
  shared.release(handles[1]!);
  for (let i = 0; i < 4; i++) shared.poll();
  expect(log).toEqual(['second']);
  shared.release(handles[0]!);
  for (let i = 0; i < 4; i++) shared.poll();
  expect(log).toEqual(['second', 'first']);
});

it('A-217, A-226: a worker that is let go between entering and taking the table does not use what was published since', () => {
  const made = machine();
  const shared = share(made, { stallMs: 0 });
  const handle = shared.handle();
  const worker = attach(handle);
  const { load } = Atomics;
  let armed = true;
  vi.spyOn(Atomics, 'load').mockImplementation(((words: Int32Array, index: number) => {
    if (armed && words.buffer === handle.tables && index === CURRENT) {
      armed = false;
      made.core.rcu.callRcu(() => undefined);
      for (let i = 0; i < 3; i++) shared.poll(); // Lets it go.
      made.root.addSubregion(0x10_0000, made.core.alias('later', made.ram, 0, 0x1000)); // RAM that it knows.
    }
    return load(words, index);
  }) as typeof Atomics.load);
  expect(() => worker.load(0x10_0000, le32)).toThrow(expect.objectContaining({ code: 'evicted' }));
  expect([armed, worker.rcu.depth]).toEqual([false, 0]);
});

it('A-210, A-217: a quantum that is open when the space is closed holds what it shows', () => {
  const made = machine();
  const log: string[] = [];
  const shared = share(made);
  const shown = owned(made, 'shown', log);
  const worker = attach(shared.handle(), { flavour: 'quiescent' });
  worker.store(0x10_0000, le32, 1);
  shared.close();
  shown.remove();
  for (let i = 0; i < 4; i++) shared.poll();
  worker.store(0x10_0000, le32, 2);
  expect(log).toEqual([]);
  worker.quiescent();
  expect(() => worker.load(0x10_0000, le32)).toThrow(expect.objectContaining({ code: 'closed' }));
  for (let i = 0; i < 12; i++) {
    worker.quiescent();
    shared.poll();
  }
  expect(log).toEqual(['shown']);
  worker.detach();
});

it('A-217: whoever waits for a grace period lets go of a worker that stalls it, also when the space is closed', async () => {
  const made = machine();
  const claims: number[] = [];
  for (const wait of [() => made.core.rcu.synchronize(5000), () => made.core.rcu.synchronizeAsync(5000)]) {
    const shared = share(made, { stallMs: 20, onEvict: ({ claim }) => void claims.push(claim) });
    const handle = shared.handle();
    attach(handle).rcu.readLock();
    shared.close();
    await wait();
    expect(claims.splice(0)).toEqual([handle.claim]);
  }
});

it('A-217: the owner waits no longer for the readers of a space that was closed when the last of its workers has detached', () => {
  const made = machine();
  const shared = share(made);
  const worker = attach(shared.handle());
  shared.close();
  worker.detach();
  for (const at of [0x10_0000, 0x20_0000]) made.root.addSubregion(at, made.core.ram('next', 0x1000));
  // Nobody of the shared space: what still counted its readers would wait for this one.
  new SharedRcu(shared.domain.buffer).readLock();
  expect(() => made.core.rcu.synchronize(20)).not.toThrow();
});

it('A-217: who comes too late to a closed space and goes at once does not keep it', () => {
  const made = machine();
  const shared = share(made);
  const worker = attach(shared.handle());
  shared.close();
  worker.detach();
  const commit = (at: number): void => made.root.addSubregion(at, made.core.ram('next', 0x1000));
  commit(0x10_0000); // Sees that nobody is left.
  const late = new SharedRcu(shared.domain.buffer); // Has looked before the space was closed, and looks again.
  commit(0x20_0000);
  late.close();
  for (const at of [0x30_0000, 0x40_0000]) commit(at);
  new SharedRcu(shared.domain.buffer).readLock();
  expect(() => made.core.rcu.synchronize(20)).not.toThrow();
});

it('A-112, A-217: what a worker pinned is given back at commits when it has detached from a closed space, whoever stays', () => {
  const made = machine();
  const log: string[] = [];
  const shared = share(made);
  const shown = owned(made, 'shown', log);
  const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    shared.poll();
    return 'ok';
  });
  const [stays, goes] = [0, 1].map(() => attach(shared.handle(), { spins: 0 }));
  stays!.memory();
  goes!.memory();
  wait.mockRestore();
  const commit = (at: number): void => made.root.addSubregion(at, made.core.ram('next', 0x1000));
  shared.close();
  commit(0x20_0000);
  expect(shared.stats.pinned).toBe(2);
  goes!.detach();
  commit(0x30_0000);
  commit(0x40_0000);
  expect(shared.stats.pinned).toBe(1);
  shown.remove();
  stays!.detach();
  for (let at = 0x50_0000; at < 0x90_0000; at += 0x10_0000) commit(at);
  expect([shared.stats.pinned, log]).toEqual([0, ['shown']]);
});

it('A-216: what callbacks throw is thrown by poll when all have been called and every stalled worker is let go', () => {
  const made = machine();
  const onEvict = ({ slot }: { slot: number }) => {
    throw new Error(`evicted ${slot}`);
  };
  const shared = share(made, { stallMs: 10, onEvict });
  let ran = 0;
  made.core.rcu.callRcu(() => {
    throw new Error('reclaim');
  });
  made.core.rcu.callRcu(() => ran++);
  expect(() => shared.poll()).toThrow('reclaim');
  expect(ran).toBe(1);
  for (let i = 0; i < 2; i++) attach(shared.handle()).rcu.readLock();
  made.core.rcu.callRcu(() => ran++);
  for (let looks = 0; looks < 2; looks++) {
    shared.poll();
    pause(15);
  }
  const messages = ['evicted 0', 'evicted 1'].map((message) => expect.objectContaining({ message }));
  expect(() => shared.poll()).toThrow(expect.objectContaining({ errors: messages }));
  shared.poll();
  expect(ran).toBe(2);
});

it('A-216: a callback that throws ends neither serve nor serveAsync; what it threw surfaces', async () => {
  const made = machine();
  const shared = share(made, { stallMs: 10, onEvict: fails('onEvict') });
  let rounds = 0;
  made.core.rcu.callRcu(fails('first'));
  expect(() => shared.serve({ until: () => ++rounds === 3 })).toThrow('first');
  expect(rounds).toBe(3);
  let ended = false;
  const seen = await unhandled(async (sofar) => {
    const serving = shared.serveAsync().then(() => {
      ended = true;
    });
    attach(shared.handle()).rcu.readLock();
    made.core.rcu.callRcu(fails('second'));
    for (let i = 0; i < 2000 && sofar.length < 2; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ended).toBe(false);
    shared.close();
    await serving;
  });
  expect(seen).toEqual([
    expect.objectContaining({ message: 'onEvict' }),
    expect.objectContaining({ message: 'second' }),
  ]);
  expect(ended).toBe(true);
});

it('D8: a port that throws keeps neither the commit from being published nor other ports from being told', async () => {
  const made = machine();
  const shared = share(made);
  const worker = attach(shared.handle());
  const told: unknown[] = [];
  const broken = shared.connect({ postMessage: fails('port') });
  shared.connect({ postMessage: (news) => void told.push(news) });
  const before = worker.publication;
  const seen = await unhandled(() => void owned(made, 'added', []));
  worker.load(0, le32);
  expect(worker.publication).toBeGreaterThan(before);
  expect(told).toHaveLength(1);
  expect(seen).toEqual([expect.objectContaining({ message: 'port' })]);
  broken.dispose();
  worker.detach();
});

function fails(what: string): () => never {
  return () => {
    throw new Error(what);
  };
}

it('V-1.5, A-65: a worker is told that a device takes a stream which takes no single bytes, and that a hole takes none', () => {
  const made = machine();
  const valid = { minAccessSize: 4, maxAccessSize: 4 };
  made.root.addSubregion(0x40_0000, made.core.io('words', 0x10, { valid, write: () => undefined }));
  const questions = new OwnerQuestions(made.space, null as never, null as never);
  const ask = (addr: number, len: number): number => {
    const rest = { pin: 0, claim: 0, bytes: new Uint8Array(0), attrs: MEMTXATTRS_UNSPECIFIED };
    return questions.answer({ op: Op.EXTENT, addr, len, flags: FOR_WRITE, ...rest }, null).result;
  };
  expect([ask(0x40_0000, 8), ask(0x40_0000, 3), ask(0x40_0002, 8), ask(0x50_0000, 8)]).toEqual([
    Extent.OTHER,
    Extent.NONE,
    Extent.NONE,
    Extent.NONE,
  ]);
});

/** Puts a load of 4 bytes into the ring, as a worker with this slot does, and comes back without waiting. @returns the entry's phase. */
function ask(ringBuffer: SharedArrayBuffer, slot: number, addr: number): () => number {
  const ring = new Ring(ringBuffer);
  const at = ring.at(0);
  ring.words.fill(0, at, at + 16);
  ring.words[at + OP] = Op.LOAD | BEGIN;
  ring.words[at + FLAGS] = scalarFlags(le32, null, undefined);
  ring.words[at + ADDR_LO] = addr;
  ring.words[at + LEN_LO] = 4;
  ring.words[at + STATE] = ((slot + 1) << 4) | READY;
  return () => ring.words[at + STATE]! & 15;
}

it('A-219: who waits for the readers of one space serves those of the other, where they may wait in a section of the first', () => {
  const made = machine();
  const shared = share(made);
  const worker = attach(shared.handle());
  const ports = made.core.container('ports', 0x1000);
  const other = share({ space: made.core.addressSpace(ports, 'ports') });
  worker.rcu.readLock();
  ports.addSubregion(
    0,
    made.core.io('port', 0x1000, {
      read() {
        worker.rcu.readUnlock(); // The worker goes on.
        return 0;
      },
      write() {},
    }),
  );
  const handle = other.handle();
  const phase = ask(handle.ring, attach(handle).rcu.slot, 0);
  made.core.rcu.synchronize(1000);
  expect(phase()).toBe(ANSWERED);
  worker.detach();
});

it.each([
  ['an object without a prototype', Object.create(null)],
  ['an error without a text', Object.assign(new Error('no'), { message: 5n })],
])('D10: a worker gets an answer whatever was thrown: %s', (_, thrown) => {
  const made = machine();
  const shared = share(made);
  const handle = shared.handle();
  const worker = attach(handle);
  made.space.tap(0, 4, () => {
    throw thrown;
  });
  const phase = ask(handle.ring, worker.rcu.slot, 0);
  expect(shared.poll()).toBe(1);
  expect(phase()).toBe(ANSWERED);
  worker.detach();
});

it.each(['barrier', 'quiescent'] as const)('A-211: a receive that throws leaves no section open: %s', (flavour) => {
  const made = machine();
  const shared = share(made);
  let broken = false;
  const worker = attach(shared.handle(), {
    flavour,
    receive() {
      if (broken) throw new Error('the port is broken');
    },
  });
  if (flavour === 'quiescent') worker.goOffline();
  worker.load(0, le32);
  broken = true;
  for (const touch of [() => worker.load(0, le32), () => worker.hold()]) {
    made.root.addSubregion(0x10_0000, made.core.ram('more', bufferBacking(0x1000, { shared: true })), 1);
    expect(touch).toThrow('the port is broken');
    expect(worker.rcu.depth).toBe(0);
    made.root.delSubregion(made.root.children.find(({ name }) => name === 'more')!);
    expect(() => worker.load(0, le32)).toThrow('the port is broken');
  }
  expect(worker.load(0, le32)).toBe(0);
  made.core.rcu.synchronize(0);
  worker.detach();
});

it('A-112, A-217: a worker that may not detach, because a section is open, keeps the views that it holds', () => {
  const made = machine();
  const shared = share(made);
  const worker = attach(shared.handle(), { spins: 0 });
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    shared.poll();
    return 'ok';
  });
  const view = worker.memory();
  worker.rcu.readLock();
  expect(() => worker.detach()).toThrow(expect.objectContaining({ code: 'in-read-section' }));
  expect([view.disposed, view.load(0, le32), shared.stats.pinned]).toEqual([false, 0, 1]);
  worker.rcu.readUnlock();
  worker.detach();
  expect([view.disposed, shared.stats.pinned]).toEqual([true, 0]);
});

it('A-217: who finds every entry of the ring taken is told by whom, and sends nothing', () => {
  const made = machine();
  const shared = share(made, { ringEntries: 2 });
  const handle = shared.handle();
  attach(handle);
  const gone = attach(handle); // Has ended, with both entries, and the owner was not told.
  const worker = attach(shared.handle(), { spins: 0, timeoutMs: 20 });
  const ring = new Ring(handle.ring);
  for (const entry of [0, 1]) Atomics.store(ring.words, ring.at(entry) + STATE, ((gone.rcu.slot + 1) << 4) | ANSWERED);
  expect(() => worker.load(0x1_0000, le32)).toThrow(
    expect.objectContaining({
      code: 'owner-not-serving',
      message: expect.stringMatching(/2 ring entries .* by the workers in slots 1; nothing was sent\. .*release/),
    }),
  );
  shared.release(handle);
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    shared.poll();
    return 'ok';
  });
  expect(worker.load(0x1_0000, le32)).toBe(0x0100_00ed);
});

it('A-237: an agent that may not block is told so, and what it asked has no effect later', () => {
  const made = machine();
  const shared = share(made, { ringEntries: 1 });
  const worker = attach(shared.handle(), { spins: 0 });
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    throw new TypeError('Atomics.wait cannot be called in this context'); // As on a browser's main thread.
  });
  for (let i = 0; i < 2; i++)
    expect(() => worker.store(0x1_0004, le32, 1)).toThrow(
      expect.objectContaining({ name: 'WorkerError', code: 'cannot-block', message: expect.stringContaining('spins') }),
    );
  expect([shared.poll(), made.writes]).toEqual([0, []]);
});

it('A-217: release frees the slot and the ring entry of a worker that the program itself had let go', () => {
  const made = machine();
  const shared = share(made, { workers: 1, ringEntries: 1 });
  const handle = shared.handle();
  const worker = attach(handle, { timeoutMs: 5, spins: 0 });
  const ring = new Ring(handle.ring);
  const state = ring.at(0) + STATE;
  Atomics.store(ring.words, state, ((worker.rcu.slot + 1) << 4) | ANSWERED); // It has not collected its answer.
  expect(shared.domain.evict(worker.rcu.slot, 'unresponsive')).toBe(true);
  expect(shared.domain.evict(worker.rcu.slot, 'unresponsive')).toBe(true);
  expect(() => attach(shared.handle())).toThrow(expect.objectContaining({ code: 'no-free-slot' }));
  expect(() => worker.load(0, le32)).toThrow(expect.objectContaining({ code: 'evicted' }));
  expect([shared.release(handle), shared.release(handle)]).toEqual([true, false]);
  expect(Atomics.load(ring.words, state)).toBe(0);
  expect(attach(shared.handle()).rcu.slot).toBe(worker.rcu.slot);
});

it('A-217: release of a worker whose slot another has by now leaves the other alone', () => {
  const made = machine();
  const slots: number[] = [];
  const shared = share(made, { workers: 1, stallMs: 0, onEvict: ({ slot }) => slots.push(slot) });
  const handle = shared.handle();
  attach(handle, { flavour: 'quiescent' });
  made.core.rcu.callRcu(() => undefined);
  for (let i = 0; i < 4; i++) shared.poll();
  expect(slots).toEqual([0]);
  expect(shared.stats.lostTables).toBe(1);
  shared.domain.evict(0, 'dead'); // The program says so itself, and is right.
  const other = attach(shared.handle());
  expect([other.rcu.slot, shared.release(handle), shared.stats.lostTables]).toEqual([0, true, 0]);
  made.ram.ram!.backing.segmentAt(0).view.setUint32(0, 7, true);
  expect(other.load(0, le32)).toBe(7);
});

it('A-237: a clock that is set back does not make the owner serve for longer', () => {
  const shared = share(machine());
  let now = 10_000_000;
  let looks = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => (now += looks === 1 ? -3_600_000 : 10));
  shared.serve({ timeoutMs: 20, until: () => ++looks === 100 });
  expect(looks).toBeLessThan(10);
});

it('A-217: time in which nobody looked, of a suspended machine or a clock that was set, lets no worker go by itself', () => {
  const made = machine();
  const slots: number[] = [];
  const shared = share(made, { stallMs: 1000, onEvict: ({ slot }) => slots.push(slot) });
  const handle = shared.handle();
  attach(handle, { flavour: 'quiescent' });
  const ring = new Ring(handle.ring);
  const waiting = attach(shared.handle()).rcu.slot;
  Atomics.store(ring.words, ring.at(0) + STATE, ((waiting + 1) << 4) | ANSWERED);
  let now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  const after = (ms: number): readonly number[] => {
    now += ms;
    shared.poll();
    return slots.splice(0).sort();
  };
  made.core.rcu.callRcu(() => undefined);
  expect([after(0), after(3_600_000), after(-3_600_000), after(400)]).toEqual([[], [], [], []]);
  expect([...after(300), ...after(300)].sort()).toEqual([0, 1]);
});

it('A-238: RAM that comes back, as a bank that is switched does, is the same block to workers', () => {
  const made = machine();
  const { core, root } = made;
  const shared = share(made);
  const told: SharedSpaceNews[] = [];
  shared.connect({ postMessage: (news) => void told.push(news as SharedSpaceNews) });
  const [bank, other] = ['bank', 'other'].map((name) => core.ram(name, bufferBacking(0x1000, { shared: true })));
  for (const ram of [bank!, other!, bank!, other!]) {
    root.addSubregion(0x10_0000, ram);
    root.delSubregion(ram);
    core.rcu.drain();
  }
  const ids = told.map((news) => (news.guestmem === 'ram' ? news.block.id : -news.id));
  const [first, second] = [ids[0]!, ids[2]!];
  expect(ids).toEqual([first, -first, second, -second, first, -first, second, -second]);
  expect(first).not.toBe(second);
});
