/** rp2040js, driven from JavaScript through its public `readUint32` and `writeUint32`; RAM is its 264 KiB of SRAM. */
import type { Built, Row } from '../harness/row.ts';
import { fill, type StreamName } from '../harness/streams.ts';
import { type Device, devices } from './devices.ts';
import { residueOf } from './residue.ts';

interface Chip {
  readonly sramView: DataView;
  readonly peripherals: { [index: number]: Device };
  logger: unknown;
}

const RAM_BASE = 0x2000_0000;
/** A free place among its peripherals, which lie 16 KiB apart. */
const DEVICE_BASE = 0x4010_0000;
const DEVICE_SHIFT = 14;
const HOLE_BASE = 0x6000_0000;

async function build(count: number, access: string, kind: Built['kind']): Promise<Built> {
  const { RP2040 } = (await import('rp2040js')) as unknown as { RP2040: new () => Chip };
  const chip = new RP2040();
  const silent = () => {};
  chip.logger = { debug: silent, info: silent, warn: silent, error: silent };
  const view = new DataView(chip.sramView.buffer, chip.sramView.byteOffset, 8 << 10);
  fill(view, 0);
  devices(count).forEach((device, i) => {
    // Its table is keyed by address, 16 KiB pages in steps of 4.
    chip.peripherals[((DEVICE_BASE >>> DEVICE_SHIFT) + i) << 2] = device;
  });
  return { scope: { m: chip }, access, kind, residue: () => residueOf([view]) };
}

const row = (id: string, stream: StreamName, more: Partial<Row>): Row => ({
  id: `rp2040js/${id}/${stream}`,
  stream,
  size: 4,
  ...more,
});

export const rp2040Rows: readonly Row[] = [
  row('load32', 'hot', { base: RAM_BASE, same: 'load32/8K', build: () => build(0, 'm.readUint32(a)', 'number') }),
  row('store32', 'hot', { base: RAM_BASE, same: 'store32/8K', build: () => build(0, 'm.writeUint32(a, i)', 'store') }),
  row('device', 'device1', {
    base: DEVICE_BASE,
    same: 'device/device1',
    build: () => build(1, 'm.readUint32(a)', 'number'),
  }),
  row('device', 'device8', {
    base: DEVICE_BASE,
    shift: DEVICE_SHIFT,
    same: 'device/device8',
    build: () => build(8, 'm.readUint32(a)', 'number'),
  }),
  row('hole', 'hot', { base: HOLE_BASE, build: () => build(0, 'm.readUint32(a)', 'number') }),
];
