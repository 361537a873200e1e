/** IOMMU regions: translation, chains, indexes, notifiers, replay, and the page-table helper.. */
import {
  le16,
  le32,
  le64,
  MEMTXATTRS_UNSPECIFIED,
  MemTx,
  type MemTxAttrs,
  MemTxResult,
  memTxAttrs,
} from '@guestmem/memtx';
import {
  DeviceError,
  flatviewTranslateSection,
  IommuAccess,
  type IommuMemoryRegionOps,
  type IommuNotifier,
  IommuNotifierFlag,
  type IommuTlbEntry,
  iotlbWalk,
  MAX_IOMMU_CHAIN,
  notifyOne,
  PageIommu,
  type PageIommuOptions,
  type PageWalk,
  unmapNotifierRange,
  type ViewAccess,
} from '@guestmem/qemu-memory';
import { type GuestAddress, Iotlb, Permissions } from '@guestmem/vm-memory';
import { expect, it } from 'vitest';
import { TestMachine } from '../support/machine.ts';

const { OK, DECODE_ERROR } = MemTxResult;
const ANY = MEMTXATTRS_UNSPECIFIED;
const { NONE, RO, WO, RW } = IommuAccess;

/** A machine with RAM, a device, and one IOMMU in front of a space of its own. */
function behind(ops: (m: TestMachine) => Partial<IommuMemoryRegionOps>): { m: TestMachine; dma: ViewAccess } {
  const m = new TestMachine();
  m.logRefusals();
  m.ram(0, 0x10000);
  m.device(0x20000, 0x1000, { endianness: 'little' }, 0x42);
  const made = ops(m);
  const region = m.core.iommu('iommu', 1n << 64n, { translate: () => entry(m.space, 0, 0, NONE), ...made });
  return { m, dma: m.core.addressSpace(region, 'dma') };
}

function entry(
  targetAs: ViewAccess,
  iova: GuestAddress,
  translatedAddr: GuestAddress,
  perm: number,
  addrMask: GuestAddress = 0xfff,
): IommuTlbEntry {
  return { targetAs, iova, translatedAddr, addrMask, perm };
}

function result(dma: ViewAccess, addr: GuestAddress, isWrite = false, attrs: MemTxAttrs = ANY): number {
  const tx = new MemTx();
  if (isWrite) dma.txStore(addr, le32, 1, attrs, tx);
  else dma.txLoad(addr, le32, attrs, tx);
  return tx.result;
}

it('A-150, A-151: address = translated page + offset in it, permission by direction', () => {
  const asked: unknown[] = [];
  const { m, dma } = behind((m) => ({
    translate: (offset, access, index) => {
      asked.push([offset, access, index]);
      return entry(m.space, 0x40000, 0x3fff, RO);
    },
  }));
  m.space.store(0x3010, le32, 0x1234);
  expect(dma.load(0x40010, le32)).toBe(0x1234);
  expect(result(dma, 0x40010, true)).toBe(DECODE_ERROR);
  expect(asked).toEqual([
    [0x40010, RO, 0],
    [0x40010, WO, 0],
  ]);
  expect(m.took()).toEqual(['-4@40010 (null) rejected']);
});

it('A-151: a model that answers no entry, or one that leads nowhere, is named with its region', () => {
  const answers: [IommuTlbEntry, RegExp][] = [];
  let answer: IommuTlbEntry;
  const { m, dma } = behind(() => ({ translate: () => answer }));
  answers.push(
    [undefined as never, /must return an IommuTlbEntry/],
    [{} as never, /must return an IommuTlbEntry/],
    [entry(m.space, 0, -5, RW), /translatedAddr/],
    [entry(m.space, 0, 0.5, RW), /translatedAddr/],
    [{ ...entry(m.space, 0, 0, RW), addrMask: -1 }, /addrMask/],
    [entry(null as never, 0, 0, RW), /targetAs/],
  );
  for (const [given, why] of answers) {
    answer = given;
    for (const access of [
      () => dma.load(0, le32),
      () => dma.store(0, le32, 1),
      () => dma.readSlice(new Uint8Array(20), 0),
    ])
      expect(access).toThrow(
        expect.objectContaining({ name: 'DeviceError', message: expect.stringMatching(/"iommu"/) }),
      );
    expect(() => dma.load(0, le32)).toThrow(why);
  }
  answer = entry(null as never, -1, -1, NONE);
  expect(() => dma.load(0, le32)).toThrow(expect.objectContaining({ code: 'invalid-guest-address' }));
});

it('A-154: an addrMask that is not 2^k - 1 leads nowhere, and is named with its region', () => {
  let mask: GuestAddress = 0;
  const { dma } = behind((m) => ({ translate: (offset) => entry(m.space, offset, 0x1000, RW, mask) }));
  for (const bad of [0x1fe, 0x1001, 2, 2 ** 32, 2n ** 60n, 0.5, -1, 2 ** 53]) {
    mask = bad;
    expect(() => dma.load(0x800, le32), String(bad)).toThrow(DeviceError);
    expect(() => dma.read(new Uint8Array(4), 0x800)).toThrow(/region "iommu"/);
  }
  for (const good of [3, 0xfff, 0xffff_ffff, 2 ** 33 - 1, 2n ** 64n - 1n]) {
    mask = good;
    expect(dma.with({ tx: new MemTx() }).load(0x800, le32)).toBe(0);
  }
});

