/** The worked examples of the topology rules, X-1 to X-30, with the numbers as seen in the machines they name. */
import { describe, expect, it } from 'vitest';
import { LogClient, type MemoryRegion, memoryRegionFind, memoryRegionPresent } from '../../src/index.ts';
import { Bench, drain, lines, linesIn, recorder, SPACE, sectionLine } from '../support/topology.ts';

const K = 0x400;
const M = 0x10_0000;
const G = 0x4000_0000;

/** A PC's low memory: RAM through an alias, a PCI bus below it, BIOS and option ROM in the bus. */
function pc(): { bench: Bench; system: MemoryRegion; pci: MemoryRegion; ram: MemoryRegion; bios: MemoryRegion } {
  const bench = new Bench();
  const system = bench.container('system');
  const pci = bench.container('pci');
  const ram = bench.ram('pc.ram', 64 * M);
  const bios = bench.rom('pc.bios', 256 * K);
  system.addSubregion(0, bench.alias('ram', ram, 0, 64 * M));
  system.addSubregion(0, pci, -1);
  pci.addSubregion(0xfffc_0000, bios);
  pci.addSubregion(0xe_0000, bench.alias('isa-bios', bios, 128 * K, 128 * K), 1);
  pci.addSubregion(0xc_0000, bench.rom('pc.rom', 128 * K), 1);
  return { bench, system, pci, ram, bios };
}

