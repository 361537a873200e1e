import { bufferBacking, u8 } from '@guestmem/vm-memory';
import { describe, expect, it } from 'vitest';
import {
  explainAddress,
  LogClient,
  MemoryCore,
  type MemoryRegion,
  type MemoryRegionOps,
  memoryRegionSetDirty,
  PageIommu,
  RamBlock,
  type RamSource,
  RegionKind,
  trackDirty,
} from '../../src/index.ts';
import { Bench, lines, SPACE } from '../support/topology.ts';

describe('kinds', () => {
  it('T-10: a container shows its children and nothing of itself', () => {
    const bench = new Bench();
    const root = bench.container('root', 0x1000);
    root.addSubregion(0x10, bench.io('io', 0x10));
    expect([root.kind, root.terminates]).toEqual([RegionKind.CONTAINER, false]);
    expect(lines(bench.space(root))).toEqual(['10-1f io']);
  });
  it('T-11: MMIO terminates', () => {
    const bench = new Bench();
    expect(lines(bench.space(bench.io('io', 0x10)))).toEqual(['0-f io']);
  });
  it('T-12: a reservation has no operations, hides what is lower and shows in the view', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0, bench.io('below', 0x100));
    root.addSubregion(0x10, bench.core.reservation('reserved', 0x10), 1);
    expect(lines(bench.space(root))).toEqual(['0-f below', '10-1f reserved', '20-ff below @20']);
  });
  it('T-13: RAM terminates; one block may stand behind several regions, and show less than all of it', () => {
    const core = new MemoryCore();
    const block = new RamBlock('block', bufferBacking(0x1000));
    const whole = core.ram('whole', block);
    const half = core.ram('half', block, { size: 0x800 });
    expect([whole.ram, half.ram, whole.size, half.size]).toEqual([block, block, 0x1000n, 0x800n]);
    expect([whole.isRam, whole.isRom, whole.terminates]).toEqual([true, false, true]);
  });
  it('T-14: ROM is RAM with readonly set', () => {
    const rom = new Bench().rom('rom', 0x1000);
    expect([rom.kind, rom.readonly, rom.isRam, rom.isRom]).toEqual([RegionKind.RAM, true, true, true]);
    rom.setReadonly(false);
    expect(rom.isRom).toBe(false);
  });
  it('T-15: a ROM device has a block and operations, is not RAM, and starts in ROMD mode', () => {
    const flash = new Bench().romDevice('flash', 0x1000);
    expect([flash.isRam, flash.isRomd, flash.ram === null, flash.ops === null]).toEqual([false, true, false, false]);
    flash.romDeviceSetRomd(false);
    expect(flash.isRomd).toBe(false);
  });
  it('T-16: a RAM device is RAM as well', () => {
    const core = new MemoryCore();
    const region = core.ramDevice('bar', bufferBacking(0x1000));
    expect([region.isRam, region.isRamDevice, region.terminates]).toEqual([true, true, true]);
  });
  it('T-17: an IOMMU terminates and has somebody who translates', () => {
    const region = new Bench().iommu('iommu', SPACE);
    expect([region.kind, region.terminates, region.iommu === null]).toEqual([RegionKind.IOMMU, true, false]);
  });
  it('T-18: an alias of an alias of a container shows through', () => {
    const bench = new Bench();
    const bus = bench.container('bus', 0x1000);
    bus.addSubregion(0x100, bench.io('io', 0x100));
    const root = bench.container('root');
    root.addSubregion(0x1000, bench.alias('outer', bench.alias('inner', bus, 0x80, 0x100), 0x40, 0x100));
    expect(lines(bench.space(root))).toEqual(['1040-10bf io']);
  });
  it('T-19: a region with operations may have children, which hide it where they lie', () => {
    const bench = new Bench();
    const rtc = bench.io('rtc', 2);
    rtc.addSubregion(0, bench.io('rtc-index', 1));
    expect(lines(bench.space(rtc))).toEqual(['0-0 rtc-index', '1-1 rtc @1']);
  });
  it('T-20: an alias takes no children; both regions are named and nothing changes', () => {
    const bench = new Bench();
    const alias = bench.alias('window', bench.container('bus'), 0, 0x100);
    const child = bench.io('uart', 8);
    expect(() => alias.addSubregion(0, child)).toThrow(/"window" is an alias.*"uart".*"bus"/);
    expect([child.container, alias.children]).toEqual([null, []]);
  });
});

