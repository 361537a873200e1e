/** @guestmem/qemu-memory's AddressSpace, and @guestmem/memtx's views over it. */
import type { MemoryCore, MemoryRegion } from '@guestmem/qemu-memory';
import type { Built, Kind, Row } from '../harness/row.ts';
import { REGION_BYTES, type StreamName } from '../harness/streams.ts';
import { ACCESSES, type AccessName, checkCount } from './accesses.ts';
import { devices } from './devices.ts';
import { ramFor } from './ram.ts';
import { residueOf } from './residue.ts';

const DEVICE_BASE = 0xa000_0000;
/** As far apart as v86's are. */
const DEVICE_SHIFT = 17;
const HOLE_BASE = 0xb000_0000;

/** A space with the RAM of `stream` from 0 on, eight devices of 4 KiB, and a big hole. */
async function space(stream: StreamName, more?: (core: MemoryCore, system: MemoryRegion) => void) {
  const { MemoryCore } = await import('@guestmem/qemu-memory');
  const { bufferBacking } = await import('@guestmem/vm-memory');
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const ram = ramFor(stream);
  ram.forEach((view, i) => {
    system.addSubregion(i * REGION_BYTES, core.ram(`ram${i}`, bufferBacking(view)));
  });
  devices(8).forEach((device, i) => {
    const ops = {
      endianness: 'little' as const,
      read: device.read.bind(device),
      write: device.write.bind(device),
    };
    system.addSubregion(DEVICE_BASE + (i << DEVICE_SHIFT), core.io(`device${i}`, 0x1000, ops));
  });
  more?.(core, system);
  return { core, ram, system, space: core.addressSpace(system, 'memory') };
}

async function codecs() {
  const { le32, le64, le64n } = await import('@guestmem/memtx');
  return { u32: le32, u64: le64, u64Number: le64n };
}

async function build(name: AccessName, stream: StreamName, form: 'space' | 'view'): Promise<Built> {
  const { space: memory, ram } = await space(stream);
  const access = ACCESSES[name];
  const m = form === 'view' ? memory.with({ requesterId: 0x20 }) : memory;
  return {
    scope: { m, c: (await codecs())[access.codec], b: new Uint8Array(access.size) },
    access: access.bytes,
    kind: access.kind,
    residue: () => residueOf(ram),
  };
}

function row(form: 'space' | 'view', name: AccessName, stream: StreamName): Row {
  const access = ACCESSES[name];
  return {
    id: `${form}/${name}/${stream}`,
    stream,
    size: access.size,
    same: `${name}/${stream}`,
    checkCount: checkCount(access),
    build: () => build(name, stream, form),
  };
}

/** Rows that are not plain RAM: their own access text over the same space. */
function special(
  id: string,
  stream: StreamName,
  make: () => Promise<
    { readonly scope: Record<string, unknown>; readonly access: string; readonly kind?: Kind } & Partial<Built>
  >,
  more: Partial<Row> = {},
): Row {
  return {
    id: `space/${id}/${stream}`,
    stream,
    size: 4,
    ...more,
    build: async () => ({ kind: 'number', ...(await make()) }),
  };
}

async function result(access: string) {
  const { MemTx, MEMTXATTRS_UNSPECIFIED } = await import('@guestmem/memtx');
  const { space: memory } = await space('hot');
  const { u32 } = await codecs();
  return { scope: { m: memory, c: u32, x: new MemTx(), t: new MemTx(), u: MEMTXATTRS_UNSPECIFIED }, access };
}

export const addressSpaceRows: readonly Row[] = [
  ...(
    [
      'load32',
      'store32',
      'load64',
      'load64n',
      'store64n',
      'readObj32',
      'writeObj32',
      'readObj64n',
      'writeObj64n',
      'read4K',
      'write4K',
      'read1M',
      'write1M',
    ] as const
  ).map((name) => row('space', name, 'hot')),
  ...(['load32', 'store32'] as const).flatMap((name) =>
    (['hot8', 'seq', 'rand', 'rand8'] as const).map((stream) => row('space', name, stream)),
  ),
  row('view', 'load32', 'hot'),
  row('view', 'store32', 'hot'),
  special(
    'device',
    'device1',
    async () => ({ scope: { m: (await space('hot')).space, c: (await codecs()).u32 }, access: 'm.load(a, c)' }),
    { base: DEVICE_BASE, same: 'device/device1' },
  ),
  special(
    'device',
    'device8',
    async () => ({ scope: { m: (await space('hot')).space, c: (await codecs()).u32 }, access: 'm.load(a, c)' }),
    { base: DEVICE_BASE, shift: DEVICE_SHIFT, same: 'device/device8' },
  ),
  special('hole', 'hot', () => result('(m.txLoad(a, c, u, t) + t.result)'), { base: HOLE_BASE }),
  special('txLoad32', 'hot', () => result('(m.txLoad(a, c, u, t) + t.result)'), { same: 'load32/hot' }),
];