describe('worked examples', () => {
  it('X-1: a container of higher priority shows its devices and, in its holes, what is below; with operations it does not', () => {
    for (const terminating of [false, true]) {
      const bench = new Bench();
      const a = bench.container('A', 0x8000);
      const b = terminating ? bench.io('B', 0x4000) : bench.container('B', 0x4000);
      a.addSubregion(0, bench.io('C', 0x6000), 1);
      a.addSubregion(0x2000, b, 2);
      b.addSubregion(0, bench.io('D', 0x1000));
      b.addSubregion(0x2000, bench.io('E', 0x1000));
      expect(lines(bench.space(a))).toEqual(
        terminating
          ? ['0-1fff C', '2000-2fff D', '3000-3fff B @1000', '4000-4fff E', '5000-5fff B @3000']
          : ['0-1fff C', '2000-2fff D', '3000-3fff C @3000', '4000-4fff E', '5000-5fff C @5000'],
      );
    }
  });
  it('X-2, X-3: of equal priorities the last mapped is on top; mapping the other again turns it round', () => {
    const { bench, system, pci } = pc();
    const space = bench.space(system);
    const test = bench.io('pci-testdev-mmio', 4 * K);
    pci.addSubregion(0xe000_0000, test, 1);
    pci.addSubregion(0xe000_0000, bench.io('edu-mmio', M), 1);
    expect(linesIn(space, 0xe000_0000, 0xf000_0000)).toEqual(['e0000000-e00fffff edu-mmio']);
    pci.delSubregion(test);
    pci.addSubregion(0xe000_0000, test, 1);
    expect(linesIn(space, 0xe000_0000, 0xf000_0000)).toEqual([
      'e0000000-e0000fff pci-testdev-mmio',
      'e0001000-e00fffff edu-mmio @1000',
    ]);
  });
  it('X-4: an alias that shows nothing hides nothing', () => {
    const bench = new Bench();
    const system = bench.container('system');
    const pci = bench.container('pci');
    const ram = bench.ram('pc.ram', 64 * M);
    system.addSubregion(0, bench.alias('ram', ram, 0, 64 * M));
    system.addSubregion(0, pci, -1);
    system.addSubregion(0xa0000, bench.alias('smram-region', pci, 0xa0000, 0x20000), 1);
    expect(lines(bench.space(system))).toEqual(['0-3ffffff pc.ram']);
  });
  it('X-5: read-only aliases of RAM split it, and adjacent ones merge', () => {
    const { bench, system, ram } = pc();
    const space = bench.space(system);
    for (const [at, size] of [
      [0xc0000, 16 * K],
      [0xc4000, 16 * K],
      [0xf0000, 64 * K],
    ] as const) {
      const pam = bench.alias('pam-rom', ram, at, size);
      pam.setReadonly(true);
      system.addSubregion(at, pam, 1);
    }
    for (const [at, size] of [
      [0xc8000, 96 * K],
      [0xe0000, 64 * K],
    ] as const)
      system.addSubregion(
        at,
        bench.alias('pam-pci', system.children.find((each) => each.name === 'pci')!, at, size),
        1,
      );
    expect(linesIn(space, 0, 0x1000_0000)).toEqual([
      '0-bffff pc.ram',
      'c0000-c7fff pc.ram @c0000 ro',
      'c8000-dffff pc.rom @8000 ro',
      'e0000-effff pc.bios @20000 ro',
      'f0000-fffff pc.ram @f0000 ro',
      '100000-3ffffff pc.ram @100000',
    ]);
  });
  it('X-6: thirteen aliases of RAM and the RAM around them are one range; read-only they are three', () => {
    for (const readonly of [false, true]) {
      const { bench, system, ram } = pc();
      const space = bench.space(system);
      bench.core.transaction(() => {
        for (let i = 0; i < 13; i++) {
          const size = i < 12 ? 16 * K : 64 * K;
          const pam = bench.alias('pam', ram, 0xc0000 + i * 16 * K, size);
          pam.setReadonly(readonly);
          system.addSubregion(0xc0000 + i * 16 * K, pam, 1);
        }
      });
      expect(linesIn(space, 0, 0x1000_0000)).toEqual(
        readonly
          ? ['0-bffff pc.ram', 'c0000-fffff pc.ram @c0000 ro', '100000-3ffffff pc.ram @100000']
          : ['0-3ffffff pc.ram'],
      );
    }
  });
  it('X-7: a child covers one byte of a two-byte device', () => {
    const bench = new Bench();
    const io = bench.io('io', 64 * K);
    const rtc = bench.io('rtc', 2);
    rtc.addSubregion(0, bench.io('rtc-index', 1));
    io.addSubregion(0x70, rtc);
    expect(linesIn(bench.space(io), 0x70, 0x72)).toEqual(['70-70 rtc-index', '71-71 rtc @1']);
  });
  it('X-8: a byte of higher priority cuts a four-byte port in two; the parent fills all others', () => {
    const bench = new Bench();
    const io = bench.io('io', 64 * K);
    io.addSubregion(0xcf8, bench.io('pci-conf-idx', 4));
    io.addSubregion(0xcf9, bench.io('lpc-reset-control', 1), 1);
    expect(lines(bench.space(io))).toEqual([
      '0-cf7 io',
      'cf8-cf8 pci-conf-idx',
      'cf9-cf9 lpc-reset-control',
      'cfa-cfb pci-conf-idx @2',
      'cfc-ffff io @cfc',
    ]);
  });
  it('X-9: a disabled container is moved without a rebuild, and comes on top of its equals', () => {
    const bench = new Bench();
    const io = bench.io('io', 64 * K);
    const pm = bench.container('piix4-pm', 0x40);
    pm.addSubregion(0, bench.io('acpi-evt', 4));
    pm.addSubregion(4, bench.io('acpi-cnt', 2));
    pm.addSubregion(8, bench.io('acpi-tmr', 4));
    pm.setEnabled(false);
    io.addSubregion(0, pm);
    io.addSubregion(0x40, bench.io('pit', 4));
    io.addSubregion(0x60, bench.io('i8042-data', 1));
    io.addSubregion(0x80, bench.io('ioport80', 1));
    io.addSubregion(0x81, bench.io('dma-page', 3));
    io.addSubregion(0x87, bench.io('dma-page', 1));
    io.addSubregion(0xaf00, bench.io('acpi-cpu-hotplug', 32));
    const space = bench.space(io);
    expect(linesIn(space, 0x40, 0x44)).toEqual(['40-43 pit']);
    const { view } = space;
    pm.setAddress(0x40);
    expect(space.view).toBe(view);
    pm.setEnabled(true);
    expect(linesIn(space, 0x40, 0x61)).toEqual([
      '40-43 acpi-evt',
      '44-45 acpi-cnt',
      '46-47 io @46',
      '48-4b acpi-tmr',
      '4c-5f io @4c',
      '60-60 i8042-data',
    ]);
    pm.setAddress(0x80);
    expect(linesIn(space, 0x80, 0x8c).slice(0, 5)).toEqual([
      '80-83 acpi-evt',
      '84-85 acpi-cnt',
      '86-86 io @86',
      '87-87 dma-page',
      '88-8b acpi-tmr',
    ]);
    pm.setAddress(0xaf00);
    expect(linesIn(space, 0xaf00, 0xaf20)).toEqual([
      'af00-af03 acpi-evt',
      'af04-af05 acpi-cnt',
      'af06-af07 acpi-cpu-hotplug @6',
      'af08-af0b acpi-tmr',
      'af0c-af1f acpi-cpu-hotplug @c',
    ]);
  });
  it('X-10: four mirrors of one RAM stay four ranges', () => {
    const bench = new Bench();
    const gpu = bench.container('bcm2835-gpu', 4 * G);
    const ram = bench.ram('ram', G);
    for (let i = 0; i < 4; i++) gpu.addSubregion(i * G, bench.alias('bcm2835-gpu-ram-alias[*]', ram, 0, G));
    expect(lines(bench.space(gpu))).toEqual([
      '0-3fffffff ram',
      '40000000-7fffffff ram',
      '80000000-bfffffff ram',
      'c0000000-ffffffff ram',
    ]);
  });
  it('X-11: priority counts among siblings only', () => {
    const bench = new Bench();
    const gpu = bench.container('bcm2835-gpu', 4 * G);
    const ram = bench.ram('ram', G);
    for (let i = 0; i < 4; i++) gpu.addSubregion(i * G, bench.alias('bcm2835-gpu-ram-alias[*]', ram, 0, G));
    const peripherals = bench.container('bcm2835-peripherals', 16 * M);
    peripherals.addSubregion(0xe0_0000, bench.io('bcm2835-sdramc', 0x100), -1000);
    peripherals.addSubregion(0xe0_5000, bench.io('next', 0x100), -1000);
    gpu.addSubregion(0x7e00_0000, bench.alias('bcm2835-peripherals', peripherals, 0, 16 * M), 1);
    expect(linesIn(bench.space(gpu), 0x7ee0_0000, 0x7ee0_5000)).toEqual([
      '7ee00000-7ee000ff bcm2835-sdramc',
      '7ee00100-7ee04fff ram @3ee00100',
    ]);
  });
  it('X-12: bridge windows cut, merge across aliases, and show nothing when closed', () => {
    const bench = new Bench();
    const root = bench.container('pci');
    const bus = bench.container('pci_bridge_pci');
    const space = bench.space(root);
    bus.addSubregion(0xe000_0000, bench.ram('m', 4 * M), 1);
    const window = (at: number, size: number): MemoryRegion => {
      const alias = bench.alias('pci_bridge_mem', bus, at, size);
      root.addSubregion(at, alias, 1);
      return alias;
    };
    window(0xe010_0000, M);
    expect(lines(space)).toEqual(['e0100000-e01fffff m @100000']);
    const second = window(0xe020_0000, M);
    expect(lines(space)).toEqual(['e0100000-e02fffff m @100000']);
    root.delSubregion(second);
    const third = window(0xe030_0000, M);
    expect(lines(space)).toEqual(['e0100000-e01fffff m @100000', 'e0300000-e03fffff m @300000']);
    third.setSize(0);
    expect(lines(space)).toEqual(['e0100000-e01fffff m @100000']);
    window(0xe020_0000, 2 * M);
    bus.addSubregion(0xe010_0000, bench.io('edu-mmio', M), 1);
    expect(lines(space)).toEqual(['e0100000-e01fffff edu-mmio', 'e0200000-e03fffff m @200000']);
  });
  it('X-13: a window that ends at 2^64, one of size 0, and a child that lies beyond it', () => {
    const bench = new Bench();
    const bus = bench.container('bus');
    bus.addSubregion(0xffff_ffff_ffe0_0000n, bench.ram('m', M), 1);
    const root = bench.container('root');
    root.addSubregion(0xffff_fff0_0000_0000n, bench.alias('window', bus, 0xffff_fff0_0000_0000n, 1n << 36n));
    expect(lines(bench.space(root))).toEqual(['ffffffffffe00000-ffffffffffefffff m']);
    const closed = bench.container('closed');
    closed.addSubregion(0, bench.alias('window', bus, 0, 0));
    expect(lines(bench.space(closed))).toEqual([]);
    const clipper = bench.container('clipper');
    const pci0 = bench.container('pci0-mem', 4 * G);
    pci0.addSubregion(0xffff_fff0_0000_0000n, bench.io('pci-testdev-membar', 2 * M), 1);
    clipper.addSubregion(0x800_0000_0000n, pci0);
    expect(lines(bench.space(clipper))).toEqual([]);
  });
  it('X-14: an IOMMU of 2^64 bytes is one range', () => {
    const bench = new Bench();
    expect(lines(bench.space(bench.iommu('iommu-typhoon', SPACE)))).toEqual(['0-ffffffffffffffff iommu-typhoon']);
  });
  it('X-15: each switch of a ROM device between ROMD mode and device mode makes another view', () => {
    const bench = new Bench();
    const root = bench.container('system');
    const flash = bench.romDevice('system.flash0', M);
    root.addSubregion(0xfff0_0000, flash);
    const space = bench.space(root);
    const first = space.view;
    flash.romDeviceSetRomd(false);
    expect([space.view === first, lines(space)]).toEqual([false, ['fff00000-ffffffff system.flash0 io']]);
    flash.romDeviceSetRomd(true);
    expect(lines(space)).toEqual(['fff00000-ffffffff system.flash0']);
  });
  it('X-16: nonvolatile on an alias is inherited', () => {
    const bench = new Bench();
    const root = bench.container('system');
    const alias = bench.alias('nvdimm-memory', bench.ram('nv0', M), 0, M);
    alias.setNonvolatile(true);
    root.addSubregion(G, alias);
    expect(lines(bench.space(root))).toEqual(['40000000-400fffff nv0 nv']);
  });
  it('X-17: a bus-master alias switched off and on: the empty view, then that of the system', () => {
    const { bench, system } = pc();
    const memory = bench.space(system);
    const root = bench.container('bus master container');
    const alias = bench.alias('bus master', system, 0, SPACE);
    alias.setEnabled(false);
    root.addSubregion(0, alias);
    const device = bench.space(root, 'edu');
    expect([device.canonicalRoot, device.view]).toEqual([null, bench.core.emptyView]);
    alias.setEnabled(true);
    expect([device.canonicalRoot, device.view === memory.view]).toEqual([system, true]);
  });
  it('X-18: five IOMMU roots with one enabled child each share the view of that child', () => {
    const { bench, system } = pc();
    const nodmar = bench.container('vtd-nodmar');
    nodmar.addSubregion(0, bench.alias('vtd-nodmar.0', system, 0, SPACE));
    nodmar.addSubregion(0xfee0_0000, bench.io('vtd-ir', M), 1);
    const spaces = [0, 1, 2, 3, 4].map(() => {
      const root = bench.container('vtd-root');
      for (const child of [bench.iommu('vtd-dmar', SPACE), bench.io('vtd-ir-fault', M)]) {
        child.setEnabled(false);
        root.addSubregion(0, child);
      }
      root.addSubregion(0, bench.alias('vtd-nodmar', nodmar, 0, SPACE));
      return bench.space(root, 'vtd-root');
    });
    for (const space of spaces) expect([space.canonicalRoot, space.view]).toEqual([nodmar, spaces[0]!.view]);
    spaces[3]!.root.children.find((each) => each.name === 'vtd-dmar')!.setEnabled(true);
    expect(spaces[3]!.canonicalRoot).toBe(spaces[3]!.root);
    expect(spaces[3]!.view).not.toBe(spaces[0]!.view);
    expect(spaces[4]!.view).toBe(spaces[0]!.view);
  });
  it("X-19: an alias of part of a sibling: the target's own address is subtracted again", () => {
    const { bench, pci } = pc();
    expect(linesIn(bench.space(pci), 0xe0000, 2 ** 33)).toEqual([
      'e0000-fffff pc.bios @20000 ro',
      'fffc0000-ffffffff pc.bios ro',
    ]);
  });
  it('X-20: a device mapped later over a ROM of equal priority cuts it', () => {
    const bench = new Bench();
    const root = bench.container('system');
    root.addSubregion(0xfff0_0000, bench.rom('ppc_core99.bios', M));
    root.addSubregion(0xfff0_4000, bench.io('macio-nvram', 16 * K));
    expect(lines(bench.space(root))).toEqual([
      'fff00000-fff03fff ppc_core99.bios ro',
      'fff04000-fff07fff macio-nvram',
      'fff08000-ffffffff ppc_core99.bios @8000 ro',
    ]);
  });
  it('X-21: regions of priority -10000 show only where nothing else is', () => {
    const bench = new Bench();
    const root = bench.container('system');
    root.addSubregion(0, bench.core.reservation('empty-slot', 256 * M), -10000);
    root.addSubregion(0, bench.ram('ram', 128 * M));
    expect(lines(bench.space(root))).toEqual(['0-7ffffff ram', '8000000-fffffff empty-slot @8000000']);
  });
  it('X-22: a root that is mounted elsewhere shows at its own address', () => {
    const bench = new Bench();
    const system = bench.container('system');
    const io = bench.container('pci-io', 16 * M);
    io.addSubregion(0, bench.io('dma-chan', 8));
    system.addSubregion(0x8000_0000, io);
    expect(lines(bench.space(io, 'raven-io'))).toEqual(['80000000-80000007 dma-chan']);
  });
  it('X-23: aliases of a container within itself', () => {
    const bench = new Bench();
    const armsse = bench.container('armsse-container');
    const system = bench.container('system');
    for (const at of [0, 0x40_0000]) system.addSubregion(at, bench.ram('tz-mpc-upstream', 4 * M));
    armsse.addSubregion(0, system, -2);
    armsse.addSubregion(0x2000_0000, bench.ram('tz-mpc-upstream', 32 * K));
    armsse.addSubregion(0x1000_0000, bench.alias('alias 1', armsse, 0, 256 * M), -1500);
    armsse.addSubregion(0x3000_0000, bench.alias('alias 2', armsse, 0x2000_0000, 256 * M), -1500);
    expect(lines(bench.space(armsse))).toEqual([
      '0-3fffff tz-mpc-upstream',
      '400000-7fffff tz-mpc-upstream',
      '10000000-103fffff tz-mpc-upstream',
      '10400000-107fffff tz-mpc-upstream',
      '20000000-20007fff tz-mpc-upstream',
      '30000000-30007fff tz-mpc-upstream',
    ]);
  });
  it('X-24: one transaction that turns ROM into RAM: removals ascending, then additions; neighbours hear nothing', () => {
    const { bench, system, ram, pci } = pc();
    // c0000 and d0000 show the option ROM, c8000 RAM, e0000 and f0000 the BIOS.
    const windows = [0xc0000, 0xc8000, 0xd0000, 0xe0000, 0xf0000].map((at, i) => {
      const size = i < 2 ? 32 * K : 64 * K;
      const toRam = bench.alias('pam-ram', ram, at, size);
      const toPci = bench.alias('pam-pci', pci, at, size);
      toRam.setEnabled(at === 0xc8000);
      toPci.setEnabled(at !== 0xc8000);
      system.addSubregion(at, toRam, 1);
      system.addSubregion(at, toPci, 1);
      return { toRam, toPci };
    });
    const log: string[] = [];
    bench.space(system).registerListener(recorder('', log, { nop: false }));
    drain(log);
    bench.core.transaction(() => {
      for (const { toRam, toPci } of windows.slice(2, 4)) {
        toRam.setEnabled(true);
        toPci.setEnabled(false);
      }
    });
    expect(drain(log)).toEqual([
      'begin',
      'del c8000-cffff pc.ram @c8000',
      'del d0000-dffff pc.rom @10000 ro',
      'del e0000-fffff pc.bios @20000 ro',
      'add c8000-effff pc.ram @c8000',
      'add f0000-fffff pc.bios @30000 ro',
      'commit',
    ]);
  });
  it('X-25: the start of a migration: a log start for each RAM range, ascending, and nothing removed', () => {
    const { bench, system } = pc();
    const log: string[] = [];
    bench.space(system).registerListener(recorder('', log, { nop: false }));
    drain(log);
    bench.core.globalDirtyLogStart(1);
    expect(drain(log)).toEqual([
      'globalStart',
      'begin',
      'logStart 0-3ffffff pc.ram 0->4',
      'logStart fffc0000-ffffffff pc.bios ro 0->4',
      'commit',
    ]);
  });
  it('X-26: a device that does not fill its page answers in its bytes only', () => {
    const bench = new Bench();
    const root = bench.container('system');
    root.addSubregion(0xfed0_0000, bench.io('hpet', K));
    const { view } = bench.space(root);
    expect(sectionLine(view.lookup(0xfed0_0010)!)).toBe('fed00000-fed003ff hpet');
    expect([view.lookup(0xfed0_0800), view.find(0xfed0_0400), view.find(0xfed0_03ff)]).toEqual([null, -1, 0]);
  });
  it('X-27: find answers with the lowest range that meets the window, cut to it', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const b = bench.io('B', 0x2000);
    root.addSubregion(0, bench.io('A', 0x1000));
    root.addSubregion(0x2000, bench.alias('b', b, 0x100, 0x1000));
    bench.space(root);
    const find = (addr: number, size: number): string | null => {
      const found = memoryRegionFind(root, addr, size);
      found?.dispose();
      return found === null ? null : sectionLine(found.section);
    };
    expect(find(0x800, 0x1000)).toBe('800-fff A @800');
    expect(find(0x1800, 0x1000)).toBe('2000-27ff B @100');
    expect(find(0x1000, 0x1000)).toBe(null);
    expect([memoryRegionPresent(root, 0x2000), memoryRegionPresent(root, 0x1000)]).toEqual([true, false]);
  });
  it('X-28: one childless child: canonical root none; two: the root itself, though it shows nothing', () => {
    const bench = new Bench();
    const root = bench.container('root');
    root.addSubregion(0, bench.container('a'));
    const space = bench.space(root);
    expect([space.canonicalRoot, space.view.length]).toEqual([null, 0]);
    root.addSubregion(0, bench.container('b'));
    expect([space.canonicalRoot, space.view.length]).toEqual([root, 0]);
  });
  it('X-29: what a listener hears of readonly, of logging, and of a change elsewhere', () => {
    const bench = new Bench();
    const ram = bench.ram('r', 8 * K);
    const log: string[] = [];
    bench.space(ram).registerListener(recorder('', log));
    drain(log);
    ram.setReadonly(true);
    expect(drain(log)).toEqual(['begin', 'del 0-1fff r', 'add 0-1fff r ro', 'commit']);
    ram.setLog(true, LogClient.VGA);
    expect(drain(log)).toEqual(['begin', 'nop 0-1fff r ro', 'logStart 0-1fff r ro 0->1', 'commit']);
    bench.container('elsewhere').setEnabled(false);
    expect(drain(log)).toEqual(['begin', 'nop 0-1fff r ro', 'commit']);
  });
  it('X-30: listeners by priority, then as registered; removals in reverse', () => {
    const bench = new Bench();
    const root = bench.container('root');
    const io = bench.io('r', 4);
    root.addSubregion(0, io);
    const space = bench.space(root);
    const log: string[] = [];
    space.registerListener(recorder('L2', log, { priority: 10 }));
    space.registerListener(recorder('L3', log, { priority: 10 }));
    space.registerListener(recorder('L1', log));
    drain(log);
    io.setReadonly(true);
    expect(drain(log).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      ...['L1 begin', 'L2 begin', 'L3 begin'],
      ...['L3 del', 'L2 del', 'L1 del'],
      ...['L1 add', 'L2 add', 'L3 add'],
      ...['L1 commit', 'L2 commit', 'L3 commit'],
    ]);
  });
});