it('A-152: a range of a PageIommu to invalidate has bytes, and does not pass 2^64 - 1', () => {
  const m = new TestMachine();
  m.ram(0, 0x1000);
  const model = new PageIommu(m.space, () => ({ translatedAddr: 0, perm: RW }));
  const iommu = m.core.iommu('mmu', 1n << 64n, model).iommu!;
  const told: unknown[] = [];
  iommu.register({
    flags: IommuNotifierFlag.UNMAP,
    start: 0,
    end: 2n ** 64n - 1n,
    notify: (each) => told.push(each.addrMask),
  });
  for (const region of [iommu, null]) {
    for (const len of [0, -1, 0.5, 2n ** 64n + 1n]) expect(() => model.invalidate(region, 0, len)).toThrow(RangeError);
    expect(() => model.invalidate(region, 1, 1n << 64n)).toThrow(RangeError);
  }
  model.invalidate(iommu, 0x1000, 1);
  model.invalidate(iommu, 0, 1n << 64n);
  expect(told).toEqual([0, 2n ** 64n - 1n]);
});

it('A-151: iovas and targets of 2^53 and more, and masks of 4 GiB and more, translate exactly', () => {
  const { m, dma } = behind((m) => ({
    translate: (offset) => entry(m.space, offset, 0, RW, BigInt(offset) >= 1n << 60n ? 0xfffn : 0xf_ffff_ffffn),
  }));
  m.space.store(0x8, le32, 0x55);
  expect(dma.load(0xf000_0000_0000_0008n, le32)).toBe(0x55);
  expect(dma.load(0x10_0000_0008, le32)).toBe(0x55);
});

it('A-152, A-159: every step asks again: a change between two steps of one transfer shows', () => {
  let calls = 0;
  const { m, dma } = behind((m) => ({ translate: (offset) => entry(m.space, offset, 0x1000 * ++calls, RW) }));
  m.write(0x1ffe, 'aabb');
  m.write(0x2000, 'ccdd');
  m.write(0x3000, 'eeff');
  const buf = new Uint8Array(4);
  dma.readSlice(buf, 0xffe);
  expect([...buf]).toEqual([0xaa, 0xbb, 0xcc, 0xdd]);
  expect(calls).toBe(2);
});