describe('attributes', () => {
  it('T-21: defaults', () => {
    const io = new Bench().io('io', 4);
    expect([io.addr, io.priority, io.enabled, io.readonly, io.nonvolatile, io.romdMode]).toEqual([
      0n,
      0,
      true,
      false,
      false,
      true,
    ]);
    expect([io.dirtyLogMask, io.flushCoalescedMmio, io.coalescedRanges, io.eventFds, io.isMapped]).toEqual([
      0,
      false,
      [],
      [],
      false,
    ]);
  });
  it('T-22: overlap is always allowed, and addSubregion is addSubregionOverlap with priority 0', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0, bench.io('a', 0x10));
    root.addSubregionOverlap(0x8, bench.io('b', 0x10), 0);
    expect(lines(bench.space(root))).toEqual(['0-7 a', '8-17 b']);
  });
  it('T-23: isRam, isRom and isRomd read the region itself, not what an alias adds', () => {
    const bench = new Bench();
    const ram = bench.ram('ram', 0x1000);
    const root = bench.container('root');
    const alias = bench.alias('ro', ram, 0, 0x1000);
    alias.setReadonly(true);
    root.addSubregion(0, alias);
    expect(lines(bench.space(root))).toEqual(['0-fff ram ro']);
    expect([ram.isRom, alias.isRom, alias.isRam]).toEqual([false, false, false]);
  });
  it('T-24: the mask in force: own bits, MIGRATION while logging globally, CODE where code is translated', () => {
    const core = new MemoryCore({ translatesCode: true });
    const bench = new Bench(core);
    const ram = bench.ram('ram', 0x1000);
    const lost = core.ram('lost', bufferBacking(16), { migratable: false });
    const iommu = bench.iommu('iommu', 0x1000);
    const io = bench.io('io', 4);
    const masks = (): number[] => [ram, lost, iommu, io].map((each) => core.effectiveLogMask(each));
    expect([LogClient.VGA, LogClient.CODE, LogClient.MIGRATION]).toEqual([0, 1, 2]);
    expect(masks()).toEqual([2, 2, 0, 0]);
    core.globalDirtyLogStart(1);
    expect(masks()).toEqual([6, 2, 4, 0]);
    ram.setLog(true, LogClient.VGA);
    expect(masks()).toEqual([7, 2, 4, 0]);
    core.globalDirtyLogStop(1);
    expect(masks()).toEqual([3, 2, 0, 0]);
  });
  it('T-25: setLog takes the VGA client only, and counts', () => {
    const bench = new Bench();
    const ram = bench.ram('vram', 0x1000);
    expect(() => ram.setLog(true, LogClient.MIGRATION)).toThrow(/only the VGA client.*"vram"/);
    expect(() => ram.setLog(false, LogClient.VGA)).toThrow(/"vram" is not logged/);
    const space = bench.space(ram);
    ram.setLog(true, LogClient.VGA);
    const view = space.view;
    ram.setLog(true, LogClient.VGA);
    ram.setLog(false, LogClient.VGA);
    expect([ram.dirtyLogMask, space.view]).toEqual([1, view]);
    ram.setLog(false, LogClient.VGA);
    expect([ram.dirtyLogMask, view.range(0).dirtyMask, space.view.range(0).dirtyMask]).toEqual([0, 1, 0]);
  });
});

describe('names', () => {
  it('T-26: any text is a name, and siblings may share one', () => {
    const bench = new Bench();
    const root = bench.container('root');
    for (const addr of [0, 8]) root.addSubregion(addr, bench.io('a [b] @1/\\', 4));
    expect(lines(bench.space(root))).toEqual(['0-3 a [b] @1/\\', '8-b a [b] @1/\\']);
  });
  it('T-27: a region without a name has the empty one', () => {
    expect(new Bench().core.unassigned.name).toBe('');
    expect(() => {
      const bench = new Bench();
      const nameless = bench.io('', 4);
      bench.container('root').delSubregion(nameless);
    }).toThrow(/region #\d+ \(no name\) cannot be removed from "root"/);
  });
  it('T-28: a region made with no owner has none', () => {
    const bench = new Bench();
    const owner = { name: 'device' };
    expect([bench.io('a', 4).owner, bench.io('b', 4, owner).owner]).toEqual([null, owner]);
  });
  it('T-29: container, address, priority and 64-bit size of a region can be read at any time; size 0 is told from 1', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const io = bench.io('io', 0);
    root.addSubregion(0x10, io, -1);
    expect([io.container, io.addr, io.priority, io.size64, root.container, root.size64]).toEqual([
      root,
      0x10n,
      -1,
      0n,
      null,
      SPACE - 1n,
    ]);
  });
});

