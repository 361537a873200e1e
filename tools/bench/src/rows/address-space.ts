/** @guestmem/qemu-memory's AddressSpace, and @guestmem/memtx's views over it. */
import type { GuestAddress } from '@guestmem/vm-memory';
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

/**
 * A space with the RAM of `stream` from 0 on (or from `ramBase`), eight devices of 4 KiB, and a big hole. The map is
 * changed once after the space is made, so that what is measured is the published snapshot, not a first view that V8 may
 * take for constant.
 */
async function space(stream: StreamName, { shared = false, ramBase = 0, rom = false } = {}) {
  const { MemoryCore } = await import('@guestmem/qemu-memory');
  const { bufferBacking } = await import('@guestmem/vm-memory');
  const core = new MemoryCore();
  const system = core.container('system', 1n << 64n);
  const memory = core.addressSpace(system, 'memory');
  const ram = ramFor(stream, shared);
  const regions = ram.map((view, i) => {
    const backing = bufferBacking(view);
    const region = rom ? core.rom(`rom${i}`, backing) : core.ram(`ram${i}`, backing);
    system.addSubregion(ramBase + i * REGION_BYTES, region);
    return region;
  });
  devices(8).forEach((device, i) => {
    system.addSubregion(DEVICE_BASE + (i << DEVICE_SHIFT), core.io(`device${i}`, 0x1000, device));
  });
  return { core, ram, system, regions, space: memory };
}

/** Dirty tracking by one client; `touch32` finds every page clean at the start of each round. */
async function dirty(name: 'store32' | 'touch32', stream: StreamName): Promise<Built> {
  const { LogClient, memoryRegionResetDirty } = await import('@guestmem/qemu-memory');
  const { space: memory, ram, regions } = await space(stream);
  const region = regions[0]!;
  region.setLog(true, LogClient.VGA);
  const clean = () => memoryRegionResetDirty(region, 0, REGION_BYTES, LogClient.VGA);
  clean();
  return {
    scope: { m: memory, c: (await codecs()).u32 },
    access: ACCESSES[name].bytes,
    kind: 'store',
    residue: () => residueOf(ram),
    ...(name === 'touch32' ? { reset: { count: REGION_BYTES >>> 12, run: () => void clean() } } : {}),
  };
}

/** An IOMMU of 4 KiB pages in front of the RAM, each page its own neighbour's, through the IOTLB that the package offers. */
async function iommu(stream: StreamName): Promise<Built> {
  const { PageIommu } = await import('@guestmem/qemu-memory');
  const { core, space: memory, ram } = await space(stream);
  const walk = (iova: GuestAddress) => ({ translatedAddr: Number(iova) & ~0xfff, perm: 3 as const });
  const root = core.iommu('iommu', REGION_BYTES, new PageIommu(memory, walk, { entries: 16384 }));
  const dma = core.addressSpace(root, 'dma');
  return {
    scope: { m: dma, c: (await codecs()).u32 },
    access: 'm.load(a, c)',
    kind: 'number',
    residue: () => residueOf(ram),
  };
}

/** A space that is attached by its handle, as a worker does; RAM is reached by the shared table. */
async function attached(name: 'load32' | 'store32'): Promise<Built> {
  const { attach } = await import('@guestmem/qemu-memory');
  const { space: memory, ram } = await space('hot', { shared: true });
  const far = attach(memory.share().handle(), { flavour: 'quiescent' });
  return {
    scope: { m: far, c: (await codecs()).u32 },
    access: ACCESSES[name].bytes,
    kind: ACCESSES[name].kind,
    residue: () => residueOf(ram),
  };
}

async function codecs() {
  const { be32, le16s, le32, le64, le64n, u8 } = await import('@guestmem/memtx');
  return { u8, i16: le16s, u32: le32, u32be: be32, u64: le64, u64Number: le64n };
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
      'load8',
      'store8',
      'load16s',
      'load32be',
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
  ...(['store32', 'touch32'] as const).map((name): Row => {
    const stream = name === 'store32' ? 'hot' : 'touch';
    return {
      id: `space-dirty/${name}/${stream}`,
      stream,
      size: 4,
      same: `${name}/${stream}`,
      build: () => dirty(name, stream),
    };
  }),
  ...(['load32', 'store32'] as const).map(
    (name): Row => ({
      id: `attached/${name}/hot`,
      stream: 'hot',
      size: 4,
      same: `${name}/hot`,
      build: () => attached(name),
    }),
  ),
  special('iommu1', 'hot', () => iommu('hot'), { same: 'load32/hot' }),
  special('iommu16384', 'pages', () => iommu('pages'), { same: 'load32/rand' }),
  special(
    'rom32',
    'hot',
    async () => ({
      scope: { m: (await space('hot', { rom: true })).space, c: (await codecs()).u32 },
      access: 'm.load(a, c)',
    }),
    { same: 'load32/hot' },
  ),
  ...[1, 2, 4].flatMap((gib) =>
    (['load32', 'store32'] as const).map((name) =>
      special(
        `${name}-at-${gib}-GiB`,
        'hot',
        async () => {
          const { space: memory, ram } = await space('hot', { ramBase: gib * 2 ** 30 });
          const { bytes, kind } = ACCESSES[name];
          const scope = { m: memory, c: (await codecs()).u32 };
          return { scope, access: bytes, kind, residue: () => residueOf(ram) };
        },
        { base: gib * 2 ** 30, same: `${name}/hot` },
      ),
    ),
  ),
  special(
    'cached32',
    'hot',
    async () => {
      const { space: memory } = await space('hot');
      return { scope: { m: memory.cache(0, REGION_BYTES, 'read'), c: (await codecs()).u32 }, access: 'm.load(a, c)' };
    },
    { same: 'load32/hot' },
  ),
  special(
    'mapped32',
    'hot',
    async () => {
      const [mapping] = (await space('hot')).space.mapRam(0, REGION_BYTES, 'read');
      const { buffer, byteOffset, byteLength } = mapping!.bytes;
      return { scope: { m: new DataView(buffer, byteOffset, byteLength) }, access: 'm.getUint32(a, true)' };
    },
    { same: 'load32/hot' },
  ),
  special('hole', 'hot', () => result('(m.txLoad(a, c, u, t) + t.result)'), { base: HOLE_BASE }),
  special('txLoad32', 'hot', () => result('(m.txLoad(a, c, u, t) + t.result)'), { same: 'load32/hot' }),
  special('txDevice', 'device1', () => result('(m.txLoad(a, c, u, t) + t.result)'), {
    base: DEVICE_BASE,
    same: 'device/device1',
  }),
  special(
    'device-byte',
    'device1',
    async () => ({ scope: { m: (await space('hot')).space, c: (await codecs()).u8 }, access: 'm.load(a, c)' }),
    { base: DEVICE_BASE },
  ),
];
