/**
 * Makes packages/cli/captures/machines/*.json: the region tree of a real QEMU's machine (captures of `info mtree -D`), the
 * configuration space of its PCI functions (asked of the real program), and the table below of what is modelled where.
 *
 *   node -C dist dist/make-machines.js CAPTURES OUTPUT
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import type { MachineDefinition, PciRule, PlacedDevice, PlacedFunction } from '@guestmem/devices';
import { parseMtree } from '@guestmem/qemu-memory';

interface Recipe extends Omit<MachineDefinition, 'format' | 'version' | 'map' | 'pci'> {
  /** Name of the capture, and of the file made. */
  readonly file: string;
  /** Regions with children, or without, that answer or do not: what the dump does not tell, by name. */
  readonly answers: readonly string[];
  readonly empty: readonly string[];
  readonly readonly: readonly string[];
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
  ioapic: { model: 'ioapic', path: '/machine/q35/ioapic' },
  'apic-msi': { model: 'zero' },
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

const RECIPES: readonly Recipe[] = [
  {
    file: 'q35',
    name: 'q35',
    aliases: ['pc-q35-7.2'],
    program: 'qemu-system-x86_64',
    order: 'little',
    cpu: 'cpu-memory-0',
    ports: 'I/O',
    ram: {
      default: '0x8000000',
      max: '0x10000000000',
      block: 'pc.ram',
      low: 'ram-below-4g',
      lowMax: '0x80000000',
      splitFrom: '0xb0000000',
      high: 'ram-above-4g',
    },
    firmware: PC_FIRMWARE,
    lines: 24,
    devices: {
      ...PC_DEVICES,
      hpet: { model: 'hpet', path: '/machine/unattached/device[7]', options: { routeCapability: 0x00ff0104 } },
      'lpc-reset-control': { model: 'reset-control' },
    },
    pci: {
      memory: 'pci',
      system: 'system',
      lines: [20, 21, 22, 23],
      functions: [
        [0x00, 'q35-mch', 'mch'],
        [0xf8, 'ich9-lpc', 'ICH9-LPC'],
        [0xfa, 'config', 'ich9-ahci'],
        [0xfb, 'config', 'ICH9-SMB'],
      ],
    },
    options: PC_OPTIONS,
    answers: PC_ANSWERS,
    empty: [],
    readonly: ['pam-rom'],
  },
  {
    file: 'pc',
    name: 'pc',
    aliases: ['pc-i440fx-7.2'],
    program: 'qemu-system-x86_64',
    order: 'little',
    cpu: 'cpu-memory-0',
    ports: 'I/O',
    ram: {
      default: '0x8000000',
      max: '0x10000000000',
      block: 'pc.ram',
      low: 'ram-below-4g',
      lowMax: '0xc0000000',
      splitFrom: '0xe0000000',
      high: 'ram-above-4g',
    },
    firmware: PC_FIRMWARE,
    lines: 24,
    devices: {
      ...PC_DEVICES,
      hpet: { model: 'hpet', path: '/machine/unattached/device[7]', options: { routeCapability: 4 } },
      'piix3-reset-control': { model: 'reset-control' },
    },
    pci: {
      memory: 'pci',
      system: 'system',
      lines: [],
      functions: [
        [0x00, 'config', 'i440FX'],
        [0x08, 'config', 'PIIX3'],
        [0x09, 'config', 'piix3-ide'],
        [0x0b, 'config', 'PIIX4_PM'],
      ],
    },
    options: PC_OPTIONS,
    answers: PC_ANSWERS,
    empty: [],
    readonly: ['pam-rom'],
  },
  {
    file: 'g3beige',
    name: 'g3beige',
    program: 'qemu-system-ppc',
    order: 'big',
    cpu: 'cpu-memory-0',
    ports: 'I/O',
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
    answers: [],
    empty: ['pci-mmio'],
    readonly: [],
  },
  {
    file: 'm68k-virt',
    name: 'virt',
    program: 'qemu-system-m68k',
    order: 'big',
    cpu: 'cpu-memory-0',
    ports: 'I/O',
    ram: { default: '0x8000000', max: '0xf0000000', block: 'm68k_virt.ram' },
    devices: { io: { model: 'ones' }, 'virtio-mmio': { model: 'virtio-mmio', options: { version: 2 } } },
    answers: [],
    empty: [],
    readonly: [],
  },
  {
    file: 's390x',
    name: 's390-ccw-virtio',
    program: 'qemu-system-s390x',
    order: 'big',
    cpu: 'cpu-memory-0',
    ports: 'I/O',
    ram: { default: '0x8000000', max: '0x10000000000', block: 's390.ram' },
    devices: { io: { model: 'ones' } },
    answers: [],
    empty: [],
    readonly: [],
  },
  {
    file: 'sparc',
    name: 'SS-5',
    program: 'qemu-system-sparc',
    order: 'big',
    cpu: 'cpu-memory-0',
    ports: 'I/O',
    ram: { default: '0x8000000', max: '0x10000000', block: 'sun4m.ram' },
    devices: { io: { model: 'ones' }, 'empty-slot': { model: 'zero' } },
    answers: [],
    empty: [],
    readonly: [],
  },
  ...(['malta', 'maltael'] as const).map(
    (file): Recipe => ({
      file,
      name: 'malta',
      program: file === 'malta' ? 'qemu-system-mips' : 'qemu-system-mipsel',
      order: file === 'malta' ? 'big' : 'little',
      cpu: 'cpu-memory-0',
      ports: 'I/O',
      ram: {
        default: '0x8000000',
        max: '0x80000000',
        block: 'mips_malta.ram',
        low: 'mips_malta_low_preio.ram',
        lowMax: '0x10000000',
      },
      firmware: { blocks: ['mips_malta.bios', 'bios.1fc'], swapWords: file === 'maltael' },
      devices: {
        io: { model: 'ones' },
        'empty-slot': { model: 'zero' },
        rtc: { model: 'cmos-rtc' },
        'rtc-index': { model: 'cmos-rtc' },
      },
      answers: PC_ANSWERS,
      empty: ['pci0-mem'],
      readonly: [],
    }),
  ),
  {
    file: 'aarch64',
    name: 'virt',
    program: 'qemu-system-aarch64',
    order: 'little',
    cpu: 'cpu-memory-0',
    ports: 'I/O',
    ram: { default: '0x8000000', max: '0x3fc0000000', block: 'mach-virt.ram' },
    devices: {
      io: { model: 'ones' },
      'virtio-mmio': { model: 'virtio-mmio', options: { version: 1 } },
      pl011: PL011,
      pl031: PL031,
    },
    answers: ['gpex_mmio_window', 'gpex_ioport_window'],
    empty: ['platform bus', 'gpex_mmio', 'gpex_ioport'],
    readonly: [],
  },
];

