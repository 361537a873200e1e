/**
 * What make-machines.ts makes machines of: for each, the capture it starts from, what the dump does not tell, and the table of
 * what is modelled where.
 */
import type { MachineDefinition, PciRule, PlacedDevice } from '@guestmem/devices';

/** One machine. */
export interface Recipe extends Omit<MachineDefinition, 'format' | 'version' | 'map' | 'pci'> {
  /** Name of the capture, and of the file made. */
  readonly file: string;
  /** Regions with children, or without, that answer or do not: what the dump does not tell, by name. */
  readonly answers?: readonly string[];
  readonly empty?: readonly string[];
  readonly readonly?: readonly string[];
  readonly pci?: Omit<PciRule, 'functions'> & { readonly functions: readonly (readonly [number, string, string])[] };
}

const PC_DEVICES: Record<string, PlacedDevice> = {
  io: { model: 'ones' },
  ioport80: { model: 'ones' },
  ioportF0: { model: 'ones' },
  rtc: { model: 'cmos-rtc' },
  'rtc-index': { model: 'cmos-rtc' },
  'pci-conf-idx': { model: 'pci-address' },
  'pci-conf-data': { model: 'pci-data' },
  port92: { model: 'port92' },
  'apic-msi': { model: 'zero' },
  'tseg-blackhole': { model: 'ones' },
};
const I8042_LINES = [1, 12];
const RTC_LINE = 8;
const ACPI_LINE = 9;
/**
 * Slots whose pins an ICH9 routes by registers (Intel ICH9, chipset configuration registers D25IR to D31IR). Those of INTA were asked of
 * QEMU 7.2 (edu has no other pin); the others follow the registers' value at power-on.
 */
const ICH9_SLOT_LINES: PciRule['slotLines'] = {
  ...Object.fromEntries([25, 26, 27, 28, 29, 31].map((slot) => [slot, [16, 17, 18, 19]])),
  30: [20, 21, 22, 23],
};
const PC_OPTIONS = { pit: ['pit', 'pcspk'], hpet: ['hpet'] };
const PC_FIRMWARE = {
  blocks: ['pc.bios'],
  end: '0x100000000',
  mirror: { alias: 'isa-bios', end: '0x100000' },
};
const PC_ANSWERS = ['io', 'rtc'];
const PL011 = { model: 'prime-cell', options: { id: '111014000df005b1', words: '0x24,0x28', wide: true } };
const PL031 = { model: 'prime-cell', options: { id: '311014000df005b1' } };

const SPACES = { cpu: 'cpu-memory-0', ports: 'I/O' };

