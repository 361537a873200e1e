import {
  attributed,
  GuestDataView,
  le32,
  MemTx,
  MemTxView,
  memTxAttrs,
  memTxView,
  pinnedView,
  type TxMemory,
} from '@guestmem/memtx';
import { DISPOSE, type DisposableHandle, type GuestMemory, guestMemory } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';

/** A space whose map is replaced. */
function space() {
  const before = guestMemory([{ startAddr: 0x1000, memory: 16 }]);
  const after = guestMemory([{ startAddr: 0x2000, memory: 16 }]);
  before.store(0x1000, le32, 7);
  let current: GuestMemory = before;
  return { memory: () => current, replace: () => (current = after) };
}

it('A-252: a pinned view goes on seeing the map it was made with', () => {
  const machine = space();
  const pinned = pinnedView(machine, { requesterId: 0x20 });
  machine.replace();
  expect(pinned.load(0x1000, le32)).toBe(7);
  expect(() => pinned.load(0x2000, le32)).toThrow('DECODE_ERROR');
  expect(pinnedView(machine).load(0x2000, le32)).toBe(0);
  expect(pinned.attrs).toBe(memTxAttrs({ requesterId: 0x20 }));
});

it('A-252: once disposed, it and all views derived from it are TypeErrors, MemTx or not', () => {
  const pinned = pinnedView(space());
  const derived = pinned.with({ pid: 1, order: 'big', onError: 'continue' });
  const data = new GuestDataView(pinned, 0x1000, 16);
  expect(derived).toBeInstanceOf(MemTxView);
  expect(derived.ldl(0x1000)).toBe(0x0700_0000);
  expect(pinned.disposed).toBe(false);
  pinned.dispose();
  expect(pinned.disposed).toBe(true);
  for (const access of [
    () => pinned.load(0x1000, le32),
    () => pinned.store(0x1000, le32, 1),
    () => pinned.read(new Uint8Array(1), 0x1000),
    () => pinned.writeSlice(new Uint8Array(1), 0x1000),
    () => pinned.readObj(0x1000, le32),
    () => pinned.writeObj(0x1000, le32, 1),
    () => derived.ldl(0x1000),
    () => derived.load(0x1000, le32, new MemTx()),
    () => data.getUint8(0),
  ])
    expect(access).toThrow(
      new TypeError('the snapshot of this pinned view was given back (dispose); pin the memory again'),
    );
});

it('A-252: disposing gives a disposable snapshot back, once', () => {
  let released = 0;
  const memory = attributed(guestMemory([{ startAddr: 0, memory: 16 }]));
  const release = (): void => void released++;
  const snapshot: TxMemory & DisposableHandle = {
    txLoad: (...args) => memory.txLoad(...args),
    txStore: (...args) => memory.txStore(...args),
    txRead: (...args) => memory.txRead(...args),
    txWrite: (...args) => memory.txWrite(...args),
    dispose: release,
    [DISPOSE]: release,
  };
  const pinned = pinnedView({ memory: () => snapshot });
  pinned.store(0, le32, 5);
  pinned.writeObj(4, le32, 6);
  expect([pinned.load(0, le32), pinned.readObj(4, le32)]).toEqual([5, 6]);
  expect(released).toBe(0);
  pinned.dispose();
  pinned.dispose();
  pinned[DISPOSE]();
  expect(released).toBe(1);
});

it('A-252: what `using` does not take is not ended with the view: an address space is nobody’s snapshot', () => {
  let ended = 0;
  const space = Object.assign(guestMemory([{ startAddr: 0, memory: 16 }]), { dispose: () => void ended++ });
  pinnedView({ memory: () => space }).dispose();
  expect(ended).toBe(0);
});

it('A-252: options that are refused take no snapshot, so that none is left behind', () => {
  let taken = 0;
  const memory = () => {
    taken++;
    return guestMemory([{ startAddr: 0, memory: 16 }]);
  };
  expect(() => pinnedView({ memory }, { order: 'middle' as never })).toThrow(TypeError);
  expect(taken).toBe(0);
});

it('D15: using ends a pinned view with its block', () => {
  let kept: MemTxView | undefined;
  {
    using pinned = pinnedView(space());
    kept = pinned;
    expect(pinned.load(0x1000, le32)).toBe(7);
  }
  expect(() => kept?.load(0x1000, le32)).toThrow(TypeError);
});

it('A-252: an unpinned view meets the memory as it is at each access', () => {
  const machine = space();
  const follows: TxMemory = {
    txLoad: (...args) => attributed(machine.memory()).txLoad(...args),
    txStore: (...args) => attributed(machine.memory()).txStore(...args),
    txRead: (...args) => attributed(machine.memory()).txRead(...args),
    txWrite: (...args) => attributed(machine.memory()).txWrite(...args),
  };
  const view = memTxView(follows);
  expect(view.load(0x1000, le32)).toBe(7);
  machine.replace();
  expect(() => view.load(0x1000, le32)).toThrow('DECODE_ERROR');
  expect(view.load(0x2000, le32)).toBe(0);
});