const [captures, output] = argv.slice(2);
if (captures === undefined || output === undefined) throw new Error('usage: make-machines CAPTURES OUTPUT');
mkdirSync(output, { recursive: true });
for (const recipe of RECIPES) {
  const { file, answers, empty, readonly, pci, ...rest } = recipe;
  const definition: MachineDefinition = {
    format: 'guestmem-machine',
    version: 1,
    ...rest,
    ...(pci !== undefined && { pci: { ...pci, functions: pci.functions.map((f) => capture(recipe, ...f)) } }),
    map: mapOf(recipe),
  };
  writeFileSync(join(output, `${file}.json`), text(definition));
  console.log(`${file}: ${definition.map.regions.length} regions`);
}

function mapOf(recipe: Recipe): MachineDefinition['map'] {
  const [disabled, plain] = ['disabled', 'mtree'].map((kind) => join(captures!, `${recipe.file}.${kind}`));
  const dump = readFileSync(existsSync(disabled!) ? disabled! : plain!, 'utf8');
  const lines = (names: readonly string[]): number[] =>
    dump
      .split('\n')
      .flatMap((line, i) =>
        names.some((name) => line.includes(`): ${name}`) && nameOf(line) === name) ? [i + 1] : [],
      );
  const readonlyAliases = dump
    .split('\n')
    .flatMap((line, i) => (recipe.readonly.some((name) => line.includes(`: alias ${name} @`)) ? [i + 1] : []));
  const facts = { answers: lines(recipe.answers), empty: lines(recipe.empty), readonly: readonlyAliases };
  const map = parseMtree(dump, { facts });
  return { ...map, regions: map.regions.map(({ lines: _, ...region }) => region) };
}