describe('memory', () => {
  const ops = { read: () => 0, write() {} };
  const made = (memory: RamSource): MemoryRegion[] => {
    const core = new MemoryCore();
    return [
      core.ram('ram', memory),
      core.rom('rom', memory),
      core.romDevice('flash', memory, ops),
      core.ramDevice('bar', memory),
    ];
  };

  it('T-13: a number is that many bytes, zero, of its own for each region', () => {
    const regions = made(0x1800);
    expect(regions.map((region) => region.size)).toEqual([0x1800n, 0x1800n, 0x1800n, 0x1800n]);
    const bytes = regions.map((region) => region.ram!.backing.segmentAt(0).bytes);
    expect(bytes.map((each) => each.every((byte) => byte === 0))).toEqual([true, true, true, true]);
    expect(new Set(bytes.map((each) => each.buffer)).size).toBe(4);
  });
  it.each([
    ['an ArrayBuffer', new ArrayBuffer(0x20), 0x20n],
    ['a SharedArrayBuffer', new SharedArrayBuffer(0x20), 0x20n],
    ['a part of a buffer', new Uint8Array(new ArrayBuffer(0x20), 8, 0x10), 0x10n],
  ])('T-13, D7: %s is adopted, not copied', (_, buffer, size) => {
    for (const region of made(buffer)) {
      expect(region.size).toBe(size);
      const whole = buffer instanceof Uint8Array ? buffer : new Uint8Array(buffer);
      whole[1] = 0x5a;
      expect([region.ram!.backing.segmentAt(0).bytes[1], region.ram!.backing.shared]).toEqual([
        0x5a,
        whole.buffer instanceof SharedArrayBuffer,
      ]);
    }
  });
  it('T-13: RAM of no bytes, or of part of one, is a RangeError', () => {
    for (const length of [0, -1, 1.5, Number.NaN])
      expect(() => new MemoryCore().ram('ram', length)).toThrow(RangeError);
  });
});