it('A-8, A-159: behind a page that the IOMMU refuses a transfer goes on with the next, watched or not', () => {
  const { m, dma: asked } = behind((m) => ({
    translate: (offset) => entry(m.space, offset, offset, BigInt(offset) < 0x1000n ? NONE : RW),
  }));
  const walk = (offset: GuestAddress) => (BigInt(offset) < 0x1000n ? null : { translatedAddr: offset, perm: RW });
  const paged = m.core.addressSpace(m.core.iommu('paged', 1n << 64n, new PageIommu(m.space, walk)), 'paged');
  m.write(0x1000, '11223344');
  const tx = new MemTx();
  const watched = m.core.access.observer;
  for (const [dma, observer] of [asked, paged].flatMap((each) => [[each, watched] as const, [each, null] as const])) {
    m.core.access.observer = observer;
    const buf = new Uint8Array(10).fill(0xcc);
    dma.txRead(0xffa, buf, ANY, 'continue', tx);
    expect([...buf]).toEqual([0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
    expect(tx).toEqual({ result: DECODE_ERROR, done: 0 });
    dma.txWrite(0xff9, new Uint8Array(11).fill(0x77), ANY, 'continue', tx);
    expect(m.read(0xff8, 12).hex).toBe('000000000000000077777777');
    dma.set(0xffe, 0x55, 6, ANY, tx);
    expect(m.read(0x1000, 4).hex).toBe('55555555');
    expect(tx).toEqual({ result: DECODE_ERROR, done: 0 });
    m.write(0x1000, '11223344');
  }
});

it('A-65, A-114: what an IOMMU refuses is at its exact offset, from 2^53 on too: no step of it takes bytes of the page behind', () => {
  const { m, dma: asked } = behind((m) => ({
    translate: (offset) => entry(m.space, offset, 0x1000, (BigInt(offset) & 0x1000n) === 0n ? NONE : RW),
  }));
  const walk = (offset: GuestAddress) =>
    (BigInt(offset) & 0x1000n) === 0n ? null : { translatedAddr: 0x1000, perm: RW };
  const paged = m.core.addressSpace(m.core.iommu('paged', 1n << 64n, new PageIommu(m.space, walk)), 'paged');
  const tx = new MemTx();
  for (const dma of [asked, paged])
    for (const base of [0n, 1n << 53n, 1n << 63n, (1n << 64n) - 0x2000n]) {
      m.write(0x1000, '11223344');
      const buf = new Uint8Array(10).fill(0xcc);
      dma.txRead(base + 0xff9n, buf, ANY, 'continue', tx);
      expect([base, ...buf]).toEqual([base, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33]);
      dma.txWrite(base + 0xffdn, new Uint8Array(7).fill(0x77), ANY, 'continue', tx);
      expect(m.read(0x1000, 6).hex).toBe('777777770000');
      const at = base + 0xff9n;
      const { section, offset } = flatviewTranslateSection(dma, at, 4, 'read', ANY);
      expect([section.region, BigInt(offset)]).toEqual([m.core.unassigned, at]);
    }
});

it('A-153, A-255: attributes choose the index, and two views of one space see different memory', () => {
  const seen: MemTxAttrs[] = [];
  const { m, dma } = behind((m) => ({
    attrsToIndex: (attrs) => {
      seen.push(attrs);
      return attrs.secure ? 1 : 0;
    },
    numIndexes: () => 2,
    translate: (offset, _access, index) => entry(m.space, offset, index * 0x1000, RW),
  }));
  m.space.store(0, le32, 0x11);
  m.space.store(0x1000, le32, 0x22);
  const secure = memTxAttrs({ secure: true });
  expect(dma.with({}).load(0, le32)).toBe(0x11);
  expect(dma.with({ secure: true }).load(0, le32)).toBe(0x22);
  expect(dma.with({ attrs: secure }).readObj(0, le32)).toBe(0x22);
  expect(dma.accessValid(0, 4, 'read', secure)).toBe(true);
  expect(dma.mapRange(0, 4, 'read', secure)?.bytes[0]).toBe(0x22);
  expect(new Set(seen.map((attrs) => attrs.secure))).toEqual(new Set([false, true]));
});

it('A-154, A-155, A-156: permission NONE, or the other one, is DECODE_ERROR and reads 0', () => {
  for (const [perm, read, write] of [
    [NONE, DECODE_ERROR, DECODE_ERROR],
    [RO, OK, DECODE_ERROR],
    [WO, DECODE_ERROR, OK],
    [RW, OK, OK],
  ] as const) {
    const { dma } = behind((m) => ({ translate: (offset) => entry(m.space, offset, 0, perm) }));
    expect([result(dma, 0), result(dma, 0, true)]).toEqual([read, write]);
  }
});

it('A-157: chains may change space at each stage; a cycle ends and is refused', () => {
  const m = new TestMachine();
  m.ram(0, 0x10000);
  m.space.store(0x3456, le32, 0xbeef);
  let space: ViewAccess = m.space;
  let steps = 0;
  for (let i = 0; i < 3; i++) {
    const next = space;
    const region = m.core.iommu(`stage ${i}`, 1n << 32n, {
      translate: (offset) => {
        steps++;
        return entry(next, offset, Number(offset) - 0x1000, RW, (0x1000 << i) - 1);
      },
    });
    space = m.core.addressSpace(region, `stage ${i}`);
  }
  expect(space.load(0x6456, le32)).toBe(0xbeef);
  expect(steps).toBe(3);
  let around = 0;
  const self: { space: ViewAccess | null } = { space: null };
  const loop = m.core.iommu('loop', 1n << 32n, {
    translate: (offset) => {
      around++;
      return entry(self.space!, offset, offset, RW);
    },
  });
  self.space = m.core.addressSpace(loop, 'loop');
  expect(result(self.space, 0x1000)).toBe(DECODE_ERROR);
  expect(around).toBe(MAX_IOMMU_CHAIN);
});

it('A-158: an access that crosses a translated page is refused whole by RAM, and cut by the bulk path', () => {
  const { m, dma } = behind((m) => ({ translate: (offset) => entry(m.space, offset, offset, RW) }));
  const tx = new MemTx();
  dma.txStore(0xffe, le32, 0x11223344, ANY, tx);
  expect(tx.result).toBe(DECODE_ERROR);
  expect(m.took()).toEqual(['-4@ffe ram rejected']);
  dma.writeSlice(new Uint8Array([1, 2, 3, 4]), 0xffe);
  expect(m.read(0xffe, 4).hex).toBe('01020304');
});

it('A-158: inside a larger page no edge of a smallest one is one, whatever of it a PageIommu has cached', () => {
  const m = new TestMachine();
  m.logRefusals();
  const any = { minAccessSize: 1, maxAccessSize: 8, unaligned: true };
  m.ram(0, 0x10000);
  m.device(0x20000, 0x10000, { valid: any, impl: any, endianness: 'little' });
  const attrsToIndex = (attrs: MemTxAttrs): number => (attrs.secure ? 1 : 0);
  const secure = memTxAttrs({ secure: true });
  for (const numIndexes of [1, 2])
    for (const attrs of [ANY, secure]) {
      // Index 0 leads 64 KiB at 0 to RAM and at 64 KiB to the device, in pages of 16 KiB, but for 8 KiB of small ones at 0x4000.
      let split = false;
      const walk: PageWalk = (offset, _, index) => {
        if (index !== (numIndexes === 2 && attrs.secure ? 1 : 0)) return null;
        const at = Number(offset);
        const addrMask = split || (at & 0x1_e000) === 0x4000 ? 0xfff : 0x3fff;
        if (split && at >>> 12 === 1) return null;
        return { translatedAddr: (at & 0x1_0000) * 2 + (at & 0xffff & ~addrMask), addrMask, perm: RW };
      };
      const model = new PageIommu(m.space, walk, numIndexes === 2 ? { numIndexes, attrsToIndex } : {});
      const region = m.core.iommu('iommu', 0x2_0000, model);
      const dma = m.core.addressSpace(region, 'dma');
      const same = new PageIommu(dma, (at) => ({ translatedAddr: at, addrMask: 0xffff, perm: RW }));
      const outer = m.core.addressSpace(m.core.iommu('outer', 0x2_0000, same), 'outer');
      const spaces = attrs.secure && numIndexes === 2 ? [dma] : [dma, outer];
      for (const space of spaces) {
        const ask = (addr: number, isWrite: boolean): number => result(space, addr, isWrite, attrs);
        for (const isWrite of [false, true])
          for (let n = 0; n < 30; n++) {
            expect([ask(0xffe, isWrite), ask(0xf00, isWrite), ask(0x8ffe, isWrite)]).toEqual([OK, OK, OK]);
            expect([ask(0x3ffe, isWrite), ask(0x4ffe, isWrite)]).toEqual([DECODE_ERROR, DECODE_ERROR]);
          }
        m.took();
        for (let n = 0; n < 2; n++) {
          space.txWrite(0x1_0ffc, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), attrs, 'continue', new MemTx());
          expect(m.took()).toEqual(['W8@ffc=0x807060504030201']);
        }
      }
      // A part that is still cached does not stand for what was split and is gone in part.
      expect([result(dma, 0xf00, false, attrs), result(dma, 0xffe, false, attrs)]).toEqual([OK, OK]);
      split = true;
      model.invalidate(region.iommu, 0x1000, 0x1000, numIndexes - 1 && attrs.secure ? 1 : 0);
      expect([result(dma, 0xf00, false, attrs), result(dma, 0xffe, false, attrs)]).toEqual([OK, DECODE_ERROR]);
    }
});

it('A-160: getIotlbEntry gives the whole chain as one entry, read-write; the failure has no permission', () => {
  const { m, dma } = behind((m) => ({
    translate: (offset) =>
      entry(m.space, offset, offset === 0x9000 ? 0 : 0x4000, offset === 0x9000 ? NONE : RO, 0x3fff),
  }));
  const found = dma.getIotlbEntry(0x5678, 'read');
  expect([found.targetAs === m.space, found.iova, found.translatedAddr, found.addrMask, found.perm]).toEqual([
    true,
    0x4000,
    0x4000,
    0x3fff,
    RW,
  ]);
  expect(dma.getIotlbEntry(0x9000, 'read').perm).toBe(NONE);
  const direct = m.space.getIotlbEntry(0x2345, 'write');
  expect([direct.targetAs === m.space, direct.iova, direct.addrMask]).toEqual([true, 0x2000, 0xfff]);
});

it('A-160: getIotlbEntry tells the page that the tables have, whatever of it a PageIommu has cached, through a second one too', () => {
  const m = new TestMachine();
  m.ram(0, 0x1_0000);
  const pages = (target: ViewAccess, addrMask: number): ViewAccess => {
    const model = new PageIommu(target, (at) => ({ translatedAddr: Number(at) & ~addrMask, addrMask, perm: RW }));
    return m.core.addressSpace(m.core.iommu('iommu', 0x1_0000, model), 'dma');
  };
  const dma = pages(m.space, 0x7fff);
  const outer = pages(dma, 0x3fff);
  const told = (space: ViewAccess, addr: number) => {
    const { iova, translatedAddr, addrMask } = space.getIotlbEntry(addr, 'read');
    return [iova, translatedAddr, addrMask];
  };
  for (let n = 0; n < 3; n++) {
    for (const addr of [0x2010, 0x6010]) expect(told(dma, addr)).toEqual([0, 0, 0x7fff]);
    // The last of the smallest pages in one of the outer pages.
    expect([told(outer, 0x3010), told(outer, 0x5010)]).toEqual([
      [0, 0, 0x3fff],
      [0x4000, 0x4000, 0x3fff],
    ]);
    for (const space of [dma, outer]) for (let i = 0; i < 20; i++) space.load(0x2000 + 0x100 * n, le32);
  }
});

it('A-161, A-164: replay walks by the smallest page and tells what is mapped, or is the model’s own', () => {
  const m = new TestMachine();
  const region = m.core.iommu('iommu', 0x10000, {
    minPageSize: () => 0x4000,
    translate: (offset, access, index) =>
      entry(m.space, offset, offset, access === NONE && index === 0 && offset !== 0x4000 ? RW : NONE),
  });
  const told: GuestAddress[] = [];
  const notifier: IommuNotifier = { flags: 2, start: 0, end: 0xffff, notify: (e) => void told.push(e.iova) };
  region.iommu!.replay(notifier);
  expect(told).toEqual([0, 0x8000, 0xc000]);
  expect(region.iommu!.minPageSize()).toBe(0x4000);
  const own = m.core.iommu('own', 0x10000, {
    translate: () => entry(m.space, 0, 0, NONE),
    replay: (n) => n.notify(entry(m.space, 7, 7, RW)),
  });
  own.iommu!.replay(notifier);
  expect(told.at(-1)).toBe(7);
  expect(own.iommu!.minPageSize()).toBe(4096);
});

it('A-161, A-164: a smallest page that is none is refused, instead of walked without end', () => {
  for (const bytes of [0, -4096, 1.5, 0x1800, Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY, '4096']) {
    const m = new TestMachine();
    let asked = 0;
    const region = m.core.iommu('iommu', 0x4000, {
      minPageSize: () => bytes as number,
      translate: (offset) => {
        if (++asked > 100) throw new Error('asked without end');
        return entry(m.space, offset, offset, NONE);
      },
    });
    const notifier: IommuNotifier = { flags: 2, start: 0, end: 0x3fff, notify: () => undefined };
    expect(() => region.iommu!.replay(notifier), `${bytes}`).toThrow('"iommu" must be a power of two');
    expect(asked).toBe(0);
  }
});

it('A-164: each entry that a replay hands out stays as it was told', () => {
  const m = new TestMachine();
  const model = new PageIommu(m.space, (offset) => ({ translatedAddr: Number(offset) + 0x8000, perm: RO }));
  const region = m.core.iommu('iommu', 0x4000, model);
  const kept: IommuTlbEntry[] = [];
  region.iommu!.replay({ flags: 2, start: 0, end: 0x3fff, notify: (each) => void kept.push(each) });
  expect(kept).toEqual([0, 0x1000, 0x2000, 0x3000].map((iova) => entry(m.space, iova, iova + 0x8000, RO)));
});

it('A-162: notifiers register newest first, flags are united, a veto undoes, bad ones are refused', () => {
  const m = new TestMachine();
  const changes: [number, number][] = [];
  let veto = false;
  const region = m.core.iommu('iommu', 0x10000, {
    translate: () => entry(m.space, 0, 0, NONE),
    numIndexes: () => 2,
    notifyFlagChanged: (before, after) => {
      changes.push([before, after]);
      return !veto;
    },
  });
  const { UNMAP, MAP } = IommuNotifierFlag;
  const told: string[] = [];
  const add = (name: string, flags: number, iommuIndex = 0) =>
    region.iommu!.register({ flags, start: 0, end: 0xffff, iommuIndex, notify: () => void told.push(name) });
  const first = add('first', UNMAP);
  add('second', UNMAP | MAP);
  add('other index', UNMAP, 1);
  expect(changes).toEqual([
    [0, 1],
    [1, 3],
  ]);
  region.iommu!.notify(0, { type: UNMAP, entry: entry(m.space, 0, 0, NONE) });
  expect(told).toEqual(['second', 'first']);
  veto = true;
  expect(() => add('third', 4)).toThrow(/does not take notifier flags 7/);
  expect(region.iommu!.notifierFlags).toBe(3);
  veto = false;
  first.dispose();
  told.length = 0;
  region.iommu!.notify(0, { type: UNMAP, entry: entry(m.space, 0, 0, NONE) });
  expect(told).toEqual(['second']);
  expect(() => add('none', 0)).toThrow(RangeError);
  expect(() => add('index', 1, 2)).toThrow(RangeError);
  expect(() => region.iommu!.register({ flags: 1, start: 8, end: 7, notify: () => undefined })).toThrow(RangeError);
});

it('A-162: a notifier that is registered twice is told twice, and goes one registration at a time', () => {
  const { m, dma } = behind(() => ({}));
  const { iommu } = dma.view.section(0).region;
  let told = 0;
  const notifier: IommuNotifier = { flags: 1, start: 0, end: 0xfff, notify: () => void told++ };
  const unmap = (): number => {
    told = 0;
    iommu!.notify(0, { type: IommuNotifierFlag.UNMAP, entry: entry(m.space, 0, 0, NONE) });
    return told;
  };
  const first = iommu!.register(notifier);
  const second = iommu!.register(notifier);
  expect(unmap()).toBe(2);
  first.dispose();
  expect([unmap(), iommu!.notifierFlags]).toEqual([1, 1]);
  second.dispose();
  expect([unmap(), iommu!.notifierFlags]).toEqual([0, 0]);
});

it('A-163: an event is cropped to the notifier’s range; outside it, and of another type, it is not delivered', () => {
  const m = new TestMachine();
  const told: unknown[] = [];
  const notifier: IommuNotifier = {
    flags: 2,
    start: 0x1800,
    end: 0x27ff,
    notify: (e) => void told.push([e.iova, e.translatedAddr, e.addrMask]),
  };
  const map = (iova: number, mask: number): void =>
    notifyOne(notifier, { type: 2, entry: entry(m.space, iova, 0x8000, RW, mask) });
  map(0x1000, 0xfff);
  map(0x2000, 0x3ff);
  map(0x0, 0xffff);
  map(0x3000, 0xfff);
  notifyOne(notifier, { type: 1, entry: entry(m.space, 0x2000, 0, NONE) });
  expect(told).toEqual([
    [0x1800, 0x8800, 0x7ff],
    [0x2000, 0x8000, 0x3ff],
    [0x1800, 0x9800, 0xfff],
  ]);
  expect(() => notifyOne(notifier, { type: 1, entry: entry(m.space, 0x2000, 0, RW) })).toThrow(RangeError);
});

it('A-165: a notifier’s whole range is unmapped in one event', () => {
  const m = new TestMachine();
  const told: unknown[] = [];
  unmapNotifierRange(
    { flags: 1, start: 0x100, end: 0x4ff, notify: (e) => void told.push([e.iova, e.addrMask, e.perm]) },
    { targetAs: m.space },
  );
  expect(told).toEqual([[0x100, 0x3ff, NONE]]);
});

it('A-46, A-152: a model that throws is named with region and offset, and the space stays usable', () => {
  let fail = true;
  const { dma } = behind((m) => ({
    translate: (offset) => {
      if (fail) throw new Error('no tables');
      return entry(m.space, offset, 0, RW);
    },
  }));
  expect(() => dma.load(0x123, le16)).toThrow(DeviceError);
  expect(() => dma.load(0x123, le16)).toThrow(
    /region "iommu": translation for a read at offset 0x123 threw: no tables/,
  );
  fail = false;
  expect(dma.load(0x122, le16)).toBe(0);
});

it('A-150, A-158: devices behind an IOMMU are reached, also by the bulk path', () => {
  const { m, dma } = behind((m) => ({ translate: (offset) => entry(m.space, offset, 0x20000, RW) }));
  expect(dma.load(0x7004, le32)).toBe(0x42);
  const buf = new Uint8Array(6);
  dma.readSlice(buf, 0x7ffa);
  expect(m.took()).toEqual(['R4@4=0x42', 'R2@ffa=0x42', 'R4@ffc=0x42']);
});

it('A-152, A-162: PageIommu walks once per page, splits large pages, and forgets what is invalidated', () => {
  const m = new TestMachine();
  m.ram(0, 0x100000);
  const walks: GuestAddress[] = [];
  let base = 0x40000;
  const model = new PageIommu(m.space, (offset, access) => {
    walks.push(offset);
    return access === WO && offset === 0x30000
      ? null
      : { translatedAddr: base, addrMask: 0xffff, perm: access === NONE ? RW : access | RO };
  });
  const region = m.core.iommu('iommu', 1n << 32n, model);
  const dma = m.core.addressSpace(region, 'dma');
  m.space.store(0x42008, le32, 0xaa);
  m.space.store(0x52008, le32, 0xbb);
  for (let i = 0; i < 3; i++) expect(dma.load(0x22008, le32)).toBe(0xaa);
  expect(walks).toEqual([0x22008]);
  dma.store(0x22010, le32, 1);
  dma.store(0x22010, le32, 2);
  expect(walks).toEqual([0x22008, 0x22010]);
  const told: unknown[] = [];
  region.iommu!.register({ flags: 1, start: 0, end: 0xffff_ffff, notify: (e) => void told.push([e.iova, e.addrMask]) });
  base = 0x50000;
  expect(dma.load(0x22008, le32)).toBe(0xaa);
  model.invalidate(region.iommu, 0x20000, 0x10000);
  expect(dma.load(0x22008, le32)).toBe(0xbb);
  expect(told).toEqual([[0x20000, 0xffff]]);
  base = 0x40000;
  model.flush();
  expect(dma.load(0x22008, le32)).toBe(0xaa);
  expect(() => new PageIommu(m.space, () => null, { entries: 3 })).toThrow(RangeError);
});

it('A-153: a PageIommu has as many indexes as it is told, and attributes choose only among several', () => {
  const m = new TestMachine();
  m.ram(0, 0x10000);
  const make = (options: PageIommuOptions): PageIommu => new PageIommu(m.space, () => null, options);
  for (const numIndexes of [0, -1, 1.5, Number.NaN])
    expect(() => make({ numIndexes })).toThrow(/numIndexes must be an integer of 1 or more, not/);
  const attrsToIndex = (attrs: MemTxAttrs): number => (attrs.secure ? 1 : attrs.requesterId === 9 ? 0.5 : 0);
  expect(() => make({ attrsToIndex })).toThrow(/give numIndexes, 2 or more/);
  expect(() => make({ attrsToIndex, numIndexes: 1 })).toThrow(/give numIndexes, 2 or more/);
  const model = new PageIommu(m.space, (_, __, index) => (index === 1 ? null : { translatedAddr: 0x1000, perm: RW }), {
    attrsToIndex,
    numIndexes: 2,
  });
  const region = m.core.iommu('iommu', 0x1000, model);
  const dma = m.core.addressSpace(region, 'dma');
  const secure = memTxAttrs({ secure: true });
  expect([result(dma, 0, false, secure), result(dma, 0), result(dma, 0, false, secure)]).toEqual([
    DECODE_ERROR,
    OK,
    DECODE_ERROR,
  ]);
  expect(() => result(dma, 0, false, memTxAttrs({ requesterId: 9 }))).toThrow(/an IOMMU index must be 0 to 1, not 0.5/);
  for (const index of [-1, 2, 0.5]) {
    expect(() => model.flush(index)).toThrow(RangeError);
    expect(() => model.invalidate(region.iommu, 0, 0x1000, index)).toThrow(RangeError);
    expect(() => model.translate(0, RO, index)).toThrow(RangeError);
  }
  model.flush(1);
});

it('A-154: a walk finds pages of the smallest size and larger powers of two; others are refused, not cached in part', () => {
  const m = new TestMachine();
  m.ram(0, 0x10000);
  m.space.store(0x8204, le32, 0x44);
  let addrMask: number | undefined;
  const model = new PageIommu(m.space, () => ({ translatedAddr: 0x8000, perm: RW, ...(addrMask ? { addrMask } : {}) }));
  const dma = m.core.addressSpace(m.core.iommu('iommu', 0x10000, model), 'dma');
  for (addrMask of [0xff, 0x7ff, 0x1fff + 0x4000, 0x1000, 4095.5, 2 ** 53, -1])
    expect(() => dma.load(0x204, le32)).toThrow(/it must be 2\^k - 1 and at least 0xfff/);
  for (addrMask of [undefined, 0xfff, 0x1fff, 2 ** 53 - 1]) {
    model.flush();
    expect(dma.load(0x204, le32)).toBe(addrMask === 2 ** 53 - 1 ? m.space.load(0x204, le32) : 0x44);
  }
});

it('A-142: an IOTLB of vm-memory serves as the tables of a PageIommu', () => {
  const m = new TestMachine();
  m.ram(0, 0x10000);
  m.space.store(0x5004, le32, 0x77);
  const iotlb = new Iotlb();
  iotlb.setMapping(0x4000, 0x5000, 0x1000, Permissions.READ);
  const model = new PageIommu(m.space, iotlbWalk(iotlb));
  const dma = m.core.addressSpace(m.core.iommu('iommu', 1n << 32n, model), 'dma');
  expect(dma.load(0x4004, le32)).toBe(0x77);
  expect(result(dma, 0x4004, true)).toBe(DECODE_ERROR);
  expect(result(dma, 0x5004)).toBe(DECODE_ERROR);
});

it('A-142, A-151: slices to read and write are given only where the IOMMU permits both, as checkRange has it', () => {
  for (const perm of [NONE, RO, WO, RW]) {
    const { dma } = behind((m) => ({
      translate: (offset) => entry(m.space, offset, 0x1000, perm),
    }));
    const tries = ([Permissions.READ, Permissions.WRITE, Permissions.READ_WRITE] as const).map((access) => {
      try {
        return [...dma.getSlices(0x5000, 4, access)].length === 1;
      } catch {
        return false;
      }
    });
    expect(tries).toEqual([(perm & RO) !== 0, (perm & WO) !== 0, perm === RW]);
    expect(tries[2]).toBe(dma.checkRange(0x5000, 4, Permissions.READ_WRITE));
  }
});

it('A-46, A-153: attrsToIndex of a PageIommu that throws is named with its region, also where the page is cached', () => {
  const m = new TestMachine();
  m.ram(0, 0x1000);
  let broken = false;
  const attrsToIndex = () => {
    if (broken) throw new Error('no such requester');
    return 0;
  };
  const walk = () => ({ translatedAddr: 0, perm: RW });
  const iommu = m.core.iommu('mmu', 0x1000, new PageIommu(m.space, walk, { numIndexes: 2, attrsToIndex }));
  const dma = m.core.addressSpace(iommu, 'dma');
  dma.store(0, le32, 5);
  broken = true;
  for (const run of [
    () => dma.load(0, le32),
    () => dma.store(0, le32, 1),
    () => dma.load(0, le64),
    () => dma.read(new Uint8Array(32), 0),
    () => dma.mapRange(0, 4, 'read'),
  ])
    expect(run).toThrow(/region "mmu".*no such requester/);
  broken = false;
  expect(dma.load(0, le32)).toBe(5);
});

it('A-163, D1: an invalidation is told at a number below 2^53, whichever way it was asked for', () => {
  const m = new TestMachine();
  const model = new PageIommu(m.space, () => null);
  const { iommu } = m.core.iommu('iommu', 1n << 64n, model);
  const told: unknown[] = [];
  iommu!.register({ flags: 1, start: 0, end: (1n << 64n) - 1n, notify: (e) => void told.push([e.iova, e.addrMask]) });
  for (const iova of [0x5000, 0x5000n, 1n << 53n]) model.invalidate(iommu, iova, 0x1000n);
  expect(told).toEqual([
    [0x5000, 0xfff],
    [0x5000, 0xfff],
    [1n << 53n, 0xfff],
  ]);
});

it('A-163: a notifier that throws keeps the others from nothing', () => {
  const m = new TestMachine();
  const pages = new PageIommu(m.space, () => null);
  const { iommu } = m.core.iommu('iommu', 0x10000, pages);
  const log: unknown[] = [];
  const notifier = { flags: IommuNotifierFlag.UNMAP, start: 0, end: 0xffff };
  iommu!.register({ ...notifier, notify: ({ iova }) => log.push(iova) });
  iommu!.register({
    ...notifier,
    notify() {
      throw new Error('broken');
    },
  });
  expect(() => pages.invalidate(iommu, 0x2000, 0x1000)).toThrow('broken');
  expect(log).toEqual([0x2000]);
});

it('A-162: a model cannot keep a notifier by refusing the flags that are left', () => {
  const m = new TestMachine();
  const changes: number[][] = [];
  const { iommu } = m.core.iommu('iommu', 0x1000, {
    translate: () => entry(m.space, 0, 0, NONE),
    notifyFlagChanged: (before, after) => changes.push([before, after]) === 1,
  });
  const told: unknown[] = [];
  const handle = iommu!.register({
    flags: IommuNotifierFlag.UNMAP,
    start: 0,
    end: 0xfff,
    notify: (each) => told.push(each),
  });
  handle.dispose();
  iommu!.notify(0, { type: IommuNotifierFlag.UNMAP, entry: entry(m.space, 0, 0, NONE) });
  expect([changes, told, iommu!.notifierFlags]).toEqual([
    [
      [0, 1],
      [1, 0],
    ],
    [],
    0,
  ]);
});

it.each(['invalidate', 'flush'] as const)('A-152, A-159: what a walk found before %s is not kept', (forget) => {
  const m = new TestMachine();
  m.ram(0, 0x10000);
  m.space.store(0x1000, le32, 0x11);
  m.space.store(0x2000, le32, 0x22);
  let target = 0x1000;
  const pages: PageIommu = new PageIommu(m.space, () => {
    const found = { translatedAddr: target, perm: RW };
    if (target === 0x1000) {
      target = 0x2000; // The guest changes its table behind the walk, and says so.
      if (forget === 'flush') pages.flush();
      else pages.invalidate(null, 0, 0x1000);
    }
    return found;
  });
  const dma = m.core.addressSpace(m.core.iommu('iommu', 0x10000, pages), 'dma');
  expect([dma.load(0, le32), dma.load(0, le32), dma.load(0, le32)]).toEqual([0x11, 0x22, 0x22]);
});

it('A-84, A-86, A-152: a page walk is asked at each access that its page does not allow, by looks too, and twice by a mapping', () => {
  const m = new TestMachine();
  m.ram(0, 0x10000);
  const asked: string[] = [];
  const pages = new PageIommu(m.space, (iova, access) => {
    asked.push(`${iova.toString(16)}:${access}`);
    if (iova < 0x5000 || iova >= 0x7000) return null;
    return { translatedAddr: iova < 0x6000 ? 0x5000 : 0x6000, perm: iova < 0x6000 ? RW : RO };
  });
  const dma = m.core.addressSpace(m.core.iommu('iommu', 0x10000, pages), 'dma');
  const walks = (run: () => unknown): string => {
    asked.length = 0;
    run();
    return asked.join(' ');
  };
  const tx = new MemTx();
  const store = (addr: number): void => dma.txStore(addr, le32, 1, ANY, tx);
  expect(walks(() => store(0x5000))).toBe('5000:2');
  expect(walks(() => store(0x5ffc))).toBe('');
  for (const _ of [1, 2]) expect(walks(() => store(0x6000))).toBe('6000:2');
  expect(walks(() => dma.checkRange(0x7000, 4, Permissions.READ))).toBe('7000:1');
  expect(walks(() => expect(() => [...dma.getSlices(0x7000, 4)]).toThrow('0x7000'))).toBe('7000:1');
  expect(walks(() => expect(() => dma.mapRam(0x5f00, 0x200, 'write')).toThrow('0x6000'))).toBe('6000:2 6000:2');
  // By a bounce buffer: to find the way, and to write what nobody takes.
  expect(walks(() => dma.mapRange(0x7000, 4, 'write')!.unmap())).toBe('7000:2 7000:2');
  expect(dma.mapRange(0x7000, 4, 'read')!.bytes).toEqual(new Uint8Array(4));
});
