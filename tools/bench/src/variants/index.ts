/**
 * Designs that were tried, smaller than the real thing so that each shows one idea: of the u32 load (designs.ts), of a device
 * read, of a 64-bit load, of a transfer of a page. The numbers stand beside each (ns with the loop; a raw DataView load takes 1.4 / 1.6). Run them with `npm run bench -- --rows '^variant'`.
 */
import type { Built, Row } from '../harness/row.ts';
import type { StreamName } from '../harness/streams.ts';
import { devices } from '../rows/devices.ts';
import { ramFor } from '../rows/ram.ts';
import { BIGINT_DESIGNS } from './bigint-designs.ts';
import { COPIES, doublesCopy, keptViews, slicedInto } from './copy-designs.ts';
import {
  closurePerSegment,
  homeOnly,
  lastHitBinarySearch,
  lastHitSwitch,
  tableOnly,
  untypedSlow,
  zeroOnly,
} from './designs.ts';

import { deviceByCall, deviceByMethod, deviceGenerated } from './device-designs.ts';

type Design = (ram: readonly DataView[]) => object;

function row(name: string, design: Design, stream: StreamName): Row {
  return {
    id: `variant-${name}/load32/${stream}`,
    stream,
    size: 4,
    same: `load32/${stream}`,
    build: async (): Promise<Built> => {
      const { le32 } = await import('@guestmem/memtx');
      const ram = ramFor(stream);
      return { scope: { m: design(ram), c: le32 }, access: 'm.load(a, c)', kind: 'number' };
    },
  };
}

const DESIGNS: readonly (readonly [string, Design])[] = [
  ['last-hit-switch', lastHitSwitch],
  ['last-hit-search', lastHitBinarySearch],
  ['closure', closurePerSegment],
  ['home', homeOnly],
  ['zero', zeroOnly],
  ['table', tableOnly],
  ['table-untyped', untypedSlow],
];

const DEVICE_BASE = 0xa000_0000;
const DEVICE_SHIFT = 17;

function deviceRow(name: string, make: typeof deviceByCall, count: 1 | 8): Row {
  return {
    id: `variant-device-${name}/device/device${count}`,
    stream: `device${count}`,
    size: 4,
    base: DEVICE_BASE,
    shift: DEVICE_SHIFT,
    same: `device/device${count}`,
    build: async (): Promise<Built> => ({ scope: { m: make(devices(8)) }, access: 'm.load(a)', kind: 'number' }),
  };
}

function copyRow(name: keyof typeof COPIES): Row {
  return {
    id: `variant-copy-${name}/read4K/hot`,
    stream: 'hot',
    size: 4096,
    same: 'read4K/hot',
    checkCount: 64,
    build: async (): Promise<Built> => {
      const [view] = ramFor('hot');
      const u = new Uint8Array(view!.buffer);
      const b = new Uint8Array(4096);
      const scope = { u, b, r: u.buffer, copy: doublesCopy(u, b), kept: keptViews(u), s: slicedInto(u, b) };
      return { scope, access: COPIES[name], kind: 'number' };
    },
  };
}

function bigintRow(name: keyof typeof BIGINT_DESIGNS): Row {
  return {
    id: `variant-bigint-${name}/load64/hot`,
    stream: 'hot',
    size: 8,
    same: 'load64/hot',
    build: async (): Promise<Built> => {
      const [view] = ramFor('hot');
      return { scope: { m: BIGINT_DESIGNS[name](view!) }, access: 'm.load(a)', kind: 'bigint' };
    },
  };
}

const DEVICES = [
  ['call', deviceByCall],
  ['method', deviceByMethod],
  ['generated', deviceGenerated],
] as const;

export const variantRows: readonly Row[] = [
  ...DESIGNS.flatMap(([name, design]) => [
    row(name, design, 'hot'),
    ...(name === 'zero' || name === 'closure' || name === 'home' ? [] : [row(name, design, 'hot8')]),
  ]),
  ...DEVICES.flatMap(([name, make]) => [deviceRow(name, make, 1), deviceRow(name, make, 8)]),
  ...(['window', 'zero', 'fields', 'words', 'unchecked'] as const).map(bigintRow),
  ...(['subarray', 'view', 'buffer', 'kept', 'species', 'doubles'] as const).map(copyRow),
];