describe('what programs without types hand in', () => {
  const never = <T>(value: unknown): T => value as T;

  it.each(['LE', 'Big', 'little-endian', 0])(
    'A-15: an endianness that is none is refused, not guessed: %s',
    (endianness) => {
      const ops = { endianness, read: () => 0, write() {} };
      expect(() => new MemoryCore().io('uart', 8, never<MemoryRegionOps>(ops))).toThrow(
        new TypeError(`region "uart": endianness must be 'native', 'little' or 'big', not ${endianness}`),
      );
    },
  );
  it.each([
    ['a text', '4096', 'the string "4096"'],
    ['an array', [1, 2], 'a value of Array'],
    ['nothing', undefined, 'undefined'],
  ])('T-13: RAM over %s is refused when it is made', (_, memory, said) => {
    expect(() => new MemoryCore().ram('ram', never(memory))).toThrow(
      new TypeError(
        `the memory of "ram" must be a number of bytes, a buffer, a Backing such as sparseBacking(2 ** 32), or a RamBlock, not ${said}`,
      ),
    );
  });
  it.each(['RAM', 'ROM_DEVICE', 'RAM_DEVICE'] as const)('T-13, T-15, T-16: %s without memory is refused', (kind) => {
    const core = new MemoryCore();
    for (const ram of [never<RamBlock>(undefined), null, never<RamBlock>(new Uint8Array(16))])
      expect(() => core.region({ kind: RegionKind[kind], name: 'm', size: 16, ram })).toThrow(
        /^region "m" is memory: `ram` must be a RamBlock, not (undefined|null|a value of Uint8Array)$/,
      );
    expect(core.ram('first', 16).id).toBe(2); // Region 1 is the core's own.
  });
  it('T-18, T-40: what should be a region is named where it is none', () => {
    const core = new MemoryCore();
    const root = core.container('root', 0x1000);
    const none = never<MemoryRegion>(undefined);
    expect(() => core.alias('low', none, 0, 16)).toThrow(
      new TypeError('the target of alias "low" must be a MemoryRegion, not undefined'),
    );
    expect(() => core.region({ kind: RegionKind.ALIAS, name: 'low', size: 16 })).toThrow(TypeError);
    expect(() => root.addSubregion(0, none)).toThrow(
      new TypeError('what is mapped in "root" must be a MemoryRegion, not undefined'),
    );
    expect(() => core.addressSpace(never(core), 'cpu')).toThrow(
      new TypeError('the root of address space "cpu" must be a MemoryRegion, not a value of MemoryCore'),
    );
  });
  it('A-152: a page table without a space or a walk is refused when it is made', () => {
    const bench = new Bench();
    const space = bench.space(bench.container('root'));
    expect(() => new PageIommu(never(undefined), () => null)).toThrow(
      /targetAs must be an AddressSpace .* not undefined/,
    );
    expect(() => new PageIommu(space, never(null))).toThrow(new TypeError('walk must be a function, not null'));
  });
  it('T-60: explainAddress of a space says where its root is', () => {
    const bench = new Bench();
    const space = bench.space(bench.container('root'));
    expect(() => explainAddress(never(space), 0)).toThrow(
      new TypeError('the root (of a space: space.root) must be a MemoryRegion, not a value of AddressSpace'),
    );
    expect(() => explainAddress(never(undefined), 0)).toThrow(/must be a MemoryRegion, not undefined/);
  });
  it('A-184: trackDirty of a space says where its core is, and logs nothing', () => {
    const bench = new Bench();
    const space = bench.space(bench.container('root'));
    expect(() => trackDirty(never(space))).toThrow(
      new TypeError('trackDirty takes a MemoryCore (of a space: space.core), not a value of AddressSpace'),
    );
    expect(() => trackDirty(never(undefined))).toThrow(/not undefined/);
  });
  it.each([undefined, null, 'log', () => {}])('T-121: a listener that is no object is refused: %s', (listener) => {
    const bench = new Bench();
    const space = bench.space(bench.container('root'));
    expect(() => space.registerListener(never(listener))).toThrow(/^a listener is an object of callbacks/);
    expect(() => space.registerListener(never(listener))).toThrow(TypeError);
    space.dispose();
  });
  it.each(['setEnabled', 'setReadonly', 'setNonvolatile', 'romDeviceSetRomd'] as const)(
    'T-44, T-48: %s takes true and false only',
    (setter) => {
      const root = new MemoryCore().container('root', 0x1000);
      const before = root.enabled;
      for (const value of [undefined, null, 1, 'yes'])
        expect(() => root[setter](never(value))).toThrow(/ must be true or false, not /);
      expect(root.enabled).toBe(before);
    },
  );
  it('T-21: setLog takes true and false only', () => {
    const ram = new MemoryCore().ram('vram', bufferBacking(0x1000));
    expect(() => ram.setLog(never(undefined), LogClient.VGA)).toThrow(/log must be true or false, not undefined/);
  });
  it('A-60: a transfer shows what it was given instead of bytes', () => {
    const core = new MemoryCore();
    const space = core.addressSpace(core.ram('ram', bufferBacking(0x1000)), 'cpu');
    expect(() => space.write(never([1, 2]), 0)).toThrow(/moves the bytes of a Uint8Array, not a value of Array; wrap/);
    expect(() => space.write(never('text'), 0)).toThrow(/not the string "text"/);
    expect(() => space.read(never(new DataView(new ArrayBuffer(4))), 0)).toThrow(/not a value of DataView/);
  });
  it('A-92: a cache moves the bytes of a Uint8Array, and nothing that looks like one', () => {
    const core = new MemoryCore();
    const space = core.addressSpace(core.ram('ram', bufferBacking(0x1000)), 'cpu');
    const cache = space.cache(0, 0x100, 'write');
    expect(() => cache.write(0, never([1, 2, 3]))).toThrow(/not a value of Array/);
    expect(() => cache.write(0, never({ length: 2 }))).toThrow(TypeError);
    expect(() => cache.read(0, never(['a']))).toThrow(/not a value of Array/);
    expect(space.load(0, u8)).toBe(0);
    cache.dispose();
  });
  it('A-186: marks outside of the block are refused, at both ends of it', () => {
    const core = new MemoryCore();
    const ram = core.ram('ram', bufferBacking(0x1000));
    for (const [offset, len] of [
      [0, 0x1001],
      [0x1000, 1],
    ] as const)
      expect(() => memoryRegionSetDirty(ram, offset, len)).toThrow(
        new RangeError(`[${offset}, +${len}) is not inside the 4096 bytes of "ram"`),
      );
    for (const [offset, len] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [Number.NaN, 1],
    ] as const)
      expect(() => memoryRegionSetDirty(ram, offset, len)).toThrow(RangeError);
    expect(() => memoryRegionSetDirty(ram, 0x1000, 0)).not.toThrow();
    expect(() => memoryRegionSetDirty(core.container('bus', 0x1000), 0x5000, 1)).not.toThrow();
  });
  it('D15: a tap says what it cannot take', () => {
    const bench = new Bench();
    const space = bench.space(bench.container('root'));
    expect(() => space.tap(0, 4, () => {}, never({ on: 'writes' }))).toThrow(
      new TypeError("on must be 'read', 'write' or 'both', not writes"),
    );
    expect(() => space.tap(0, 4, never(undefined))).toThrow(new TypeError('a tap calls a function, not undefined'));
  });
});
