/** What workers do in the tests. Each is one function, run in a worker thread; what it returns goes back to the test. */
import { be32, le16, le32, le64, MemTx, memTxAttrs, u8 } from '@guestmem/memtx';
import { Ordering, Permissions } from '@guestmem/vm-memory';
import type { Scenario } from './agent-data.ts';

interface Caught {
  readonly name?: unknown;
  readonly value?: unknown;
  readonly code?: unknown;
}

function caught(run: () => unknown): Caught {
  try {
    return { value: run() };
  } catch (error) {
    const { name, message, code, result, completed, expected, addr } = error as Record<string, unknown>;
    return { name, message, code, result, completed, expected, addr } as Caught;
  }
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  /** RAM only: loads, stores and bulk, little and big. */
  ram({ attach }) {
    const space = attach();
    space.store(0x1000, le32, 0x11223344);
    const values = [
      space.load(0x1000, le32),
      space.load(0x1000, be32),
      space.load(0x1002, le16),
      space.load(0x1fff, u8),
    ];
    space.writeSlice(Uint8Array.of(1, 2, 3, 4, 5), 0x1010);
    const back = new Uint8Array(5);
    space.readSlice(back, 0x1010);
    space.store(0x1020, le64, 0x0102_0304_0506_0708n, Ordering.SEQ_CST);
    const ordered = space.load(0x1020, le64, Ordering.ACQUIRE);
    const refused = caught(() => space.load(0x1021, le32, Ordering.ACQUIRE));
    return { values, back: [...back], ordered, refused, forwarded: space.forwarded };
  },

  /** A device, a hole, a ROM, and what spans them. */
  device({ attach }) {
    const space = attach();
    const tx = new MemTx();
    const dma = space.with({ requesterId: 0x20, secure: true, tx });
    const id = space.load(0x1_0000, le32);
    dma.store(0x1_0004, be32, 0x01020304);
    const stored = { result: tx.result, done: tx.done };
    space.txLoad(0x5_0000, le32, memTxAttrs({}), tx);
    const hole = { result: tx.result, done: tx.done };
    const across = new Uint8Array(8).fill(0xee);
    space.txRead(0xfffc, across, memTxAttrs({}), 'continue', tx);
    const spanned = { bytes: [...across], result: tx.result, done: tx.done };
    return {
      id,
      stored,
      hole,
      spanned,
      thrown: caught(() => space.load(0x5_0000, le32)),
      rom: [caught(() => space.store(0x2_0000, le32, 1)), space.load(0x2_0000, le32)],
      bad: [caught(() => space.load(-1, le32)), caught(() => space.load(0x1_0000, le32, 99 as Ordering))],
      high: caught(() => space.load(0xffff_ffff_ffff_fff0n, le32)),
      forwarded: space.forwarded,
    };
  },

  /** A device whose callback throws, then one that works. */
  throwing({ attach }) {
    const space = attach();
    return [caught(() => space.load(0x1_0008, le32)), space.load(0x1_0000, le32)];
  },

  /** A long transfer, in and out, through the owner. */
  long({ attach, args }) {
    const space = attach();
    const bytes = Uint8Array.from({ length: args[0]! }, (_, i) => (i * 7) & 0xff);
    space.writeSlice(bytes, 0);
    const back = new Uint8Array(bytes.length);
    space.readSlice(back, 0);
    return { same: bytes.every((value, i) => value === back[i]), forwarded: space.forwarded };
  },

  /** Stores the number of each turn that the test calls, into one page. */
  echo({ attach, signals, args }) {
    const space = attach();
    const words = new Int32Array(signals.buffer);
    for (let turn = 1; turn <= args[0]!; turn++) {
      while (Atomics.load(words, 0) < turn);
      if (Atomics.load(words, 3) === 1) break;
      space.store(0, le32, turn);
      Atomics.store(words, 1, turn);
    }
    return space.forwarded;
  },

  /** Reads one word after each move that the test makes. Barrier flavour: no quiescent call. */
  moves({ attach, signals, args }) {
    const space = attach();
    const seen: unknown[] = [];
    for (let turn = 1; turn <= args[0]!; turn++) {
      seen.push(caught(() => space.load(0, le32)).value ?? 'none');
      signals.raise(0);
      signals.wait(1, turn);
      if (args[1] === 1) {
        seen.push(caught(() => space.load(0, le32)).value ?? 'none'); // Before quiescent: still the old view.
        space.quiescent();
      }
    }
    seen.push(caught(() => space.load(0, le32)).value ?? 'none');
    return seen;
  },

  /** A register of a device moves RAM; the next access sees it, in every flavour. */
  selfMove({ attach }) {
    const space = attach();
    const before = space.load(0, le32);
    space.store(0x1_0000, le32, 1);
    return [before, space.load(0, le32)];
  },

  /** RAM that arrives late: first through the owner, then directly. */
  hotAdd({ attach, signals }) {
    const space = attach();
    signals.raise(0);
    signals.wait(1);
    space.store(0x100_0000, le32, 0xabcd);
    const through = { value: space.load(0x100_0000, le32), forwarded: space.forwarded };
    signals.raise(2);
    signals.wait(3);
    for (let i = 0; i < 100; i++) space.load(0x100_0000, le32); // Asks for news now and then.
    const before = space.forwarded;
    for (let i = 0; i < 100; i++) space.load(0x100_0000, le32);
    return { through, later: space.forwarded - before };
  },

  /** Writes a byte in every page. */
  dirty({ attach, args }) {
    const space = attach();
    for (let page = args[0]!; page < args[1]!; page += 2) space.store(page * 0x1000, u8, 1);
    space.writeSlice(new Uint8Array(0x1002), 0x2_0fff);
    return space.forwarded;
  },

  /** Enters a section and never leaves it. */
  hang({ attach, signals }) {
    const space = attach();
    space.rcu.readLock();
    space.load(0, le32);
    signals.raise(0);
    signals.wait(9, 1);
    return 'not reached';
  },

  /** Is late once, then goes on. */
  late({ attach, signals }) {
    const space = attach();
    space.load(0, le32);
    signals.raise(0);
    signals.wait(1);
    const quiescent = caught(() => space.quiescent());
    return [quiescent, caught(() => space.load(0, le32)), caught(() => space.load(0x1_0000, le32))];
  },

  /** Asks the device `args[0]` times. */
  ask({ attach, signals, args }) {
    const space = attach();
    let sum = 0;
    signals.raise(0);
    for (let i = 0; i < args[0]!; i++) sum += space.load(0x1_0000, le32);
    return sum;
  },

  /** Asks the device from within a section. */
  askInside({ attach, signals }) {
    const space = attach();
    return space.rcu.read(() => {
      signals.raise(0);
      return space.load(0x1_0000, le32);
    });
  },

  /** Adds 1 to the device's counter `args[0]` times, with its own id in the attributes. */
  count({ attach, args }) {
    const space = attach().with({ requesterId: args[1]! });
    for (let i = 0; i < args[0]!; i++) space.store(0x1_0004, le32, 1);
    return args[0];
  },

  /** Writes to a device that works on it until this agent has given up. */
  stuck({ attach, signals }) {
    const space = attach();
    const outcome = caught(() => space.store(0x1_0004, le32, 1));
    signals.raise(0);
    return outcome;
  },

  /** Own attribute fields, and some that are too large. */
  ownAttrs({ attach }) {
    const space = attach();
    const own = { world: 3, realm: 'x', wide: 5n } as object;
    const value = space.with(own).load(0x1_0000, le32);
    const large = caught(() => space.with({ note: 'y'.repeat(5000) } as object).load(0x1_0000, le32));
    return { value, large, after: space.load(0x1_0000, le32) };
  },

  /** One access, whatever comes of it. */
  once({ attach, args }) {
    const space = attach();
    return caught(() => space.load(args[0]!, le32));
  },

  /** Holds the view twice while the owner changes the map. */
  pin({ attach, signals }) {
    const space = attach();
    const view = space.memory();
    const copy = view.memory();
    view.load(0, le32);
    signals.raise(0);
    signals.wait(1);
    const pinned = [view.load(0, le32), view.load(0x1_0000, le32)];
    if (space.flavour === 'quiescent') space.quiescent();
    const now = [caught(() => space.load(0, le32)).value, caught(() => space.load(0x1_0000, le32))];
    view.dispose();
    const again = [copy.load(0, le32), copy.load(0x1_0000, le32)];
    copy.store(0, le32, 0x33);
    const stored = copy.load(0, le32);
    const refused = caught(() => view.load(0, le32));
    const disposed = [view.disposed, refused];
    space.detach(); // Gives the other one back.
    return { pinned, again, space: now, stored, disposed };
  },

  /** Stores through a view, and through slices of it, that were had before the owner started to log. */
  pinLogged({ attach, signals }) {
    const space = attach();
    const view = space.memory();
    const [slice] = view.getSlices(0x3000, 0x1000, Permissions.WRITE);
    view.store(0, u8, 1);
    signals.raise(0);
    signals.wait(1);
    view.store(8, u8, 2);
    view.writeSlice(new Uint8Array(0x1001), 0x1000);
    slice!.store(4, le32, 3);
    view.dispose();
    return space.forwarded;
  },

  /** Detaches with a view in hand, when nobody serves any more. */
  pinDetach({ attach, signals }) {
    const space = attach();
    const view = space.memory();
    signals.raise(0);
    signals.wait(1);
    space.detach();
    return [view.disposed, caught(() => view.load(0, le32)), caught(() => space.load(0, le32))];
  },

  /** Cannot give a view back while nobody serves; later it can. */
  pinLate({ attach, signals }) {
    const view = attach().memory();
    signals.raise(0);
    signals.wait(1);
    const late = caught(() => view.dispose());
    signals.raise(2);
    view.dispose();
    signals.raise(3);
    signals.wait(4);
    return [late, caught(() => view.load(0, le32))];
  },

  /** Goes on using a view when the owner has closed the space. */
  pinClosed({ attach, signals }) {
    const space = attach();
    if (space.flavour === 'quiescent') space.goOffline(); // The view is all that holds anything.
    const view = space.memory();
    view.store(0x10_0000, le32, 1);
    signals.raise(0);
    signals.wait(1);
    view.store(0x10_0000, le32, 2); // A window that was open before.
    const device = caught(() => view.load(0x1_0000, le32));
    space.detach();
    return { device, after: caught(() => view.store(0x10_0000, le32, 3)) };
  },

  /** Slices over RAM, and over all else. */
  slices({ attach }) {
    const space = attach();
    const lengths = [...space.getSlices(0x1000, 0x2000, Permissions.WRITE)].map(({ length }) => length);
    for (const slice of space.getSlices(0x1ffe, 4, Permissions.WRITE))
      slice.writeSlice(new Uint8Array(4).fill(0x77), 0);
    const read = space.getSlices(0x1fff, 1).next().value?.load(0, u8);
    const refused = (addr: number, access: Permissions) => caught(() => space.getSlices(addr, 4, access).next());
    return {
      lengths,
      read,
      plain: refused(0x10_0000, Permissions.READ),
      device: refused(0x1_0000, Permissions.READ),
      hole: refused(0x5_0000, Permissions.READ),
      rom: refused(0x2_0000, Permissions.WRITE),
      physical: space.physicalMemory(),
    };
  },

  /** What only the owner can do. */
  asks({ attach }) {
    const space = attach();
    const tx = new MemTx();
    // Refused by the ROM and by the hole behind it, all of it.
    space.set(0x2_0ff0, 0xab, 32, memTxAttrs({}), tx);
    const filled = { result: tx.result, done: tx.done };
    space.set(0x1_0004, 0xab, 4);
    space.writeRom(0x2_0000, Uint8Array.of(1, 2, 3, 4));
    space.stlNotdirty(0x100, 0x1234_5678);
    return {
      filled,
      rom: space.load(0x2_0000, le32),
      word: space.load(0x100, le32),
      io: [0, 0x1_0000, 0x5_0000, 0x2_0000].map((addr) => space.isIo(addr)),
      valid: [
        space.accessValid(0, 0x1_0000, 'write'),
        space.accessValid(0xfff0, 0x20, 'read'),
        space.accessValid(0x5_0000, 1, 'read'),
        space.accessValid(0x2_0000, 4, 'write'),
        space.accessValid(0x5_0000, 0, 'read'),
      ],
      ranges: [
        space.checkRange(0, 0x1_0000, Permissions.READ_WRITE),
        space.checkRange(0x2_0000, 4, Permissions.READ_WRITE),
        space.checkRange(0x2_0000, 4, Permissions.READ),
      ],
      mistakes: [
        caught(() => space.set(0, 256, 1)),
        caught(() => space.accessValid(0, -1, 'read')),
        caught(() => space.readSlice([] as never, 0)),
      ].map(({ name }) => name),
    };
  },
};
