/** Machines that are built alike in two threads: the owner's, and a twin to compare with. */
import { type AddressSpace, MemoryCore } from '@guestmem/qemu-memory';
import { type ByteOrder, bufferBacking, type GuestAddress } from '@guestmem/vm-memory';

/** One callback of a device, as memtx's order grid wants it. */
export interface Call {
  readonly op: 'read' | 'write';
  readonly offset: number;
  readonly size: number;
  readonly value: bigint;
}

export interface Built {
  readonly space: AddressSpace;
  readonly calls: Call[];
}

/** Ranges of RAM, in shared memory or not. */
export function ranges(
  list: readonly { readonly start: GuestAddress; readonly length: number }[],
  shared: boolean,
): Built {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  core.transaction(() => {
    for (const { start, length } of list) root.addSubregion(start, core.ram('ram', bufferBacking(length, { shared })));
  });
  return { space: core.addressSpace(root, 'system'), calls: [] };
}

/** RAM and byte-array devices of each order, for the order grid. */
export function grid(targetOrder: ByteOrder): Built {
  const core = new MemoryCore({ targetOrder });
  const root = core.container('system', 1n << 64n);
  const calls: Call[] = [];
  root.addSubregion(0, core.ram('ram', bufferBacking(64, { shared: true })));
  for (const [i, endianness] of (['little', 'big', 'native'] as const).entries())
    root.addSubregion(0x1000 * (i + 1), byteArray(core, endianness, calls, { unaligned: false }));
  return { space: core.addressSpace(root, 'grid'), calls };
}

/** Where the mixed machine has something at all. */
export const MIXED_END = 0x8000;

/** RAM, ROM, devices with several rules, holes, an IOMMU and a read-only alias, close together. */
export function mixed(): Built {
  const core = new MemoryCore();
  const root = core.container('system', 1n << 64n);
  const calls: Call[] = [];
  const ram = core.ram('ram', bufferBacking(0x1000, { shared: true }));
  const space = core.addressSpace(root, 'mixed');
  core.transaction(() => {
    root.addSubregion(0, ram);
    root.addSubregion(0x1000, byteArray(core, 'little', calls, { unaligned: false }));
    root.addSubregion(0x1040, core.ram('more', bufferBacking(0x3c0, { shared: true })));
    root.addSubregion(0x1400, core.ram('plain', bufferBacking(0x400)));
    root.addSubregion(0x2000, byteArray(core, 'big', calls, { unaligned: true, most: 2 }));
    root.addSubregion(0x3000, core.rom('rom', bufferBacking(Uint8Array.from({ length: 0x400 }, (_, i) => i & 0xff))));
    const view = core.alias('window', ram, 0x200, 0x800);
    view.setReadonly(true);
    root.addSubregion(0x4000, view);
    root.addSubregion(
      0x6000,
      core.iommu('iommu', 0x1000, {
        translate: (offset: GuestAddress) => ({
          targetAs: space,
          iova: offset,
          translatedAddr: Number(offset) ^ 0x100,
          addrMask: 0xff,
          perm: Number(offset) < 0x800 ? 3 : 1,
        }),
      }),
    );
  });
  return { space, calls };
}

function byteArray(
  core: MemoryCore,
  endianness: 'little' | 'big' | 'native',
  calls: Call[],
  rules: { readonly unaligned: boolean; readonly most?: number },
) {
  const bytes = new Map<number, bigint>();
  const order = endianness === 'native' ? core.targetOrder : endianness;
  const at = (i: number, size: number): bigint => BigInt(8 * (order === 'little' ? i : size - 1 - i));
  const get = (offset: number, size: number): bigint => {
    let value = 0n;
    for (let i = 0; i < size; i++) value |= (bytes.get(offset + i) ?? 0n) << at(i, size);
    calls.push({ op: 'read', offset, size, value });
    return value;
  };
  const set = (offset: number, value: bigint, size: number): void => {
    calls.push({ op: 'write', offset, size, value });
    for (let i = 0; i < size; i++) bytes.set(offset + i, (value >> at(i, size)) & 0xffn);
  };
  const sizes = { minAccessSize: 1, maxAccessSize: rules.most ?? 8, unaligned: rules.unaligned };
  return core.io(endianness, 64, {
    endianness,
    valid: { minAccessSize: 1, maxAccessSize: 8, unaligned: rules.unaligned },
    impl: sizes,
    read: (offset, size) => Number(get(offset, size)),
    write: (offset, value, size) => set(offset, BigInt(value), size),
    read64: (offset) => get(offset, 8),
    write64: (offset, value) => set(offset, value, 8),
  });
}