function nameOf(line: string): string {
  return line.replace(/^.*\): /, '').replace(/ \[disabled\]$/, '');
}

/**
 * Reads a function's 256 bytes, writes ones everywhere and zeros again to learn what a guest can change, then ones once more and
 * resets the machine to learn what it keeps.
 */
function capture(recipe: Recipe, devfn: number, model: string, name: string): PlacedFunction {
  const script: string[] = [];
  const [outAddress, outData, inData] = ['outl 0xcf8', 'outl 0xcfc', 'inl 0xcfc'];
  const memory = recipe.file === 'g3beige';
  const swap = (value: number): string =>
    `0x${(memory ? ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24) : value).toString(16).replace('-', '')}`;
  const address = (offset: number): string =>
    memory
      ? `writel 0xfec00000 ${unsigned(swapNumber(0x8000_0000 + (devfn << 8) + offset))}`
      : `${outAddress} ${swap(0x8000_0000 + (devfn << 8) + offset)}`;
  const write = (value: number): string =>
    memory ? `writel 0xfee00000 ${unsigned(swapNumber(value))}` : `${outData} ${unsigned(value)}`;
  const read = memory ? 'readl 0xfee00000' : inData;
  for (let offset = 0; offset < 256; offset += 4) script.push(address(offset), read);
  for (let offset = 0; offset < 256; offset += 4)
    script.push(address(offset), write(0xffff_ffff), read, write(0), read);
  if (!memory) {
    for (let offset = 0; offset < 256; offset += 4) script.push(address(offset), write(0xffff_ffff));
    // The reset comes when the portion of 1024 bytes that it stands in has been answered (Q-7).
    script.push('outb 0xcf9 0x06', ...new Array(200).fill('endianness'));
  }
  for (let offset = 0; offset < 256; offset += 4) script.push(address(offset), read);
  const args = ['-M', recipe.name, '-m', '64M', '-accel', 'tcg', '-S', '-nodefaults', '-display', 'none'];
  const qemu = spawnSync(recipe.program, [...args, '-qtest', 'stdio', '-qtest-log', 'none'], {
    input: `${script.join('\n')}\n`,
    encoding: 'utf8',
    timeout: 5000,
  });
  const values = qemu.stdout
    .split('\n')
    .filter((line) => line.startsWith('OK 0x'))
    .map((line) => Number(line.slice(3)))
    .map((value) => (memory ? swapNumber(value) : value));
  if (values.length !== 64 * 4) throw new Error(`${recipe.program}: ${values.length} replies\n${qemu.stderr}`);
  const config: string[] = [];
  const writable: string[] = [];
  const kept: string[] = [];
  for (let i = 0; i < 64; i++) {
    config.push(bytes(values[i]!));
    writable.push(bytes((values[64 + 2 * i]! ^ values[65 + 2 * i]!) >>> 0));
    kept.push(bytes((values[192 + i]! ^ values[i]!) >>> 0));
  }
  return {
    devfn,
    model,
    name,
    config: config.join(''),
    writable: writable.join(''),
    ...(!memory && { kept: kept.join('') }),
  };
}

function swapNumber(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

function unsigned(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** A little-endian word as hex digits in address order. */
function bytes(word: number): string {
  return swapNumber(word).toString(16).padStart(8, '0');
}

/** JSON with one region a line, so that a difference can be read. */
function text(definition: MachineDefinition): string {
  const { map, ...rest } = definition;
  const { regions, ...outer } = map;
  const list = (values: readonly unknown[]): string =>
    values.map((value) => `      ${JSON.stringify(value)}`).join(',\n');
  const head = JSON.stringify(rest, null, 2).replace(/\n}$/, '');
  const shell = JSON.stringify(outer).slice(0, -1);
  return `${head},\n  "map": ${shell},\n    "regions": [\n${list(regions)}\n    ]\n  }\n}\n`;
}
