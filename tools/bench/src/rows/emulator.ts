/**
 * What a whole emulator pays: the same RISC-V interpreter over an AddressSpace, and over a DataView with the range of the
 * RAM and one device written into every access, as people write it by hand. 64 instructions count as one access.
 */
import { type Hart, interpreter, type MemorySource, program } from '../emulator/rv32i.ts';
import type { Built, Row } from '../harness/row.ts';
import { devices } from './devices.ts';

const RAM_BYTES = 64 << 20;
const DEVICE_BASE = 0x1000_0000;

/** A store by hand: nothing checks its value, and the DataView cuts it. */
function byHand(ramBase: number): { scope: Record<string, unknown>; source: MemorySource; view: DataView } {
  const view = new DataView(new ArrayBuffer(RAM_BYTES));
  const inRam = (addr: string): string => `(${addr} - ${ramBase}) >>> 0`;
  const load = (method: string, size: number) => (addr: string) =>
    `(${inRam(addr)} < ${RAM_BYTES} ? view.${method}(${inRam(addr)}${size > 1 ? ', true' : ''}) : device.read(${addr} - ${DEVICE_BASE}, ${size}))`;
  const store = (method: string, size: number) => (addr: string, value: string) =>
    `if (${inRam(addr)} < ${RAM_BYTES}) view.${method}(${inRam(addr)}, ${value}${size > 1 ? ', true' : ''}); else device.write(${addr} - ${DEVICE_BASE}, ${value}, ${size})`;
  return {
    scope: { view, device: devices(1)[0] },
    source: {
      lb: load('getInt8', 1),
      lh: load('getInt16', 2),
      lw: load('getInt32', 4),
      lbu: load('getUint8', 1),
      lhu: load('getUint16', 2),
      sb: store('setInt8', 1),
      sh: store('setInt16', 2),
      sw: store('setInt32', 4),
    },
    view,
  };
}

async function bySpace(ramBase: number): Promise<ReturnType<typeof byHand>> {
  const { MemoryCore } = await import('@guestmem/qemu-memory');
  const { bufferBacking } = await import('@guestmem/vm-memory');
  const { i8, le16, le16s, le32s, u8 } = await import('@guestmem/memtx');
  const view = new DataView(new ArrayBuffer(RAM_BYTES));
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const memory = core.addressSpace(system, 'memory');
  system.addSubregion(ramBase, core.ram('ram', bufferBacking(view)));
  system.addSubregion(DEVICE_BASE, core.io('device', 0x1000, devices(1)[0]!));
  const load = (codec: string) => (addr: string) => `memory.load(${addr}, ${codec})`;
  const store = (codec: string, cut: string) => (addr: string, value: string) =>
    `memory.store(${addr}, ${codec}, ${value}${cut})`;
  return {
    scope: { memory, i8, le16, le16s, le32s, u8 },
    source: {
      lb: load('i8'),
      lh: load('le16s'),
      lw: load('le32s'),
      lbu: load('u8'),
      lhu: load('le16'),
      sb: store('u8', ' & 0xff'),
      sh: store('le16', ' & 0xffff'),
      sw: store('le32s', ''),
    },
    view,
  };
}

async function build(ramBase: number, make: typeof byHand | typeof bySpace): Promise<Built> {
  const { scope, source, view } = await make(ramBase);
  for (const [i, insn] of program(ramBase, DEVICE_BASE).entries()) view.setInt32(4 * i, insn, true);
  const hart: Hart = { x: new Int32Array(32), pc: ramBase };
  return { scope: { run: interpreter(scope, source), hart }, access: 'run(hart, 64)', kind: 'number' };
}

export const emulatorRows: readonly Row[] = [0, 0x8000_0000].flatMap((ramBase) =>
  (
    [
      ['by-hand', byHand],
      ['space', bySpace],
    ] as const
  ).map(
    ([name, make]): Row => ({
      id: `emulator/${name}/at-${ramBase / 2 ** 30}-GiB`,
      stream: 'seq',
      size: 4,
      same: `emulator/${ramBase}`,
      checkCount: 1 << 14,
      build: () => build(ramBase, make),
    }),
  ),
);
