/**
 * v86, driven from JavaScript: the functions that its own devices and its CPU loop use to reach guest memory
 * (`cpu.read32s`, `cpu.write32`, `io.mmap_register`), no guest image. Paging is off, so an address is physical.
 */
import type { Built, Row } from '../harness/row.ts';
import { fill, type StreamName } from '../harness/streams.ts';
import { devices } from './devices.ts';
import { residueOf } from './residue.ts';

interface Cpu {
  readonly mem8: Uint8Array;
  readonly io: { mmap_register(addr: number, size: number, ...functions: unknown[]): void };
  read32s(addr: number): number;
  write32(addr: number, value: number): void;
}

const MEMORY_BYTES = 128 << 20;
const DEVICE_BASE = 0xa000_0000;
/** v86 gives devices blocks of 128 KiB. */
const DEVICE_SHIFT = 17;
const HOLE_BASE = 0xb000_0000;

async function machine(): Promise<Cpu> {
  // By a name that the compiler does not follow: its declarations need the DOM.
  const name: string = 'v86';
  const { V86 } = (await import(name)) as { V86: new (options: object) => V86Machine };
  const { createRequire } = await import('node:module');
  const { dirname, join } = await import('node:path');
  const folder = dirname(createRequire(import.meta.url).resolve('v86'));
  const emulator = new V86({
    wasm_path: join(folder, 'v86.wasm'),
    autostart: false,
    memory_size: MEMORY_BYTES,
    vga_memory_size: 2 << 20,
    disable_speaker: true,
    disable_keyboard: true,
    disable_mouse: true,
    log_level: 0,
  });
  await new Promise<void>((resolve) => emulator.add_listener('emulator-loaded', resolve));
  return emulator.v86.cpu;
}

interface V86Machine {
  readonly v86: { readonly cpu: Cpu };
  add_listener(name: string, listener: () => void): void;
}

async function build(setup: (cpu: Cpu) => void, access: string, kind: Built['kind']): Promise<Built> {
  const cpu = await machine();
  const view = new DataView(cpu.mem8.buffer, cpu.mem8.byteOffset, 8 << 10);
  fill(view, 0);
  setup(cpu);
  return { scope: { m: cpu }, access, kind, residue: () => residueOf([view]) };
}

function map(count: number): (cpu: Cpu) => void {
  return (cpu) => {
    devices(count).forEach((device, i) => {
      const read = device.read.bind(device);
      const write = device.write.bind(device);
      cpu.io.mmap_register(DEVICE_BASE + (i << DEVICE_SHIFT), 1 << DEVICE_SHIFT, read, write, read, write);
    });
  };
}

const row = (id: string, stream: StreamName, more: Partial<Row>): Row => ({
  id: `v86/${id}/${stream}`,
  stream,
  size: 4,
  ...more,
});

export const v86Rows: readonly Row[] = [
  row('load32', 'hot', { same: 'load32/8K', build: () => build(() => {}, 'm.read32s(a)', 'number') }),
  row('store32', 'hot', { same: 'store32/8K', build: () => build(() => {}, 'm.write32(a, i)', 'store') }),
  row('device', 'device1', {
    base: DEVICE_BASE,
    same: 'device/device1',
    build: () => build(map(1), 'm.read32s(a)', 'number'),
  }),
  row('device', 'device8', {
    base: DEVICE_BASE,
    shift: DEVICE_SHIFT,
    same: 'device/device8',
    build: () => build(map(8), 'm.read32s(a)', 'number'),
  }),
  row('hole', 'hot', { base: HOLE_BASE, build: () => build(() => {}, 'm.read32s(a)', 'number') }),
];