/** All machines that come along. */
export const RECIPES: readonly Recipe[] = [
  pc({
    file: 'q35',
    aliases: ['pc-q35-7.2'],
    lowMax: '0x80000000',
    splitFrom: '0xb0000000',
    routeCapability: 0x00ff0104,
    paths: { hpet: '/machine/unattached/device[7]', ioapic: '/machine/q35/ioapic' },
    reset: ['lpc-reset-control', 'reset-control'],
    resetLowers: [...I8042_LINES, RTC_LINE],
    lines: [20, 21, 22, 23],
    slotLines: ICH9_SLOT_LINES,
    functions: [
      [0x00, 'q35-mch', 'mch'],
      [0xf8, 'ich9-lpc', 'ICH9-LPC'],
      [0xfa, 'config', 'ich9-ahci'],
      [0xfb, 'config', 'ICH9-SMB'],
    ],
  }),
  pc({
    file: 'pc',
    aliases: ['pc-i440fx-7.2'],
    lowMax: '0xc0000000',
    splitFrom: '0xe0000000',
    routeCapability: 4,
    paths: { hpet: '/machine/unattached/device[8]', ioapic: '/machine/i440fx/ioapic' },
    reset: ['piix3-reset-control', 'piix3-reset-control'],
    resetLowers: [ACPI_LINE, ...I8042_LINES, RTC_LINE],
    lines: [],
    functions: [
      [0x00, 'i440fx', 'i440FX'],
      [0x08, 'config', 'PIIX3'],
      [0x09, 'config', 'piix3-ide'],
      [0x0b, 'config', 'PIIX4_PM'],
    ],
  }),
  {
    file: 'g3beige',
    name: 'g3beige',
    program: 'qemu-system-ppc',
    order: 'big',
    ...SPACES,
    ram: { default: '0x8000000', max: '0x7ff00000', block: 'ppc_heathrow.ram' },
    firmware: { blocks: ['ppc_heathrow.bios'] },
    devices: {
      io: { model: 'ones' },
      'pci-conf-idx': { model: 'pci-address' },
      'pci-data-idx': { model: 'pci-data' },
      'fwcfg.ctl': { model: 'fw-cfg-control' },
      'fwcfg.data': { model: 'fw-cfg-data' },
    },
    pci: { memory: 'pci-mmio', system: 'system', lines: [], functions: [[0, 'config', 'grackle']] },
    empty: ['pci-mmio'],
  },
  {
    file: 'm68k-virt',
    name: 'virt',
    program: 'qemu-system-m68k',
    order: 'big',
    ...SPACES,
    ram: { default: '0x8000000', max: '0xf0000000', block: 'm68k_virt.ram' },
    devices: { io: { model: 'ones' }, 'virtio-mmio': { model: 'virtio-mmio', options: { version: 2 } } },
  },
  {
    file: 's390x',
    name: 's390-ccw-virtio',
    program: 'qemu-system-s390x',
    order: 'big',
    ...SPACES,
    ram: { default: '0x8000000', max: '0x10000000000', block: 's390.ram' },
    devices: { io: { model: 'ones' } },
  },
  {
    file: 'sparc',
    name: 'SS-5',
    program: 'qemu-system-sparc',
    order: 'big',
    ...SPACES,
    ram: { default: '0x8000000', max: '0x10000000', block: 'sun4m.ram' },
    devices: { io: { model: 'ones' }, 'empty-slot': { model: 'zero' } },
  },
  ...(['malta', 'maltael'] as const).map(
    (file): Recipe => ({
      file,
      name: 'malta',
      program: file === 'malta' ? 'qemu-system-mips' : 'qemu-system-mipsel',
      order: file === 'malta' ? 'big' : 'little',
      ...SPACES,
      ram: {
        default: '0x8000000',
        max: '0x80000000',
        block: 'mips_malta.ram',
        low: 'mips_malta_low_preio.ram',
        lowMax: '0x10000000',
      },
      firmware: { blocks: ['mips_malta.bios', 'bios.1fc'], swapWords: file === 'maltael' },
      // REVISION. MIPS Malta User's Manual.
      romWords: [{ block: 'bios.1fc', offset: 0x10, value: '0x420' }],
      devices: {
        io: { model: 'ones' },
        'empty-slot': { model: 'zero' },
        rtc: { model: 'cmos-rtc' },
        'rtc-index': { model: 'cmos-rtc' },
      },
      answers: PC_ANSWERS,
      empty: ['pci0-mem'],
    }),
  ),
  {
    file: 'aarch64',
    name: 'virt',
    program: 'qemu-system-aarch64',
    order: 'little',
    ...SPACES,
    ram: { default: '0x8000000', max: '0x3fc0000000', block: 'mach-virt.ram' },
    devices: {
      io: { model: 'ones' },
      'virtio-mmio': { model: 'virtio-mmio', options: { version: 1 } },
      pl011: PL011,
      pl031: PL031,
    },
    answers: ['gpex_mmio_window', 'gpex_ioport_window'],
    empty: ['platform bus', 'gpex_mmio', 'gpex_ioport'],
  },
];

/** What the two PCs differ in. */
interface PcRecipe {
  readonly file: string;
  readonly aliases: readonly string[];
  readonly lowMax: string;
  readonly splitFrom: string;
  readonly routeCapability: number;
  /** Object paths. */
  readonly paths: { readonly hpet: string; readonly ioapic: string };
  /** Region of the reset control register, and its model. */
  readonly reset: readonly [string, string];
  /** Interrupt lines that a reset lowers: what QEMU did with all lines high. */
  readonly resetLowers: readonly number[];
  /** Interrupt lines of PCI cards. */
  readonly lines: readonly number[];
  readonly slotLines?: PciRule['slotLines'];
  readonly functions: readonly (readonly [number, string, string])[];
}

function pc(recipe: PcRecipe): Recipe {
  const { file, aliases, lowMax, splitFrom, routeCapability, paths, reset, resetLowers } = recipe;
  const { lines, slotLines, functions } = recipe;
  return {
    file,
    name: file,
    aliases,
    program: 'qemu-system-x86_64',
    order: 'little',
    ...SPACES,
    ram: {
      default: '0x8000000',
      max: '0x10000000000',
      block: 'pc.ram',
      low: 'ram-below-4g',
      lowMax,
      splitFrom,
      high: 'ram-above-4g',
    },
    firmware: PC_FIRMWARE,
    lines: 24,
    resetLowers,
    devices: {
      ...PC_DEVICES,
      ioapic: { model: 'ioapic', path: paths.ioapic },
      hpet: { model: 'hpet', path: paths.hpet, options: { routeCapability } },
      [reset[0]]: { model: reset[1] },
    },
    pci: { memory: 'pci', system: 'system', lines, ...(slotLines && { slotLines }), functions },
    options: PC_OPTIONS,
    answers: PC_ANSWERS,
    readonly: ['pam-rom'],
  };
}
